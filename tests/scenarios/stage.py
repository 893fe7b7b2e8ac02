"""A stage for scenarios: a home that was prepared once, a channel, and a renderer that can break.

Preparing a home transcribes and renders, so it is done once a process of pytest and put aside; each
scenario gets it back at the very same place, for receipts hold the paths they were written with.
"""

from __future__ import annotations

import json
import shutil
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from omniva_dagster.assets import CLIP_PIPELINE
from omniva_dagster.contracts.decisions import Directive, DirectiveKind, Outcome
from omniva_dagster.definitions import definitions
from omniva_dagster.demo.channel import Channel, ChannelVideo, serve_channel, write_channel
from omniva_dagster.partitions import CREATORS, partition_key
from omniva_dagster.settings import settings
from omniva_dagster.state import decisions, outcomes
from omniva_dagster.state.partition import Partition
from omniva_dagster.state.store import open_store
from omniva_dagster.state.tables import packets
from omniva_dagster.workers.media.ffmpeg import find_ffmpeg
from tests.support.home import DAY, Home, make_home

HERE = Partition("ada", DAY)
VIDEOS = ("one", "two")
PIPELINE = tuple(asset.key.path[-1] for asset in CLIP_PIPELINE)
# Everything up to the plans, which a renderer is then given; and up to what a publisher is given.
_STEPS = {"planned": "edit_jobs", "prepared": "upload_jobs", "published": "publications"}

_RENDERER = """#!{python} -IS
import os, signal, sys, time
folder, real, arguments = {folder!r}, {real!r}, sys.argv[1:]
renders = arguments[-1] == "file:clip.mp4"
mode = open(os.path.join(folder, "mode")).read() if renders else ""
if renders:
    with open(os.path.join(folder, "calls"), "a") as calls:
        calls.write(mode + "\\n")
if mode == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if mode == "slow":
    open("half.mp4", "wb").write(b"half")
    while open(os.path.join(folder, "mode")).read() == "slow":
        print("out_time_us=1000000", flush=True)
        time.sleep(0.2)
if mode == "stuck":
    open("half.mp4", "wb").write(b"half")
    os.kill(os.getpid(), signal.SIGSTOP)
if "-preset" in arguments:
    arguments[arguments.index("-preset") + 1] = "ultrafast"
os.execv(real, [real, *arguments])
"""


@dataclass(frozen=True)
class Renderer:
    """An ffmpeg that renders fast, crashes at every render, gets no further until it may, or is
    stopped and says nothing."""

    folder: Path

    @property
    def path(self) -> Path:
        """What OMNIVA_FFMPEG names."""
        return self.folder / "ffmpeg"

    def make(self) -> Renderer:
        """Write the program."""
        self.folder.mkdir(parents=True, exist_ok=True)
        names = {"python": sys.executable, "folder": str(self.folder), "real": find_ffmpeg()}
        self.path.write_text(_RENDERER.format(**names))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        self.reset()
        return self

    def become(self, mode: str) -> None:
        """``fast``, ``crash``, ``slow`` or ``stuck``, from the next render on (slow ones go on at
        once)."""
        fresh = self.folder / "mode.new"
        fresh.write_text(mode)
        fresh.replace(self.folder / "mode")

    def reset(self) -> None:
        """As it was made."""
        (self.folder / "calls").unlink(missing_ok=True)
        self.become("fast")

    @property
    def calls(self) -> list[str]:
        """The mode that each render so far was begun in."""
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []


@dataclass
class Scene:
    """What a scenario plays on."""

    home: Home
    channel: Channel
    folder: Path
    renderer: Renderer
    extra: list[ChannelVideo] = field(default_factory=list)

    # -- acting ------------------------------------------------------------------------------

    def upload(self, slug: str, source: str, *, day: str = DAY, hour: int = 20) -> ChannelVideo:
        """The creator uploads a video: the file of ``source`` under another name."""
        shutil.copyfile(self.folder / f"{source}.mp4", self.folder / f"{slug}.mp4")
        self.extra.append(_listed(slug, day, hour))
        write_channel(self.folder, "Ada", [*_videos(), *self.extra])
        return self.extra[-1]

    def materialize(
        self,
        *assets: str,
        creator: str = "ada",
        day: str = DAY,
        tags: dict[str, str] | None = None,
        run_config: dict[str, Any] | None = None,
        instance: dg.DagsterInstance | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Materialize these assets (all, if none is named), as from the UI."""
        chosen = [dg.AssetKey(name) for name in assets]
        with _opened(instance) as opened:
            opened.add_dynamic_partitions(CREATORS, [creator])
            return (
                definitions(settings())
                .resolve_job_def("clip_pipeline")
                .execute_in_process(
                    instance=opened,
                    partition_key=partition_key(creator, day),
                    asset_selection=chosen or None,
                    raise_on_error=False,
                    tags=tags,
                    run_config=run_config or _QUIET,
                )
            )

    def omniva(self, *arguments: str, code: int | None = 0) -> str:
        """A command of ours; what it wrote to standard output."""
        result = self.home.omniva(*arguments)
        if code is not None:
            assert result.exit_code == code, result.output
        return result.stdout

    # -- looking -----------------------------------------------------------------------------

    def recorded(self, message_type: str, subject_id: str = "") -> list[dict[str, Any]]:
        """Envelopes of a type (about a subject), oldest first."""
        query = (
            sa.select(packets.c.body)
            .where(packets.c.message_type == message_type)
            .order_by(packets.c.sequence)
        )
        if subject_id:
            query = query.where(packets.c.subject_id == subject_id)
        with self.home.store.read() as connection:
            return [json.loads(body) for body in connection.scalars(query)]

    def said(self, message_type: str, subject_id: str = "") -> list[dict[str, Any]]:
        """Their payloads."""
        return [item["payload"] for item in self.recorded(message_type, subject_id)]

    def log(self, partition: Partition = HERE) -> list[Directive]:
        """Zenith's log of a partition."""
        with self.home.store.read() as connection:
            return [item for item, _ in decisions.of_partition(connection, partition)]

    def orders(self, subject_id: str) -> list[str]:
        """Kinds of the directives on a subject, oldest first."""
        return [item["kind"] for item in self.said("Directive", subject_id)]

    def outcomes(self, stage: str, partition: Partition = HERE) -> dict[str, Outcome]:
        """How the documents of a stage stand, by label."""
        with self.home.store.read() as connection:
            found = outcomes.of_partition(connection, partition, stage)
        return {item.label: item for item in found}

    @property
    def clips(self) -> list[str]:
        """The promoted clips of ada's day, the older video's first."""
        return [item.subject_id for item in self.log() if item.kind is DirectiveKind.PROMOTE]

    @property
    def posted(self) -> list[Path]:
        """The receipts that stand where people look."""
        return sorted((self.home.path / "outbox").rglob("receipt.json"))

    @property
    def half_made(self) -> list[Path]:
        """What interrupted work left, where nobody looks or where people do."""
        return list(self.home.path.rglob("half.mp4"))

    def is_clean(self) -> None:
        """What holds after every scenario: nothing twice, nothing half, every decision founded."""
        in_sight = {self.home.path / name for name in ("outbox", "warehouse", "atlas/objects")}
        assert not [path for path in self.half_made if in_sight & set(path.parents)]
        directives = self.said("Directive")
        assert len({item["directive_id"] for item in directives}) == len(directives)
        known = {item["message_id"] for kind in _types(self.home) for item in self.recorded(kind)}
        for item in directives:
            assert item["issued_by"] == "zenith"
            assert item["owner"]
            assert item["rollback"]
            assert set(item["evidence"]) <= known
        with self.home.store.read() as connection:
            logged = connection.exec_driver_sql("SELECT count(*) FROM directives").scalar()
            keys = connection.exec_driver_sql("SELECT idempotency_key FROM publications").all()
        assert logged == len(directives)
        assert len(set(keys)) == len(keys)


# The console shows nothing of Dagster's.
_QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Stage:
    """Where scenarios are played, one after another."""

    root: Path
    channel: Channel
    renderer: Renderer
    patch: pytest.MonkeyPatch

    @property
    def folder(self) -> Path:
        """The channel's files."""
        return self.root / "channel"

    def prepare(self) -> None:
        """Homes to begin from: with clips that are planned, that are prepared, and published."""
        home = self._home()
        home.add("ada", self.channel.feed_url)
        scene = Scene(home, self.channel, self.folder, self.renderer)
        left = list(PIPELINE)
        for name, last in _STEPS.items():
            until = left.index(last) + 1
            assert scene.materialize(*left[:until]).success
            left = left[until:]
            self._keep(name)

    def scene(self, name: str) -> Scene:
        """A home as it was put aside, the channel and the renderer as they were made."""
        self.clear()
        shutil.copytree(self.root / "kept" / name, self.root / "home")
        return Scene(self._home(), self.channel, self.folder, self.renderer)

    def clear(self) -> None:
        """Take the last scene down."""
        _let_go()
        shutil.rmtree(self.root / "home", ignore_errors=True)
        self.renderer.reset()
        for path in self.folder.glob("*.mp4"):
            if path.stem not in VIDEOS:
                path.unlink()
        write_channel(self.folder, "Ada", _videos())

    def _home(self) -> Home:
        home = make_home(self.root / "home", self.patch)
        self.patch.setenv("OMNIVA_FFMPEG", str(self.renderer.path))
        settings.cache_clear()
        return home

    def _keep(self, name: str) -> None:
        _let_go()
        shutil.copytree(self.root / "home", self.root / "kept" / name)


@contextmanager
def built(root: Path, footage: Path) -> Iterator[Stage]:
    """A stage under a folder, its channel served while inside."""
    folder = root / "channel"
    folder.mkdir(parents=True)
    for name in VIDEOS:
        shutil.copyfile(footage / f"{name}.mp4", folder / f"{name}.mp4")
    write_channel(folder, "Ada", _videos())
    with pytest.MonkeyPatch.context() as patch, serve_channel(folder) as channel:
        stage = Stage(root, channel, Renderer(root / "renderer").make(), patch)
        stage.prepare()
        yield stage
        stage.clear()
    settings.cache_clear()


def eventually(look: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer; for what other processes do and tell nobody."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        pause.wait(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


@contextmanager
def _opened(instance: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    if instance is not None:
        yield instance
        return
    from omniva_dagster.cli._home import instance as own

    with own() as opened:
        yield opened


def _listed(slug: str, day: str, hour: int) -> ChannelVideo:
    return ChannelVideo(slug, f"{slug}.mp4", slug, f"{day}T{hour:02d}:00:00Z", uploader="Ada")


def _videos() -> list[ChannelVideo]:
    return [_listed(name, DAY, 10 + hour) for hour, name in enumerate(VIDEOS)]


def _types(home: Home) -> list[str]:
    with home.store.read() as connection:
        return list(connection.scalars(sa.select(packets.c.message_type).distinct()))


def _let_go() -> None:
    """Close the store of the home that goes: another will stand at its place."""
    settings.cache_clear()
    path = settings()
    open_store(path.state_url).close()
    open_store.cache_clear()
    settings.cache_clear()

"""Checkpoints sent elsewhere: to a file, a folder or an address, and never in anybody's way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from omniva_dagster.stardust import files
from omniva_dagster.stardust.anchor import AnchorState, read_anchors, send
from omniva_dagster.stardust.checkpoints import verified
from omniva_dagster.stardust.keys import Keyring
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.notes import NoteError
from omniva_dagster.stardust.verify import verify
from tests.stardust.proving import DAYS, Ledger, noon

NOON = noon(DAYS[0])
AT_ONCE = timedelta(0)


@contextmanager
def listening(status: int, location: str = "") -> Iterator[tuple[str, list[str]]]:
    """A server that answers with a status, its address, and what it was sent."""
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/anchor", got
    server.shutdown()
    server.server_close()


@pytest.mark.spec("STA-3")
def test_a_file_elsewhere_gets_every_checkpoint_and_anchors_the_ledger(
    ledger: Ledger, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere.txt"
    for size in (48, 96, 216):
        done = send(
            ledger.note(size), str(target), ledger.layout.checkpoints, now=NOON, every=AT_ONCE
        )
        assert done.state is AnchorState.SENT
    assert [checkpoint.size for checkpoint in read_anchors(target.read_bytes())] == [48, 96, 216]
    result = verify(ledger.layout, against=[target.read_text()])
    assert result.verdict == "consistent with the anchored checkpoint 216"


def test_a_folder_gets_a_file_named_after_the_log(ledger: Ledger, tmp_path: Path) -> None:
    for target in (tmp_path, f"{tmp_path}/new/"):
        send(ledger.note(), str(target), tmp_path / "state", now=NOON, every=AT_ONCE)
    name = ledger.note().split("\n")[0].replace("/", "-") + ".txt"
    assert (tmp_path / name).is_file()
    assert (tmp_path / "new" / name).is_file()


def test_a_note_that_a_crash_left_half_written_is_passed_over(
    ledger: Ledger, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere.txt"
    for cut in range(0, len(ledger.note(48).encode()), 5):
        target.write_bytes(ledger.note(24).encode() + b"\n" + ledger.note(48).encode()[:cut])
        send(ledger.note(96), str(target), tmp_path, now=NOON, every=AT_ONCE)
        (tmp_path / "anchored.json").unlink()
        sizes = [checkpoint.size for checkpoint in read_anchors(target.read_bytes())]
        assert sizes in ([24, 96], [24, 48, 96])
        for checkpoint in read_anchors(target.read_bytes()):
            assert verified(checkpoint.note, Keyring.read(ledger.layout.keys)).size in sizes


@pytest.mark.parametrize("text", [b"", b"\n\n\n", b"hello", "— x y\n".encode(), b"\xff\xfe"])
def test_a_file_without_any_checkpoint_is_no_anchor(text: bytes) -> None:
    with pytest.raises(NoteError, match="holds no checkpoint"):
        read_anchors(text)


def test_checkpoints_are_not_sent_too_often_nor_twice(ledger: Ledger, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.txt"

    def state(size: int, minutes: float) -> AnchorState:
        now = NOON + timedelta(minutes=minutes)
        return send(ledger.note(size), str(target), tmp_path / "state", now=now).state

    assert state(24, 0) is AnchorState.SENT
    assert state(48, 4) is AnchorState.NOT_DUE
    assert state(72, 6) is AnchorState.SENT
    assert state(72, 60) is AnchorState.NOT_DUE
    assert state(96, -600) is AnchorState.SENT
    (tmp_path / "state" / "anchored.json").write_text("rubbish")
    assert state(120, -600) is AnchorState.SENT
    assert len(read_anchors(target.read_bytes())) == 4


def test_an_address_gets_the_note_by_post(ledger: Ledger, tmp_path: Path) -> None:
    with listening(200) as (url, got):
        assert send(ledger.note(), url, tmp_path, now=NOON).state is AnchorState.SENT
    assert got == [ledger.note()]


@pytest.mark.parametrize("status", [302, 307, 404, 500])
def test_an_address_that_refuses_or_leads_elsewhere_is_a_failure(
    ledger: Ledger, tmp_path: Path, status: int
) -> None:
    with listening(200) as (other, got), listening(status, other) as (url, _):
        done = send(ledger.note(), url, tmp_path, now=NOON)
        assert done.state is AnchorState.FAILED
        assert str(status) in done.detail
        assert not got
    with listening(200) as (url, got):
        assert send(ledger.note(), url, tmp_path, now=NOON).state is AnchorState.SENT


@pytest.mark.parametrize(
    "target",
    [
        "http://anchor.example/x",
        "ftp://anchor.example/x",
        "file:///etc/hostname",
        "https://[broken",
        "https://127.0.0.1:1/x",
        "https://127.0.0.1:not-a-port/",
        "https://user:secret@127.0.0.1:1/x?token=hidden",
        "https://a b/",
        "/dev/full",
        "/proc/nowhere/x",
        "\0",
    ],
)
def test_what_can_not_be_reached_is_said_without_secrets(
    ledger: Ledger, tmp_path: Path, target: str
) -> None:
    done = send(ledger.note(), target, tmp_path, now=NOON, limit=3)
    assert done.state is AnchorState.FAILED
    assert "tried again" in done.detail
    assert "secret" not in done.detail
    assert "hidden" not in done.detail
    assert not (tmp_path / "anchored.json").exists()


def test_a_server_that_never_answers_holds_nobody_up(ledger: Ledger, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        started = time.monotonic()
        done = send(ledger.note(), url, tmp_path, now=NOON, limit=0.3)
    assert done.state is AnchorState.FAILED
    assert time.monotonic() - started < 5


def test_a_mount_that_hangs_holds_nobody_up(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(files, "append", lambda *_given: released.wait())
    done = send(ledger.note(), str(tmp_path / "x"), tmp_path, now=NOON, limit=0.2)
    released.set()
    assert done.state is AnchorState.FAILED
    assert "no answer within" in done.detail


def test_what_is_no_checkpoint_is_not_sent(tmp_path: Path) -> None:
    done = send("hello", str(tmp_path / "x"), tmp_path, now=NOON)
    assert done.state is AnchorState.FAILED
    assert not (tmp_path / "x").exists()


def test_the_sequencer_sends_its_checkpoint(tmp_path: Path) -> None:
    from omniva_dagster.stardust.sequencer import sequence
    from omniva_dagster.state.store import Store
    from tests.stardust.proving import emit_family

    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    store.migrate()
    emit_family(store, DAYS[0], "x", 3)
    target = tmp_path / "elsewhere.txt"
    done = sequence(store, Layout(tmp_path / "ledger"), now=NOON, anchor=str(target))
    assert done.anchored
    assert done.anchored.state is AnchorState.SENT
    assert read_anchors(target.read_bytes())[0].size == 3

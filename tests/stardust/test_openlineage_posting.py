"""Events are sent to an API as Marquez offers it, and from the command line."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from omniva_dagster.cli._ledger_export import export
from omniva_dagster.settings import settings
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.layout import Layout
from omniva_dagster.stardust.openlineage.posting import Poster
from omniva_dagster.stardust.sequencer import sequence
from tests.stardust.dagster_homes import sqlite_mirror
from tests.stardust.openlineage_spec import faults
from tests.support.home import make_home

EVENT = b'{"eventType": "START"}'


@dataclass
class Marquez:
    """A server on loopback that takes valid events at ``/api/v1/lineage``, and nothing else.

    ``answers`` are given first, whatever comes.
    """

    url: str
    answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    connections: set[Any] = field(default_factory=set)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.keys.add(handler.headers.get("Authorization", ""))
        self.connections.add(handler.client_address)
        given = self.answers.pop(0) if self.answers else 201
        if callable(given):
            given(handler)
            return
        said = b""
        if given == 201:
            wrong = faults(json.loads(body))
            if handler.path != "/api/v1/lineage" or wrong:
                given, said = 422, f"{handler.path}: {wrong}\x1b[31m".encode()
            else:
                self.taken.append(json.loads(body))
        handler.send_response(given)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)


@contextmanager
def serving() -> Iterator[Marquez]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            marquez.answer(self)

        def log_message(self, *_arguments: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    marquez = Marquez(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield marquez
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def marquez() -> Iterator[Marquez]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger was told of a run."""
    folder = tmp_path_factory.mktemp("home")
    with sqlite_mirror(folder) as mirror:
        mirror.run("good")
        mirror.tick()
        sequence(mirror.store, Layout(folder / "ledger"), now=datetime.now(UTC))
    return folder


@pytest.fixture
def command(told: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    make_home(told, monkeypatch)
    yield lambda *arguments: CliRunner().invoke(export, ["--openlineage", *arguments])
    settings.cache_clear()


def test_the_command_prints_a_valid_event_a_line(command: Callable[..., Result]) -> None:
    result = command()
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(events) == 8
    assert not [event for event in events if faults(event)]
    assert "8 events of 1 runs" in result.stderr
    assert command("--since", "2999-01-01").stdout == ""


def test_a_file_is_there_whole_or_not_at_all(
    command: Callable[..., Result], tmp_path: Path, told: Path
) -> None:
    out = tmp_path / "events.ndjson"
    assert command("--out", str(out)).exit_code == 0
    assert out.read_bytes() == command("--out", "-").stdout_bytes
    before = out.read_bytes()
    assert command("--out", str(out), "--run", "no-such-run").exit_code == 1
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["events.ndjson"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "/nowhere/at/all"], "folder that exists"),
        (["--api-key", "secret://env/KEY"], "--url"),
        (["--since", "yesterday"], "--since"),
        (["--datasets", "rows"], "--datasets"),
        (["--namespace", " "], "--namespace"),
    ],
)
def test_wrong_usage_is_told(
    command: Callable[..., Result], arguments: list[str], said: str
) -> None:
    result = command(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_copy_of_a_ledger_is_exported_and_no_ledger_is_an_error(
    command: Callable[..., Result], told: Path, tmp_path: Path
) -> None:
    shutil.copytree(told / "ledger", tmp_path / "copy")
    assert command("--ledger", str(tmp_path / "copy")).stdout == command().stdout
    shutil.rmtree(tmp_path / "copy/packets")
    assert "omniva ledger sync" in command("--ledger", str(tmp_path / "copy")).stderr
    assert command("--ledger", str(tmp_path / "none")).exit_code == 2


def test_the_command_needs_to_know_what_to_export_as() -> None:
    result = CliRunner().invoke(export, [])
    assert result.exit_code == 2
    assert "--openlineage" in result.output


def test_marquez_takes_every_event_over_one_connection(
    command: Callable[..., Result], marquez: Marquez
) -> None:
    result = command("--url", marquez.url)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    printed = [json.loads(line) for line in command().stdout.splitlines()]
    assert marquez.taken == printed
    assert len(marquez.connections) == 1


def test_what_passes_is_tried_again_and_nothing_is_lost(
    command: Callable[..., Result], marquez: Marquez
) -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    marquez.answers = [503, hang_up]
    assert command("--url", marquez.url).exit_code == 0
    assert len(marquez.taken) == 8


def test_a_refusal_ends_it_and_is_told_without_control_characters(
    command: Callable[..., Result], marquez: Marquez
) -> None:
    result = command("--url", f"{marquez.url}/other")
    assert result.exit_code == 1
    assert "answered 422 /other" in str(result.exception)
    assert "\x1b" not in str(result.exception)


def test_a_key_is_a_reference_and_goes_out_as_a_bearer_token(
    command: Callable[..., Result], marquez: Marquez, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_KEY", "s3cret")
    result = command("--url", marquez.url, "--api-key", "secret://env/LINEAGE_KEY")
    assert result.exit_code == 0, result.output
    assert marquez.keys == {"Bearer s3cret"}


def test_a_redirect_is_not_followed(marquez: Marquez) -> None:
    marquez.answers = [307]
    with Poster(marquez.url, "key") as poster, pytest.raises(LedgerError, match="answered 307"):
        poster.post(EVENT)


def test_an_api_that_stays_away_is_given_up(marquez: Marquez) -> None:
    waited: list[float] = []
    marquez.answers = [503] * 9
    poster = Poster(marquez.url, wait=waited.append)
    with poster, pytest.raises(LedgerError, match="answered 503"):
        poster.post(EVENT)
    assert len(waited) == 3
    with Poster("http://127.0.0.1:1", wait=waited.append) as gone, pytest.raises(LedgerError):
        gone.post(EVENT)


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_drips_its_answer_is_not_waited_for(marquez: Marquez, begun: bool) -> None:
    released = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        if begun:
            handler.send_response(201)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 201 ")
        try:
            while not released.wait(0.05):
                handler.wfile.write(b".")
        except OSError:
            return

    marquez.answers = [drip] * 4
    began = time.monotonic()
    poster = Poster(marquez.url, limit=0.3, wait=lambda _seconds: None)
    with poster, pytest.raises(LedgerError, match="no answer within"):
        poster.post(EVENT)
    released.set()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "marquez:5000",
        "https://",
        "http://[::1",
        "http://example.org:99999/",
        "https://ada:hunter2@example.org/",
        "https://example.org/#part",
        "https://example.org/a b",
        "https://example.org/\r\nX-Evil: 1",
    ],
)
def test_only_a_plain_http_or_https_address_is_taken(url: str) -> None:
    with pytest.raises(LedgerError) as error:
        Poster(url)
    assert "hunter2" not in str(error.value)


def test_a_key_is_never_sent_in_the_clear_over_a_network() -> None:
    with pytest.raises(LedgerError, match="https only"):
        Poster("http://marquez.example.org", "key")
    with pytest.raises(LedgerError, match="one line"):
        Poster("https://marquez.example.org", "key\r\nX-Evil: 1")
    Poster("https://marquez.example.org", "key")

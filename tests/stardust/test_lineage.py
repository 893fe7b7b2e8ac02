"""Lineage: the whole of it, both ways, of whatever an id may name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniva_dagster.contracts.cognition.stardust import TelemetrySample
from omniva_dagster.contracts.decisions import Directive
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.stardust import lineage as module
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.lineage import Lineage, lineage
from omniva_dagster.stardust.says import says, shown
from omniva_dagster.stardust.sequencer import sequence
from omniva_dagster.stardust.views import Sources
from omniva_dagster.state.outbox import Emission, emit
from omniva_dagster.state.partition import Partition
from tests.stardust.proving import noon
from tests.stardust.writing import Bench

AT = "2026-03-04T05:06:07Z"
LOST = derive_id("packet", "never came")


class Family:
    """Packets of three traces: a source, two videos that came from it, and a clip of both."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench.at(folder)
        self.ids: dict[str, str] = {}
        self.add("job", "source")
        self.add("first", "one", "job")
        self.add("cut", "one", "first")
        self.add("second", "two", "job")
        self.add("clip", "one", "cut", "second", subject="clip")
        self.add("told", "one", subject="clip")
        self.add("orphan", "two", "second", missing=(LOST,))
        directive = Directive.parse(
            {
                "directive_id": derive_id("directive", "1"),
                "kind": "release",
                "subject_id": derive_id("subject", "clip"),
                "owner": "uploader",
                "reason": "good\n\x1b[31mred",
                "evidence": [self.ids["clip"]],
                "rollback": "cancel",
                "issued_at": AT,
            }
        )
        self.add("release", "one", "clip", subject="clip", document=directive)
        sequence(self.bench.store, self.bench.layout, now=noon("2026-03-04"))
        self.sources = Sources.at(self.bench.layout.root)

    def add(
        self,
        name: str,
        trace: str,
        *parents: str,
        subject: str = "",
        missing: tuple[str, ...] = (),
        document: Any = None,
    ) -> None:
        sample = {"source": "tests", "metric": name, "value": 1, "observed_at": AT}
        emission = Emission(
            document=document or TelemetrySample.parse(sample),
            producer="tests",
            subject_id=derive_id("subject", subject or name),
            trace_id=derive_id("trace", trace),
            parents=(*(self.ids[parent] for parent in parents), *missing),
            partition=Partition("ada", "2026-03-04"),
            emitted_at=AT,
            may_lack_parents=bool(missing),
        )
        with self.bench.store.begin() as connection:
            self.ids[name] = emit(connection, emission).packet_id

    def names(self, ids: Any) -> set[str]:
        """What packets are called here."""
        known = {packet_id: name for name, packet_id in self.ids.items()}
        return {known.get(one, one) for one in ids}


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(tmp_path_factory.mktemp("family"))


@pytest.fixture
def walk(family: Family) -> Callable[..., Lineage]:
    return lambda name, **options: lineage(family.sources, family.ids.get(name, name), **options)


@pytest.mark.spec("STA-7")
def test_ancestors_are_all_that_it_came_from_in_every_trace(
    family: Family, walk: Callable[..., Lineage]
) -> None:
    found = walk("release")
    assert family.names(found.nodes) == {"release", "clip", "cut", "first", "second", "job"}
    assert family.names(found.steps[family.ids["clip"]]) == {"cut", "second"}
    assert family.names(found.starts) == {"release"}
    assert not found.absent
    assert not found.cut


@pytest.mark.spec("STA-7")
def test_descendants_are_all_that_came_from_it_in_every_trace(
    family: Family, walk: Callable[..., Lineage]
) -> None:
    found = walk("job", up=False)
    assert family.names(found.nodes) == {*family.ids} - {"told"}
    within = walk("first", up=False, within_trace=True)
    assert family.names(within.nodes) == {"first", "cut", "clip", "release"}
    assert family.names(walk("job", up=False, within_trace=True).nodes) == {"job"}


@pytest.mark.parametrize(
    ("depth", "reached"),
    [(0, {"clip"}), (1, {"clip", "cut", "second"}), (2, {"clip", "cut", "second", "first", "job"})],
)
def test_depth_counts_steps_and_what_lies_beyond_is_said(
    family: Family, walk: Callable[..., Lineage], depth: int, reached: set[str]
) -> None:
    found = walk("clip", depth=depth)
    assert family.names(found.nodes) == reached
    # The first video came from the job too, which was reached by the second one.
    assert found.cut is (depth < 2)
    assert (family.ids["first"] in found.steps) is (depth == 2)


@pytest.mark.parametrize("up", [True, False])
def test_a_subject_is_all_its_packets_from_the_outermost_on(family: Family, up: bool) -> None:
    found = lineage(family.sources, derive_id("subject", "clip"), up=up)
    assert family.names(found.starts) == ({"release"} if up else {"clip"})
    assert family.names(found.alone) == {"told"}
    assert {"clip", "release", "told"} <= family.names(found.nodes)


def test_a_trace_is_found_by_its_id(family: Family) -> None:
    found = lineage(family.sources, derive_id("trace", "two"))
    assert family.names(found.starts) == {"orphan"}
    assert family.names(found.nodes) == {"second", "orphan", "job"}


def test_a_directive_is_found_by_its_own_id(family: Family) -> None:
    found = lineage(family.sources, derive_id("directive", "1"))
    assert family.names(found.starts) == {"release"}


def test_a_parent_that_never_came_is_said_to_be_absent(
    family: Family, walk: Callable[..., Lineage]
) -> None:
    found = walk("orphan")
    assert found.absent == {LOST}
    assert family.names(lineage(family.sources, LOST).starts) == {"orphan"}


@pytest.mark.parametrize(
    "sought", [derive_id("x"), "no such thing", "", " ", "' OR 1=1 --", "%", "a" * 5000]
)
def test_what_is_nowhere_is_refused_with_what_to_do(family: Family, sought: str) -> None:
    with pytest.raises(LedgerError, match="omniva ledger sync"):
        lineage(family.sources, sought)


def test_json_holds_each_packet_once_in_the_order_of_the_log(
    family: Family, walk: Callable[..., Lineage]
) -> None:
    said = walk("release").dump()
    leaves = [packet["leaf_index"] for packet in said["packets"]]
    assert leaves == sorted(set(leaves))
    assert {step for steps in said["steps"].values() for step in steps} <= {
        packet["packet_id"] for packet in said["packets"]
    }


def test_nothing_in_a_message_reaches_the_terminal_as_a_command(
    family: Family, walk: Callable[..., Lineage]
) -> None:
    said = walk("release").says[family.ids["release"]]
    assert said.isprintable()
    assert said == "release for uploader: good �[31mred"


def test_a_lineage_beyond_the_limit_is_cut_and_says_so(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    assert lineage(family.sources, family.ids["clip"]).cut


@given(
    st.sampled_from(["Directive", "VideoAsset", "DagsterEvent", "Outcome", "Unknown", "UploadJob"]),
    st.dictionaries(
        st.sampled_from(["title", "status", "kind", "reason", "passed", "overrode", "x"]),
        st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.text()),
    ),
)
def test_whatever_a_message_holds_it_says_one_printable_line(
    message_type: str, payload: dict[str, Any]
) -> None:
    line = says(message_type, payload)
    assert line == shown(line)
    assert line.isprintable()
    assert len(line) <= 160

"""Where a packet came from and what came from it: a few look-ups, then a walk in Python.

Ancestors mostly share their descendant's trace, which bloom filters make one look-up; those of
other traces are looked up by id, and bring their trace with them. Children are no column: within a
trace they follow from its rows; those in other traces are found by an index of the sealed days, and
by reading the parents of every packet that is not sealed yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from omniva_dagster.contracts.types import UUID4_PATTERN
from omniva_dagster.stardust.errors import LedgerError
from omniva_dagster.stardust.index import own_names
from omniva_dagster.stardust.lookup import Rows, reading
from omniva_dagster.stardust.says import says
from omniva_dagster.stardust.views import Sources

_Step = Callable[[list[str]], dict[str, tuple[str, ...]]]
MOST = 20_000  # packets of a lineage; what lies beyond is said to be left out
_NODE = (
    "packet_id, trace_id, leaf_index, message_type, producer, subject_id, creator, day, "
    "emitted_at, parents, missing_parents"
)
_SAID = "packet_id, message_type, message"


@dataclass(frozen=True)
class Node:
    """A packet without its message."""

    packet_id: str
    trace_id: str
    leaf_index: int
    message_type: str
    producer: str
    subject_id: str | None
    creator: str | None
    day: str | None
    emitted_at: str
    parents: tuple[str, ...]
    missing_parents: tuple[str, ...]


@dataclass
class Lineage:
    """Packets, and how one leads to the next.

    ``starts`` are those that were asked for and from which all others are reached through
    ``steps`` (ancestors if ``up``, else descendants); ``alone`` those asked for that lead nowhere.
    ``absent`` are ids of parents that are in no file. ``says`` is a line for each packet.
    """

    up: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    steps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    says: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    def dump(self) -> dict[str, Any]:
        """For JSON: nodes in the order of the log."""
        return {
            "direction": "up" if self.up else "down",
            "starts": self.starts,
            "alone": self.alone,
            "absent": sorted(self.absent),
            "cut": self.cut,
            "packets": [
                {**_set(vars(node)), "says": self.says.get(node.packet_id, "")}
                for node in sorted(self.nodes.values(), key=lambda node: node.leaf_index)
            ],
            "steps": {name: list(targets) for name, targets in sorted(self.steps.items())},
        }


def lineage(
    sources: Sources,
    sought: str,
    *,
    up: bool = True,
    depth: int | None = None,
    within_trace: bool = False,
    thorough: bool = False,
) -> Lineage:
    """The ancestors, or the descendants, of what ``sought`` names, at most ``depth`` steps away.

    It may be the id of a packet, a trace, a subject (clip, video, job), or an id in a message (of a
    directive, a run, an upload). ``within_trace`` leaves out descendants in other traces, which
    take an index, and a reading of what is not sealed. ``thorough`` reads the whole ledger instead
    of the index, which nobody signed. Raises `LedgerError` where nothing is found.
    """

    def walked(walker: _Walker) -> Lineage:
        found = walker.find(sought)
        if not found:
            raise LedgerError(
                f"nothing in the ledger is called {sought!r}: neither a packet, trace, subject or "
                "run, nor does a message name it. Is it sequenced (`omniva ledger sync`), and are "
                "all files there (`omniva ledger verify`)?"
            )
        if up:
            result = walker.ancestors(found, depth)
        else:
            result = walker.descendants(found, depth, within_trace)
        walker.let_them_speak(result)
        return result

    return reading(sources.layout, lambda rows: walked(_Walker(rows, thorough=thorough)))


class _Walker:
    """Loads rows as they are needed, each trace and packet at most once."""

    def __init__(self, rows: Rows, *, thorough: bool) -> None:
        self._rows = rows
        self._thorough = thorough
        self._nodes: dict[str, Node] = {}
        self._traces: set[str] = set()

    def find(self, sought: str) -> list[Node]:
        """The packets that an id names, by the first of its meanings that there is."""
        if re.fullmatch(UUID4_PATTERN[1:-1], sought):
            for column in ("packet_id", "trace_id", "subject_id"):
                if found := self._by(column, [sought]):
                    return found
        if not sought.strip():
            return []
        called, rest = self._rows.named(sought, MOST, thorough=self._thorough)
        naming = self._by("packet_id", called) + self._mentioning(sought, rest)
        if own := self._own(naming, sought):
            return own
        return self._mentioning(sought, self._rows.files)

    def ancestors(self, starts: list[Node], depth: int | None) -> Lineage:
        """All that the starts came from."""
        result = Lineage(up=True)
        self._load_traces({node.trace_id for node in starts})
        self._walk(result, starts, depth, self._parents)
        return result

    def descendants(self, starts: list[Node], depth: int | None, within_trace: bool) -> Lineage:
        """All that came from the starts."""
        self._load_traces({node.trace_id for node in starts})
        while True:
            result = Lineage(up=False)
            self._walk(result, starts, depth, self._children())
            if within_trace or result.cut or not self._load_foreign(result.nodes):
                return result

    def let_them_speak(self, result: Lineage) -> None:
        """Fill in what each packet says."""
        # By trace rather than by packet: it reads fewer row groups.
        traces = {node.trace_id for node in result.nodes.values()}
        for packet_id, message_type, message in self._rows.by("trace_id", traces, _SAID):
            if packet_id in result.nodes:
                result.says[packet_id] = says(message_type, _payload(message))

    def _walk(
        self,
        result: Lineage,
        starts: list[Node],
        depth: int | None,
        step: _Step,
    ) -> None:
        asked = {node.packet_id: node for node in starts}
        result.nodes |= asked
        frontier, away = list(asked), 0
        while frontier and len(result.nodes) < MOST and (depth is None or away < depth):
            steps = step(frontier)
            result.steps |= {one: targets for one, targets in steps.items() if targets}
            reached = dict.fromkeys(one for targets in steps.values() for one in targets)
            frontier = [one for one in reached if one in self._nodes and one not in result.nodes]
            result.absent |= {one for one in reached if one not in self._nodes}
            result.nodes |= {one: self._nodes[one] for one in frontier}
            away += 1
        for one, targets in step(frontier).items():
            known = tuple(target for target in targets if target in result.nodes)
            result.steps |= {one: known} if known else {}
            result.cut |= len(known) < len(targets)
        _choose_starts(result, asked)

    def _parents(self, ids: list[str]) -> dict[str, tuple[str, ...]]:
        found = {one: self._nodes[one].parents for one in ids}
        unknown = {one for parents in found.values() for one in parents} - self._nodes.keys()
        unknown -= {one for node in ids for one in self._nodes[node].missing_parents}
        traces = {node.trace_id for node in self._by("packet_id", unknown)}
        # Their ancestors are likely to be of their trace.
        self._load_traces(traces)
        return found

    def _children(self) -> _Step:
        """Steps to the children among what was loaded so far."""
        found: dict[str, list[str]] = {}
        for node in sorted(self._nodes.values(), key=lambda node: node.leaf_index):
            for parent in node.parents:
                found.setdefault(parent, []).append(node.packet_id)
        return lambda ids: {one: tuple(found.get(one, ())) for one in ids}

    def _load_foreign(self, nodes: Iterable[str]) -> bool:
        """Load children in other traces, and these traces; whether there are any."""
        wanted = set(nodes)
        children = self._rows.children(
            list(wanted), list(self._traces), MOST, thorough=self._thorough
        )
        found = [
            node
            for node in self._by("packet_id", children)
            if node.trace_id not in self._traces and not wanted.isdisjoint(node.parents)
        ]
        self._load_traces({node.trace_id for node in found})
        return bool(found)

    def _load_traces(self, traces: set[str]) -> None:
        self._by("trace_id", traces - self._traces)
        self._traces |= traces

    def _by(self, column: str, values: Iterable[str]) -> list[Node]:
        return self._kept(self._rows.by(column, values, _NODE, most=MOST))

    def _kept(self, rows: Iterable[tuple[Any, ...]]) -> list[Node]:
        nodes = [Node(*row[:-2], *map(tuple, row[-2:])) for row in rows]
        for node in nodes:
            self._nodes.setdefault(node.packet_id, node)
        loaded = (self._nodes[node.packet_id] for node in nodes)
        return sorted(loaded, key=lambda node: node.leaf_index)

    def _mentioning(self, sought: str, files: list[str]) -> list[Node]:
        """Those in whose message it stands, which takes a reading of all messages."""
        condition = f"contains(message, $named) ORDER BY leaf_index LIMIT {MOST}"
        named = json.dumps(sought, ensure_ascii=False)
        return self._kept(self._rows.scanned(_NODE, condition, files, named=named))

    def _own(self, naming: list[Node], sought: str) -> list[Node]:
        """Those whose own id it is: a directive's ``directive_id``, a run's events' ``run_id``."""
        own = []
        for packet_id, message_type, message in self._rows.by(
            "packet_id", [node.packet_id for node in naming], _SAID
        ):
            said = _payload(message)
            if sought in {said.get(name) for name in own_names(message_type)}:
                own.append(self._nodes[packet_id])
        return sorted(own, key=lambda node: node.leaf_index)


def _payload(message: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(message)["payload"]
    return payload


def _choose_starts(result: Lineage, asked: dict[str, Node]) -> None:
    """Begin with those asked for that are not reached from others; leave the unconnected aside."""
    reached = {one for start in asked for one in result.steps.get(start, ())}
    seen, frontier = set(reached), list(reached)
    while frontier:
        following = {one for at in frontier for one in result.steps.get(at, ())} - seen
        seen |= following
        frontier = list(following)
    starts = [one for one in asked if one not in seen]
    leading = [one for one in starts if result.steps.get(one)]
    result.starts = leading or starts
    result.alone = [one for one in starts if one not in result.starts]


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None
    }

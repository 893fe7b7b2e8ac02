"""Packets as HaloLux reads them: each with its document, and how they hang together."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

T = TypeVar("T")

# Documents of one second, in the order in which a workflow makes them; others come in between.
_STAGES = (
    *("ConsentRecord", "CampaignGoals", "ScraperJob", "RawCapture", "VideoAsset"),
    *(
        "AnalysisResult",
        "AnalysisPublished",
        "CandidateEvidence",
        "ClusteringHint",
        "VoteReport",
        "ClipCandidate",
        "Shortlist",
    ),
    *("WorkerErrorEvent", "ConflictResolution", "RetryPlan", "QuarantineInstruction"),
    *("PanicSignal", "OverrideRequest", "OperatorAction"),
)
_LATE = ("Outcome", "ArbitrationVerdict", "OperatorAlert", "CommitmentLog", "DagsterEvent")
_STAGE = {name: place for place, name in enumerate(_STAGES)}
_STAGE |= {name: 100 + place for place, name in enumerate(_LATE)}
_BETWEEN = 50
_LONGEST = 1e9  # seconds; what is beyond is no time in a video


@dataclass(frozen=True)
class Packet:
    """A packet of the ledger.

    ``missing`` are parents that the ledger says did not come in time; ``content_hash`` is the
    SHA-256 of the message, in hex.
    """

    packet_id: str
    message_type: str
    producer: str
    trace_id: str
    subject_id: str
    emitted_at: str
    parents: tuple[str, ...]
    content_hash: str
    payload: Mapping[str, Any]
    creator: str = ""
    day: str = ""
    missing: tuple[str, ...] = ()

    @property
    def envelope(self) -> dict[str, Any]:
        """All that the packet says: its payload, and what stands around it."""
        return {
            "message_id": self.packet_id,
            "message_type": self.message_type,
            "trace_id": self.trace_id,
            "subject_id": self.subject_id,
            "producer": self.producer,
            "emitted_at": self.emitted_at,
            "payload": self.payload,
        }


@dataclass(frozen=True)
class Evidence:
    """Packets about a matter; in what order they are given makes no difference."""

    packets: tuple[Packet, ...]
    _memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, packets: Iterable[Packet]) -> Evidence:
        """Each packet once, a parent before its children, else by time."""
        return cls(tuple(_in_order({packet.packet_id: packet for packet in packets})))

    @cached_property
    def by_id(self) -> dict[str, Packet]:
        """The packets by id."""
        return {packet.packet_id: packet for packet in self.packets}

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """What came of each packet."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for packet in self.packets:
            for parent in packet.parents:
                found[parent].append(packet.packet_id)
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the packets, by their ids and content hashes."""
        lines = sorted(f"{packet.packet_id} {packet.content_hash}" for packet in self.packets)
        return sha256("\n".join(lines).encode()).hexdigest()

    def facts(self, packet_id: str, read: Callable[[Packet], T]) -> T:
        """What ``read`` makes of a packet, made once."""
        if packet_id not in self._memo:
            self._memo[packet_id] = read(self.by_id[packet_id])
        made: T = self._memo[packet_id]
        return made

    def of_type(self, *message_types: str) -> list[Packet]:
        """Those of some types, in order."""
        if len(message_types) == 1:
            return list(self._by_type.get(message_types[0], ()))
        return [packet for packet in self.packets if packet.message_type in message_types]

    def about(self, subject_id: str, *message_types: str) -> list[Packet]:
        """Those about a subject, of these types if any are named, in order."""
        return [
            packet
            for packet in self._by_subject.get(subject_id, ())
            if not message_types or packet.message_type in message_types
        ]

    @cached_property
    def _by_type(self) -> dict[str, list[Packet]]:
        return _grouped(self.packets, lambda packet: packet.message_type)

    @cached_property
    def _by_subject(self) -> dict[str, list[Packet]]:
        return _grouped(self.packets, lambda packet: packet.subject_id)

    def ancestors(self, packet_ids: Iterable[str]) -> set[str]:
        """These packets and all they came from, as far as it is here."""
        seen: set[str] = set()
        frontier = [one for one in packet_ids if one in self.by_id]
        while frontier:
            packet_id = frontier.pop()
            if packet_id not in seen:
                seen.add(packet_id)
                frontier += [one for one in self.by_id[packet_id].parents if one in self.by_id]
        return seen


def is_span(candidate: Packet) -> bool:
    """Whether a candidate says from when to when it is, and how urgent; a damaged one may not."""
    said = candidate.payload
    values = [said.get(name) for name in ("start_time", "end_time", "lattice_priority")]
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST
        for value in values
    )


def _grouped(packets: Iterable[Packet], key: Callable[[Packet], str]) -> dict[str, list[Packet]]:
    found: defaultdict[str, list[Packet]] = defaultdict(list)
    for packet in packets:
        found[key(packet)].append(packet)
    return found


def _in_order(packets: dict[str, Packet]) -> Iterator[Packet]:
    waits = {
        packet_id: len({one for one in packet.parents if one in packets and one != packet_id})
        for packet_id, packet in packets.items()
    }
    children: defaultdict[str, list[str]] = defaultdict(list)
    for packet_id, packet in packets.items():
        for parent in {*packet.parents} & packets.keys() - {packet_id}:
            children[parent].append(packet_id)
    ready = [_key(packets[packet_id]) for packet_id, count in waits.items() if not count]
    heapq.heapify(ready)
    done: set[str] = set()
    while len(done) < len(packets):
        if not ready:  # a circle, which no producer of ours makes: the earliest of it goes first
            ready = [min(_key(packet) for name, packet in packets.items() if name not in done)]
        packet_id = heapq.heappop(ready)[-1]
        if packet_id in done:
            continue
        done.add(packet_id)
        yield packets[packet_id]
        for child in children[packet_id]:
            waits[child] -= 1
            if not waits[child]:
                heapq.heappush(ready, _key(packets[child]))


def _key(packet: Packet) -> tuple[str, int, str]:
    stage = _STAGE.get(packet.message_type, _BETWEEN)
    return packet.emitted_at, stage, packet.packet_id

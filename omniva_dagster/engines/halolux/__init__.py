"""HaloLux: why something was decided, in sentences that each cite their packets (4.8).

`explain` reads packets and writes an `InterpretabilityBundle`: what came of the matter, then what
happened in order, what was decided against, and what evidence is missing. The same packets always
give the same bytes, in whatever order they are given; nothing is said that is in no packet, which
`unfounded` checks. Packets are read as they are: whether they are what was recorded is for whoever
fetches them to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omniva_dagster.contracts.base import given
from omniva_dagster.contracts.cognition.halolux import (
    InterpretabilityBundle,
    ReasoningStep,
    Sentence,
)
from omniva_dagster.contracts.ids import derive_id
from omniva_dagster.engines.halolux.asking import BRIEF, Matter, Question, chosen, whose
from omniva_dagster.engines.halolux.discarding import discarded, spans_left, undecided
from omniva_dagster.engines.halolux.evidence import Evidence, Packet
from omniva_dagster.engines.halolux.expecting import completeness
from omniva_dagster.engines.halolux.grounding import Facts, is_founded, unfounded
from omniva_dagster.engines.halolux.heading import heading
from omniva_dagster.engines.halolux.telling import TELLERS, Said, tell, unknown
from omniva_dagster.engines.halolux.tellings import (
    advising,
    deciding,
    failing,
    making,
    publishing,
    running,
    sources,
)
from omniva_dagster.engines.halolux.words import fitting

VERSION = "3"
OWN = frozenset({"InterpretabilityBundle", "ExplanationRequest"})
_MOST_SENTENCES = 500
_MOST_CITED = 1000
# Of one type, more than so many in a row are told of together.
_ONE_BY_ONE = 12
_OF_A_RUN = 100
_ROOMS = (advising, deciding, failing, making, publishing, running, sources)

__all__ = [
    "BRIEF",
    "OWN",
    "TELLERS",
    "VERSION",
    "Evidence",
    "Matter",
    "Packet",
    "Question",
    "bundle_id",
    "explain",
    "unfounded",
    "unfounded_in",
]


def bundle_id(question: Question, digest: str) -> str:
    """The id of the explanation that packets of this digest give: known before it is written."""
    return derive_id("explanation", question.trace_id, question.key, digest, VERSION)


def evidence_of(packets: Iterable[Packet]) -> Evidence:
    """What may be cited: all but HaloLux's own words."""
    return Evidence.of(packet for packet in packets if packet.message_type not in OWN)


def explain(question: Question, packets: Iterable[Packet]) -> InterpretabilityBundle:
    """Why it came to what was asked about."""
    evidence = evidence_of(packets)
    told = chosen(question, evidence)
    sentences, steps = _narrative(question, told, evidence)
    dark = question.matter is Matter.CLIP and undecided(question.subject_id, evidence)
    found = completeness(told, evidence, cut=question.cut, undecided=dark)
    digest = evidence.digest
    return InterpretabilityBundle(
        bundle_id=bundle_id(question, digest),
        trace_id=question.trace_id,
        narrative=sentences,
        reasoning_chain=steps,
        alternatives=[
            one
            for one in discarded(told, _spans(question, evidence), evidence)
            if _founded(one.alternative, one.packets, evidence)
            and _founded(one.reason, one.packets, evidence)
        ],
        missing_evidence=list(found.missing),
        completeness=found.score,
        ledger_hash=digest,
        narrator_version=VERSION,
        generated_at=max((one.emitted_at for one in evidence.packets), default=_NEVER),
        **given(directive_id=question.directive_id or None),
    )


# Of nothing there is no newest packet.
_NEVER = "1970-01-01T00:00:00Z"


def unfounded_in(bundle: InterpretabilityBundle, packets: Iterable[Packet]) -> list[str]:
    """What a bundle says that its cited packets do not, sentence by sentence; empty if all is
    founded. A sentence whose packets are not here says nothing that is."""
    known = {packet.packet_id: packet for packet in packets}
    found = []
    for sentence in bundle.narrative:
        cited = [known[one] for one in sentence.packets if one in known]
        if len(cited) < len(sentence.packets):
            found.append(f"{sentence.text} (cites a packet that is not there)")
        found += [f"{words!r} in: {sentence.text}" for words in unfounded(sentence.text, cited)]
    for one in bundle.alternatives:
        cited = [known[packet] for packet in one.packets if packet in known]
        for text in (one.alternative, one.reason):
            found += [f"{words!r} in: {text}" for words in unfounded(text, cited)]
    return found


def _narrative(
    question: Question, told: Sequence[Packet], evidence: Evidence
) -> tuple[list[Sentence], list[ReasoningStep]]:
    sentences: dict[str, Sentence] = {}
    steps: dict[str, ReasoningStep] = {}
    first = heading(question, evidence)
    if first is not None and _founded(first.text, first.packets, evidence):
        sentences[first.text] = Sentence(text=first.text, packets=list(first.packets))
    for group in _grouped(told):
        for packet, said in _said(group, evidence):
            prefix, of = whose(packet, question, evidence)
            text = fitting(prefix + said.text)
            cited = list(dict.fromkeys([packet.packet_id, *of, *said.packets]))[:_MOST_CITED]
            if not _founded(text, cited, evidence):
                # Not as its type should be: what it says can't be told in its own words.
                text, cited = unknown(packet).text, [packet.packet_id]
            if text in sentences:  # said before, on other packets
                continue
            sentences[text] = Sentence(text=text, packets=cited)
            if said.because and _founded(said.because, cited, evidence):
                steps[text] = ReasoningStep(
                    module=packet.producer, conclusion=text, because=said.because, packets=cited
                )
    return _bounded(list(sentences.values())), list(steps.values())[:_MOST_SENTENCES]


def _founded(text: str, packet_ids: Iterable[str], evidence: Evidence) -> bool:
    return is_founded(text, [evidence.facts(one, Facts) for one in packet_ids])


def _said(group: list[Packet], evidence: Evidence) -> list[tuple[Packet, Said]]:
    told = [(packet, said) for packet in group for said in tell(packet, evidence)]
    # Of a run's many events most say nothing by themselves: the others are told.
    most = _OF_A_RUN if group[0].message_type == "DagsterEvent" else _ONE_BY_ONE
    if len(group) <= _ONE_BY_ONE or len(told) <= most:
        return told
    ids = tuple(packet.packet_id for packet in group[:_MOST_CITED])
    text = f"{len(ids)} of {group[0].message_type} were recorded by {group[0].producer}."
    return [(group[0], Said(text, packets=ids))]


def _grouped(told: Sequence[Packet]) -> list[list[Packet]]:
    """Packets in a row of one type and producer, where there are many; else each by itself."""
    runs: list[list[Packet]] = []
    for packet in told:
        last = runs[-1][-1] if runs else None
        alike = last is not None and (last.message_type, last.producer) == (
            packet.message_type,
            packet.producer,
        )
        if alike and packet.message_type in _MANY:
            runs[-1].append(packet)
        else:
            runs.append([packet])
    return runs


# What comes in numbers, as records that something was learned from.
_MANY = frozenset({"EngagementRecord", "TelemetrySample", "Heartbeat", "DagsterEvent"})


def _bounded(sentences: list[Sentence]) -> list[Sentence]:
    if len(sentences) <= _MOST_SENTENCES:
        return sentences
    kept, rest = sentences[: _MOST_SENTENCES - 1], sentences[_MOST_SENTENCES - 1 :]
    cited = list(dict.fromkeys(one for sentence in rest for one in sentence.packets))
    more = Sentence(text="More was recorded than is told here.", packets=cited[:_MOST_CITED])
    return [*kept, more]


def _spans(question: Question, evidence: Evidence) -> list[Packet]:
    if question.matter not in (Matter.CLIP, Matter.VIDEO, Matter.DIRECTIVE):
        return []
    return [one for one in spans_left(evidence) if one.subject_id != question.subject_id]

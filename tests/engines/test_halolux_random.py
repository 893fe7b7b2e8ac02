"""HaloLux on random evidence: whatever is recorded, it says that and no more, always the same."""

from __future__ import annotations

import json
import random
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from omniva_dagster.contracts.ids import EVERYTHING, creator_id_of, derive_id
from omniva_dagster.engines.halolux import Matter, Packet, Question, explain, unfounded_in
from tests.engines.halolux_packets import CLIP, EXAMPLES, TRACE, VIDEO, example, packet

TYPES = sorted(
    path.stem for path in EXAMPLES.glob("*.json") if not path.stem.startswith(("Envelope", "Agent"))
)
# What the longest tellings and most of the rules are about.
OFTEN = ["ClipCandidate", "Directive", "ArbitrationVerdict", "VideoAsset", "VoteReport", "Outcome"]
OFTEN += ["PublicationReceipt", "StyledMetadata", "RenderedClip", "AnalysisResult", "QueueMutation"]
SUBJECTS = [CLIP, VIDEO, EVERYTHING, creator_id_of("ada"), derive_id("clip", "another")]
EVIL = [
    "",
    "“",
    "”9",
    "\x1b[31m1",
    "‮77",
    "a\nb 12",
    "0",
    "x" * 3000,
    "12:30",
    "2026-01-01",
    "\ud800",
]
PLAIN_NUMBER = re.compile(r"(?<![\w.:/+-])-?[0-9]+(?:\.[0-9]+)?(?![\w:/-]|\.\w)")


def distorted(value: Any, chance: random.Random) -> Any:
    """The same message with some of its values other than they should be."""
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if chance.random() > 0.02}
        return {name: distorted(item, chance) for name, item in kept.items()}
    if isinstance(value, list):
        return [distorted(item, chance) for item in value] * chance.choice([1, 1, 1, 0, 3])
    if isinstance(value, bool) or chance.random() > 0.3:
        return value
    if isinstance(value, int | float):
        return chance.choice([chance.uniform(-1, 2), chance.randrange(10**6), 0, -0.0, 1e300])
    return chance.choice([*EVIL, None, 7, [], {}])


def evidence(chance: random.Random) -> list[Packet]:
    found: list[Packet] = []
    for number in range(chance.randrange(1, 40)):
        name = chance.choice(chance.choice([TYPES, OFTEN]))
        # Now and then a message is another type's than it says.
        payload = example(name if chance.random() > 0.05 else chance.choice(TYPES))
        made = packet(
            name,
            distorted(payload, chance) if chance.random() < 0.6 else payload,
            *chance.sample(found, min(len(found), chance.randrange(4))),
            subject=chance.choice(SUBJECTS),
            producer=chance.choice(["zenith", "pantheon", "videos", "nobody"]),
            at=f"1{chance.randrange(10)}:00:0{chance.randrange(10)}",
            name=str(number),
        )
        missing = (derive_id("packet", "gone"),) if chance.random() < 0.1 else ()
        found.append(replace(made, parents=(*made.parents, *missing)))
    return found


def questions(packets: list[Packet], chance: random.Random) -> list[Question]:
    one = chance.choice(packets)
    ordered = [each for each in packets if each.message_type == "Directive"] or [one]
    return [
        Question(Matter.CLIP, CLIP, TRACE),
        Question(Matter.VIDEO, VIDEO, TRACE),
        Question(Matter.TRACE, TRACE, TRACE),
        Question(Matter.PARTITION, derive_id("partition", "x"), TRACE),
        Question(Matter.SUBJECT, EVERYTHING, TRACE),
        Question(Matter.PACKET, one.packet_id, TRACE, (one.packet_id,)),
        Question(
            Matter.DIRECTIVE,
            ordered[0].subject_id,
            TRACE,
            (ordered[0].packet_id,),
            derive_id("directive", "asked about"),
        ),
    ]


@pytest.mark.part("HAL-11")
@pytest.mark.part("HAL-10")
@pytest.mark.parametrize("seed", range(1090, 1150))
def test_of_whatever_evidence_each_sentence_says_what_is_in_the_packets_it_cites(seed: int) -> None:
    chance = random.Random(seed)
    packets = evidence(chance)
    known = {one.packet_id: one for one in packets}
    for question in questions(packets, chance):
        bundle = explain(question, packets)
        assert unfounded_in(bundle, packets) == []
        for sentence in bundle.narrative:
            assert sentence.packets
            assert set(sentence.packets) <= known.keys()
            assert sentence.text.isprintable()
            _shows_its_numbers(sentence.text, [known[one] for one in sentence.packets])
        assert 0 <= bundle.completeness <= 1
        assert (bundle.completeness == 1) == (not bundle.missing_evidence)
        shuffled = chance.sample(packets, len(packets))
        assert explain(question, shuffled).model_dump_json() == bundle.model_dump_json()


@pytest.mark.parametrize("matter", [Matter.TRACE, Matter.PARTITION])
def test_two_thousand_packets_of_one_workflow_are_explained_in_time(matter: Matter) -> None:
    """The most that is read for one explanation, which may take two seconds."""
    warning = example("DriftWarning")
    packets = [
        packet("DriftWarning", warning, subject=derive_id("goal", number), name=str(number))
        for number in range(2000)
    ]
    begun = time.process_time()
    bundle = explain(Question(matter, TRACE, TRACE), packets)
    assert time.process_time() - begun < 2
    assert bundle.narrative


def _shows_its_numbers(text: str, cited: list[Packet]) -> None:
    """An independent look: each number outside quotation marks is one of the cited packets', as
    they were written down, or counts something in them."""
    outside = re.sub(r"“[^”]*”", " ", text)
    outside = re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC", " ", outside)
    written = json.dumps([one.envelope for one in cited])
    numbers = [float(one) for one in re.findall(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?", written)]
    counts = _lengths([one.payload for one in cited]) | {len(cited)}
    for token in PLAIN_NUMBER.findall(outside):
        digits = len(token.partition(".")[2])
        near = any(abs(number - float(token)) <= 0.5 * 10**-digits + 1e-9 for number in numbers)
        many = "." not in token and (int(token) in counts or int(token) <= len(cited))
        assert near or many, (token, text)


def _lengths(value: Any) -> set[int]:
    if isinstance(value, dict):
        return set().union(*map(_lengths, value.values())) if value else set()
    if isinstance(value, list):
        return {len(value)}.union(*map(_lengths, value)) if value else {0}
    return set()

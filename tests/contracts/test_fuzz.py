"""Messages broken in every way a machine thinks of: model and schema file judge them alike.

A few thousand by default; ``OMNIVA_TEST_FUZZ=200000`` for that many, ``OMNIVA_TEST_FUZZ_SEED`` for
others. What `tests/contracts/test_strictness.py` draws is shrunk to the smallest case; this here is
faster by far, breaks the text too, and says number and seed of what it found.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any

import pytest

from omniva_dagster.contracts.errors import ContractError
from omniva_dagster.contracts.migrations import read
from tests.contracts.support import TYPES, example, faults, schema_accepts
from tests.contracts.test_strictness import (
    BAD_TIMES,
    BAD_URIS,
    BAD_UUIDS,
    GOOD_TIMES,
    GOOD_URIS,
    HUGE,
    MODEL_ONLY,
    UUID,
)

ROUNDS = int(os.environ.get("OMNIVA_TEST_FUZZ", "5000"))
SEED = os.environ.get("OMNIVA_TEST_FUZZ_SEED", "2026-03-04")
LONGEST = 10.0  # seconds of the processor for one document, however busy it is with others

# One field against another: what docs/contracts.md says only the models check.
ONLY_THE_MODEL = MODEL_ONLY
# RFC 8259, 9: a reader may set a limit. The model's is near 200; it looks no further than there.
TOO_DEEP = "is nested too deeply"
SURELY_READ = 150

NUMBERS = (
    *(0, 1, -1, 0.0, -0.0, 1.0, 0.5, 1.5, -1.5, 2**31, 2**53 - 1, 2**53, 2.0**53, -(2**53), 2**63),
    *(2**64, 10**30, HUGE, -HUGE, 1e-320, 1e16, 1e308, -1e308, 1 + 2**-52, 0.1 + 0.2),
)
TEXTS = (
    *("", " ", "\n", "\t\x00\x1b[2J", "null", "true", "0", "1.0.0", "01.0.0", "1.0.0\n", "a" * 120),
    *(
        "a" * 121,
        "\ufeff",
        "\u202ea",
        "\u0660",
        "é",
        "e\u0301",
        "😀" * 60,
        "\ud800",
        "\udfff\ud83d",
    ),
    *("../../etc/passwd", "'; DROP TABLE clips;--", "{{7*7}}", "%00", "${HOME}", "javascript:a"),
    *(BAD_UUIDS + BAD_TIMES + BAD_URIS[:-1] + GOOD_TIMES + GOOD_URIS + (UUID,)),
)
NAMES = ("", "a", "clip_id ", "clipId", "CLIP_ID", "__proto__", "$ref", "é", "\x00", "a/b~c", "_")
ODD_TEXTS = (
    *("NaN", "-Infinity", "1e400", "-0", "01", "0x10", "+1", ".5", "1.", "1e2", "1E-2", "'a'"),
    *("/*c*/1", "nul", "True", '"\\ud800"', '"\\x41"', '"\t"', "[1,]", "9" * 5000, "undefined"),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document, however deep."""
    found: list[tuple[Any, Any]] = []
    boxes = [value]
    while boxes:
        box = boxes.pop()
        keys = list(box) if isinstance(box, dict) else range(len(box))
        found += [(box, key) for key in keys]
        boxes += [box[key] for key in keys if isinstance(box[key], dict | list)]
    return found


def junk(rng: random.Random, depth: int = 3) -> Any:
    """A JSON value of any kind, nested now and then."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(NUMBERS)
    if kind < 0.6:
        return rng.choice(TEXTS)
    if kind < 0.75:
        return rng.choice((None, True, False, [], {}, [[]], [None], {"": {}}))
    if kind < 0.9 and depth:
        inner = [junk(rng, depth - 1) for _ in range(rng.randrange(4))]
        return inner if rng.random() < 0.5 else dict(zip(NAMES, inner, strict=False))
    return piece(rng)


@cache
def pieces() -> tuple[str, ...]:
    """Every value inside every example, as JSON text: right in form, wrong in place."""
    values = {json.dumps(box[key]) for name in TYPES for box, key in places(example(name))}
    return tuple(sorted(values))


def piece(rng: random.Random) -> Any:
    return json.loads(rng.choice(pieces()))


def renamed(rng: random.Random, name: str) -> str:
    return rng.choice(
        (name.upper(), f" {name}", f"{name}\n", name[:-1], f"{name}s", f"_{name}", *NAMES)
    )


def nested(rng: random.Random) -> Any:
    value: Any = 1
    for _ in range(rng.choice((10, 100, 190, 210))):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


KIN = ((*BAD_UUIDS, UUID), BAD_TIMES + GOOD_TIMES, BAD_URIS + GOOD_URIS)


def kin(rng: random.Random, text: str) -> str:
    """A text of the sort of the one that is there, right or wrong."""
    uuids, times, uris = KIN
    if ":" in text:
        return rng.choice(times if text[:1].isdigit() else uris)
    return rng.choice(uuids if text.count("-") == 4 else TEXTS)


def shifted(rng: random.Random, value: Any) -> Any:
    """A value near the one that is there: what only just breaks a rule, or only just keeps it."""
    if isinstance(value, bool):
        return rng.choice((int(value), str(value).lower(), not value))
    if isinstance(value, int | float):
        if abs(value) > 2**64:
            return -value
        return rng.choice((-value, value + 1, value - 1, float(value), value / 2, str(value)))
    if isinstance(value, str):
        at = rng.randrange(len(value) + 1)
        letter = rng.choice(("", "0", "g", "Z", "-", ":", ".", " ", "\n", "é", "٣", "😀", "%", "["))
        cut = value[:at] + letter + value[at + rng.randrange(2) :]
        return rng.choice(
            (
                cut,
                kin(rng, value),
                kin(rng, value),
                value.upper(),
                value * 2,
                value[::-1],
                [value],
                f"{value}\n",
            )
        )
    if isinstance(value, list):
        return rng.choice((value * 2, value * 20, value[:-1], value[::-1], [value], len(value)))
    return rng.choice((list(value or ()), [value], json.dumps(value)))


def changed(rng: random.Random, document: dict[str, Any]) -> None:
    """One change somewhere in a document."""
    found = places(document)
    if not found:
        document[rng.choice(NAMES)] = junk(rng)
        return
    box, key = rng.choice(found)
    kind = rng.random()
    if kind < 0.12:
        del box[key]
    elif kind < 0.24 and isinstance(box, dict):
        box[renamed(rng, key)] = box.pop(key)
    elif kind < 0.30 and isinstance(box, dict):
        box[rng.choice(NAMES)] = junk(rng)
    elif kind < 0.36 and isinstance(box, list):
        box.insert(rng.randrange(len(box) + 1), json.loads(json.dumps(box[key])))
    elif kind < 0.44:
        other, place = rng.choice(found)
        # Copied, for a value put into itself would never end.
        box[key] = json.loads(json.dumps(other[place])) if not gone(other, place) else None
    elif kind < 0.70:
        box[key] = shifted(rng, box[key])
    elif kind < 0.72:
        box[key] = nested(rng)
    elif kind < 0.73:
        box[key] = rng.choice(("a", "é", "😀", "0-", "https://a/", "%41")) * 50_000
    else:
        box[key] = junk(rng)


def gone(box: Any, key: Any) -> bool:
    return key not in box if isinstance(box, dict) else key >= len(box)


def broken(rng: random.Random, text: str) -> bytes:
    """The text after one change that knows nothing of what it says."""
    at = rng.randrange(len(text))
    kind = rng.randrange(8)
    if kind == 0:
        text = text[:at]
    elif kind == 1:
        first = text.index("{") + 1
        name = json.dumps(rng.choice(list(json.loads(text)) or ["a"]))
        text = f"{text[:first]}{name}: {json.dumps(junk(rng))},{text[first:]}"
    elif kind == 2:
        text = text[:at] + text[at + 1 :]
    elif kind == 3:
        text = text[:at] + rng.choice(list('{}[]":,\\0 \n\x00é')) + text[at:]
    elif kind == 4:
        ends = [place for place, letter in enumerate(text) if letter in ",}"]
        starts = [place for place, letter in enumerate(text) if letter == ":"]
        start = rng.choice(starts) + 1 if starts else at
        end = next((place for place in ends if place > start), len(text))
        text = f"{text[:start]} {rng.choice(ODD_TEXTS)}{text[end:]}"
    elif kind == 5:
        text = rng.choice(("\ufeff", " \n", "[", "// a\n")) + text
    elif kind == 6:
        text += rng.choice((text, "}", " \n", "\x00", ",", "null"))
    else:
        raw = text.encode(errors="surrogatepass")
        at = rng.randrange(len(raw))
        return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
    return text.encode(errors="surrogatepass")


def fuzzed(rng: random.Random, name: str) -> bytes:
    """A message after one to three changes, of what it says or of how it is written."""
    document = example(name)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        changed(rng, document)
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.25 and len(text) < 200_000:
        return broken(rng, text)
    return text.encode(errors="surrogatepass")


def by_schema(name: str, raw: bytes) -> bool:
    """What a reader of RFC 8259 that refuses doubled keys makes of it with the schema file."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key comes twice")
        return dict(pairs)

    try:
        value = json.loads(raw.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError):
        return False
    return schema_accepts(name, value)


def depth(raw: bytes) -> int:
    """How deep the brackets of a text go, at most: those inside strings are counted too."""
    steps = (1 if byte in b"[{" else -1 if byte in b"]}" else 0 for byte in raw)
    return max(accumulate(steps), default=0)


def disagreement(name: str, raw: bytes) -> str:
    """What the two judges of a message don't agree about; empty when they do."""
    started = time.process_time()
    by_model, accepted = faults(name, raw), by_schema(name, raw)
    taken = time.process_time() - started
    if taken > LONGEST:
        return f"it took {taken:.1f} s"
    if [each["message"] for each in by_model] == [TOO_DEEP]:
        return "" if depth(raw) > SURELY_READ else "it is not that deep"
    beyond = [each for each in by_model if any(rule in each["message"] for rule in ONLY_THE_MODEL)]
    if accepted is not (len(by_model) == len(beyond)):
        return f"the schema {'takes' if accepted else 'refuses'} it, the model finds {by_model}"
    return ""


@pytest.mark.spec("CON-1", "AGT-1")
@pytest.mark.parametrize("name", TYPES)
def test_model_and_schema_agree_on_messages_broken_at_random(name: str) -> None:
    rounds = max(1, ROUNDS // len(TYPES))
    verdicts = {True: 0, False: 0}
    for number in range(rounds):
        rng = random.Random(f"{SEED}-{name}-{number}")
        raw = fuzzed(rng, name)
        said = disagreement(name, raw)
        assert not said, f"seed {SEED}, number {number}: {said}\n{raw[:4000]!r}"
        verdicts[not faults(name, raw)] += 1
    # Else it would show nothing: all broken beyond judging, or none at all.
    assert rounds < 50 or min(verdicts.values()) > rounds / 100, verdicts


@pytest.mark.spec("CON-8")
@pytest.mark.parametrize("name", TYPES)
def test_what_reads_older_versions_judges_as_the_model_does(name: str) -> None:
    for number in range(max(1, ROUNDS // len(TYPES) // 10)):
        raw = fuzzed(random.Random(f"{SEED}-{name}-{number}"), name)
        try:
            read(name, raw)
        except ContractError:
            assert faults(name, raw)
        else:
            assert not faults(name, raw)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a string of 8 MB": lambda: json.dumps({"title": "a" * 8_000_000}).encode(),
    "a name of 8 MB": lambda: json.dumps({"a" * 8_000_000: 1}).encode(),
    "200,000 fields": lambda: json.dumps({f"f{n}": n for n in range(200_000)}).encode(),
    "one name 50,000 times": lambda: b"{" + b'"a":1,' * 50_000 + b'"a":1}',
    "50,000 names twice": lambda: "".join(
        ("{", *(f'"f{n % 50_000}":1,' for n in range(100_000)), '"a":1}')
    ).encode(),
    "100,000 brackets": lambda: b"[" * 100_000,
    "100,000 objects": lambda: b'{"a":' * 100_000,
    "a million digits": lambda: b'{"a":' + b"9" * 1_000_000 + b"}",
    "a million escapes": lambda: b'{"a":"' + b"\\u0041" * 1_000_000 + b'"}',
    "a list of a million": lambda: b'{"a":[' + b"1," * 1_000_000 + b"1]}",
}


@pytest.mark.parametrize("name", ["UploadJob", "Envelope"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_made_to_hurt_is_refused_in_a_moment(kind: str, name: str) -> None:
    raw = HOSTILE[kind]()
    started = time.process_time()
    found = faults(name, raw)
    assert found
    assert time.process_time() - started < LONGEST


def test_the_comparison_sees_a_rule_that_only_one_of_the_two_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.contracts import test_fuzz

    late = json.dumps({**example("ClipCandidate"), "end_time": 0.001}).encode()
    assert disagreement("ClipCandidate", late) == ""
    monkeypatch.setattr(test_fuzz, "ONLY_THE_MODEL", ())
    assert "the schema takes it" in disagreement("ClipCandidate", late)

"""Whether a sentence says only what its packets say.

What is between quotation marks must stand in a cited packet word for word, and every number, time
and id outside them must be a number, a count or a text of one: the rest are the templates' words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omniva_dagster.engines.halolux.evidence import Packet
from omniva_dagster.engines.halolux.words import CUT, clock, plain

_QUOTED = re.compile(r"“([^”]*)”")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}) UTC")
_CLOCK = re.compile(r"(?<![\w:])[0-9]+:[0-9]{2}(?!\w|:\w)")
# Whatever holds a digit, to its end: an id, a name, a number.
_TOKEN = re.compile(r"-?[\w./:+-]*[0-9][\w./:+-]*", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(?:\.([0-9]+))?")


class Facts:
    """What a packet says, in forms that a sentence may take up."""

    def __init__(self, packet: Packet) -> None:
        self.message_type = packet.message_type
        self.texts: list[str] = []
        self.numbers: list[float] = []
        self.counts: set[int] = set()
        for value in _leaves(packet.envelope):
            if isinstance(value, list):
                self.counts.add(len(value))
            elif isinstance(value, str):
                self.texts.append(plain(value))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                self.numbers.append(value)


def unfounded(text: str, packets: Sequence[Packet]) -> list[str]:
    """What a sentence says that is in none of the packets it cites; empty when all is."""
    return list(_unfounded(text, _Grounds([Facts(packet) for packet in packets])))


def is_founded(text: str, facts: Sequence[Facts]) -> bool:
    """Whether all that a sentence says is in these, and all of it can be shown."""
    return text.isprintable() and not any(True for _ in _unfounded(text, _Grounds(facts)))


class _Grounds:
    """The facts of several packets, and how many there are of each type."""

    def __init__(self, facts: Sequence[Facts]) -> None:
        self.facts = facts
        self.counts = {len(facts), *Counter(one.message_type for one in facts).values()}

    @property
    def numbers(self) -> Iterator[float]:
        """All numbers."""
        return (value for one in self.facts for value in one.numbers)

    def has_text(self, text: str) -> bool:
        """Whether it stands in a text of theirs, up to where it was cut."""
        wanted = text.removesuffix(CUT).rstrip() if text.endswith(CUT) else text
        return any(wanted in known for one in self.facts for known in one.texts)

    def has_number(self, token: str) -> bool:
        """Whether a number of theirs, in a text or by itself, or how many they list or are, is
        written like that."""
        found = _NUMBER.fullmatch(token)
        if found is None:
            return self.has_text(token)
        digits = len(found[1] or "")
        if any(f"{value:.{digits}f}" == token for value in self.numbers):
            return True
        if not digits and (
            int(token) in self.counts or any(int(token) in one.counts for one in self.facts)
        ):
            return True
        alone = re.compile(rf"(?<![\w.:/-]){re.escape(token)}(?![\w:/-]|\.\w)", re.ASCII)
        return any(alone.search(known) for one in self.facts for known in one.texts)


def _unfounded(text: str, facts: _Grounds) -> Iterator[str]:
    for quotation in _QUOTED.findall(text):
        if not facts.has_text(quotation):
            yield quotation
    rest = _QUOTED.sub(" ", text)
    if "“" in rest or "”" in rest:
        yield "an open quotation"
    for day, time in _MOMENT.findall(rest):
        if not facts.has_text(f"{day}T{time}"):
            yield f"{day} {time}"
    rest = _MOMENT.sub(" ", rest)
    for token in _CLOCK.findall(rest):
        if not any(clock(value) == token for value in facts.numbers if value >= 0):
            yield token
    rest = _CLOCK.sub(" ", rest)
    for token in _TOKEN.findall(rest):
        word = token.strip("./:+-") if not token.startswith("-") else token.rstrip("./:+-")
        if not facts.has_number(word):
            yield word


def _leaves(value: Any) -> Iterator[object]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        yield list(value)
        for item in value:
            yield from _leaves(item)
    else:
        yield value

"""Candidates that are about the same thing, found without comparing each with each.

Leader clustering over an inverted index: the best candidate of what is left leads, and whoever
shares enough of its words, weighed by how rare they are, joins. A word that leads to many leaders
is looked up no further than a bound, so that time grows with the candidates, not their square.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ALIKE = 0.3  # cosine from which a candidate joins
_MOST_LEADERS = 32  # looked up by one word
_MOST_TERMS = 24  # of a candidate, the rarest
_PHRASE, _WORD = 2.0, 1.0
_SHORTEST = 5  # letters of a spoken word that may tell something
_ENOUGH = 4  # candidates from which spoken words can be told from filler
_COMMON = 0.5
_MOST_MEMBERS, _SHOWN_TERMS, _LINE = 1000, 10, 200
_DIGITS = 3


@dataclass(frozen=True)
class Member:
    """A candidate: its semantic tags, what is said in it, and its worth."""

    candidate_id: str
    tags: tuple[str, ...] = ()
    text: str = ""
    packet_id: str = ""
    weight: float = 0.0


@dataclass(frozen=True)
class Cluster:
    """Candidates about the same thing, the most typical first."""

    label: str
    candidate_ids: tuple[str, ...]
    terms: tuple[str, ...]
    coherence: float
    evidence: tuple[str, ...]


Vector = dict[str, float]


def cluster(members: Sequence[Member]) -> list[Cluster]:
    """The groups of two and more among the candidates, the largest first; in whatever order they
    come in. Who is like nobody else is in none."""
    ordered = sorted(members, key=lambda one: (-one.weight, one.candidate_id))
    vectors = _vectors(ordered)
    leaders: list[int] = []
    groups: dict[int, list[tuple[int, float]]] = {}
    index: dict[str, list[int]] = defaultdict(list)
    for position, vector in enumerate(vectors):
        leader, alike = _nearest(vector, vectors, index)
        if leader is not None and alike >= _ALIKE:
            groups[leader].append((position, alike))
            if len(groups[leader]) == _MOST_MEMBERS:
                # It is full: the next one like it leads another group.
                for term in vectors[leader]:
                    index[term] = [one for one in index[term] if one != leader]
            continue
        leaders.append(position)
        groups[position] = [(position, 1.0)]
        for term in vector:
            if len(index[term]) < _MOST_LEADERS:
                index[term].append(position)
    found = [
        _described(groups[leader], ordered, vectors)
        for leader in leaders
        if len(groups[leader]) > 1
    ]
    return sorted(found, key=lambda one: (-len(one.candidate_ids), one.label, one.candidate_ids))


def _vectors(members: Sequence[Member]) -> list[Vector]:
    phrases = [{_plain(tag) for tag in member.tags} - {""} for member in members]
    words = [{word for phrase in own for word in phrase.split()} for own in phrases]
    spoken = [_spoken(member.text) - own for member, own in zip(members, words, strict=True)]
    heard = Counter(word for own in spoken for word in own)
    if len(members) >= _ENOUGH:
        most = _COMMON * len(members)
        spoken = [{word for word in own if heard[word] <= most} for own in spoken]
    else:
        spoken = [set() for _ in members]
    terms = [
        {**dict.fromkeys(said | own, _WORD), **dict.fromkeys(phrase, _PHRASE)}
        for said, own, phrase in zip(spoken, words, phrases, strict=True)
    ]
    spread = Counter(term for own in terms for term in own)
    return [_unit(own, spread, len(members)) for own in terms]


def _unit(terms: Mapping[str, float], spread: Mapping[str, int], count: int) -> Vector:
    weighed = {term: weight * math.log(1 + count / spread[term]) for term, weight in terms.items()}
    kept = sorted(weighed, key=lambda term: (-weighed[term], term))[:_MOST_TERMS]
    length = math.sqrt(math.fsum(weighed[term] ** 2 for term in kept))
    return {term: weighed[term] / length for term in kept}


def _nearest(
    vector: Vector, vectors: Sequence[Vector], index: Mapping[str, list[int]]
) -> tuple[int | None, float]:
    shared: dict[int, list[float]] = defaultdict(list)
    for term, weight in vector.items():
        for leader in index.get(term, ()):
            shared[leader].append(weight * vectors[leader][term])
    if not shared:
        return None, 0.0
    alike = {leader: math.fsum(parts) for leader, parts in shared.items()}
    best = min(alike, key=lambda leader: (-round(alike[leader], _DIGITS), leader))
    return best, round(min(1.0, alike[best]), _DIGITS)


def _described(
    group: Sequence[tuple[int, float]], members: Sequence[Member], vectors: Sequence[Vector]
) -> Cluster:
    (leader, _), *others = group
    others = sorted(others, key=lambda item: (-item[1], members[item[0]].candidate_id))
    places = [leader, *(place for place, _ in others)]
    counts = Counter(term for place in places for term in vectors[place])
    weights = {
        term: math.fsum(vectors[place].get(term, 0.0) for place in places)
        for term, count in counts.items()
        if count > 1
    }
    terms = sorted(weights, key=lambda term: (-round(weights[term], _DIGITS), term))
    shown = [term[:_LINE] for term in terms[:_SHOWN_TERMS]]
    coherence = math.fsum(alike for _, alike in others) / len(others)
    return Cluster(
        shown[0],
        tuple(members[place].candidate_id for place in places),
        tuple(shown),
        round(min(1.0, coherence), _DIGITS),
        tuple(dict.fromkeys(members[p].packet_id for p in places if members[p].packet_id)),
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _spoken(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) >= _SHORTEST}

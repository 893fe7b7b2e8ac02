"""Circles: packets that came from each other, jobs that wait for each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from omniva_dagster.contracts.cognition.paradox import WorkerStateDigest
from omniva_dagster.engines.paradox.duplicates import OVER
from omniva_dagster.engines.paradox.facts import Link
from omniva_dagster.engines.paradox.rules import MOST, Finding


def waiting_jobs(jobs: Iterable[WorkerStateDigest]) -> Iterator[Finding]:
    """Jobs of which each waits for the next: none of them can ever begin."""
    listed = {job.job_id: job for job in jobs if job.status not in OVER}
    steps = {
        name: sorted(one for one in job.depends_on if one in listed) for name, job in listed.items()
    }
    for circle in circles(steps):
        yield Finding(
            "waiting_for_each_other",
            circle,
            tuple(dict.fromkeys(listed[name].packet_id for name in circle)),
            f"{len(circle)} jobs wait for each other ({_named(circle)}): cancel one of them: "
            f"omniva override cancel {circle[0]} --reason ...",
        )


def circular_lineage(links: Iterable[Link]) -> Iterator[Finding]:
    """Packets that are their own ancestors: their history cannot be true."""
    steps: dict[str, set[str]] = {}
    subjects: dict[str, str] = {}
    for link in links:
        steps.setdefault(link.child, set()).add(link.parent)
        steps.setdefault(link.parent, set())
        if link.child_subject:
            subjects[link.child] = link.child_subject
    ordered = {name: sorted(found) for name, found in steps.items()}
    for circle in circles(ordered):
        about = tuple(dict.fromkeys(subjects.get(packet, packet) for packet in circle))
        yield Finding(
            "circular_lineage",
            about,
            circle,
            f"{len(circle)} packets came from each other ({_named(circle)}): the ledger was "
            "changed by hand. Run omniva ledger verify, and restore it from a backup",
        )


def circles(steps: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """One shortest circle through the smallest id of each group of nodes that reach each other.

    Linear in nodes and edges but for the search of each group's circle, which is linear in the
    group. Begins with the smallest id; the same circle whatever the order of the input.
    """
    found = []
    for group in _components(steps):
        inside = set(group)
        start = min(group)
        if len(group) > 1 or start in steps[start]:
            found.append(_circle(start, inside, steps)[:MOST])
    return sorted(found)


def _circle(start: str, inside: set[str], steps: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    came_from: dict[str, str] = {}
    frontier = [start]
    while frontier and start not in came_from:
        following = []
        for node in frontier:
            for step in sorted(steps[node]):
                if step in inside and step not in came_from:
                    came_from[step] = node
                    following.append(step)
        frontier = following
    way, node = [], came_from[start]
    while node != start:
        way.append(node)
        node = came_from[node]
    return (start, *reversed(way))


def _components(steps: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Strongly connected components (Tarjan, 1972), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in steps:
        if root in index:
            continue
        work = [(root, iter(steps[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            step = next(following, None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    yield _popped(stack, on_stack, node)
            elif step not in index:
                index[step] = low[step] = len(index)
                stack.append(step)
                on_stack.add(step)
                work.append((step, iter(steps[step])))
            elif step in on_stack:
                low[node] = min(low[node], index[step])


def _popped(stack: list[str], on_stack: set[str], until: str) -> list[str]:
    group = []
    while True:
        node = stack.pop()
        on_stack.discard(node)
        group.append(node)
        if node == until:
            return group


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")

"""An explanation for people: as text for a terminal, and as Markdown that nobody's title can break.

What comes from messages was made printable and put between quotation marks by HaloLux; here it is
only kept from being read as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from omniva_dagster.contracts.cognition.halolux import InterpretabilityBundle

_MARKUP = frozenset("\\`*_[]<>#!|~&@$")
_REF = 8
_ROWS = 20
_DECIDE = frozenset({"zenith", "pantheon", "paradox", "eclipse", "chorus", "operator"})
_SHOWN_REFS = 4


def as_text(bundle: InterpretabilityBundle) -> list[str]:
    """Lines of plain text: what came of it first, each sentence with its packets' first digits."""
    lines = [f"{one.text} {_refs(one.packets)}" for one in bundle.narrative]
    if not lines:
        lines = ["The ledger holds nothing about it."]
    if bundle.alternatives:
        lines += ["", "Decided against:"]
        lines += [
            f"  {one.alternative} ({one.advised_by}): {one.reason} {_refs(one.packets)}"
            for one in bundle.alternatives
        ]
    if bundle.missing_evidence:
        lines += ["", "Missing:"]
        lines += [
            f"  {one.what} (expected from {one.expected_from}): {one.consequence}"
            for one in bundle.missing_evidence
        ]
    return lines


def as_markdown(bundle: InterpretabilityBundle) -> str:
    """A page of Markdown: the story, the alternatives, what is missing, and the packets cited."""
    cited = list(dict.fromkeys(one for sentence in bundle.narrative for one in sentence.packets))
    place = {packet_id: number for number, packet_id in enumerate(cited, start=1)}

    def notes(packets: Sequence[str]) -> str:
        known = [f"{place[one]}" for one in packets if one in place]
        return f" ({', '.join(known)})" if known else ""

    lines = ["# Why", ""]
    lines += [f"- {escaped(one.text)}{notes(one.packets)}" for one in bundle.narrative]
    if bundle.alternatives:
        lines += ["", "## Decided against", ""]
        lines += [
            f"- {escaped(one.alternative)} ({escaped(one.advised_by)}): {escaped(one.reason)}"
            f"{notes(one.packets)}"
            for one in bundle.alternatives
        ]
    lines += ["", "## Evidence", "", f"Completeness {bundle.completeness:g}.", ""]
    lines += [
        f"- Missing: {escaped(one.what)} (expected from {escaped(one.expected_from)}): "
        f"{escaped(one.consequence)}"
        for one in bundle.missing_evidence
    ]
    lines += [f"{number}. `{packet_id}`" for packet_id, number in place.items()]
    return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    """Text in which Markdown and HTML find nothing to act on."""
    return "".join(f"\\{char}" if char in _MARKUP else char for char in text)


def paragraph(bundle: InterpretabilityBundle, most: int = 600) -> str:
    """What came of it and who decided that, for a table's cell, as Markdown."""
    first = [one.text for one in bundle.narrative[:1]]
    decided = [one.conclusion for one in bundle.reasoning_chain if one.module in _DECIDE]
    text = " ".join(dict.fromkeys([*first, *decided]))
    return escaped(text if len(text) <= most else f"{text[: most - 1].rstrip()}…")


def table(bundles: Mapping[str, InterpretabilityBundle]) -> str:
    """The beginning of each explanation, by what it is about, as a table of Markdown."""
    lines = ["| about | complete | why |", "|---|---|---|"]
    lines += [
        f"| {escaped(name)} | {bundle.completeness:g} | {paragraph(bundle)} |"
        for name, bundle in list(bundles.items())[:_ROWS]
    ]
    if len(bundles) > _ROWS:
        lines.append(f"| and {len(bundles) - _ROWS} more | | `omniva explain <id>` |")
    return "\n".join(lines)


def _refs(packets: Sequence[str]) -> str:
    shown = " ".join(one[:_REF] for one in packets[:_SHOWN_REFS])
    return f"[{shown} …]" if len(packets) > _SHOWN_REFS else f"[{shown}]"

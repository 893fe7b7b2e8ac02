"""Log lines by their common form, so that what is abnormal can be counted (ECL-1)."""

from __future__ import annotations

import re

# How often a run may write one kind of warning before Eclipse hears of it.
ABNORMAL_AFTER = 5
_LOOKED_AT, _LONGEST_SIGNATURE, _LONGEST_SAMPLE = 10_000, 200, 500

_SECRETS = (
    (re.compile(r"(?i)\b((?:[a-z]+://)[^\s/@:]*:)[^\s/@]+@"), r"\1***@"),
    (
        re.compile(
            r"(?i)\b(token|secret|password|passwd|api[_-]?key|key|signature|sig|authorization"
            r"|cookie|session)(\s*[=:]\s*)(?:bearer\s+|basic\s+)?[^\s&,;'\"]+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 ***"),
)
_VARIABLES = (
    (re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+"), "<url>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"(?<![\w/])(?:/[\w.@ +-]+)+/?"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{12,}\b"), "<hex>"),
    (re.compile(r"'[^']*'|\"[^\"]*\""), "<text>"),
    (re.compile(r"[0-9]+(?:[.:][0-9]+)*"), "<n>"),
)


def signature(line: str) -> str:
    """What all lines of a kind have in common: the line without its variables, never empty."""
    form = scrubbed(line)
    for pattern, name in _VARIABLES:
        form = pattern.sub(name, form)
    return _line(form, _LONGEST_SIGNATURE)


def scrubbed(line: str) -> str:
    """A line with what looks like a secret taken out, cut to a readable length."""
    line = line[:_LOOKED_AT]
    for pattern, kept in _SECRETS:
        line = pattern.sub(kept, line)
    return _line(line, _LONGEST_SAMPLE)


def _line(text: str, longest: int) -> str:
    return " ".join(text.split())[:longest] or "(an empty line)"

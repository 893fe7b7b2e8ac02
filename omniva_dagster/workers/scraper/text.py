"""Words and URLs from strangers, made fit for a contract."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from omniva_dagster.contracts.types import URI_PATTERN

_LINE_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Bidirectional controls make a text read otherwise than it is stored (CVE-2021-42574).
_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_URI = 4096


def clean_text(value: Any, longest: int) -> str:
    """``value`` as text of at most ``longest`` characters, without control characters (line
    feeds and tabs stay). Anything but text or a number is nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    # A number of thousands of digits takes Python seconds to print, or raises.
    text = value if isinstance(value, str) else format(value, "g") if _small(value) else ""
    text = _LINE_BREAKS.sub("\n", text[: longest * 4])
    return "".join(filter(_welcome, text)).strip()[:longest].rstrip()


def clean_line(value: Any, longest: int) -> str:
    """`clean_text` on a single line, runs of blanks as one."""
    return " ".join(clean_text(value, longest * 4).split())[:longest].rstrip()


def _small(number: float) -> bool:
    return -1e15 < number < 1e15


def _welcome(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _DIRECTION


def clean_uri(value: Any) -> str | None:
    """``value`` as an http(s) URI of RFC 3986 characters, other characters percent-encoded, host
    in lower case; None if that can't be had."""
    if not isinstance(value, str) or len(value) > _LONGEST_URI:
        return None
    try:
        parts = urlsplit(value.strip())
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        place += f":{port}"
    uri = urlunsplit(
        (parts.scheme, place, _encoded(parts.path), _encoded(parts.query), _encoded(parts.fragment))
    )
    fits = len(uri) <= _LONGEST_URI and re.fullmatch(URI_PATTERN[1:-1], uri)
    return uri if fits else None


def _encoded(part: str) -> str:
    # quote() leaves "%" alone when told to; one that starts no escape is encoded here.
    whole = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", part)
    return quote(whole, safe="/:?@!$&'()*+,;=~%[]", errors="replace")


def bounded_id(uri: str, longest: int = 512) -> str:
    """The URI itself, or its beginning and its digest where it is too long to be an id."""
    if len(uri) <= longest:
        return uri
    return f"{uri[: longest - 65]}#{hashlib.sha256(uri.encode()).hexdigest()}"


def clean_json(value: Any, depth: int = 12) -> Any:
    """A copy that is JSON whatever ``value`` held: no NaN, no lone surrogates, no other types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, (int, float)):
        return value if _small(value) else None
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {str(key): clean_json(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean_json(item, depth - 1) for item in value]
    return None

"""Texts as vectors that lie near each other where they say the same (pure).

No model: a text is the sum of its words and of their three-letter parts, each weighted by how rare
it is in the video (TF-IDF) and hashed to one of 256 places with a sign (the "hashing trick",
Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009). Inflected and
misheard forms share most of their parts. It finds what is said again, in any language; it does not
know that two different words mean the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from omniva_dagster.workers.analyzer.text.words import key, unspaced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Part of the sidecar's metadata: vectors of different schemes cannot be compared.
SCHEME = "hashed-tfidf-256/1"
SIZE = 256
_PART = 3
# A whole word says more than its parts.
_WORD_WEIGHT = 2.0


def embed(texts: Sequence[str], corpus: Sequence[str]) -> Vectors:
    """One unit vector (float32, 256 numbers) for each text; zeros for a text without words.

    ``corpus`` are the texts that tell which parts are rare: a video's sentences.
    """
    import numpy as np

    seen = Counter(part for text in corpus for part in set(_parts(text)))
    vectors = np.zeros((len(texts), SIZE), dtype=np.float64)
    for row, text in zip(vectors, texts, strict=True):
        for part, count in sorted(Counter(_parts(text)).items()):
            at, sign = _place(part)
            rarity = math.log((1 + len(corpus)) / (1 + seen[part])) + 1
            weight = _WORD_WEIGHT if part[0] == " " else 1.0
            row[at] += sign * weight * rarity * (1 + math.log(count))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1.0), dtype=np.float32)


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for token in text.split():
        form = key(token)
        if not form:
            continue
        if not unspaced(form):
            parts.append(f" {form}")
        edged = f"<{form}>"
        parts += [edged[i : i + _PART] for i in range(max(1, len(edged) - _PART + 1))]
    return parts


@lru_cache(maxsize=1 << 16)
def _place(part: str) -> tuple[int, int]:
    digest = blake2b(part.encode(), digest_size=4).digest()
    return int.from_bytes(digest[:2], "big") % SIZE, 1 if digest[2] & 1 else -1

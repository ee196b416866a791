"""Similarity of short texts without a model: vectors of hashed character n-grams, compared by their cosine.

It finds spellings and parts of terms that the lexicon lacks ("utilisation", "swapspace"). It knows no meaning.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter

SIZE = 4096  # of a vector, which is kept as its entries that are not zero
_WORD = re.compile(r"[^\W_]+")
Vector = dict[int, float]


def vector(text: str) -> Vector:
    """Of length 1; empty for a text without letters."""
    grams: Counter[int] = Counter()
    for word in _WORD.findall(text.lower()):
        padded = f"<{word}>"
        for size in (3, 4):
            for at in range(len(padded) - size + 1):
                grams[zlib.crc32(padded[at : at + size].encode()) % SIZE] += 1
    norm = math.sqrt(sum(count * count for count in grams.values()))
    return {key: count / norm for key, count in grams.items()} if norm else {}


def cosine(one: Vector, other: Vector) -> float:
    """Between 0 and 1."""
    if len(other) < len(one):
        one, other = other, one
    return sum(value * other.get(key, 0.0) for key, value in one.items())

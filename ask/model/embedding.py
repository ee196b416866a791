"""Embeddings over HTTP as plain values: the protocol of OpenAI, which many servers implement, and that of Ollama.

A vector becomes one of length 1, so that a scalar product is the cosine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ask.model.protocol import BASES, Call, bearing, dumped, versioned

PROVIDERS = ("openai", "ollama")
Vector = tuple[float, ...]


class Invalid(ValueError):
    """A response is not what was requested: what is wrong with it."""


@dataclass(frozen=True)
class Endpoint:
    """A model of a provider. `dimensions` is the length of its vectors. `base_url` is empty for OpenAI's own address,
    `key` where none is needed."""

    provider: str
    name: str
    dimensions: int
    base_url: str = ""
    key: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address of its embeddings."""
        given = (self.base_url or BASES["openai"]).rstrip("/")
        if self.provider == "ollama":
            return given.removesuffix("/v1").removesuffix("/api") + "/api/embed"
        return versioned(given) + "/embeddings"

    @property
    def model(self) -> str:
        """What is kept beside its vectors: those of another model cannot be compared."""
        return f"{self.provider}:{self.name}"


def call(to: Endpoint, texts: Sequence[str]) -> Call:
    """The request for the vectors of texts."""
    body: dict[str, Any] = {"model": to.name, "input": list(texts)}
    body |= {"encoding_format": "float"} if to.provider == "openai" else {}
    return Call(to.url, bearing(to.key), dumped(body))


def vectors(to: Endpoint, body: bytes, count: int) -> list[Vector]:
    """Those of a response of status 200, in the order of the texts. Raises Invalid."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid("the response is not JSON") from None
    found = _of_ollama(document) if to.provider == "ollama" else _of_openai(document)
    if len(found) != count:
        raise Invalid(f"the response has {len(found)} vectors, expected {count}")
    return [_vector(one, to.dimensions) for one in found]


def _of_ollama(document: object) -> list[object]:
    found = document.get("embeddings") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _of_openai(document: object) -> list[object]:
    """By their index, in which order they come."""
    found = document.get("data") if isinstance(document, dict) else None
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    placed = {str(one.get("index", at)): one.get("embedding") for at, one in enumerate(rows)}
    return [placed[str(at)] for at in range(len(rows)) if str(at) in placed]


def _vector(given: object, dimensions: int) -> Vector:
    numbers = given if isinstance(given, list) else []
    if any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in numbers):
        raise Invalid("a vector has values that are no numbers")
    if len(numbers) != dimensions:
        raise Invalid(f"a vector has {len(numbers)} dimensions, expected {dimensions} (`dimensions` of the settings)")
    try:
        length = math.hypot(*numbers)
        found = tuple(one / length for one in numbers)
    except (OverflowError, ZeroDivisionError):  # a whole number in JSON may be larger than any float
        length, found = 0.0, ()
    if not math.isfinite(length) or not found:
        raise Invalid("a vector has no length")
    return found

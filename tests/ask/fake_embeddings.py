"""A stand-in for providers of embeddings: a server on loopback that speaks OpenAI's and Ollama's protocols. Its vectors
are hashed n-grams of the texts: the same text has the same vector, and it knows no meaning. What it proves is the
plumbing, never how good a ranking is.

`failing` is a reply for every request, or none: `status`, `wait` (seconds before the response), `close`, `raw`,
`dimensions` (vectors of another length), `fewer` (one vector is missing), `zero` (vectors without a length).
"""

from __future__ import annotations

import json
import time
import zlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.ask import wire

KEY = "key-of-embeddings-s3cret"
MODEL = "stand-in-embedding"
DIMENSIONS = 64


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Counts of hashed trigrams."""
    found = [0.0] * dimensions
    padded = f" {text.lower()} "
    for at in range(len(padded) - 2):
        found[zlib.crc32(padded[at : at + 3].encode()) % dimensions] += 1.0
    return found


@dataclass
class Fake:
    """`received` has the whole requests; `meanings` has texts that get the vector of another text."""

    received: list[bytes] = field(default_factory=list)
    failing: dict[str, Any] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    key: str = KEY
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[list[str]]:
        """The texts of each request."""
        return [json.loads(one.partition(b"\r\n\r\n")[2])["input"] for one in self.received]


class _Handler(wire.Handler[Fake]):
    def answer(self, fake: Fake, request: wire.Request) -> None:
        path, headers, body = request.path, request.headers, request.body
        fake.received.append(request.received)
        time.sleep(fake.failing.get("wait", 0.0))
        wanted = {"/v1/embeddings": {"model", "input", "encoding_format"}, "/api/embed": {"model", "input"}}.get(path)
        failing = fake.failing
        if wanted is None:
            return self.send(404, {"error": f"no path {path}"})
        if fake.key and headers.get("authorization", "") != f"Bearer {fake.key}":
            return self.send(401, {"error": f"invalid key {headers.get('authorization')}"})
        if set(body) != wanted or body["model"] != MODEL or not body["input"]:
            return self.send(400, {"error": f"expected {sorted(wanted)} and the model {MODEL}"})
        if "close" in failing:
            return None
        if "status" in failing:
            return self.send(failing["status"], {"error": "as the test wants it"})
        texts = [fake.meanings.get(one, one) for one in body["input"]]
        found = [vector(one, failing.get("dimensions", DIMENSIONS)) for one in texts]
        found = [[0.0] * DIMENSIONS for _ in texts] if "zero" in failing else found
        found = found[:-1] if "fewer" in failing else found
        if path == "/api/embed":
            document: Any = {"model": MODEL, "embeddings": found, "prompt_eval_count": len(texts)}
        else:
            rows = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(found)]
            document = {"object": "list", "data": rows[::-1], "model": MODEL, "usage": {"prompt_tokens": len(texts)}}
        return self.send(200, failing.get("raw", document))


def serving(key: str = KEY) -> AbstractContextManager[Fake]:
    """The stand-in on a free port."""
    return wire.serving(Fake(key=key), _Handler)

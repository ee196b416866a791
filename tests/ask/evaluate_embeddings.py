"""`make ask-eval` with a provider of embeddings: the same questions, ranked with it where the service would do so."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ask.engine import Engine
from ask.model.embedder import Embedder
from ask.model.embedding import PROVIDERS, Endpoint, Vector
from ask.model.matching import Matcher, Texts
from ask.reading import Context
from ask.service.embeddings import BATCH
from ask.world import World

TIMEOUT = 60.0  # seconds; longer than the service waits, because the ranking is measured here and not the time


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a provider."""
    parser.add_argument("--embeddings", default="", help=f"PROVIDER:NAME; providers: {', '.join(PROVIDERS)}")
    parser.add_argument("--embeddings-url", default="", help="the address, if it is not the provider's")
    parser.add_argument("--embeddings-key-file", type=Path, help="a file with the provider's key")
    parser.add_argument("--dimensions", type=int, default=0, help="the length of the model's vectors")


@dataclass
class InMemory:
    """The vectors of a catalogue without a database."""

    vectors: dict[str, Vector] = field(default_factory=dict)

    def make(self, embedder: Embedder, engine: Engine) -> None:
        """Those of all texts. Raises Unavailable."""
        texts = Texts.of(engine).texts
        keys = list(texts)
        for first in range(0, len(keys), BATCH):
            some = keys[first : first + BATCH]
            self.vectors |= dict(zip(some, embedder.batch([texts[one] for one in some]), strict=True))

    def check(self) -> None:
        """They are made before the first question."""

    def similarities(self, vector: Vector) -> dict[str, float]:
        """The cosine to each text."""
        return {key: sum(map(float.__mul__, vector, one)) for key, one in self.vectors.items()}


@dataclass
class Counted:
    """The observer of a measurement."""

    counts: Counter[str] = field(default_factory=Counter)

    def request(self, seconds: float) -> None:
        """The number and their seconds in total."""
        self.counts["requests"] += 1
        self.counts["milliseconds"] += round(1000 * seconds)

    def error(self, reason: str) -> None:
        """By the reason."""
        self.counts[f"error: {reason}"] += 1


@dataclass
class Measured:
    """A provider under measurement, with what it was used for."""

    matcher: Matcher
    stored: InMemory
    observed: Counted

    def supported(self, engine: Engine, world: World, question: str, before: Context, at: float) -> Engine:
        """The engine as the service uses it for a question."""
        if not self.stored.vectors:
            self.stored.make(self.matcher.embedder, engine)
        found = self.matcher.support(engine, world, question, before, at)
        self.observed.counts["questions with embeddings"] += bool(found.scores)
        return engine.supported(found)

    def report(self) -> str:
        """What was used."""
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.observed.counts.items()))
        return f"{self.matcher.embedder.endpoint.model}: {counts or 'not used'}"


def made(endpoint: Endpoint, timeout: float = TIMEOUT, share: bool = False) -> Measured:
    """A provider with vectors in memory."""
    observed, stored = Counted(), InMemory()
    return Measured(Matcher(Embedder(endpoint, observed, timeout), stored, share), stored, observed)


def of(options: argparse.Namespace) -> Measured | None:
    """None without `--embeddings`. A mistake ends the program with a sentence."""
    if not options.embeddings:
        return None
    provider, _, name = options.embeddings.partition(":")
    if provider not in PROVIDERS or not name:
        names = ", ".join(PROVIDERS)
        raise SystemExit(f"EMBEDDINGS: expected PROVIDER:NAME with one of {names}, such as ollama:nomic-embed-text")
    if options.dimensions < 1:
        raise SystemExit("DIMENSIONS: expected the length of the model's vectors, such as 768")
    if not options.embeddings_url and (provider == "ollama" or options.embeddings_key_file is None):
        needed = "EMBEDDINGS_URL, the address of the server" if provider == "ollama" else "EMBEDDINGS_KEY_FILE"
        raise SystemExit(f"EMBEDDINGS={provider}: expected {needed}")
    try:
        key = options.embeddings_key_file.read_text().strip() if options.embeddings_key_file is not None else ""
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "no text in UTF-8"
        raise SystemExit(f"EMBEDDINGS_KEY_FILE: {options.embeddings_key_file}: cannot be read: {reason}") from None
    return made(Endpoint(provider, name, options.dimensions, options.embeddings_url, key))

"""What is to be executed for a question."""

from __future__ import annotations

from dataclasses import dataclass

from ask.catalogue import Entry
from ask.compose import Query
from ask.reading import Reading


@dataclass(frozen=True)
class Plan:
    """What is to be executed, and why; or why nothing is."""

    reading: Reading | None = None
    query: Query | None = None
    entry: Entry | None = None
    confidence: float = 0.0
    assumptions: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    refusal: str = ""
    abstention: str = ""
    derived: bool = False

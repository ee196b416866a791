"""Images that a rehearsal needs beside those of every one."""

from __future__ import annotations

from pathlib import Path

from tools import working_copy

DATABASE = "pgvector"  # also of the managed database
ASK = (DATABASE, "valkey", "ask")


def beside(file: Path) -> list[str]:
    """Keys of the images that this stack file needs: an S3 server where it has Spaces, Thanos, the assistant, and
    PostgreSQL for the managed database of a cluster, in which the assistant has no servers beside it."""
    bucket, ask = working_copy.value(file, "hub", "storage", "bucket"), working_copy.value(file, "hub", "ask")
    cluster = working_copy.value(file, "hub", "storage", "kind") == "cluster"
    places = (("hub", "backup", "to", "spaces"), ("hub", "storage", "bucket", "spaces"))
    spaces = any(working_copy.value(file, *place) for place in places)
    asked = ((DATABASE, "ask") if cluster else ASK) if ask is not None else (DATABASE,) if cluster else ()
    return [*(["s3"] if spaces else []), *(["thanos"] if bucket else []), *asked]

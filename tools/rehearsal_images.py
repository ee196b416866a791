"""Images that a rehearsal needs beside those of every one."""

from __future__ import annotations

from pathlib import Path

from tools import working_copy

ASK = ("pgvector", "valkey", "ask")


def beside(file: Path) -> list[str]:
    """Keys of the images that this stack file needs: an S3 server where it has Spaces, Thanos, the assistant."""
    bucket, ask = working_copy.value(file, "hub", "storage", "bucket"), working_copy.value(file, "hub", "ask")
    places = (("hub", "backup", "to", "spaces"), ("hub", "storage", "bucket", "spaces"))
    spaces = any(working_copy.value(file, *place) for place in places)
    return [*(["s3"] if spaces else []), *(["thanos"] if bucket else []), *(ASK if ask is not None else ())]

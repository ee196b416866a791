"""Images are pinned: the same stack file gives the same programs, tomorrow and on the next host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.records import CONTAINER, Record

_DIGEST = re.compile(r"(^|@)sha256:[0-9a-f]{64}$")
# A whole version (three numbers) or a hash of the content; `15` and `v2` are other images with every release.
_EXACT = re.compile(r"(?<![0-9])\d+[._-]\d+[._-]\d+|[-_.][0-9a-f]{8,}$|^[0-9a-f]{12,}$")


def pinned(record: Record, _env: str) -> Iterator[str]:
    """By digest, or by a tag that names one build."""
    if record.type != CONTAINER or record.hidden("image"):
        return
    image = record.properties.get("image")
    if not isinstance(image, str) or not image:
        yield f"{record.called}: it names no image; expected one with a digest or an exact tag; set `image`"
        return
    if _DIGEST.search(image):
        return
    tag = _tag(image)
    if not tag:
        found = "has no tag, which means latest"
    elif not _EXACT.search(tag):
        found = f"has the tag {tag}, which moves from build to build"
    else:
        return
    yield (
        f"{record.called}: the image {image} {found}; expected a digest or an exact tag such as 3.15.0; pin it in "
        "configs/images.yaml, or under fleetwatch:images in the stack file"
    )


def _tag(image: str) -> str:
    """What stands behind the last colon, unless that is the port of a registry."""
    _, colon, last = image.rpartition(":")
    return last if colon and "/" not in last else ""

"""Tags of images as versions, and tags that their registry does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tools import net
from tools.errors import ToolError
from tools.registry import NotFound, Reference, Registry, RegistryError, api_url, registry_host

Version = tuple[int, int, int]
_VERSION = re.compile(r"(v?)(\d+)\.(\d+)\.(\d+)(.*)")


def parsed(tag: str) -> tuple[tuple[str, str] | None, Version]:
    """(what surrounds the version, the version). `v3.15.0` and `3.15.0-rc.1` are of different shapes."""
    found = _VERSION.fullmatch(tag)
    if not found:
        return None, (0, 0, 0)
    return (found[1], found[5]), (int(found[2]), int(found[3]), int(found[4]))


def newest_like(tag: str, tags: Iterable[str]) -> str | None:
    """The newest of the tags with the shape of `tag`: of the same major version if there is one."""
    shape, version = parsed(tag)
    alike = [other for other in tags if shape is not None and parsed(other)[0] == shape]
    same_major = [other for other in alike if parsed(other)[1][0] == version[0]]
    return max(same_major or alike, key=lambda other: parsed(other)[1], default=None)


def registry_url(ref: str) -> str:
    """The address at which the registry of an image answers."""
    return api_url(registry_host(ref))


def problem(key: str, ref: str) -> str | None:
    """A sentence if the registry does not have this image; None if it has, or cannot be queried."""
    try:
        reference = Reference.parse(ref)
    except ToolError:
        return None
    if not reference.local and not net.reachable(registry_url(ref)):
        return None
    registry = Registry(reference)
    try:
        registry.digest()
    except NotFound:
        pass
    except RegistryError:
        return None
    else:
        return None
    head = f"image {key}: {ref} does not exist in the registry"
    try:
        newest = newest_like(reference.tag, registry.tags())
    except RegistryError:
        newest = None
    if newest is None:
        return f"{head}, nor does a similar tag; name another image under fleetwatch:images"
    return f"{head}; the newest tag that does: {newest}; pin it in configs/images.yaml or under fleetwatch:images"


def problems(refs: Mapping[str, str]) -> list[str]:
    """A sentence for each of these images, by key, that does not exist."""
    with ThreadPoolExecutor(4) as pool:
        return [found for found in pool.map(lambda item: problem(*item), refs.items()) if found]

"""`make outdated`: which pinned images are behind their registries, or lack a processor; with `--write`, digests for
those that have none.

A digest is written only as the registry gives it. Versions are not raised here: that is a change to read up on
(docs/upgrade.md), made in configs/images.yaml by hand or by a bot (renovate.json).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from configs.engines import PLATFORMS
from configs.images import LOCAL
from tools.cli import Commands
from tools.errors import ToolError
from tools.image_tags import parsed
from tools.paths import CHECKOUT
from tools.progress import say
from tools.registry import Reference, Registry, RegistryError, offline

PINS = CHECKOUT / "configs" / "images.yaml"
CURRENT, BEHIND, UNKNOWN = 0, 1, 2  # exit codes: something is behind; a registry cannot be queried


def register(commands: Commands) -> None:
    parser = commands.add("outdated", lambda options: check(write=options.write), "which pinned images are outdated")
    parser.add_argument(
        "--write", action="store_true", help="digests for the pins that have none, into configs/images.yaml"
    )


@dataclass(frozen=True)
class Finding:
    """What is known of one pin. `digest`: what the registry has for the tag, if it can be queried."""

    key: str
    pin: Reference
    sentence: str
    code: int
    digest: str | None = None


def check(file: Path = PINS, write: bool = False) -> int:
    """Say it for each image; the exit code is the worst: 1 something is behind or moved, 2 something is not known."""
    pins = _pins(file)
    with ThreadPoolExecutor(4) as pool:
        findings = list(pool.map(lambda item: look(*item), pins.items()))
    width = max(map(len, pins))
    say("\n".join(f"  {found.key:<{width}}  {found.pin.tag:<16}  {found.sentence}" for found in findings))
    if write:
        _write(file, findings)
    behind = [found.key for found in findings if found.code == BEHIND]
    unknown = [found.key for found in findings if found.code == UNKNOWN]
    if behind:
        say(f"\nTo be looked at: {', '.join(behind)}. How: docs/upgrade.md")
    if unknown:
        say(f"\nUnknown: {', '.join(unknown)}. Run it again where their registries can be reached.")
    if not behind and not unknown:
        say("\nEvery pinned image is the newest of its kind.")
    return BEHIND if behind else UNKNOWN if unknown else CURRENT


def look(key: str, pin: Reference) -> Finding:
    """What its registry has for one pin."""
    if offline():
        return Finding(key, pin, "not checked: FLEETWATCH_OFFLINE=1", UNKNOWN)
    registry = Registry(pin)
    try:
        digest, platforms, newer = registry.digest(), registry.platforms(), _newer(pin.tag, registry.tags())
    except RegistryError as problem:
        return Finding(key, pin, f"unknown: {problem}", UNKNOWN)
    if pin.digest and pin.digest != digest:
        moved = (
            f"the tag names another image now: {digest[:19]}..., pinned is {pin.digest[:19]}...; find out why "
            "before you take it"
        )
        return Finding(key, pin, moved, BEHIND, digest)
    missing = [one for one in PLATFORMS if one not in platforms]
    reasons = [
        *([f"no image for {' and '.join(missing)} in its index, but hosts with it are accepted"] if missing else []),
        *([f"behind: {' and '.join(newer)}"] if newer else []),
    ]
    if reasons:
        return Finding(key, pin, "; ".join(reasons), BEHIND, digest)
    return Finding(key, pin, "current" if pin.digest else "current; not pinned by digest yet", CURRENT, digest)


def _newer(tag: str, tags: Iterable[str]) -> list[str]:
    """The newest release of the same major version, and the newest of all; tags of the same shape alone count."""
    shape, now = parsed(tag)
    if shape is None:
        raise RegistryError(f"the tag {tag} has no version to compare")
    known = {version: other for other in tags for kind, version in [parsed(other)] if kind == shape and version > now}
    within = [version for version in known if version[0] == now[0]]
    best = dict.fromkeys(max(versions) for versions in (within, list(known)) if versions)
    return [known[version] for version in best]


def _pins(file: Path) -> dict[str, Reference]:
    """Those that a registry has."""
    found, problems = {}, []
    for key, text in yaml.safe_load(file.read_text()).items():
        if str(text).startswith(LOCAL):
            continue
        try:
            found[str(key)] = Reference.parse(str(text))
        except ToolError as problem:
            problems.append(f"  - {key}: {problem}")
    if problems:
        raise ToolError(f"{file}:\n" + "\n".join(problems))
    return found


def _write(file: Path, findings: Iterable[Finding]) -> None:
    """Add digests behind tags, line by line: comments stay. A digest that is there is never replaced."""
    text, written = file.read_text(), 0
    for found in findings:
        if found.digest and not found.pin.digest:
            line = re.compile(
                rf"^({re.escape(found.key)}: {re.escape(found.pin.name)}:{re.escape(found.pin.tag)})$", re.M
            )
            text, count = line.subn(rf"\g<1>@{found.digest}", text)
            written += count
    if written:
        beside = file.with_suffix(".next")
        beside.write_text(text)
        beside.replace(file)
    say(f"\n{file.name}: {written} digest(s) written.")

"""Finds Docker Compose v2 as the plugin behind `docker compose`, installs it with apt as root, or builds it offline.

A plugin that was built is a link in the user's own plugin folder, into our cache, so that `make clean` can remove
exactly that one. Other plugins stay; only one that is too old in the user's own folder is moved beside it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from configs.deploy import COMPOSE, COMPOSE_TESTED
from tools import apt, gobuild
from tools.errors import ToolError
from tools.paths import cache_dir
from tools.processes import try_output
from tools.progress import say, step

PLUGIN = "docker-compose"
PACKAGES = ("docker-compose-plugin", "docker-compose-v2", "docker-compose")  # Docker's, Ubuntu's, Debian's
FOUND = "found"
BUILT = "real, built offline"
_BUILD = re.compile(rf"{PLUGIN}-[0-9a-f]{{12}}")  # a program of gobuild.py


@dataclass(frozen=True)
class Compose:
    """`origin`: where the plugin comes from, for people."""

    version: str
    origin: str


def numbers(version: str) -> tuple[int, ...]:
    """The version's numbers; () if it is none."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version.strip())
    return tuple(map(int, found.groups())) if found else ()


MINIMUM = numbers(COMPOSE)


def new_enough(version: str) -> bool:
    """Whether a plugin that answers with this can be used; a build without a version number is the user's choice."""
    return bool(version) and (numbers(version) or MINIMUM) >= MINIMUM


def plugin_link() -> Path:
    """The place where the docker program looks for the user's own plugin first."""
    home = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    return Path(home) / "cli-plugins" / PLUGIN


def _version() -> str:
    """What `docker compose` answers; "" if there is none, "unknown" if it does not name its version."""
    answer = try_output(["docker", "compose", "version", "--short"], timeout=30)
    if answer is None:
        return ""
    return answer.strip().removeprefix("v") or "unknown"


def _ours(link: Path) -> bool:
    return link.is_symlink() and _BUILD.fullmatch(link.readlink().name) is not None


def _package() -> str | None:
    """The package of apt's that has a version which is new enough."""
    for name in PACKAGES:
        policy = try_output(["apt-cache", "policy", name]) or ""
        candidate = re.search(r"Candidate: (?:\d+:)?(\S+)", policy)
        if candidate and numbers(candidate[1]) >= MINIMUM:
            return name
    return None


def _installed() -> str | None:
    """Installs the plugin with apt; the package's name, None where that is impossible."""
    if not apt.usable() or not (package := _package()):
        return None
    try:
        with step(f"Docker Compose: installing {package} with apt (you are root)"):
            apt.install([package], package)
    except ToolError as problem:
        say(f"  {package} cannot be installed; building Docker Compose instead. {problem}")
        return None
    return package


def _link() -> None:
    """Puts the offline build where the docker program looks."""
    program, link = gobuild.program(PLUGIN), plugin_link()
    link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _ours(link):
        link.unlink()
    elif link.exists() or link.is_symlink():
        aside = link.parent.parent / f"{PLUGIN}-before-fleetwatch"
        say(f"Docker Compose: {link} is older than {COMPOSE} or broken; moved to {aside}.")
        link.rename(aside)
    link.symlink_to(program)


def _origin() -> str:
    """Of a plugin that answers."""
    link = plugin_link()
    if not _ours(link):
        return FOUND
    os.utime(link)  # follows the link: used builds are kept
    return f"{BUILT}: {link}"


def find() -> Compose:
    """Docker Compose in a version that is new enough, got first if need be. Needs the docker program."""
    version = _version()
    if new_enough(version):
        if (numbers(version) or (0,))[0] > int(COMPOSE_TESTED):
            say(f"Docker Compose {version} was not tested; tested are {COMPOSE} to {COMPOSE_TESTED}.x.")
        return Compose(version, _origin())
    if version:
        say(f"Docker Compose: found {version}, expected {COMPOSE} or newer; getting one.")
    if (package := _installed()) and new_enough(installed := _version()):
        return Compose(installed, f"installed with apt: {package}")
    _link()
    version = _version()
    if not new_enough(version):
        raise ToolError(
            f"Docker Compose was built and linked as {plugin_link()}, but `docker compose version` answers "
            f"{version or 'nothing'}; expected {COMPOSE} or newer. Install the plugin: "
            "https://docs.docker.com/compose/install/linux/"
        )
    return Compose(version, _origin())


def remove_own() -> Path | None:
    """Removes the link that leads into this cache; the link, None if there was none. For `make clean`."""
    link = plugin_link()
    if _ours(link) and link.readlink().is_relative_to(cache_dir()):
        link.unlink()
        return link
    return None

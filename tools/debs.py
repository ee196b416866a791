"""Debian packages as file trees, without installing them and without root.

apt works out what a set of packages needs (against an empty package database), downloads and verifies it; dpkg-deb
unpacks it as a stream. No package script runs: what those would have made has to be made by the recipe.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from tools import apt
from tools.errors import ToolError
from tools.paths import cache_dir
from tools.processes import run, try_output
from tools.progress import say

_NO_APT = (
    "Assembling images offline needs apt and dpkg (Debian or Ubuntu); this machine has neither. "
    "Load the images into Docker yourself, or name them under `images:` in the stack file."
)
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ARCHIVE = "http://deb.debian.org/debian"
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_NOT_IN_IMAGES = re.compile(r"usr/share/(doc|man|info|locale|lintian|bash-completion|i18n)/|usr/include/")


def in_usr(name: str) -> str:
    """The place of a file on a system where /bin, /lib and so on are links into /usr."""
    return f"usr/{name}" if name.split("/")[0] in MERGED else name


def _apt(*args: str, release: str = "") -> list[str]:
    empty = cache_dir("debs") / "empty-status"
    empty.touch()
    return [
        "apt-get", "-qq", "-y", "--no-install-recommends",
        "-o", f"Dir::State::status={empty}",  # as if nothing were installed: the full set of what is needed
        "-o", "Debug::NoLocking=1",  # nothing is written to apt's own folders, so a plain user can do it
        "-o", "APT::Sandbox::User=root",
        *(_apart(release) if release else ()),
        *args,
    ]  # fmt: skip


def _apart(release: str) -> list[str]:
    """Options for package lists of another release of Debian than the one that this machine has."""
    place = cache_dir("debs") / release
    return [
        "-o", f"Dir::Etc::sourcelist={place}/sources.list", "-o", "Dir::Etc::sourceparts=-",
        "-o", f"Dir::State::lists={place}/lists", "-o", f"Dir::Cache={place}/cache",
    ]  # fmt: skip


@cache
def _other_release(release: str) -> None:
    """The package lists of another release, once in a run, from the archive that this machine uses. No root is needed
    for them."""
    place = cache_dir("debs") / release
    if not _KEYRING.is_file():
        raise ToolError(
            f"Packages of Debian {release} are verified with {_KEYRING}, which is not here: install the package "
            "debian-archive-keyring."
        )
    listed = try_output(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"])
    archive = next(iter((listed or "").split()), _ARCHIVE)
    for folder in ("lists/partial", "cache/archives/partial"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    (place / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {archive} {release} main\n")
    run(_apt("update", release=release), what=f"package lists of Debian {release}")


def _plan(packages: Sequence[str], release: str = "") -> str | None:
    return try_output(_apt("--print-uris", "install", *packages, release=release), timeout=120)


def _lists() -> None:
    """apt's package lists, fetched if there are none (a fresh container or CI machine)."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise ToolError(_NO_APT)
    if _plan(["base-files"]):
        return
    if os.geteuid() != 0:
        raise ToolError(
            "apt has no package lists, and only root can fetch them: run `sudo apt-get update`, then try again."
        )
    say("apt has no package lists; running `apt-get update`.")
    apt.update()


def fetch(packages: Sequence[str], release: str = "") -> list[Path]:
    """The .deb files of the packages and of everything they depend on; `release`: of this release of Debian."""
    _lists()
    if release:
        _other_release(release)
    plan = _plan(packages, release)
    if plan is None:
        raise ToolError(
            f"apt cannot work out what {', '.join(packages)} need: try `apt-get update` and look at its sources."
        )
    names = re.findall(r"^'\S+' (\S+\.deb) \d+", plan, re.MULTILINE)
    store = cache_dir("debs")
    missing = [name for name in names if not (store / name).is_file()]
    if missing:
        wanted = [f"{n.split('_')[0]}={n.split('_')[1].replace('%3a', ':')}" for n in missing]
        with tempfile.TemporaryDirectory(dir=store) as beside:
            argv = _apt("download", *wanted, release=release)
            run(argv, what=f"download of Debian packages for {packages[0]}", cwd=Path(beside))
            for path in Path(beside).glob("*.deb"):
                path.rename(store / path.name)
    return [store / name for name in names]


def single(package: str) -> Path:
    """The .deb of one package, without what it depends on."""
    return next(path for path in fetch([package]) if path.name.startswith(f"{package}_"))


def members(deb: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Files of a package (no manuals, no translations), with their content while it is this one's turn."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpack:
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as tar:
            for info in tar:
                info.name = info.name.removeprefix("./").rstrip("/")
                if info.name in {"", "."} or _NOT_IN_IMAGES.match(info.name + "/"):
                    continue
                yield info, tar.extractfile(info) if info.isreg() else None
        if unpack.stdout:
            unpack.stdout.read()  # tar's padding; dpkg-deb would complain of a closed pipe


def read(package: str, path: str) -> bytes:
    """One file of a package, by its path below /usr."""
    for info, content in members(single(package)):
        if in_usr(info.name) == path and content:
            return content.read()
    raise ToolError(
        f"The Debian package {package} has no file {path}; this release of Debian or Ubuntu is not covered."
    )


def certificates() -> bytes:
    """The bundle that the ca-certificates package would make while it is installed."""
    found: list[bytes] = []
    for info, content in members(single("ca-certificates")):
        if content and info.name.startswith("usr/share/ca-certificates/"):
            found.append(content.read())
    return b"".join(found)

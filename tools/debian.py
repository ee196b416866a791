"""A whole Debian system as an image, for machines that are containers: packages installed by dpkg, scripts and all.

As debootstrap does it, but without debootstrap and without root: the essential packages are unpacked into a tar, and in
a container of that, with no network, dpkg and apt install everything properly.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from configs.images import LOCAL
from tools import debs
from tools.paths import cache_dir
from tools.processes import run, try_output
from tools.rootfs import RootFs, import_image

# usr-is-merged says that /bin and so on are links already; without it a conversion tool and all of Perl come along.
_BASE = ("?essential", "apt", "usr-is-merged")
_PLACE = "install"  # folder of the packages while they are installed


def _fill(root: RootFs, base: Sequence[Path], every: Sequence[Path], script: str) -> None:
    root.dir("tmp", mode=0o1777)
    root.link("usr/bin/sh", "dash")
    for package in base:
        root.package(package)
    for package in every:
        # apt does not take the %3a that download names have for the colon of a version
        root.file(f"{_PLACE}/{package.name.replace('%3a', '.')}", package, mode=0o644)
    essential = "".join(f"/{_PLACE}/{package.name.replace('%3a', '.')}\n" for package in base)
    root.text(f"{_PLACE}/base", essential)
    root.text(f"{_PLACE}/run", script, mode=0o755)


def make(ref: str, packages: Sequence[str], script: str, own: Callable[[RootFs], None], changes: Sequence[str]) -> None:
    """Make the image. `own` adds files of ours; `script` installs /install/*.deb and removes that folder."""
    base = debs.fetch(_BASE)
    every = debs.fetch([*_BASE, *packages])
    name = f"fleetwatch-installing-{os.getpid()}"
    raw = f"{LOCAL}installing:{os.getpid()}"
    what = f"installing Debian packages in {ref}"

    def fill(root: RootFs) -> None:
        own(root)  # first: the first entry for a path wins
        _fill(root, base, every, script)

    try:
        import_image(raw, fill, [])
        run(["docker", "run", "--name", name, "--network", "none", raw, f"/{_PLACE}/run"], what=what)
        with tempfile.TemporaryDirectory(dir=cache_dir()) as work:
            # Out and in again: one layer without the packages' files, and without what the first one had in them.
            tar = f"{work}/system.tar"
            run(["docker", "export", "-o", tar, name], what=what)
            options = [argument for change in changes for argument in ("--change", change)]
            run(["docker", "import", *options, tar, ref], what=f"docker import {ref}")
    finally:
        try_output(["docker", "rm", "-f", "-v", name])
        try_output(["docker", "image", "rm", raw])

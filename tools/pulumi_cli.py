"""Finds the Pulumi CLI: on PATH, in the cache, from the vendor's installer, or built from its Go module.

The version is that of the Python SDK in the virtualenv. A CLI built offline comes with the last Python language host
that is part of a Go module; it ignores `runtime.options`, so the virtualenv's `bin` has to come first on PATH.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools import gobuild, net
from tools.builds import BUILDS
from tools.errors import ToolError
from tools.paths import cache_dir
from tools.processes import run, try_output
from tools.progress import say, step

MINIMUM = (3, 200)
VERSION = BUILDS["pulumi"].version
INSTALLER = "https://get.pulumi.com/"
_SDK = "github.com/pulumi/pulumi/sdk/v3"


@dataclass(frozen=True)
class Pulumi:
    """A CLI: the program, its version, and where it comes from."""

    program: Path
    version: str
    origin: str

    @property
    def folder(self) -> Path:
        return self.program.parent


def _version(program: Path) -> str | None:
    """Its version, if it is one that works."""
    answer = try_output([str(program), "version"], env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}) or ""
    found = re.search(r"v?(\d+)\.(\d+)\.\d+\S*", answer)
    if not found or (int(found[1]), int(found[2])) < MINIMUM:
        return None
    return found[0].removeprefix("v")


def _offline_dir() -> Path:
    return cache_dir("pulumi-offline", f"{gobuild.key('pulumi')}-{gobuild.key('pulumi-language-python')}")


def _vendor_dir() -> Path:
    return cache_dir() / f"pulumi-{VERSION}"


def _present() -> Pulumi | None:
    if given := shutil.which("pulumi"):
        if version := _version(Path(given)):
            return Pulumi(Path(given), version, "on PATH")
        say(f"{given} is older than {'.'.join(map(str, MINIMUM))} or does not run; taking another Pulumi CLI.")
    vendor = _vendor_dir() / "bin" / "pulumi"
    if vendor.is_file():
        return Pulumi(vendor, VERSION, "vendor's installer")
    return None


def _install_vendor() -> Pulumi | None:
    if not net.reachable(INSTALLER):
        return None
    try:
        with step(f"Pulumi {VERSION}: the vendor's installer"), tempfile.TemporaryDirectory(dir=cache_dir()) as work:
            script, place = Path(work) / "install.sh", Path(work) / "pulumi"
            with urllib.request.urlopen(INSTALLER, timeout=30) as answer:
                script.write_bytes(answer.read())
            options = ["--version", VERSION, "--install-root", str(place), "--no-edit-path"]
            run(["sh", str(script), *options], what="Pulumi's installer")
            if _version(place / "bin" / "pulumi") != VERSION:
                raise ToolError(f"Pulumi's installer did not leave a Pulumi {VERSION} behind.")
            place.rename(_vendor_dir())
    except (ToolError, OSError) as problem:
        say(f"  The vendor's installer did not work, building instead: {problem}")
        return None
    return _present()


def _build() -> Pulumi:
    place = _offline_dir()
    program = place / "pulumi"
    if not (place / "complete").is_file():
        for name in ("pulumi", "pulumi-language-python"):
            _link(gobuild.program(name), place / name)
        scripts = gobuild.module_dir(_SDK, "pulumi") / "python"
        # Started by the language host and by policy packs; they are part of the SDK's module, not of the programs.
        for script in [scripts / "cmd" / "pulumi-language-python-exec", *(scripts / "dist").glob("pulumi-*")]:
            if not script.name.endswith(".cmd"):
                shutil.copyfile(script, place / script.name)
                (place / script.name).chmod(0o755)
        (place / "complete").touch()
    return Pulumi(program, VERSION, "offline build")


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    os.link(source, target)


@functools.cache
def find() -> Pulumi:
    """A Pulumi CLI that answers with its version, got or built if need be."""
    return _present() or _install_vendor() or _build()

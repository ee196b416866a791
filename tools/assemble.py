"""Turns a recipe into a Docker image: programs, packages and files in one tar for `docker import`.

Works for root and for a plain user in the docker group: nothing is unpacked on this machine.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools import debian, debs, gobuild
from tools.errors import ToolError
from tools.paths import CHECKOUT, cache_dir
from tools.processes import run, try_output
from tools.recipes import NOBODY, Recipe
from tools.rootfs import RootFs, import_image

RECIPE_LABEL = "fleetwatch.recipe"


def _applets(binary: bytes) -> list[str]:
    path = cache_dir("busybox") / "busybox"
    path.write_bytes(binary)
    path.chmod(0o700)
    answer = try_output([str(path), "--list"])
    if not answer:
        raise ToolError(
            "Debian's busybox-static does not run on this machine; are the apt sources of another architecture?"
        )
    return answer.split()


def _accounts(root: RootFs, users: dict[str, tuple[int, int]]) -> None:
    everyone = {"root": (0, 0), **users, "nobody": (NOBODY, NOBODY)}
    groups = {name: gid for name, (_, gid) in everyone.items() if gid or name == "root"}
    root.text("etc/passwd", "".join(f"{n}:x:{u}:{g}:{n}:/:/bin/sh\n" for n, (u, g) in everyone.items()))
    root.text("etc/group", "".join(f"{name}:x:{gid}:\n" for name, gid in groups.items()))
    root.text("etc/nsswitch.conf", "hosts: files dns\n")


def _busybox(root: RootFs, with_libc: bool) -> None:
    """busybox with the C library it needs. Debian's static one crashes as soon as it looks up a name."""
    root.text("bin/busybox", debs.read("busybox", "usr/bin/busybox"), mode=0o755)
    for name in _applets(debs.read("busybox-static", "usr/bin/busybox")):
        root.link(f"bin/{name}", "busybox")
    if not with_libc:
        return
    for info, content in debs.members(debs.single("libc6")):
        if re.search(r"/(libc\.so\.6|libresolv\.so\.2|ld-linux[^/]*)$", info.name):
            if content:
                root.text(info.name, content.read(), mode=0o755)
            elif info.issym():
                root.link(info.name, info.linkname)


def _wheels(requirements: Path, packages: Sequence[Path], target: Path) -> None:
    """Wheels for the Python that goes into the image, which need not be the one that runs this."""
    minor = next(m[1] for p in packages if (m := re.match(r"python(3\.\d+)-minimal_", p.name)))
    machine = os.uname().machine
    platforms = [w for tag in ("2_17", "2_28") for w in ("--platform", f"manylinux_{tag}_{machine}")]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--only-binary", ":all:", "--require-hashes"]
    options = ["--python-version", minor, "--implementation", "cp", *platforms, "--target", str(target)]
    run([*pip, *options, "-r", str(requirements)], what=f"pip install of {requirements.parent}")


def _own(root: RootFs, recipe: Recipe) -> None:
    """Files of this checkout and programs that are built here."""
    for name, build in recipe.programs.items():
        root.file(name, gobuild.program(build), capability=name == recipe.capability)
    for name, text in recipe.texts.items():
        root.text(name, text, mode=0o755 if text.startswith("#!") else 0o644)
    for name, folder in recipe.trees.items():
        root.tree(name, CHECKOUT / folder)


def _fill(root: RootFs, recipe: Recipe, packages: Sequence[Path], wheels: Path | None) -> None:
    root.dir("tmp", mode=0o1777)
    for name, uid, mode in recipe.dirs:
        root.dir(name, uid, mode)
    _accounts(root, recipe.users)
    _own(root, recipe)
    for name, (package, path) in recipe.deb_files.items():
        root.text(name, debs.read(package, path), mode=0o755)
    if wheels:
        root.tree("app/lib", wheels)
    if recipe.busybox:
        _busybox(root, with_libc=not packages)
    elif packages:
        root.link("usr/bin/sh", "dash")
    for package_file in packages:
        root.package(package_file)
    if recipe.certificates or "ca-certificates" in recipe.packages:
        root.text("etc/ssl/certs/ca-certificates.crt", debs.certificates())


def _compile_python(ref: str, recipe: Recipe, changes: Sequence[str]) -> None:
    """Let the image's own Python compile its libraries: a container would repeat it at every start."""
    name = f"fleetwatch-assembling-{os.getpid()}"
    what = f"compiling Python in {ref}"
    command = ["--network", "none", ref, "python3", "-m", "compileall", "-q", *recipe.compile]
    try:
        run(["docker", "run", "--name", name, *command], what=what)
        restore = [argument for change in ("CMD []", *changes) for argument in ("--change", change)]
        run(["docker", "commit", *restore, name, ref], what=what)
    finally:
        try_output(["docker", "rm", "-f", "-v", name])


def _remove_old(recipe: Recipe) -> None:
    """Earlier makes of the same image, unless a container still uses them."""
    listed = (
        try_output(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", recipe.ref.split(":")[0]]) or ""
    )
    for old in listed.split():
        if old != recipe.ref:
            try_output(["docker", "image", "rm", old])
    try_output(["docker", "image", "prune", "-f", "--filter", "label=fleetwatch.offline"])


def assemble(recipe: Recipe) -> None:
    """Make the image; earlier ones go."""
    for build in recipe.programs.values():
        gobuild.program(build)  # before the tar is begun: this may take minutes
    packages = debs.fetch(recipe.packages, recipe.release) if recipe.packages else []
    labels = {RECIPE_LABEL: recipe.key(), "fleetwatch.offline": recipe.differs}
    changes = [*recipe.changes, *(f'LABEL {name}="{text}"' for name, text in labels.items())]
    if recipe.installed:
        debian.make(recipe.ref, recipe.installed, recipe.install_script, lambda root: _own(root, recipe), changes)
        _remove_old(recipe)
        return
    with tempfile.TemporaryDirectory(dir=cache_dir()) as work:
        wheels = Path(work) / "wheels" if recipe.wheels else None
        if wheels:
            _wheels(CHECKOUT / recipe.wheels, packages, wheels)
        # What is still to be compiled has neither user nor entrypoint yet, nor the label that says it is finished.
        first = [] if recipe.compile else changes
        import_image(recipe.ref, lambda root: _fill(root, recipe, packages, wheels), first)
    if recipe.compile:
        _compile_python(recipe.ref, recipe, changes)
    _remove_old(recipe)

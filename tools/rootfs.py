"""A root file system as a tar file, with exact owners and modes, independent of the user; and its import into Docker.

The first entry for a path wins, so a recipe adds its own files before the packages. `/bin`, `/sbin` and `/lib` are
links into /usr once a package is added, as on every current Debian.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from tools import debs
from tools.paths import cache_dir
from tools.processes import run

_TIME = 1_700_000_000  # fixed: the same recipe gives the same bytes
CAP_NET_BIND = "\x01\x00\x00\x02\x00\x04" + "\x00" * 14  # `setcap cap_net_bind_service=+ep`, as the kernel stores it


class RootFs:
    """Writes entries; missing parents are made, owned by root."""

    def __init__(self, out: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._seen: set[str] = {"."}
        self._merged = False

    def close(self) -> None:
        self._tar.close()

    def _info(self, path: str, kind: bytes, mode: int, uid: int) -> tarfile.TarInfo | None:
        name = path.strip("/")
        if name in self._seen:
            return None
        parent = str(PurePosixPath(name).parent)
        if parent not in self._seen:
            self.dir(parent)
        self._seen.add(name)
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid, info.mtime = kind, mode, uid, uid, _TIME
        return info

    def dir(self, path: str, uid: int = 0, mode: int = 0o755) -> None:
        if info := self._info(path, tarfile.DIRTYPE, mode, uid):
            self._tar.addfile(info)

    def link(self, path: str, target: str) -> None:
        if info := self._info(path, tarfile.SYMTYPE, 0o777, 0):
            info.linkname = target
            self._tar.addfile(info)

    def text(self, path: str, content: str | bytes, uid: int = 0, mode: int = 0o644) -> None:
        data = content.encode() if isinstance(content, str) else content
        if info := self._info(path, tarfile.REGTYPE, mode, uid):
            info.size = len(data)
            self._tar.addfile(info, io.BytesIO(data))

    def file(self, path: str, source: Path, mode: int = 0o755, capability: bool = False) -> None:
        """`capability`: the program may bind ports below 1024 without being root."""
        if info := self._info(path, tarfile.REGTYPE, mode, 0):
            info.size = source.stat().st_size
            if capability:
                info.pax_headers = {"SCHILY.xattr.security.capability": CAP_NET_BIND}
            with source.open("rb") as content:
                self._tar.addfile(info, content)

    def tree(self, path: str, source: Path) -> None:
        """A folder of files, readable by all, without Python's caches."""
        for item in sorted(source.rglob("*")):
            name = f"{path}/{item.relative_to(source).as_posix()}"
            if "__pycache__" in item.parts:
                continue
            if item.is_dir():
                self.dir(name)
            elif item.is_file():
                self.file(name, item, 0o755 if item.stat().st_mode & 0o100 else 0o644)

    def _merge_usr(self) -> None:
        if not self._merged:
            self._merged = True
            for name in debs.MERGED:
                self.dir(f"usr/{name}")
                self.link(name, f"usr/{name}")

    def package(self, deb: Path) -> None:
        """All files of a Debian package."""
        self._merge_usr()
        for info, content in debs.members(deb):
            info.name = debs.in_usr(info.name)
            if info.islnk():
                info.linkname = debs.in_usr(info.linkname.removeprefix("./"))
            if info.name in self._seen:
                continue
            if (parent := str(PurePosixPath(info.name).parent)) not in self._seen:
                self.dir(parent)
            self._seen.add(info.name)
            self._tar.addfile(info, content)


def import_image(ref: str, fill: Callable[[RootFs], None], changes: Sequence[str]) -> None:
    """Make a Docker image of what `fill` writes. Through a file: a tar that breaks off must not become an image."""
    options = [argument for change in changes for argument in ("--change", change)]
    with tempfile.NamedTemporaryFile(dir=cache_dir(), suffix=".tar") as file:
        root = RootFs(file)
        try:
            fill(root)
        finally:
            root.close()
        file.flush()
        run(["docker", "import", *options, file.name, ref], what=f"docker import {ref}")

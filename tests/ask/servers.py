"""A real PostgreSQL and a real Valkey (or Redis, where the distribution has none) as processes on loopback.

The programs are the machine's, or those of its distribution's packages, unpacked into the cache.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import debs
from tools.errors import ToolError
from tools.net import free_port
from tools.paths import cache_dir

NOBODY = 65534  # PostgreSQL refuses to run as root
# Of the machine itself: a second copy would have to agree with its loader.
_OF_SYSTEM = re.compile(r"(libc6|libc-bin|libgcc-s1|libstdc\+\+6|libcrypt1|base-files|dash)_")
_UNUSED = re.compile(r"(libllvm|libz3|perl|libperl|systemd|openssl|ssl-cert|iproute2|util-linux)[\w.-]*_")


@dataclass
class Server:
    """A process that listens on 127.0.0.1. `ready` raises or returns false until it answers."""

    argv: list[str]
    env: dict[str, str]
    log: Path
    user: int | None
    port: int
    password: str
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait for it."""
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                self.argv, env=self.env, stdout=out, stderr=out, user=self.user, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.argv[0]} is not ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it with everything that it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Killed for a time, with kill -9."""
        self.kill()
        try:
            yield
        finally:
            self.start()


def _unpacked(package: str) -> Path:
    """The tree of a package with the libraries that it needs."""
    return _tree([one for one in debs.fetch([package]) if not _OF_SYSTEM.match(one.name)], package)


def _tree(files: list[Path], package: str, own_loader: bool = False) -> Path:
    place = cache_dir("servers") / Path(next(one.name for one in files if one.name.startswith(package + "_"))).stem
    if place.is_dir():
        return place
    beside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    for one in files:
        subprocess.run(["dpkg-deb", "-x", str(one), str(beside)], check=True, timeout=60)
    if own_loader:
        _wrap(beside)
    with contextlib.suppress(OSError):  # another worker was faster
        beside.rename(place)
    shutil.rmtree(beside, ignore_errors=True)
    return place


def _libraries(tree: Path) -> dict[str, str]:
    found = sorted({str(one.parent) for one in tree.glob("**/*.so*")})
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(found)}


def _valkey() -> tuple[str, dict[str, str]]:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found, dict(os.environ)
    for name in ("valkey-server", "redis-server"):
        with contextlib.suppress(ToolError):
            tree = _unpacked(name)
            return str(tree / "usr/bin" / name), _libraries(tree)
    raise ToolError("There is neither valkey-server nor redis-server: install one of these packages.")


def _postgres() -> tuple[Path, dict[str, str]]:
    """The folder of its programs."""
    local = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if local:
        return local[-1].parent, dict(os.environ)
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent, dict(os.environ)
    tree = _unpacked("postgresql-15")
    return tree / "usr/lib/postgresql/15/bin", _libraries(tree)


def _user() -> int | None:
    return NOBODY if os.geteuid() == 0 else None


@contextlib.contextmanager
def _started(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[Server]:
    """An empty server with a password. It writes each change, so that a restart loses none."""
    program, env = _valkey()
    port, password = free_port(), secrets.token_hex(16)
    config, log = folder / "valkey.conf", folder / "valkey.log"
    lines = [f"port {port}", "bind 127.0.0.1", f"requirepass {password}", 'save ""', f"dir {folder}"]
    lines += ["appendonly yes", "appendfsync always"]
    config.write_text("\n".join(lines) + "\n")

    def ready() -> bool:
        return "eady to accept connections" in log.read_text()

    with _started(Server([program, str(config)], env, log, None, port, password, ready)) as made:
        yield made


def _with_pgvector(folder: Path) -> tuple[Path, dict[str, str]]:
    """The folder of the programs of a PostgreSQL that has pgvector: the machine's, or those of Debian 13, which run
    with its loader and its libraries: those may be newer than the machine's."""
    for one in sorted(Path("/usr/lib/postgresql").glob("*/lib/vector.so"), reverse=True):
        if (one.parent.parent / "bin/initdb").exists():
            return one.parent.parent / "bin", dict(os.environ)
    files = debs.fetch(["postgresql-17", "postgresql-17-pgvector"], release="trixie")
    files = [one for one in files if not _UNUSED.match(one.name)]
    tree = _tree(files, "postgresql-17-pgvector", own_loader=True)
    if _user() is not None:  # another user cannot enter the cache
        tree = shutil.copytree(tree, folder / "programs", symlinks=True)
    return tree / "usr/lib/postgresql/17/bin", dict(os.environ)


def _wrap(tree: Path) -> None:
    """Each program started by the tree's own loader, with the tree's libraries alone."""
    loader = next(tree.glob("**/ld-linux*.so*"))
    libraries = ":".join(sorted({str(one.parent.relative_to(tree)) for one in tree.glob("**/*.so*")}))
    for name in ("initdb", "postgres", "pg_isready"):
        program = tree / "usr/lib/postgresql/17/bin" / name
        program.rename(program.with_suffix(".real"))
        program.write_text(
            "#!/bin/sh\n"
            "tree=${0%/usr/lib/postgresql/17/bin/*}\n"
            f'paths=$(echo "{libraries}" | sed "s#^#$tree/#; s#:#:$tree/#g")\n'
            f'exec "$tree/{loader.relative_to(tree)}" --argv0 "$0" --library-path "$paths" "$0.real" "$@"\n'
        )
        program.chmod(0o755)


@contextlib.contextmanager
def pgvector(folder: Path) -> Iterator[Server]:
    """An empty server that has pgvector."""
    with _running(folder, *_with_pgvector(folder)) as made:
        yield made


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """An empty server; its administrator is `ask`, with a password."""
    with _running(folder, *_postgres()) as made:
        yield made


@contextlib.contextmanager
def _running(folder: Path, programs: Path, env: dict[str, str]) -> Iterator[Server]:
    port, password, user = free_port(), secrets.token_hex(16), _user()
    secret, data, log = folder / "password", folder / "data", folder / "postgres.log"
    secret.write_text(password)
    data.mkdir()
    if user is not None:
        for one in (folder, secret, data):
            os.chown(one, user, user)
    init = [str(programs / "initdb"), "-D", str(data), "-U", "ask", f"--pwfile={secret}", "--auth=scram-sha-256"]
    init += ["--no-sync", "--locale=C", "--encoding=UTF8"]
    subprocess.run(init, env=env, user=user, check=True, capture_output=True, timeout=120)
    argv = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    argv += ["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=80"]

    def ready() -> bool:
        words = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        return subprocess.run(words, env=env, check=False, timeout=10).returncode == 0

    with _started(Server(argv, env, log, user, port, password, ready)) as made:
        yield made

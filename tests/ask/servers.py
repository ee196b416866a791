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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import debs
from tools.errors import ToolError
from tools.net import free_port
from tools.paths import cache_dir

NOBODY = 65534  # PostgreSQL refuses to run as root
# Of the machine itself: a second copy would have to agree with its loader.
_OF_SYSTEM = re.compile(r"(libc6|libc-bin|libgcc-s1|libstdc\+\+6|libcrypt1|base-files|dash)_")


@dataclass(frozen=True)
class Server:
    """Where it listens on 127.0.0.1, and its process, for tests that stop it."""

    port: int
    password: str
    process: subprocess.Popen[bytes]
    argv: tuple[str, ...]

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """It accepts connections and does not answer."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


def _unpacked(package: str) -> Path:
    """The tree of a package with the libraries that it needs."""
    files = [one for one in debs.fetch([package]) if not _OF_SYSTEM.match(one.name)]
    place = cache_dir("servers") / Path(next(one.name for one in files if one.name.startswith(package + "_"))).stem
    if place.is_dir():
        return place
    beside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    for one in files:
        subprocess.run(["dpkg-deb", "-x", str(one), str(beside)], check=True, timeout=60)
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


def _until(ready: list[str], env: dict[str, str], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while subprocess.run(ready, env=env, capture_output=True, check=False, timeout=10).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} is not ready: {log.read_text()[-2000:]}")
        time.sleep(0.1)


@contextlib.contextmanager
def _running(argv: list[str], env: dict[str, str], log: Path, user: int | None) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("w") as out:
        process = subprocess.Popen(argv, env=env, stdout=out, stderr=out, user=user, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[Server]:
    """An empty server with a password."""
    program, env = _valkey()
    port, password = free_port(), secrets.token_hex(16)
    config = folder / "valkey.conf"
    config.write_text(
        f'port {port}\nbind 127.0.0.1\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n', encoding="utf-8"
    )
    with _running([program, str(config)], env, folder / "valkey.log", None) as process:
        deadline = time.monotonic() + 30
        while "eady to accept connections" not in (folder / "valkey.log").read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Valkey is not ready: {(folder / 'valkey.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield Server(port, password, process, (program, str(config)))


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """An empty server; its administrator is `ask`, with a password."""
    programs, env = _postgres()
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
    argv += ["-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60"]
    with _running(argv, env, log, user) as process:
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        _until(ready, env, process, log)
        yield Server(port, password, process, tuple(argv))

"""A command as a separate process, which a test interrupts: at a moment, or where a command that it runs is held up."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.integration.rig import Rig, docker, eventually
from tools.paths import CHECKOUT

CLOUD = "localcloud.cloud"  # in the command line of the cloud's API, which is no part of a run

# Holds up the command line that a test waits for; everything else goes through.
SHIM = """#!/bin/sh
hold={hold}
if [ -e "$hold" ]; then
    case "{name} $*" in *"$(cat "$hold")"*)
        ! mkdir "$hold.reached" 2> /dev/null || while [ -e "$hold" ]; do /bin/sleep 0.05; done
        ;;
    esac
fi
exec {program} "$@"
"""


class Stack(Protocol):
    """What a run needs to know of a rig or a fleet."""

    name: str
    home: Path
    file: Path
    env: dict[str, str]

    def argv(self, *words: str) -> list[str]:
        """The command line of `python -m tools` for it."""


def processes(made: Stack) -> dict[int, str]:
    """Every process that works for this stack, by its state in the environment: the tool, the engine, its plugins and
    what these run."""
    mark, found = str(made.home).encode(), {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes():
                said = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if CLOUD not in said:
                    found[int(place.name)] = said[:120]
    return found


def kill_all(made: Stack) -> None:
    """As a power cut does: every process at once, and none can say goodbye."""
    end = time.monotonic() + 20
    while (left := processes(made)) and time.monotonic() < end:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert not processes(made), "could not be killed"


def names(made: Rig) -> set[str]:
    """Roles of the containers that are there, running or not."""
    listed = ("ps", "-a", "--format", "{{.Names}}", "--filter", f"label=fleetwatch.stack={made.prefix}")
    return {name.removeprefix(f"{made.prefix}-") for name in docker(*listed).split()}


class Run:
    """A command as a terminal starts it: in a separate process group."""

    def __init__(self, made: Stack, *words: str) -> None:
        self.process = subprocess.Popen(
            made.argv(*(words or ("up",))), cwd=CHECKOUT, env=made.env, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def until(self, what: str, reached: Callable[[], bool], patience: float = 300) -> None:
        """Wait for the moment; fails if the run is over before it."""

        def moment() -> bool:
            over = self.process.poll() is not None
            return reached() or over

        eventually(what, moment, patience=patience, pause=0.05)
        assert self.process.poll() is None, f"`up` ended before: {what}\n{''.join(self.lines)[-3000:]}"

    def ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> tuple[int, str]:
        """(exit code, output), once it is over."""
        code = self.process.wait(timeout=300)
        self._reader.join(timeout=60)
        return code, "".join(self.lines)


def kill_grow(made: Stack, to: str, step: str, patience: float = 300, ready: Callable[[], bool] = lambda: True) -> None:
    """`make grow`, whose processes are all killed at once in this step, when `ready`."""
    run = Run(made, "grow", "--to", to, "--yes")
    run.until(step, lambda: run.said(step) and ready(), patience)
    kill_all(made)


class Hold:
    """Programs in front of the rig's PATH that wait at a command line with a certain text in it."""

    def __init__(self, made: Rig) -> None:
        shims = made.home / "shims"
        shims.mkdir()
        self._hold = made.home / "hold"
        for name in ("docker", "mv", "sleep"):
            program = shutil.which(name)
            assert program, f"{name} is not on PATH"
            text = SHIM.format(hold=shlex.quote(str(self._hold)), name=name, program=shlex.quote(program))
            (shims / name).write_text(text)
            (shims / name).chmod(0o755)
        made.env["PATH"] = f"{shims}{os.pathsep}{made.env['PATH']}"

    def at(self, text: str) -> None:
        """Hold up the next command line with this text, as `docker run ...`."""
        self._hold.write_text(text)

    def reached(self) -> bool:
        return self._hold.with_name("hold.reached").exists()

    def release(self) -> None:
        self._hold.unlink(missing_ok=True)
        shutil.rmtree(self._hold.with_name("hold.reached"), ignore_errors=True)

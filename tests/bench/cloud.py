"""A fleet in a rehearsal cloud of the bench's own, whose engine runs are timed.

Which plugins were used is in a section's title: those of `make up`, or those that FLEETWATCH_PLUGINS names. A droplet
of the rehearsal is a container: it boots in seconds, a real one in about a minute, so that the cloud's share is greater
there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tests.bench import events, measure, page, processes
from tests.fixtures.leftovers import claimed
from tests.integration import fleet as fleets
from tests.integration.rig import docker
from tools import plugins, rehearsal, working_copy
from tools.environment import pulumi_env
from tools.paths import CHECKOUT
from tools.stack import IMAGES, Stack

INTERNET, HERE, RANGE = "198.18.55.0/24", "198.18.55.1", "10.80.0.0/20"
FIRST_SERVER = 150  # the last number of the address of vps-1; those of the others follow
UP = ("up", "--yes", "--skip-preview", "--suppress-outputs")


class Fleet(fleets.Fleet):
    """That of the tests, in a cloud of another range. To be used with its environment."""

    internet = INTERNET

    def begin(self) -> None:
        self.config["access"]["admin_cidrs"] = [f"{HERE}/32"]
        self.config["cloud"]["range"] = RANGE
        self.config["hosts"]["vps-1"]["server"]["address"] = address(1)
        self.done: list[events.Step] = []  # what the last run did, in whole seconds since 1970
        self.seen: list[events.Step] = []  # the same, in seconds since that run's start
        super().begin()

    @property
    def hosts(self) -> set[str]:
        return {"hub", *self.config["hosts"]}

    def timed(self, times: int = 1) -> measure.EngineRuns:
        """`pulumi up` of the stack file as it is now; what the last of them did is in `done` and `seen`."""
        log = self.home / "events.json"
        argv, env = self._command("--event-log", str(log))

        def run() -> None:
            log.unlink(missing_ok=True)
            self.seen = events.followed(log, lambda: _engine(argv, env, self.home / "engine.log"))

        found = measure.timed(run, times)
        self.done = events.steps(log)
        return found

    def unchanged(self, times: int) -> measure.EngineRuns:
        """The same for a stack to which nothing is to be done, without anything that watches it."""
        argv, env = self._command()
        output = self.home / "engine.log"
        self.timed()
        assert not self.done, f"something was done: {self.done}"
        return measure.timed(lambda: _engine(argv, env, output), times)

    def attributed(self) -> processes.Attribution:
        """One run, with all its processes watched."""
        argv, env = self._command()
        return processes.watched(lambda: _engine(argv, env, self.home / "engine.log"))

    def made(self, *arguments: str) -> None:
        """A target of the Makefile for this stack, as a user types it."""
        env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        argv = ["make", "-C", str(CHECKOUT), *arguments, f"STACK={self.name}", f"FILE={self.file}"]
        _engine(argv, env, self.home / "make.log")

    def _command(self, *more: str) -> tuple[list[str], Mapping[str, str]]:
        """(the engine's command line, its environment) for the stack file as it is now."""
        stack = Stack(self.name, self.file, pulumi_env(self.state))
        stack.prepare()
        argv = ["pulumi", "-C", str(CHECKOUT), *UP, "--non-interactive", "--stack", self.name]
        argv += ["--config-file", str(stack.working), *more]
        return argv, {**stack.env, "PULUMI_DEBUG_COMMANDS": "true"}  # which has --event-log

    def share(self, runs: measure.EngineRuns, *droplets: str) -> events.Share:
        return events.share(runs.seconds[-1], self.done, droplets)

    def add_server(self, number: int) -> str:
        """One more server on the internet, with a Docker Engine that answers; the name of its host."""
        name = f"vps-{number}"
        self.make_server(name, address(number))
        return name

    def machine(self, host: str) -> str:
        """The container that is a host's machine."""
        droplets = {one["name"].rpartition(f"-{self.config['env']}-")[2]: one["id"] for one in self.api("droplets")}
        return f"fleetwatch-cloud-{self.name}-droplet-{droplets[host]}" if host in droplets else self.server(host)

    @property
    def images(self) -> dict[str, str]:
        """The references that replace pins in this stack, by key."""
        return working_copy.read(self.state / IMAGES)

    @images.setter
    def images(self, references: Mapping[str, str]) -> None:
        working_copy.write(self.state / IMAGES, dict(references))

    def bumped(self) -> dict[str, str]:
        """References of other images, present on every machine: each the same with one more label."""
        found = {key: f"{ref}-bumped" for key, ref in self.images.items()}
        script = "".join(
            f"docker image inspect {ref} > /dev/null 2>&1 && "
            f"printf 'FROM {ref}\\nLABEL fleetwatch.bench=bumped\\n' | docker build -q -t {ref}-bumped - > /dev/null\n"
            for ref in sorted(set(self.images.values()))
        )
        machines = [self.machine(host) for host in sorted(self.hosts)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda machine: docker("exec", machine, "sh", "-c", f"{script}true"), machines))
        return found


def _engine(argv: Sequence[str], env: Mapping[str, str], output: Path) -> None:
    """A command whose output goes to a file; interrupted, it is let end in order, or its plugins would stay."""
    with (
        output.open("wb") as out,
        subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        ) as engine,
    ):
        try:
            code = engine.wait()
        except BaseException:
            engine.send_signal(signal.SIGINT)
            raise  # only after its end: that is how the block is left
    assert code == 0, output.read_text()[-6000:]


def address(number: int) -> str:
    """The address of a server on the internet."""
    return f"{INTERNET.rpartition('.')[0]}.{FIRST_SERVER + number - 1}"


def entry(number: int) -> dict[str, object]:
    """Its entry in the stack file."""
    return {"server": {"address": address(number), "user": rehearsal.SERVER_USER}}


@dataclass
class Section:
    """What a part's measurements found."""

    title: str
    figures: list[page.Figure] = field(default_factory=list)
    raw: dict[str, object] = field(default_factory=dict)
    tables: list[page.Table] = field(default_factory=list)

    def add(self, what: str, runs: measure.EngineRuns, how: str, aim: float | None = None) -> None:
        self.raw[what] = runs.seconds
        how += f"; {statistics.median(runs.cpu):.1f} s of this machine's CPU by the engine, its plugins and the program"
        met = None if aim is None else statistics.median(runs.seconds) < aim
        value = measure.spread(runs.seconds)
        self.figures.append(page.Figure(what, value, how, f"under {aim:g} s" if aim else "", met))


def which_plugins() -> str:
    """Whose plugins the runs use, for a section's title."""
    kinds = {plugin.kind for plugin in plugins.state()}
    if kinds == {"stand-in"}:
        return "stand-in plugins"
    return "the vendors' plugins" if "stand-in" not in kinds else "some plugins the vendors', some stand-ins"


@contextlib.contextmanager
def fleet() -> Iterator[Fleet]:
    """The cloud without a fleet in it; nothing of it is left, also after Ctrl-C, or a kill and another run."""
    made = Fleet()
    with claimed(made.name, made.home):
        try:
            with mock.patch.dict(os.environ, made.env):
                made.prepare()
                yield made
        finally:
            made.remove()

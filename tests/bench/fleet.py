"""The fleet in a rehearsal cloud of the bench's own: up from nothing, nothing to do, a change everywhere, hosts added.

Which plugins were used is in the section's title: those of `make up`, or those that FLEETWATCH_PLUGINS names. A
droplet of the rehearsal is a container: it boots in seconds, a real one in about a minute, so that the cloud's share is
greater there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from tests.bench import events, measure, page
from tests.bench.page import Figure
from tests.integration import fleet as fleets
from tests.integration.rig import docker, eventually
from tools import plugins, rehearsal
from tools.environment import pulumi_env
from tools.paths import CHECKOUT
from tools.progress import step
from tools.stack import Stack

INTERNET, HERE, RANGE = "198.18.55.0/24", "198.18.55.1", "10.80.0.0/20"
FIRST_SERVER = 150  # the last number of the address of vps-1; those of the others follow
MANY, MANY_AIM = 10, 6  # hosts, seconds with nothing to do
ADD_AIM = 15  # seconds for a server that is there, its gate included
REPEATS = 5


class Fleet(fleets.Fleet):
    """That of the tests, in a cloud of another range; its engine runs are timed. To be used with its environment."""

    internet = INTERNET

    def begin(self) -> None:
        self.config["access"]["admin_cidrs"] = [f"{HERE}/32"]
        self.config["cloud"]["range"] = RANGE
        self.config["hosts"]["vps-1"]["server"]["address"] = _address(1)
        super().begin()

    @property
    def hosts(self) -> set[str]:
        return {"hub", *self.config["hosts"]}

    def timed(self, times: int = 1) -> measure.EngineRuns:
        """`pulumi up` of the stack file as it is now; what it did is in `done` and `waited` for the last of them."""
        stack = Stack(self.name, self.file, pulumi_env(self.state))
        stack.prepare()
        log = self.home / "events.json"
        argv = ["pulumi", "-C", str(CHECKOUT), "up", "--yes", "--skip-preview", "--suppress-outputs"]
        argv += ["--non-interactive", "--stack", self.name, "--config-file", str(stack.working)]
        env = {**stack.env, "PULUMI_DEBUG_COMMANDS": "true"}  # which has --event-log

        def run() -> None:
            log.unlink(missing_ok=True)
            _engine([*argv, "--event-log", str(log)], env, self.home / "engine.log")

        found = measure.timed(run, times)
        self.done = events.steps(log)
        return found

    def share(self, runs: measure.EngineRuns, *droplets: str) -> events.Share:
        return events.share(runs.seconds[-1], self.done, droplets)

    def add_server(self, number: int) -> str:
        """One more server on the internet, with a Docker Engine that answers; the name of its host."""
        name = f"vps-{number}"
        public = (self.state / "ssh_key.pub").read_text().strip()
        self.machines.create_server(name, _address(number), rehearsal.SERVER_USER, public)
        container = self.server(name)
        eventually(f"Docker of {name}", lambda: docker("exec", container, "docker", "version"), 120)
        return name


def _engine(argv: list[str], env: Mapping[str, str], output: Path) -> None:
    """An engine command; interrupted, it is let end in order, or its plugins would stay."""
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


def _address(number: int) -> str:
    return f"{INTERNET.rpartition('.')[0]}.{FIRST_SERVER + number - 1}"


def _entry(number: int) -> dict[str, object]:
    return {"server": {"address": _address(number), "user": rehearsal.SERVER_USER}}


@dataclass
class Section:
    """What the fleet's measurements found."""

    plugins: str
    figures: list[Figure] = field(default_factory=list)
    raw: dict[str, list[float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"Fleet in a rehearsal cloud, {self.plugins}"

    def add(self, what: str, runs: measure.EngineRuns, how: str, aim: float | None = None) -> None:
        self.raw[what] = runs.seconds
        how += f"; {statistics.median(runs.cpu):.1f} s of this machine's CPU by the engine, its plugins and the program"
        met = None if aim is None else statistics.median(runs.seconds) < aim
        self.figures.append(Figure(what, measure.spread(runs.seconds), how, f"under {aim} s" if aim else "", met))


def _which() -> str:
    kinds = {plugin.kind for plugin in plugins.state()}
    if kinds == {"stand-in"}:
        return "stand-in plugins"
    return "the vendors' plugins" if "stand-in" not in kinds else "some plugins the vendors', some stand-ins"


@contextlib.contextmanager
def _told() -> Iterator[Fleet]:
    """The cloud without a fleet in it; nothing of it is left, also after Ctrl-C."""
    made = Fleet()
    try:
        with mock.patch.dict(os.environ, made.env):
            made.prepare()
            yield made
    finally:
        made.remove()


def measured(many: bool, watch: page.Watch) -> Section:
    """All of it, about five minutes; `many` adds what ten hosts take when nothing is to be done."""
    section = Section(_which())
    with _told() as fleet:
        watch.own = fleet.name
        with step("pulumi up, from nothing"):
            runs = fleet.timed()
        share = fleet.share(runs, "hub", "db-1")
        section.add("`pulumi up` from nothing: hub, droplet, server", runs, f"cloud and server there; {share.words()}")
        watch.look()
        with step("pulumi up, nothing to do"):
            runs = fleet.timed(REPEATS)
        assert not fleet.done, f"something was done: {fleet.done}"
        how = f"the engine's command alone; {fleet.share(runs).words()}"
        section.add(f"`pulumi up`, no-op, {len(fleet.hosts)} hosts", runs, how)
        _everywhere(fleet, section)
        watch.look()
        _added(fleet, section)
        watch.look()
        if many:
            _many(fleet, section)
            watch.look()
    return section


def _everywhere(fleet: Fleet, section: Section) -> None:
    runs = measure.EngineRuns([], [])
    with step("a scrape interval changed on every host"):
        for interval in ("20s", "15s"):
            fleet.change({"hosts": {host: {"scrape": {"node": interval}} for host in fleet.hosts}})
            runs += fleet.timed()
            assert fleet.done, "the change changed nothing"
    gates = max(one.seconds for one in fleet.done if one.name.startswith("hub-gate-"))
    how = f"written, checked, reloaded, seen at the hub; the slowest gate waited {gates} s for newer data"
    section.add(f"an interval changed on all {len(fleet.hosts)} hosts", runs, how)


def _added(fleet: Fleet, section: Section) -> None:
    runs, gates = measure.EngineRuns([], []), []
    for number in (2, 3):
        host = fleet.add_server(number)
        fleet.change({"hosts": {host: _entry(number)}})
        with step(f"server {host} added"):
            runs += fleet.timed()
        gates += [one.seconds for one in fleet.done if one.name == f"hub-gate-{host}"]
    how = f"server and images there; its gate included: {' and '.join(map(str, gates))} s of it"
    how += f"; of the last {fleet.share(runs).words()}"
    section.add("one server added", runs, how, ADD_AIM)
    fleet.change({"hosts": {"web-1": {"droplet": {"size": "s-1vcpu-1gb"}}}})
    with step("droplet web-1 added"):
        runs = fleet.timed()
    section.add("one droplet added", runs, f"images there; {fleet.share(runs, 'web-1').words()}")


def _many(fleet: Fleet, section: Section) -> None:
    for number in range(4, 4 + MANY - len(fleet.hosts)):
        fleet.change({"hosts": {fleet.add_server(number): _entry(number)}})
    with step(f"servers added up to {len(fleet.hosts)} hosts"):
        fleet.timed()
    with step("pulumi up, nothing to do"):
        runs = fleet.timed(REPEATS)
    assert not fleet.done, f"something was done: {fleet.done}"
    how = f"the engine's command alone; {fleet.share(runs).words()}"
    section.add(f"`pulumi up`, no-op, {len(fleet.hosts)} hosts", runs, how, MANY_AIM)

"""Ten, fifty and a hundred hosts: nothing to do, a change on every host, one server more; the same with Ansible.

Ten hosts and the servers that are added are machines of the rehearsal cloud, each with its own Docker Engine and
containers. The hosts beyond them do not exist: absent.py describes what answers for them.
"""

from __future__ import annotations

import statistics

from tests.bench import absent, ansible, cloud, events, measure, page, processes
from tools.__main__ import MODULES
from tools.progress import step

TEN, SIZES = 10, (50, 100)
NO_OP_AIMS = {10: 2.5, 50: 5.0, 100: 9.0}  # seconds
MEMORY_AIM = 1024**3  # bytes for all processes together, at the greatest size
ANSIBLE_AIM = 12  # times as long as ours
CHANGE_AIM = 8  # seconds for one setting on every host, its gates included
ADD_AIM = 15  # seconds for a server that is there, its gate included
WRAPPER_AIM = 0.5  # seconds that `make` adds to the engine's command
SAME = 1.3  # how much more a host may cost among many than among few
REPEATS = 5
ALONE = "the engine's command alone"
RETENTION = {"metrics": "2d", "logs": "2d"}  # what the rehearsal's volume holds of a hundred hosts


class Run:
    """One run: the fleet, and what was found for each number of hosts."""

    def __init__(self, fleet: cloud.Fleet, section: cloud.Section, watch: page.Watch) -> None:
        self.fleet, self.section, self._watch = fleet, section, watch
        self.no_op: dict[int, measure.EngineRuns] = {}
        self.shares: dict[int, processes.Attribution] = {}
        self.added: dict[int, list[float]] = {}  # seconds of a run that adds a server to so many hosts
        self.servers = 0  # numbered from 1, as are the absent hosts

    def figure(self, what: str, value: str, how: str, aim: str = "", met: bool | None = None) -> None:
        self.section.figures.append(page.Figure(what, value, how, aim, met))
        self._watch.look()

    def grow(self) -> None:
        """Up to ten hosts."""
        self.fleet.change({"hub": {"retention": RETENTION}})
        while len(self.fleet.hosts) < TEN:
            self._server()
        with step(f"pulumi up, {TEN} hosts from nothing"):
            runs = self.fleet.timed()
        self.section.add(f"`pulumi up` from nothing, {TEN} hosts", runs, "machines and images there")

    def _server(self) -> str:
        self.servers += 1
        host = self.fleet.add_server(self.servers + 1)  # vps-1 is there from the beginning
        self.fleet.change({"hosts": {host: cloud.entry(self.servers + 1)}})
        return host

    def nothing(self, standing_in: str = "") -> None:
        """Nothing to do, with as many hosts as there are."""
        count = len(self.fleet.hosts)
        with step(f"pulumi up, nothing to do, {count} hosts"):
            self.no_op[count] = self.fleet.unchanged(REPEATS)
            self.shares[count] = self.fleet.attributed()
        how = ALONE + (f"; {standing_in}" if standing_in else "; each host is a machine with a Docker Engine")
        self.section.add(f"`pulumi up`, no-op, {count} hosts", self.no_op[count], how, NO_OP_AIMS.get(count))
        memory, last = self.shares[count].memory, count == SIZES[-1]
        met = memory < MEMORY_AIM if last else None
        how = f"one more run, all its processes looked at every {processes.EVERY * 1000:.0f} ms: greatest sum of their "
        how += "resident sets, shared pages counted in each"
        self.figure(
            f"memory of it, {count} hosts", f"{memory / 1024**2:.0f} MB", how, "under 1 GB" if last else "", met
        )

    def wrapper(self) -> None:
        """What `make` adds to an engine command, and by what."""
        words = ("pulumi", f"ARGS={' '.join(cloud.UP)}")
        with step("make around an engine command"):
            runs = measure.timed(lambda: self.fleet.made(*words), REPEATS)
            cpu = processes.watched(lambda: self.fleet.made(*words)).of(processes.WRAPPER)
        added = statistics.median(runs.seconds) - statistics.median(self.no_op[TEN].seconds)
        how = f'`make pulumi ARGS="up ..."` ({measure.spread(runs.seconds)}) less {ALONE}; make, its shell, our tools '
        how += f"and the engine's other commands use {cpu:.1f} s of CPU"
        self.figure("`make` around it", f"{added:.2f} s", how, f"at most {WRAPPER_AIM} s", added <= WRAPPER_AIM)

    def beside(self) -> None:
        """The same hosts with Ansible, and `make drift`, which looks at the hosts as Ansible does."""
        with step("Ansible, nothing to change"):
            playbook = ansible.prepared(self.fleet)
            runs = ansible.no_op(playbook, 3) if playbook else None
        if playbook is None or runs is None:
            self.figure(
                "Ansible, no-op, the same hosts", "not measured", "the edges of these hosts are no Compose projects"
            )
            return
        self.section.raw["ansible"] = runs.seconds
        how = f"{playbook.version}, pipelining, {ansible.FORKS} forks: {playbook.files} files by copy and one "
        how += f"docker_compose_v2 a host, {playbook.hosts} hosts, changed=0; no facts, not the hub's own containers; "
        how += f"{statistics.median(runs.cpu):.1f} s of CPU beside that of the hosts"
        self.figure("Ansible, no-op, the same hosts", measure.spread(runs.seconds), how)
        ratio = statistics.median(runs.seconds) / statistics.median(self.no_op[TEN].seconds)
        how = f"medians; `pulumi up` compares with its state, Ansible inspects the {TEN} hosts"
        self.figure("Ansible takes", f"{ratio:.1f} times as long", how, f"at least {ANSIBLE_AIM}", ratio >= ANSIBLE_AIM)
        if "drift" not in MODULES:
            self.figure("`make drift`, the same hosts", "not measured", "there is no such target yet")
            return
        with step("make drift"):
            runs = measure.timed(lambda: self.fleet.made("drift"), 3)
        self.section.raw["drift"] = runs.seconds
        how = "compares every host with the state, as Ansible does; "
        how += f"{statistics.median(runs.cpu):.1f} s of CPU beside that of the hosts"
        self.figure("`make drift`, the same hosts", measure.spread(runs.seconds), how)

    def change(self) -> None:
        """One setting on all hosts, then another image for every container."""
        runs = measure.EngineRuns([], [])
        with step("a scrape interval changed on every host"):
            for interval in ("20s", "15s"):
                self.fleet.change({"hosts": {host: {"scrape": {"node": interval}} for host in self.fleet.hosts}})
                runs += self.fleet.timed()
                assert self.fleet.done, "the change changed nothing"
        slowest = max(one.seconds for one in events.gates(self.fleet.seen))
        how = f"written, checked, reloaded, seen at the hub; the slowest gate waited {slowest:.1f} s for newer data"
        self.section.add(f"one setting changed on all {TEN} hosts", runs, how, CHANGE_AIM)
        runs, before = measure.EngineRuns([], []), self.fleet.images
        with step("another image for every container"):
            for images in (self.fleet.bumped(), before):
                self.fleet.images = images
                runs += self.fleet.timed()
                assert self.fleet.done, "the images changed nothing"
        slowest = max(one.seconds for one in events.gates(self.fleet.seen))
        how = f"{len(set(before.values()))} images, each there under another name with one more label, and back; every "
        how += f"container made again, hub included; the slowest gate waited {slowest:.1f} s"
        self.section.add(f"every image of {TEN} hosts bumped", runs, how)

    def add(self, times: int) -> None:
        """One server more, deployment and gate apart."""
        count = len(self.fleet.hosts)
        for _ in range(times):
            with step(f"a server added to {len(self.fleet.hosts)} hosts"):
                host = self._server()
                runs = self.fleet.timed()
            gate = sum(one.seconds for one in events.gates(self.fleet.seen, host))
            seconds = runs.seconds[-1]
            self.added.setdefault(count, []).append(seconds)
            value = f"{seconds:.1f} s: {seconds - gate:.1f} s deployment, {gate:.1f} s gate"
            how = f"server and images there; {events.timeline(self.fleet.seen)}; {runs.cpu[-1]:.1f} s of CPU"
            met = seconds < ADD_AIM if count == TEN else None
            aim = f"under {ADD_AIM} s" if count == TEN else ""
            self.figure(f"server {host} added to {len(self.fleet.hosts) - 1} hosts", value, how, aim, met)

    def fill(self, size: int) -> None:
        """Up to this many hosts, by those that do not exist."""
        there = sum(host.startswith(absent.name(0)[:-1]) for host in self.fleet.hosts)
        wanted = range(there + 1, there + 1 + size - len(self.fleet.hosts))
        self.fleet.change({"hosts": {absent.name(number): absent.entry(number) for number in wanted}})
        with step(f"pulumi up, up to {size} hosts"):
            self.fleet.timed()

    def compare(self) -> None:
        """Whether one more host costs the same among many as among few."""
        few, middle, many = sorted(self.no_op)
        cpu = {count: min(runs.cpu) for count, runs in self.no_op.items()}
        each = [(cpu[middle] - cpu[few]) / (middle - few), (cpu[many] - cpu[middle]) / (many - middle)]
        self.figure(
            "one more host, no-op",
            f"{each[0] * 1000:.0f} ms, {each[1] * 1000:.0f} ms of CPU",
            f"between {few} and {middle} hosts, and between {middle} and {many}; each size's calmest run",
            f"at most {SAME} times the first",
            each[1] <= SAME * each[0],
        )
        extra = {
            count: statistics.median(self.added[count]) - statistics.median(self.no_op[count].seconds)
            for count in (few, many)
        }
        self.figure(
            "one more host, added",
            f"{extra[few]:.1f} s, {extra[many]:.1f} s",
            f"at {few} and at {many} hosts: a run that adds a server less one that does nothing at that size",
            f"at most {SAME} times the first",
            extra[many] <= SAME * extra[few],
        )

    def table(self) -> page.Table:
        """CPU and memory by process, for every number of hosts."""
        kinds = dict.fromkeys(share.kind for found in self.shares.values() for share in found.shares)
        lines = [[kind, *(_cell(found, kind) for found in self.shares.values())] for kind in kinds]
        rest = [f"{max(0.0, one.cpu - sum(share.cpu for share in one.shares)):.1f} s" for one in self.shares.values()]
        whole = [f"{one.cpu:.1f} s, {one.memory / 1024**2:.0f} MB" for one in self.shares.values()]
        columns = ["process", *(f"{count} hosts" for count in self.shares)]
        title = (
            f"A no-op by process: CPU, and memory when all together had the most (looked at every {processes.EVERY} s)"
        )
        return page.Table(title, columns, [*lines, ["between two looks", *rest], ["in all, by the kernel", *whole]])


def _cell(found: processes.Attribution, kind: str) -> str:
    for share in found.shares:
        if share.kind == kind:
            count = f" ({share.count} processes)" if share.count > 1 else ""
            return f"{share.cpu:.1f} s, {share.memory / 1024**2:.0f} MB{count}"
    return "-"


def measured(watch: page.Watch) -> cloud.Section:
    """All of it, about fifteen minutes."""
    section = cloud.Section(f"Ten, fifty and a hundred hosts, {cloud.which_plugins()}")
    ansible.installed()
    with cloud.fleet() as fleet:
        watch.own = fleet.name
        run = Run(fleet, section, watch)
        run.grow()
        run.nothing()
        run.wrapper()
        run.beside()
        run.change()
        run.add(2)
        with absent.answered(fleet.home / "ssh"):
            for size in SIZES:
                run.fill(size)
                real = 2 + run.servers + 1  # hub, db-1, vps-1 and those that were added
                run.nothing(f"{size - real} of these hosts do not exist, a stand-in for `ssh` answered for them once")
            run.add(1)
        run.compare()
    section.tables.append(run.table())
    return section

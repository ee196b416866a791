"""What must hold on the machine. Each gives what it found in a few words, and fails with what it expected."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from functools import partial

from configs.images import LOCAL
from tests.integration.outage import arrived
from tests.integration.rig import eventually, timestamp
from tests.vm.machine import Machine

PATIENCE = 600  # seconds for what takes one minute on a processor that is not emulated
INTERVAL = 15  # seconds between two scrapes of the node exporter
OLDEST = 26  # the major version of Docker Engine in Debian 13
JOBS = ("agent", "cadvisor", "node")
LIMIT = "32m"
# Its first process stays; another one is killed, again and again.
_HUNGRY = "while :; do dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 5; done"
_WRITER = (
    "trap exit TERM; n=$(cat /n 2> /dev/null || echo 0); "
    'while :; do n=$((n + 1)); echo "n=$n numbered"; echo "$n" > /n; sleep 1; done'
)
OURS = {
    "hungry": (f"-m {LIMIT} --memory-swap {LIMIT}", _HUNGRY),
    "throttled": ("--cpus 0.2", "while :; do :; done"),
    "writer": ("", _WRITER),
}


def start(machine: Machine, name: str) -> None:
    """One of the containers of this test, of an image that the machine has."""
    options, script = OURS[name]
    machine.run(
        f"docker run -d --name {name} --restart unless-stopped {options} --entrypoint sh "
        f"\"$(docker inspect -f '{{{{.Config.Image}}}}' fleetwatch-cadvisor)\" -c {shlex.quote(script)}"
    )


def platform(machine: Machine) -> dict[str, str]:
    """What runs the machine: systemd, the kernel, the engine. Fails where it is not what this test is about."""
    script = """
        . /etc/os-release; echo "system=$PRETTY_NAME"; echo "kernel=$(uname -r)"
        echo "init=$(ps -p 1 -o comm=) $(systemctl --version | awk 'NR == 1 { print $2 }')"
        docker info -f 'docker={{.ServerVersion}}
cgroup=v{{.CgroupVersion}}, {{.CgroupDriver}}
storage={{.Driver}}'
        echo "compose=$(docker compose version --short)"
        echo "packages=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\\n' 'docker*' | sed -n 's/^ii *//p' | xargs)"
        echo "held=$(apt-mark showhold | xargs)"
        echo "first boot=$(sed -n 's/^fleetwatch: warning: //p' /var/log/cloud-init-output.log | tail -n 1)"
    """
    found = dict(line.split("=", 1) for line in machine.run(script).splitlines())
    assert found["init"].startswith("systemd "), found
    assert found["cgroup"] == "v2, systemd", found
    assert int(found["docker"].split(".")[0]) >= OLDEST, f"expected Docker {OLDEST} or newer: {found}"
    return found


def names(machine: Machine) -> str:
    """Every running container has its name at the hub, and is in the group that systemd made for it."""
    running = set(machine.run("docker ps --format '{{.Names}}'").splitlines())

    def known() -> bool:
        found = machine.metrics('container_last_seen{host="hub",container!=""}')
        return running <= {one["metric"]["container"] for one in found}

    eventually(f"the names of {sorted(running)} at the hub", known, PATIENCE, 5)
    nameless = machine.metrics('container_last_seen{host="hub",container="",cgroup!=""}')
    assert not nameless, f"control groups without a container's name: {nameless}"
    group = machine.run("cat /proc/$(docker inspect -f '{{.State.Pid}}' fleetwatch-agent)/cgroup")
    assert re.fullmatch(r"0::/system\.slice/docker-[0-9a-f]{64}\.scope", group), group
    return f"{len(running)} containers, groups as `{re.sub(r'[0-9a-f]{64}', '<id>', group.removeprefix('0::'))}`"


def doctor(machine: Machine) -> str:
    """`make doctor` finds no fault."""
    machine.make("doctor")
    shown = machine.shown("doctor")
    assert "Everything has data." in shown, shown[-3000:]
    return "no fault"


def firing(machine: Machine, alert: str, labels: str, patience: float) -> str:
    """The alert fires in Prometheus and is known to Alertmanager; its summary."""

    def received() -> str:
        selector = f'ALERTS{{alertname="{alert}",alertstate="firing",{labels}}}'
        if not machine.metrics(selector):
            return ""
        known = machine.ask(lambda hub: hub.get("/alertmanager/api/v2/alerts"))
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', labels)) | {"alertname": alert}
        same = [one for one in known if wanted.items() <= one["labels"].items()]
        return str(same[0]["annotations"]["summary"]) if same else ""

    return eventually(f"{alert} to fire for {labels}", received, patience, 5)


def writing(machine: Machine) -> str:
    """A container with numbered lines, whose first ones are at the hub."""
    start(machine, "writer")
    eventually("lines of the writer", lambda: machine.lines('{host="hub",container="writer"}'), PATIENCE, 5)
    time.sleep(3 * INTERVAL)  # samples and lines to compare with
    return "its lines arrive"


def out_of_memory(machine: Machine) -> str:
    """cAdvisor counts the kills of a container, the node exporter those of the host, and both are alerted."""
    start(machine, "hungry")
    of_container = firing(machine, "ContainerOutOfMemory", 'host="hub",container="hungry"', PATIENCE)
    of_host = firing(machine, "OutOfMemory", 'host="hub"', PATIENCE)
    machine.run("docker rm -f hungry")  # what follows needs the processor
    return f"{of_container}; {of_host}"


def throttling_seen(machine: Machine) -> str:
    """The counters of CPU periods are there, and the alert waits for its 15 minutes."""
    start(machine, "throttled")
    rate = 'rate(container_cpu_cfs_throttled_periods_total{container="throttled"}[2m])'
    found = eventually("throttled periods", lambda: machine.metrics(f"{rate} > 0"), PATIENCE, 5)
    pending = 'ALERTS{alertname="ContainerThrottled",container="throttled"}'
    eventually("ContainerThrottled to be pending", lambda: machine.metrics(pending), PATIENCE, 5)
    return f"{float(found[0]['value'][1]):.1f} throttled periods per second"


def throttling_alerted(machine: Machine) -> str:
    """ContainerThrottled, 15 minutes after its first evaluation with a result."""
    return firing(machine, "ContainerThrottled", 'host="hub",container="throttled"', 15 * 60 + PATIENCE)


def journal(machine: Machine) -> str:
    """A line of the journal arrives at the hub; where Promtail was built without the journal, that is the finding."""
    token = f"fleetwatch-vm-{time.time_ns()}"
    machine.run(
        f"logger -t fleetwatch-vm {token} && journalctl --sync; journalctl -n 50 -t fleetwatch-vm | grep -q {token}"
    )
    agent = machine.run("docker inspect -f '{{.Config.Image}}' fleetwatch-promtail")
    if agent.startswith(LOCAL):
        return "not exercised: the offline build of Promtail reads no journal"
    eventually("the line of the journal", lambda: machine.lines(f'{{job="journal"}} |= "{token}"'), PATIENCE, 5)
    return "arrived"


def _numbers(lines: list[str]) -> Counter[int]:
    return Counter(int(found[1]) for line in lines if (found := re.match(r"n=(\d+) ", line)))


def reboot(machine: Machine) -> str:
    """All containers run again, data is new, and nothing is lost but the time of the reboot itself."""
    before = set(machine.run("docker ps --format '{{.Names}}'").splitlines())
    old, begun = machine.stamps('up{job="node",host="hub"}', "10m"), time.time()
    assert len(old) > 2, "too few samples before the reboot"
    machine.reboot()
    back = time.time()
    state = "docker ps --format '{{.Names}} {{.Status}}'"

    def well() -> bool:
        shown = dict(line.split(" ", 1) for line in machine.run(state).splitlines())
        ours = [status for name, status in shown.items() if name.startswith("fleetwatch-")]
        return before <= set(shown) and not any("starting" in one or "unhealthy" in one for one in ours)

    eventually(f"{sorted(before)} to run again", well, PATIENCE, 5)
    for job in JOBS:
        eventually(f"a sample of {job} after the reboot", partial(_newer, machine, job, back), PATIENCE, 5)
    whole = time.time()
    times = "docker inspect -f '{{.State.FinishedAt}} {{.State.StartedAt}}' fleetwatch-agent"
    ended, started = map(timestamp, machine.run(times).split())
    stamps = machine.stamps('up{job="node",host="hub"}', f"{whole - begun + 60:.0f}s")
    gap = max(after - one for one, after in zip(stamps, stamps[1:], strict=False))
    down = _ready(machine, started) - ended
    assert gap - down < 3 * INTERVAL, f"no samples for {gap:.0f} s, the agent was down for {down:.0f} s"
    missing, twice = _lines(machine, begun)
    assert not missing, f"lines that Docker kept and the hub does not have: {missing[:20]}"
    return (
        f"SSH after {back - begun:.0f} s, all data after {whole - begun:.0f} s; the agent was down for "
        f"{down:.0f} s, the gap in its samples is {gap:.0f} s; no line is missing, {twice} are there twice"
    )


def _ready(machine: Machine, started: float) -> float:
    """When the agent, whose container was started then, could scrape: on an emulated processor half a minute later."""
    lines = machine.run("docker logs -t fleetwatch-agent 2>&1 | grep 'Server is ready'").splitlines()
    return next(moment for moment in (timestamp(line.split()[0]) for line in lines) if moment > started)


def _newer(machine: Machine, job: str, moment: float) -> bool:
    """Whether the hub has a sample of this job from after the moment."""
    return machine.newest(job).get("hub", 0) > moment


def _lines(machine: Machine, begun: float) -> tuple[list[int], int]:
    """Numbers that Docker kept of the writer and the hub does not have, but the newest; how many are there twice."""
    kept = _numbers(machine.run(f"docker logs --since {begun - 120:.0f} writer 2> /dev/null").splitlines())
    newest = max(kept)

    def there() -> Counter[int]:
        query = '{host="hub",container="writer"}'
        return machine.ask(lambda hub: _numbers(list(arrived(hub, query, begun - 180))))

    eventually("the writer's newest line", lambda: there()[newest], PATIENCE, 5)
    found = there()
    return [one for one in kept if one not in found], sum(found[one] > count for one, count in kept.items())


def drift(machine: Machine) -> str:
    """`make drift` finds no difference."""
    machine.make("drift")
    return "clean"


def down(machine: Machine, before: set[str]) -> str:
    """After `make down` the machine has what it had before `make up`, and nothing else."""
    machine.run(f"docker rm -f -v {' '.join(OURS)} > /dev/null 2>&1; true")
    machine.make("down", "YES=1")
    left = sorted(machine.listing() - before)
    assert not left, f"left on the machine: {left}"
    return "no container, network, volume, file or empty folder"

"""The fleet of `make outage`: a hub and two hosts in a rehearsal, a writer of numbered lines on each."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.integration import outage
from tests.integration.fleet import Fleet
from tests.integration.rig import eventually, timestamp

INTERVAL = 2  # seconds between two scrapes
VMAGENT = "vmagent"
AGENTS = {"prom-1": "Prometheus", "vm-1": VMAGENT}
WRITER = """\
docker rm -f writer > /dev/null 2>&1
docker run -d --name writer --restart unless-stopped --entrypoint sh \
    "$(docker inspect -f '{{.Config.Image}}' fleetwatch-cadvisor)" -c \
    'trap exit TERM
    n=$(cat /n 2> /dev/null || echo 0)
    while :; do n=$((n + 1)); echo "n=$n numbered"; echo "$n" > /n; sleep 0.2; done'
"""
# As systemd does it. The init script of a machine without systemd kills the engine after ten seconds; containers that
# the next one finds running are then stopped for good.
ENGINE = """\
pid=$(cat /var/run/docker.pid); kill -TERM "$pid"
while kill -0 "$pid" 2> /dev/null; do sleep 0.2; done
service docker start"""
_WATCH = """nohup timeout 900 docker events --filter container=fleetwatch-agent --filter event=die \\
    --filter event=start --format '{{.TimeNano}}' > /tmp/agent.events 2> /dev/null &"""


class Outages(Fleet):
    """A hub and two hosts, one with each metrics agent, both with the log agent `logs`. Its networks are none of the
    tests' fleet."""

    internet = "198.18.78.0/24"

    def __init__(self, logs: str) -> None:
        self.logs = logs
        super().__init__()

    def begin(self) -> None:
        hosts = {
            name: {
                "droplet": {"size": "s-1vcpu-1gb"},
                "metrics": {"agent": agent.lower()},
                "logs": {"agent": self.logs},
                "scrape": {"agents": f"{INTERVAL}s", "node": f"{INTERVAL}s"},
            }
            for name, agent in AGENTS.items()
        }
        self.config["hosts"] = hosts
        self.config["access"]["admin_cidrs"] = ["198.18.78.1/32"]
        self.config["cloud"] = {"range": "10.81.0.0/20"}
        self.config["hub"].pop("uptime")
        self.config["hub"]["outage_budget"] = "2h"
        self.more_images = ("alloy",) if self.logs == "alloy" else ()
        super().begin()

    def each(self, work: Callable[[str], object]) -> None:
        """The same on both hosts at once."""
        with ThreadPoolExecutor(len(AGENTS)) as pool:
            list(pool.map(work, AGENTS))

    def restart(self, script: str) -> None:
        self.each(lambda host: self.on(host, "sh", "-c", script))

    def settled(self) -> None:
        """Wait until the log agents know positions that are sent; without those a restart in an outage loses lines."""
        look = "ls /var/lib/promtail/*.sent /alloy-data/*/*.sent 2> /dev/null"
        words = ("docker", "exec", f"fleetwatch-{self.logs}", "sh", "-c", look)
        self.each(lambda host: eventually(f"{host}'s positions", lambda: self.on(host, *words, check=False), 240))

    def reboot(self) -> None:
        for host in AGENTS:
            self.ask("POST", f"droplets/{self.droplet(host)['id']}/actions", json={"type": "reboot"})
        time.sleep(5)
        self.each(lambda host: eventually(f"{host} is back", lambda: self.on(host, "docker", "ps", "-q"), patience=180))

    def watch_agents(self) -> None:
        """Note from now on when an agent ends and starts, for `offline` of one that is replaced."""
        self.restart(_WATCH)

    def offline(self, host: str, moment: float) -> float:
        """Seconds in which the agent did not run at the event, by Docker's times of its end and its start."""
        form = "{{.State.FinishedAt}} {{.State.StartedAt}}"
        ended, started = map(timestamp, self.on(host, "docker", "inspect", "-f", form, "fleetwatch-agent").split())
        if ended < 0:  # another container has taken its place
            ended, started = (int(line) / 1e9 for line in self.on(host, "cat", "/tmp/agent.events").split()[:2])
        return started - ended if moment - 5 < ended < started else 0.0

    def written(self, host: str) -> Counter[int]:
        """The numbered lines that Docker has of the host's writer."""
        return _numbered(self.on(host, "docker", "logs", "writer").splitlines())

    def arrived(self, host: str, since: float) -> Counter[int]:
        """The numbered lines that Loki has of it."""
        with self.hub() as hub:
            return _numbered(outage.arrived(hub, f'{{host="{host}",container="writer"}}', since))


def _numbered(lines: Iterable[str]) -> Counter[int]:
    return Counter(int(found[1]) for line in lines if (found := re.match(r"n=(\d+) ", line)))

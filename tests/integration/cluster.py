"""Three hub nodes in a rehearsal behind the cloud's load balancer, a host on either path, what tests break in it."""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import yaml

from configs.metrics_store import THANOS
from localcloud.machines import networks
from tests.integration.fleet import Fleet
from tests.integration.rig import docker, eventually
from tests.integration.story import Sink
from tools.rehearsal_images import DATABASE

NET = "198.18.83"
HERE, VPS = f"{NET}.1", f"{NET}.150"
NODES = ("hub", "hub-b", "hub-c")
HOSTS = ("web", "vps-1")  # in the VPC, on the internet
EVERY = 5  # seconds between two scrapes
ALERT = "ProofOpen"
PARTS = ("alertmanager", "caddy", "database-exporter", "grafana", "loki", *THANOS)  # on the first node, without an end


class Cluster(Fleet):
    """Three droplets with the hub, a droplet and a server on the internet. Its networks are none of another fleet's."""

    internet = f"{NET}.0/24"
    more_images = ("s3", "thanos", DATABASE)
    began = 0.0
    session = ""  # of somebody who has signed in to Grafana

    def begin(self) -> None:
        fast = {"scrape": {key: f"{EVERY}s" for key in ("agents", "node", "hub")}}
        vps = self.config["hosts"]["vps-1"]
        vps["server"]["address"] = VPS
        web = {"droplet": {"size": "s-1vcpu-1gb"}}
        self.config["hosts"] = {**{name: fast for name in NODES}, "web": {**web, **fast}, "vps-1": {**vps, **fast}}
        self.config["access"] = {"admin_cidrs": [f"{HERE}/32"], "cidrs": [f"{HERE}/32"]}
        self.config["cloud"] = {"range": "10.83.0.0/20"}
        hub = self.config["hub"]
        hub.pop("uptime")
        hub["retention"] = {"logs": "14d"}
        hub["storage"] = {"kind": "cluster", "nodes": {"a": {}, "b": {}, "c": {}}, "bucket": {"spaces": "fra1"}}
        hub["alerts"] = {"receivers": {"sink": {"webhook": {}}}, "default": "sink"}
        self.tokens: dict[str, str] = {}
        self.figures: list[str] = []
        super().begin()
        rules = self.home / self.name / "rules"
        rules.mkdir(parents=True, exist_ok=True)
        group = {"name": "proof", "interval": "5s", "rules": [_RULE]}
        (rules / "proof.yml").write_text(yaml.safe_dump({"groups": [group]}))

    def prepare(self) -> None:
        """As of every fleet; then there is the network on which the sink listens."""
        super().prepare()
        self.sink = Sink(networks.internet_name(self.name))
        self.change({"access": {"outbound": [self.sink.server_port]}})
        done = self.tool("secret", "hub.alerts.receivers.sink.webhook.url", stdin=self.sink.url)
        assert done.returncode == 0, done.stdout

    def watch(self) -> None:
        """Begin to write numbered lines on both hosts, and sign in."""
        self.tokens = {host: self.talker(host) for host in HOSTS}
        self.began = time.time() + EVERY
        password = self.tool("password").stdout.strip().splitlines()[-1]
        got = self.person("POST", "/login", json={"user": "admin", "password": password})
        assert got.status_code == 200, f"{got.status_code} {got.text[:300]}"
        self.session = got.cookies["grafana_session"]

    # People

    @property
    def entry(self) -> str:
        """The load balancer's address."""
        return str(self.outputs()["entry"])

    def root_on(self, node: str) -> str:
        """The certificate of the CA of all nodes, from the folder of one."""
        return self.on(node, "cat", "/var/lib/fleetwatch/fleetwatch/caddy/secrets/authority/root.crt")

    def person(self, method: str = "GET", path: str = "/login", **more: Any) -> httpx.Response:
        """One request by a new connection, which the load balancer gives to some node."""
        context = ssl.create_default_context(cadata=self.root)
        sni = {"sni_hostname": "hub.fleetwatch.internal"}
        with httpx.Client(verify=context, trust_env=False, timeout=5) as client:
            return client.request(method, f"https://{self.entry}{path}", extensions=sni, **more)

    @property
    def root(self) -> str:
        """The same, read once."""
        if not self._root:
            self._root = self.root_on("hub")
        return self._root

    _root = ""

    def answers(self, times: int = 6) -> bool:
        """Whether that many requests in a row are answered."""
        return all(self.person().status_code < 400 for _ in range(times))

    def is_signed_in(self) -> bool:
        """Whether the session of the beginning is still valid, on every node that the load balancer chooses."""
        cookie = {"Cookie": f"grafana_session={self.session}"}
        return all(self.person("GET", "/api/user", headers=cookie).status_code == 200 for _ in range(6))

    # Faults

    def power(self, host: str, on: bool) -> None:
        """Switch a droplet off without warning, or on."""
        self.machines.power(int(self.droplet(host)["id"]), on)

    @contextlib.contextmanager
    def off(self, *hosts: str) -> Iterator[None]:
        for host in hosts:
            self.power(host, False)
        try:
            yield
        finally:
            for host in hosts:
                self.power(host, True)

    @contextlib.contextmanager
    def cut(self, host: str) -> Iterator[None]:
        """This node sends nothing to the others, nor to the hosts of the VPC."""
        others = [one["private"] for name, one in self.outputs()["hosts"].items() if name != host and "private" in one]
        for address in others:
            self.on(host, "ip", "route", "add", "blackhole", f"{address}/32")
        try:
            yield
        finally:
            for address in others:
                self.on(host, "ip", "route", "del", "blackhole", f"{address}/32")

    @contextlib.contextmanager
    def full(self, host: str) -> Iterator[None]:
        """The disk with this node's data has no byte left."""
        self.on(host, "sh", "-c", _FILL)
        try:
            yield
        finally:
            self.on(host, "rm", "-f", "/mnt/fleetwatch/fill", "/mnt/fleetwatch/rest")

    @contextlib.contextmanager
    def stopped(self, container: str) -> Iterator[None]:
        """A container of the cloud itself does not run."""
        docker("stop", "-t", "1", container)
        try:
            yield
        finally:
            docker("start", container)

    def database(self) -> str:
        """The container that is the managed database."""
        own = ("--filter", f"name=fleetwatch-cloud-{self.name}-database-")
        (found,) = docker("ps", "-a", *own, "--format", "{{.Names}}").split()
        return found

    def kill(self, host: str, role: str) -> None:
        """SIGKILL to a part, which Docker then starts again."""
        of = f"docker inspect -f '{{{{.State.Pid}}}}' fleetwatch-{role}"
        before = self.on(host, "sh", "-c", of).strip()
        self.on(host, "kill", "-9", before)
        eventually(f"{role} on {host}", lambda: self.on(host, "sh", "-c", of).strip() not in (before, "0"), 60)

    # The data

    def nothing_missing(self, patience: float = 240) -> float:
        """Every scrape and every line of both hosts up to now is there, once; seconds until it was."""
        now = time.time()
        for host in HOSTS:
            samples = f'up{{job="node",host="{host}"}}'
            eventually(f"samples of {host}", functools.partial(self._arrived, samples, now), patience)
            eventually(f"every scrape of {host}", functools.partial(self._whole, samples), patience, 3)
            eventually(f"every line of {host}", functools.partial(self._all_lines, host), patience, 3)
        return time.time() - now

    def _arrived(self, series: str, after: float) -> bool:
        return self.stamps(series, "1m")[-1] > after

    def _whole(self, series: str) -> bool:
        gaps = self.gaps(series, self.began, 2 * EVERY + 1)  # one scrape may be late
        assert not gaps, f"gaps of {gaps} s"
        return True

    def _all_lines(self, host: str) -> bool:
        missing = self.not_once(host, self.tokens[host], self.began - 60)
        assert not missing, f"not once: {missing}"
        return True

    def is_written(self, host: str) -> bool:
        """Whether the newest scrape of this host is there."""
        found = self.metrics(f'up{{job="node",host="{host}"}}[1m]')
        return bool(found) and time.time() - max(float(at) for at, _ in found[0]["values"]) < 3 * EVERY

    def both_write(self) -> bool:
        """Whether the newest scrapes of both hosts are there."""
        return all(self.is_written(host) for host in HOSTS)

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """The alert of the test fires; at the end it does not any more."""
        self.raise_alert(True)
        try:
            yield
        finally:
            self.raise_alert(False)

    def raise_alert(self, on: bool) -> None:
        """Let the alert of the test fire, or end."""
        self.on("web", "docker", "stop" if on else "start", "fleetwatch-node-exporter")

    def notified(self, since: int) -> list[str]:
        """What was sent of the test's alert after so many messages, in its order."""
        sent = [one for post in self.sink.got[since:] for one in post["alerts"]]
        return [one["status"] for one in sent if one["labels"]["alertname"] == ALERT]

    def figure(self, event: str, text: str) -> None:
        self.figures.append(f"| {event} | {text} |")
        print(self.figures[-1])


# All but 64 kB at once, then the rest.
_FILL = """cd /mnt/fleetwatch
fallocate -l $(($(df -Pk . | awk 'NR == 2 { print $4 }') - 64))k fill
dd if=/dev/zero of=rest bs=4k 2> /dev/null || true
"""
_RULE = {
    "alert": ALERT,
    "expr": 'up{job="node", host="web"} == 0',
    "labels": {"severity": "warning"},
    "annotations": {
        "summary": "The test's alert",
        "description": "It fires while the test wants it.",
        "dashboard": "https://monitor.example.com/d/proof",
        "runbook": "https://wiki.example.com/proof",
        "may_be_empty": "The test has not raised it.",
    },
}

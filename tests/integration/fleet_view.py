"""How tests look at a fleet: at its hosts over SSH, at the hub's public door, at the data through a tunnel."""

from __future__ import annotations

import contextlib
import re
import secrets
import shlex
import ssl
import subprocess
import sys
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tools import remote_access
from tools.hubclient import HubClient


class View:
    """A fleet as it is seen from outside, by the outputs of its stack."""

    name: str
    file: Path

    def argv(self, *words: str) -> list[str]:
        """The command line of `python -m tools` for this stack."""
        return [sys.executable, "-m", "tools", "--stack", self.name, "--file", str(self.file), *words]

    @abstractmethod
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs after the last command."""

    # The hosts

    def on(self, host: str, *words: str, check: bool = True, stdin: str | None = None) -> str:
        """The output of a command on a host of the fleet."""
        assert host in self.outputs()["hosts"], f"{host} is not up"
        argv = remote_access.command_on(self.outputs(), host, words)
        done = subprocess.run(argv, capture_output=True, text=True, input=stdin or "", check=False, timeout=120)
        assert not check or done.returncode == 0, f"{host}: {shlex.join(words)}: {done.stderr.strip()[-2000:]}"
        return done.stdout

    def containers(self, host: str) -> dict[str, tuple[str, str]]:
        """(id, start) of our containers on a host, by role: what must not change where nothing is to be recreated."""
        label = "label=fleetwatch.stack=fleetwatch"
        form = '{{index .Config.Labels "fleetwatch.role"}} {{.Id}} {{.State.StartedAt}}'
        script = f"docker ps -q --no-trunc --filter {label} | xargs -r docker inspect -f {shlex.quote(form)}"
        lines = self.on(host, "sh", "-c", script).splitlines()
        return {role: (found, started) for role, found, started in (line.split() for line in lines)}

    def everything(self) -> dict[str, dict[str, tuple[str, str]]]:
        """`containers` of every host that is up."""
        return {host: self.containers(host) for host in self.outputs()["hosts"]}

    def free(self, host: str) -> int:
        """How many kB the disk with the hub's data has left on a host."""
        return int(self.on(host, "df", "-Pk", "/mnt/fleetwatch").splitlines()[1].split()[3])

    def complaints(self, host: str) -> str:
        """What containers of a host have said about a full disk in the last minutes."""
        script = "docker ps -q | xargs -n 1 docker logs --since 3m 2>&1 | grep -iE 'no space left|disk full' || true"
        return self.on(host, "sh", "-c", script)

    # The hub's public door

    @property
    def address(self) -> str:
        """The hub's reserved address."""
        return str(self.outputs()["hosts"]["hub"]["address"])

    def root_ca(self) -> str:
        """The certificate of the hub's own CA."""
        place = "/data/caddy/pki/authorities/local/root.crt"
        return self.on("hub", "docker", "exec", "fleetwatch-caddy", "cat", place)

    def https(self, method: str, path: str, auth: tuple[str, str] | None = None, **more: Any) -> httpx.Response:
        """One request from this machine, to which the hub has to show a certificate of its own CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.root_ca())
        sni = {"sni_hostname": "hub.fleetwatch.internal"}
        with httpx.Client(verify=context, trust_env=False, timeout=20) as client:
            return client.request(method, f"https://{self.address}{path}", auth=auth, extensions=sni, **more)

    def lets_in(self, user: str, password: str) -> bool:
        """Whether this user may push."""
        status = self.https("POST", "/loki/api/v1/push", (user, password), json={"streams": []}).status_code
        assert status in (204, 401, 422), status
        return status != 401

    # The data

    @contextlib.contextmanager
    def hub(self) -> Iterator[HubClient]:
        """The hub's query side, through a tunnel."""
        with remote_access.query_address(self.outputs()) as address:
            yield HubClient(address)

    def metrics(self, query: str) -> list[dict[str, Any]]:
        """An instant query."""
        with self.hub() as hub:
            return hub.metrics(query)

    def newest(self, job: str = "agent") -> dict[str, float]:
        """When the newest sample of a job is from, by host; a host that is silent for five minutes is not in it."""
        found = self.metrics(f'max by (host) (timestamp(up{{job="{job}"}}))')
        return {one["metric"]["host"]: float(one["value"][1]) for one in found}

    def stamps(self, series: str, window: str) -> list[float]:
        """Times of the raw samples of the one series that matches."""
        found = self.metrics(f"{series}[{window}]")
        assert len(found) == 1, f"expected one series of {series}, got {[one['metric'] for one in found]}"
        return [float(at) for at, _ in found[0]["values"]]

    def lines(self, query: str, since: float = 0) -> list[str]:
        """The newest log lines from `since` on, at most of the last hour."""
        now = time.time()
        with self.hub() as hub:
            return [line for stream in hub.logs(query, max(since, now - 3600), now) for _, line in stream["values"]]

    def talker(self, host: str) -> str:
        """A container on a host that writes a line every second; the word in its lines."""
        token = f"t{secrets.token_hex(6)}"
        script = f"""image=$(docker inspect -f '{{{{.Config.Image}}}}' fleetwatch-agent)
            docker rm -f talker > /dev/null 2>&1
            docker run -d --name talker --restart unless-stopped --entrypoint sh "$image" -c \\
                'n=0; while :; do n=$((n + 1)); echo "token={token} n=$n"; sleep 1; done'"""
        self.on(host, "sh", "-c", script)
        return token

    def numbered(self, host: str, token: str, since: float) -> Counter[int]:
        """How often each numbered line of a talker is there."""
        with self.hub() as hub:
            streams = hub.logs(f'{{host="{host}"}} |= "token={token}"', since, time.time(), limit=5000)
        found = [re.search(r" n=([0-9]+)", line) for stream in streams for _, line in stream["values"]]
        return Counter(int(one[1]) for one in found if one)

    def not_once(self, host: str, token: str, since: float) -> list[int]:
        """Numbers of a talker's lines, up to that of the newest, that are not there exactly once."""
        numbers = self.numbered(host, token, since)
        assert numbers, f"no line of {host} is there"
        return [number for number in range(1, max(numbers) + 1) if numbers[number] != 1]

    def gaps(self, series: str, since: float, most: float) -> list[float]:
        """Distances of more than `most` seconds between samples from `since` on. A time that is there twice fails."""
        found = [at for at in self.stamps(series, f"{time.time() - since + 1:.0f}s") if at >= since]
        assert len(found) == len(set(found)), "a sample is there twice"
        return [later - earlier for earlier, later in zip(found, found[1:], strict=False) if later - earlier > most]

"""A Docker network with real Caddys: the hub's with its rendered file, and one that is the CA and the upstreams."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from configs import names
from configs.services import caddy
from configs.services.caddy import caddyfile
from configs.settings import Settings
from tests.integration.rig import docker, eventually

PUSHER = ("vps-1", "only-for-this-test")
CHALLENGES = ("http-01", "tls-alpn-01")
CA_ROOT = "/data/caddy/pki/authorities/local/root.crt"
BEHIND = {
    names.GRAFANA_PORT: "grafana",
    names.PROMETHEUS_PORT: "prometheus",
    names.LOKI_PORT: "loki",
    names.ALERTMANAGER_PORT: "alertmanager",
}

WORLD = "{\n\tadmin off\n\tskip_install_trust\n}\n" + "".join(
    [
        *(
            f"https://{kind}.ca.test {{\n\ttls internal\n\tacme_server {{\n\t\tchallenges {kind}\n\t}}\n}}\n"
            for kind in CHALLENGES
        ),
        *(f"http://:{port} {{\n\trespond {role}\n}}\n" for port, role in BEHIND.items()),
    ]
)


@dataclass
class Street:
    """A Docker network of the tests' own, and how to put a Caddy on it."""

    image: str
    network: str
    folder: Path
    made: list[str]
    hashed: str = ""

    @property
    def subnet(self) -> str:
        """Where this process comes from, too."""
        return docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", self.network).strip()

    def caddy(self, name: str, text: str, *aliases: str, **files: str) -> str:
        """Container id of a Caddy with this Caddyfile and `files` beside it."""
        folder = self.folder / name
        folder.mkdir()
        for path, content in {"Caddyfile": text, **files}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        users = folder / "secrets" / caddyfile.USERS
        users.mkdir(parents=True)
        if self.hashed:
            (users / "vps-1.caddy").write_text(caddy.users({PUSHER[0]: self.hashed}))
        called = [word for alias in aliases for word in ("--network-alias", alias)]
        mounts = ["-v", f"{folder}:{caddy.CONFIG}:ro", "-v", f"{folder}/secrets:{names.SECRETS}:ro"]
        label = ["--label", f"fleetwatch.test={self.network}"]
        words = ["run", "-d", "--network", self.network, *label, *mounts, *called, self.image, *caddy.command()]
        self.made.append(docker(*words).strip())
        return self.made[-1]

    def address(self, container: str) -> str:
        return docker(
            "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container
        ).strip()  # fmt: skip


@dataclass
class Client:
    """A hub's Caddy. `ca` is the certificate that its own one hangs on, `host` what a person writes in the browser
    ("": the address)."""

    address: str
    ca: str
    host: str = ""
    container: str = ""

    def raw(self, port: int, host: str, method: str, path: str) -> tuple[int, str]:
        """Without TLS, and with the path as it is written."""
        connection = http.client.HTTPConnection(self.address, port, timeout=10)
        try:
            connection.request(method, path, headers={"Host": host, "Content-Length": "0"})
            got = connection.getresponse()
            return got.status, got.read().decode()
        finally:
            connection.close()

    def ask(
        self, method: str, path: str, sni: str | None = None, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Over TLS to the address, as a client that sends `sni` and expects a certificate for it; None: sends none."""
        trust = ssl.create_default_context(cadata=self.ca)
        trust.check_hostname = sni is not None
        with httpx.Client(verify=trust, timeout=10, trust_env=False) as client:
            extensions = {"sni_hostname": sni} if sni else {}
            headers = {"Host": self.host or self.address, **(headers or {})}
            return client.request(
                method, f"https://{self.address}{path}", extensions=extensions, headers=headers, **more
            )  # fmt: skip

    def plain(self, method: str, path: str, **more: Any) -> httpx.Response:
        with httpx.Client(timeout=10, trust_env=False) as client:
            return client.request(method, f"http://{self.address}{path}", **more)

    def certified(self) -> list[str]:
        """The names in the certificate that a client without a name is shown."""
        trust = ssl.create_default_context(cadata=self.ca)
        trust.check_hostname = False
        with httpx.Client(verify=trust, timeout=10, trust_env=False) as client, client.stream(
            "GET", f"https://{self.address}/"
        ) as got:  # fmt: skip
            shown = got.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
        return [name for _, name in shown["subjectAltName"]]


def own_caddy(street: Street, name: str, settings: Settings) -> Client:
    container = street.caddy(name, caddyfile.render(settings))
    root = eventually("the hub's own root", lambda: docker("exec", container, "cat", CA_ROOT), 30)
    client = Client(street.address(container), root, container=container)
    eventually("an answer over TLS", lambda: client.ask("GET", "/", names.NO_DOMAIN), 30)
    return client

"""Caddy's rendered file in a running Caddy: which certificate it presents, and which requests it accepts.

The CA for ACME is a second Caddy, on a network that no real one can be reached from; it tries the challenges as
any other would. The same Caddy is the upstream, in place of Grafana, Prometheus and Loki.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from configs import names
from configs.services import caddy
from configs.services.caddy import caddyfile
from configs.settings import Settings
from tests.fixtures.hubs import own, staging
from tests.integration.rig import docker, eventually
from tools import images

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("caddy")]
DOMAIN = "monitor.example.com"
PUSHES = ("/api/v1/write", "/loki/api/v1/push")
PUSHER = ("vps-1", "only-for-this-test")
CHALLENGES = ("http-01", "tls-alpn-01")
CA_ROOT = "/data/caddy/pki/authorities/local/root.crt"
BEHIND = {names.GRAFANA_PORT: "grafana", names.PROMETHEUS_PORT: "prometheus", names.LOKI_PORT: "loki"}

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


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    (image,) = images.get(["caddy"])
    name = f"fleetwatch-caddy-{secrets.token_hex(4)}"
    network = docker("network", "create", "--label", f"fleetwatch.test={name}", name).strip()
    made = Street(image.ref, network, tmp_path_factory.mktemp("caddy"), [])
    try:
        made.hashed = docker("run", "--rm", "-i", image.ref, "caddy", "hash-password", stdin=PUSHER[1]).strip()
        yield made
    finally:
        for container in made.made:
            docker("rm", "-f", "-v", container, check=False)
        docker("network", "rm", network, check=False)


@pytest.fixture(scope="module")
def ca(street: Street) -> str:
    """The root certificate of the street's CA; the upstreams have started with it."""
    behind = [f"fleetwatch-{role}" for role in BEHIND.values()]
    world = street.caddy("world", WORLD, *behind, *(f"{kind}.ca.test" for kind in CHALLENGES))
    return eventually("the CA's root", lambda: docker("exec", world, "cat", CA_ROOT), 30)


def _own(street: Street, name: str, settings: Settings) -> Client:
    container = street.caddy(name, caddyfile.render(settings))
    root = eventually("the hub's own root", lambda: docker("exec", container, "cat", CA_ROOT), 30)
    client = Client(street.address(container), root)
    eventually("an answer over TLS", lambda: client.ask("GET", "/", names.NO_DOMAIN), 30)
    return client


@pytest.fixture(scope="module")
def open_caddy(street: Street, ca: str) -> Client:
    """Without a domain; this process is on the allow-list."""
    return _own(street, "open", own(access=[street.subnet]))


@pytest.fixture(scope="module")
def restricted_caddy(street: Street, ca: str) -> Client:
    """Without a domain; this process is not on the allow-list."""
    return _own(street, "shut", own(access=["192.0.2.0/24"]))


def test_an_edge_that_goes_to_the_address_can_tell_that_it_is_the_hub(open_caddy: Client) -> None:
    assert open_caddy.ask("POST", PUSHES[0], names.NO_DOMAIN).status_code == 401
    taken = open_caddy.ask("POST", PUSHES[0], names.NO_DOMAIN, auth=PUSHER, content=b"x")
    assert (taken.status_code, taken.text) == (200, "prometheus")
    with pytest.raises(httpx.ConnectError):
        open_caddy.ask("GET", "/", DOMAIN)


def test_a_browser_that_goes_to_the_address_gets_the_same_certificate(open_caddy: Client) -> None:
    assert open_caddy.certified() == [names.NO_DOMAIN]
    assert open_caddy.ask("GET", "/").text == "grafana"
    assert open_caddy.ask("GET", "/", headers={"Host": names.NO_DOMAIN}).text == "grafana"


def test_http_leads_to_where_one_already_is(open_caddy: Client) -> None:
    got = open_caddy.plain("GET", "/d/hosts?from=now-1h")
    assert got.status_code == 308
    assert got.headers["location"] == f"https://{open_caddy.address}/d/hosts?from=now-1h"


@pytest.mark.parametrize("path", PUSHES)
def test_a_push_without_tls_is_sent_away_even_with_the_right_password(open_caddy: Client, path: str) -> None:
    got = open_caddy.plain("POST", path, auth=PUSHER, content=b"x" * 1000)
    assert (got.status_code, got.text) == (308, ""), "neither Prometheus nor Loki may have answered"
    assert got.headers["location"] == f"https://{open_caddy.address}{path}"


def test_the_allow_list_shuts_grafana_and_nothing_else(restricted_caddy: Client) -> None:
    refused = restricted_caddy.ask("GET", "/", names.NO_DOMAIN)
    assert refused.status_code == 403
    assert "access.cidrs" in refused.text, "a person must learn whom to ask for what"
    claims = {"X-Forwarded-For": "192.0.2.7", "X-Real-Ip": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    assert restricted_caddy.ask("GET", "/", names.NO_DOMAIN, headers=claims).status_code == 403, "a claim is no address"
    for path, role in zip(PUSHES, ("prometheus", "loki"), strict=True):
        assert restricted_caddy.ask("POST", path, names.NO_DOMAIN).status_code == 401
        assert restricted_caddy.ask("POST", path, names.NO_DOMAIN, auth=PUSHER, content=b"x").text == role


@pytest.mark.parametrize("kind", CHALLENGES)
def test_a_domain_is_certified_by_acme_over_either_port(street: Street, ca: str, kind: str) -> None:
    """With an allow-list that lets nobody in: the CA comes from anywhere."""
    text = caddyfile.render(staging(access=["192.0.2.0/24"], email="ops@example.com"))
    assert caddyfile.ACME_STAGING in text
    there = f"https://{kind}.ca.test/acme/local/directory\n\tacme_ca_root {caddy.CONFIG}/ca.crt"
    container = street.caddy(kind, text.replace(caddyfile.ACME_STAGING, there), DOMAIN, **{"ca.crt": ca})
    try:
        client = Client(street.address(container), ca, DOMAIN)
        got = eventually(f"a certificate by {kind}", lambda: client.ask("GET", "/", DOMAIN), 60)
        assert got.status_code == 403
        assert client.ask("POST", PUSHES[0], DOMAIN, auth=PUSHER, content=b"x").text == "prometheus"
        assert client.plain("GET", "/x").headers["location"] == f"https://{DOMAIN}/x"
        assert f'"challenge_type":"{kind}"' in docker("logs", container), "the CA took another way"
    finally:
        docker("rm", "-f", "-v", container)  # the next one has its name

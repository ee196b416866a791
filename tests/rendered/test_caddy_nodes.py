"""The Caddys of a cluster's three nodes: certificates by ACME while requests reach any of them, certificates by the one
CA that all have, and whose word about a client's address counts.

HTTP for the hub's name goes to each node in turn, through a Caddy in front. What passes TLS on is played by the test
itself, which begins a connection as a load balancer does.
"""

from __future__ import annotations

import secrets
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from configs import names
from configs.deploy import numbered, script
from configs.services import caddy
from configs.services.caddy import caddyfile, entry
from configs.settings import Settings
from tests.fixtures.fleets import cluster
from tests.integration.rig import docker, eventually
from tests.rendered.caddy_street import PUSHER, Client, Street

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("caddy")]
DOMAIN = "monitor.example.com"
NODES = ("a", "b", "c")
CLIENT, OTHER = "198.51.100.7", "198.51.100.8"
ALLOWED = {"cidrs": [f"{CLIENT}/32"], "admin_cidrs": ["192.0.2.0/24"]}
FRONT = f"""{{
	admin off
	auto_https off
}}
http://{DOMAIN} {{
	reverse_proxy {" ".join(f"{names.node(node)}:80" for node in NODES)} {{
		lb_policy round_robin
		lb_try_duration 4s
		transport http {{
			proxy_protocol v1
			dial_timeout 1s
			keepalive off
		}}
	}}
}}
"""
PARTS = f"""{{
	admin off
	auto_https off
}}
http://:{names.RECEIVE_PORT} {{
	@refused header Refused *
	respond @refused "no quorum" 503
	respond "{{uri}} {{http.request.body}} {{header.Authorization}}" 200
}}
http://:{names.LOKI_PORT} {{
	respond "too many" 429
}}
"""


@pytest.fixture(scope="module")
def front(street: Street) -> str:
    """What DNS knows under the hub's name."""
    return street.caddy("front", FRONT, DOMAIN)


@pytest.fixture
def named() -> Iterator[list[str]]:
    """Containers of one test, whose names the next one needs."""
    made: list[str] = []
    yield made
    for container in made:
        docker("rm", "-f", "-v", container)


def _node(
    street: Street, node: str, settings: Settings, proxies: str, changes: Callable[[str], str] = str, **files: str
) -> str:
    others = tuple(other for other in NODES if other != node)
    text = changes(caddyfile.render(settings, entry.Entry((proxies,), others)))
    return street.caddy(f"{node}-{secrets.token_hex(3)}", text, names.node(node), **files)


def _ask(address: str, ca: str, name: str, client: str) -> tuple[int, str]:
    """Status and body of a GET over TLS, on a connection that is said to be this client's."""
    with socket.create_connection((address, 443), timeout=10) as plain:
        plain.sendall(f"PROXY TCP4 {client} {address} 40000 443\r\n".encode())
        with ssl.create_default_context(cadata=ca).wrap_socket(plain, server_hostname=name) as made:
            made.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\nX-Forwarded-For: {CLIENT}\r\n\r\n".encode())
            answer = b"".join(iter(lambda: made.recv(65536), b"")).decode()
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]


@pytest.mark.parametrize("away", ["", "a"])
def test_each_node_has_its_certificate_whichever_one_the_ca_reaches(
    street: Street, ca: str, front: str, named: list[str], away: str
) -> None:
    settings = cluster({"domain": DOMAIN, "acme": {"staging": True}}, access=ALLOWED)
    there = f"https://http-01.ca.test/acme/local/directory\n\tacme_ca_root {caddy.CONFIG}/ca.crt"

    def with_ca(text: str) -> str:
        return text.replace(caddyfile.ACME_STAGING, there)

    for node in NODES:
        if node != away:
            named.append(_node(street, node, settings, street.subnet, with_ca, **{"ca.crt": ca}))
    for container in named:
        address = street.address(container)
        got = eventually("a certificate", partial(_ask, address, ca, DOMAIN, CLIENT), 90)
        assert got == (200, "grafana")
        status, said = _ask(address, ca, DOMAIN, OTHER)
        assert (status, said.split()[0]) == (403, OTHER), "the allow-list is about the client's own address"
        log = docker("logs", container)
        assert '"challenge_type":"http-01"' in log
        assert '"challenge_type":"tls-alpn-01"' not in log


def _authority(street: Street, volume: str) -> dict[str, str]:
    """Root certificate and key, as the script prints them on the first node."""
    row = {"ROLE": "caddy", "KEY": "caddy", "IMAGE": street.image}
    label = f"fleetwatch.test={street.network}"
    text = script("pull", HOST="hub", **numbered([row]))
    text += script("authority", IMAGE=street.image, LABEL=label, VOLUME=volume)
    done = subprocess.run(["sh"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    certificate, begin, key = done.stdout.partition("-----BEGIN EC PRIVATE KEY-----")
    return {entry.ROOT: certificate, entry.KEY: begin + key}


def test_nodes_of_one_ca_are_trusted_alike_and_only_a_balancer_names_a_client(
    street: Street, ca: str, named: list[str]
) -> None:
    shared, settings = _authority(street, "fleetwatch-no-such-volume"), cluster(access=ALLOWED)

    def with_root(text: str) -> str:
        return text.replace(f"{names.SECRETS}/{entry.AUTHORITY}", f"{caddy.CONFIG}/{entry.AUTHORITY}")

    for node, proxies in (("a", street.subnet), ("b", street.subnet), ("c", "192.0.2.0/24")):
        named.append(_node(street, node, settings, proxies, with_root, **shared))
    *behind, elsewhere = [street.address(container) for container in named]
    root = shared[entry.ROOT]
    for address in behind:
        got = eventually("TLS", partial(_ask, address, root, names.NO_DOMAIN, CLIENT), 30)
        assert got == (200, "grafana")
    status, said = eventually("TLS", lambda: _ask(elsewhere, root, names.NO_DOMAIN, CLIENT), 30)
    assert status == 403
    assert not said.startswith(CLIENT), "whoever connects from elsewhere has its own address"


def test_the_ca_of_a_hub_that_becomes_a_cluster_stays(street: Street) -> None:
    volume = f"{street.network}-data"
    docker("volume", "create", "--label", f"fleetwatch.test={street.network}", volume)
    try:
        made = _authority(street, volume)
        assert made[entry.ROOT] != _authority(street, volume)[entry.ROOT], "an empty volume has none"
        place = f"{caddy.DATA}/caddy/pki/authorities/local"
        keep = f"mkdir -p {place} && cd {place} && cat > both && sed '/BEGIN EC/,$d' both > root.crt && "
        keep += "sed -n '/BEGIN EC/,$p' both > root.key"
        docker(
            "run", "--rm", "-i", "-v", f"{volume}:{caddy.DATA}", street.image, "sh", "-c", keep,
            stdin=made[entry.ROOT] + made[entry.KEY],
        )  # fmt: skip
        assert _authority(street, volume) == made
    finally:
        docker("volume", "rm", volume)


def test_a_push_goes_to_the_next_node_whose_caddy_is_there(street: Street, named: list[str]) -> None:
    """Node a has no Receive, Loki or Grafana, of node b nothing is there, node c has all."""
    settings = cluster(access={**ALLOWED, "cidrs": [street.subnet]})
    shared = _authority(street, "fleetwatch-no-such-volume")
    named.append(street.caddy(f"parts-{secrets.token_hex(3)}", PARTS, "parts-c"))

    def of(node: str) -> Callable[[str], str]:
        def changed(text: str) -> str:
            text = text.replace(f"{names.SECRETS}/{entry.AUTHORITY}", f"{caddy.CONFIG}/{entry.AUTHORITY}")
            text = text.replace(f"reverse_proxy {settings.prefix}-grafana", f"reverse_proxy parts-{node}")
            for part in ("thanos-receive", "loki"):
                text = text.replace(f"reverse_proxy {settings.prefix}-{part}:", f"reverse_proxy parts-{node}:")
            return text

        return changed

    for node in "ac":
        named.append(_node(street, node, settings, "192.0.2.0/24", of(node), **shared))
    client, push = Client(street.address(named[1]), shared[entry.ROOT]), f":{names.CADDY_PUSH_PORT}"
    eventually("TLS", lambda: client.ask("GET", "/", names.NO_DOMAIN), 30)
    body = b"x" * 3_000_000

    def pushed(path: str, **more: Any) -> tuple[int, str]:
        got = client.plain("POST", f"{push}{path}", content=body, **more)
        return got.status_code, got.text.replace(body.decode(), "BODY").strip()

    eventually("the other node", lambda: pushed(names.METRICS_PUSH)[0] == 200, 30)
    assert pushed(names.METRICS_PUSH) == (200, "/api/v1/receive BODY")
    assert pushed(names.LOGS_PUSH) == (429, "too many"), "an answer of the other node is passed through"
    other = Client(street.address(named[2]), shared[entry.ROOT])
    got = other.plain("POST", f"{push}{names.METRICS_PUSH}", content=b"samples", headers={"Refused": "1"})
    assert (got.status_code, got.text, got.headers["Connection"]) == (503, "no quorum", "close")
    got = other.plain("POST", f"{push}{names.METRICS_PUSH}", content=b"samples")
    assert (got.status_code, got.headers.get("Connection")) == (200, None)
    assert pushed(names.METRICS_PUSH, headers={"Fleetwatch-Passed": "1"})[0] == 502, "not passed on twice"
    assert pushed("/api/v1/receive")[0] == 404, "the push port takes nothing else"
    got = client.ask("POST", names.METRICS_PUSH, names.NO_DOMAIN, auth=PUSHER, content=b"samples")
    assert (got.status_code, got.text.strip()) == (200, "/api/v1/receive samples"), "without the password"
    assert client.ask("POST", names.METRICS_PUSH, names.NO_DOMAIN, content=b"samples").status_code == 401
    for path in ("/", "/api/v1/receive"):
        got = client.ask("POST", path, names.NO_DOMAIN, content=b"samples")
        assert (got.status_code, got.text) == (502, ""), "what Grafana did not take is no push"

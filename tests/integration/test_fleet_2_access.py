"""The fleet, second part: data arrives by each path, and which ports accept whom, checked from outside."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from configs.services import vmagent
from tests.integration.fleet import HERE, Fleet
from tests.integration.rig import eventually
from tools.paths import CHECKOUT

pytestmark = pytest.mark.xdist_group("fleet")

METRICS, LOGS = "/api/v1/write", "/loki/api/v1/push"
BAD = ("EMPTY", "failed")  # of what the doctor says to a query
# Of everything that listens somewhere in the fleet: SSH, Caddy's ports inside and outside, Prometheus, Alertmanager,
# Loki, Grafana, the exporters, Docker.
PORTS = (22, 80, 443, 2019, 2375, 2376, 3000, 3100, 5432, 8080, 8443, 8480, 8481, 8482, 9080, 9090, 9093, 9100, 9187)


def _open(address: str) -> set[int]:
    """Which of PORTS take a connection from this machine."""

    def takes(port: int) -> bool:
        try:
            with socket.create_connection((address, port), 2):
                return True
        except OSError:
            return False

    with ThreadPoolExecutor(len(PORTS)) as pool:
        return {port for port, yes in zip(PORTS, pool.map(takes, PORTS), strict=True) if yes}


def _open_from(fleet: Fleet, server: str, address: str) -> set[int]:
    """Which of PORTS take a connection from one of the cloud's servers."""
    probe = "(timeout 2 bash -c '</dev/tcp/{a}/{p}' 2>&- && echo {p}) &"
    said = fleet.inside(server, "bash", "-c", "\n".join(probe.format(a=address, p=port) for port in PORTS) + "\nwait")
    return {int(line) for line in said.split()}


def _own(fleet: Fleet, host: str, file: str) -> str:
    """A file of the host's agent: what it pushes with."""
    return fleet.on(host, "cat", f"/var/lib/fleetwatch/fleetwatch/edge/agent/{file}").strip()


@pytest.mark.parametrize("host", ["hub", "db-1", "vps-1"])
def test_metrics_and_logs_arrive_from(fleet: Fleet, host: str) -> None:
    up = {one["metric"]["job"]: one["value"][1] for one in fleet.metrics(f'up{{host="{host}"}}')}
    assert up == dict.fromkeys(fleet.outputs()["jobs"][host], "1")
    token = fleet.talker(host)
    eventually("a line of a container", lambda: fleet.lines(f'{{host="{host}",container="talker"}} |= "{token}"'), 60)


def test_each_comes_by_its_path(fleet: Fleet) -> None:
    config = {host: _own(fleet, host, "config/prometheus.yml") for host in ("hub", "vps-1")}
    config["db-1"] = _own(fleet, "db-1", f"config/{vmagent.REMOTE_WRITE}")
    assert config["db-1"] == f"-remoteWrite.url=http://hub.fleetwatch.internal:8080{METRICS}", "and no credentials"
    assert f"url: https://hub.fleetwatch.internal{METRICS}" in config["vps-1"]
    for host, address in (("db-1", fleet.outputs()["hosts"]["hub"]["private"]), ("vps-1", fleet.address)):
        known = fleet.on(host, "docker", "exec", "fleetwatch-agent", "cat", "/etc/hosts")
        assert re.search(rf"^{address}\s+hub.fleetwatch.internal", known, re.M), known
    assert "url: http://fleetwatch-caddy:" in config["hub"]
    for host, text in config.items():
        assert ("basic_auth" in text.partition("remote_write")[2]) == (host == "vps-1"), f"{host}:\n{text}"


@pytest.mark.parametrize("path", [METRICS, LOGS])
def test_a_push_from_the_internet_needs_the_hosts_own_password(fleet: Fleet, path: str) -> None:
    password = _own(fleet, "vps-1", "secrets/password")
    assert fleet.https("POST", path).status_code == 401, "without a password"
    assert fleet.https("POST", path, ("vps-1", "wrong")).status_code == 401, "with a wrong password"
    assert fleet.https("POST", path, ("db-1", password)).status_code == 401, "with another name"
    scrapes = fleet.passwords()
    for host in ("db-1", "vps-1"):
        for user in (host, "agent"):
            got = fleet.https("POST", path, (user, scrapes[f"{host}-scrape-password"]))
            assert got.status_code == 401, "what each scrape sends in clear is good for scrapes alone"
    assert "db-1-password" not in scrapes, "a host that pushes in the VPC has no push password"


def test_a_push_from_the_internet_with_it_arrives(fleet: Fleet) -> None:
    stream = {
        "stream": {"env": "test", "host": "vps-1", "job": "by-hand"},
        "values": [[str(time.time_ns()), "by hand"]],
    }
    got = fleet.https("POST", LOGS, ("vps-1", _own(fleet, "vps-1", "secrets/password")), json={"streams": [stream]})
    assert got.status_code == 204, f"{got.status_code} {got.text}"
    eventually("the line", lambda: "by hand" in fleet.lines('{host="vps-1",job="by-hand"}'), 30)


def test_a_hosts_password_opens_nothing_else(fleet: Fleet) -> None:
    """Neither Grafana nor a question to Prometheus or Loki."""
    auth = ("vps-1", _own(fleet, "vps-1", "secrets/password"))
    for path in ("/api/datasources", "/api/org"):
        assert fleet.https("GET", path, auth).status_code == 401, path
        assert fleet.https("GET", path, ("admin", auth[1])).status_code == 401, path
    for path in ("/api/v1/query?query=up", "/loki/api/v1/labels"):
        assert fleet.https("GET", path, auth).status_code in (302, 401, 404), path


def test_plain_http_from_the_internet_takes_no_push(fleet: Fleet) -> None:
    with httpx.Client(trust_env=False, timeout=10) as client:
        got = client.post(f"http://{fleet.address}{METRICS}", content=b"x")
    assert got.status_code == 308
    assert got.headers["location"] == f"https://{fleet.address}{METRICS}"


def test_the_push_listener_answers_the_vpc_and_no_question(fleet: Fleet) -> None:
    push = f"http://{fleet.outputs()['hosts']['hub']['private']}:8080"
    empty = f"-X POST -H 'Content-Type: application/json' -d '{{\"streams\":[]}}' {push}{LOGS}"
    asked = ["/api/v1/query?query=up", "/loki/api/v1/labels", "/api/health", "/"]
    ask = "curl -s -o /dev/null -m 10 -w '%{http_code} '"
    script = "; ".join(f"{ask} {what}" for what in [empty, *(f"'{push}{path}'" for path in asked)])
    said = fleet.on("db-1", "sh", "-c", script).split()
    assert said[1:] == ["404"] * 4, said
    assert said[0] in ("204", "422"), f"an empty push in the VPC: {said[0]}"


def test_from_the_internet_the_hub_has_two_open_ports_and_its_edges_none(fleet: Fleet) -> None:
    hub, edge = fleet.droplet("hub"), fleet.droplet("db-1")
    public = {net["type"]: net["ip_address"] for net in hub["networks"]["v4"]}
    addresses = {public["public"], fleet.address}
    assert len(addresses) == 2, "the reserved address is another one than the droplet's"
    for address in addresses:
        assert _open_from(fleet, "vps-1", address) == {80, 443}, address
    others = [net["ip_address"] for net in edge["networks"]["v4"] if net["type"] == "public"]
    assert _open_from(fleet, "vps-1", others[0]) == set()
    assert _open_from(fleet, "vps-1", public["private"]) == set(), "the hub's private address is reached from outside"


def test_an_operators_machine_reaches_ssh_as_well(fleet: Fleet) -> None:
    assert fleet.config["access"]["admin_cidrs"] == [f"{HERE}/32"]
    assert _open(fleet.address) == {22, 80, 443}
    assert _open(fleet.outputs()["hosts"]["db-1"]["address"]) == {22}
    assert _open(fleet.outputs()["hosts"]["vps-1"]["address"]) == {22}, "a machine without a firewall of the cloud"


def test_only_the_hubs_caddy_publishes_ports(fleet: Fleet) -> None:
    form = "{{json .NetworkSettings.Ports}}"
    bound: dict[str, set[str]] = {}
    for host, roles in fleet.everything().items():
        for role, (container, _) in roles.items():
            ports = json.loads(fleet.on(host, "docker", "inspect", "-f", form, container)) or {}
            found = {f"{one['HostIp']}:{one['HostPort']}" for some in ports.values() for one in some or ()}
            if found:
                bound[f"{host} {role}"] = found
    private = fleet.outputs()["hosts"]["hub"]["private"]
    assert bound == {"hub caddy": {"0.0.0.0:443", "0.0.0.0:80", f"{private}:8080", "127.0.0.1:9080"}}


def test_a_tunnel_shows_the_hubs_pages_here_until_ctrl_c(fleet: Fleet) -> None:
    with subprocess.Popen(
        fleet.argv("tunnel"), cwd=CHECKOUT, env=fleet.env, stdout=subprocess.PIPE, text=True
    ) as tunnel:
        assert tunnel.stdout
        pages: dict[str, str] = {}
        for line in tunnel.stdout:
            name, _, url = line.strip().partition(" ")
            pages[name] = url.strip()
            if "Ctrl-C" in line:
                break
        with httpx.Client(trust_env=False, timeout=10) as client:
            try:
                # Prometheus' own page needs the vendor's image; what it asks is there in any.
                pages["Prometheus"] += "/api/v1/status/buildinfo"
                for page in ("Prometheus", "Alertmanager", "Loki"):
                    answer = client.get(pages[page], follow_redirects=True)
                    assert answer.status_code == 200, f"{answer.url}: {answer.status_code}"
                tunnel.send_signal(signal.SIGINT)
                assert tunnel.wait(20) == 0
            finally:
                tunnel.kill()  # leaving the block waits for it, without an end
            with pytest.raises(httpx.TransportError):
                client.get(pages["Prometheus"])


def test_no_panel_and_no_rule_is_empty_where_hosts_differ(fleet: Fleet) -> None:
    """One host has a database and vmagent, the others neither; no app counts HTTP requests."""
    done = fleet.tool("doctor", "--json")
    found = json.loads(done.stdout[done.stdout.index("{\n") :])
    wrong = [(one["place"], one["empty"] or one["words"]) for one in found["queries"] if one["state"] in BAD]
    said = [*found["unloaded"], *(sentence for host in found["hosts"] for sentence in host["wrong"])]
    assert (wrong, said, done.returncode) == ([], [], 0)
    assert {host["host"] for host in found["hosts"]} == {"hub", "db-1", "vps-1"}


@pytest.mark.parametrize("host", ["hub", "db-1"])
def test_a_droplet_is_set_up_as_its_first_boot_says(fleet: Fleet, host: str) -> None:
    """Containers do not reach the cloud's metadata, SSH takes no password, container logs do not fill the disk."""
    blocked = ("iptables", "-C", "DOCKER-USER", "-d", "169.254.169.254/32", "-j", "DROP")
    fleet.on(host, *blocked)
    said = fleet.on(host, "sshd", "-T")
    assert "passwordauthentication no" in said.splitlines()
    assert json.loads(fleet.on(host, "cat", "/etc/docker/daemon.json"))["log-opts"]["max-size"]


@pytest.mark.parametrize("host", ["hub", "vps-1"])
def test_a_disk_that_is_mounted_later_shows_its_own_numbers(fleet: Fleet, host: str) -> None:
    """The containers run already. Without the mount they would see the disk below it."""
    as_root = fleet.on if host == "hub" else fleet.inside
    as_root(host, "sh", "-c", "mkdir -p /mnt/later && mount -t tmpfs -o size=7m tmpfs /mnt/later")
    try:
        size = f'node_filesystem_size_bytes{{host="{host}",mountpoint="/mnt/later"}}'
        found = eventually("the new file system", lambda: fleet.metrics(size), 60)
        assert [one["value"][1] for one in found] == [str(7 * 1024**2)]
    finally:
        as_root(host, "umount", "/mnt/later")


def test_the_hub_publishes_its_push_port_also_before_its_private_address_is_there(fleet: Fleet) -> None:
    assert fleet.on("hub", "cat", "/proc/sys/net/ipv4/ip_nonlocal_bind").strip() == "1"
    assert fleet.on("hub", "cat", "/etc/sysctl.d/60-fleetwatch.conf") == "# before: 0\nnet.ipv4.ip_nonlocal_bind = 1\n"
    assert fleet.on("vps-1", "cat", "/proc/sys/net/ipv4/ip_nonlocal_bind").strip() == "0", "other hosts have no need"

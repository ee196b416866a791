"""A fleet without a cloud: the hub is a server that exists, and so is the edge. Nobody is asked for a token.

The other ways of SSH, too: keys of the agent instead of a file, the hub's host key given instead of pinned at first
contact, the edge behind a bastion, accounts whose login shell is fish, servers with one session a connection.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from unittest import mock

import pytest

from configs.deploy import script
from tests.integration import outage
from tests.integration.fleet import Fleet, told
from tests.integration.own_servers import ACCOUNTS, PRINTS, USER, Servers
from tests.integration.rig import eventually
from tests.integration.runs import SHIM, Run

pytestmark = pytest.mark.xdist_group("servers")

OURS = ("--filter", "label=fleetwatch.stack=fleetwatch")


@pytest.fixture(scope="module")
def servers() -> Iterator[Fleet]:
    """Both machines, with a Docker Engine and nothing of ours."""
    with told(Servers) as made, mock.patch.dict(os.environ, {"SSH_AUTH_SOCK": made.env["SSH_AUTH_SOCK"]}):
        yield made


def test_both_come_up_in_one_run_and_their_data_arrives(servers: Fleet) -> None:
    said = servers.up()
    table = said[said.index("What has arrived") :]
    for host in ("hub", "vps-1"):
        for job in ("agent", "cadvisor", "node", "docker (logs)"):
            assert re.search(rf"^  {host} +{re.escape(job)} ", table, re.M), f"{host} {job} is not there:\n{table}"
    assert servers.address == "198.18.88.140"
    words = servers.outputs()["hosts"]["vps-1"]["ssh"]
    assert any("ProxyCommand=" in word and servers.address in word for word in words), words
    assert "-i" not in words, "the agent has the key"
    assert set(servers.newest()) == {"hub", "vps-1"}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_account_that_cannot_be_used_is_named_in_one_sentence(servers: Fleet, account: str) -> None:
    change, sentence = ACCOUNTS[account]
    user = f"p-{account}"
    shell = "/usr/bin/fish" if account == "fish" else "/bin/bash"
    made = f"useradd -m -s {shell} {user} && usermod -p '*' {user} && cp -r ~{USER}/.ssh ~{user}/ && "
    servers.inside(
        "vps-1", "bash", "-euc", made + change.format(user=user, print=PRINTS) + f"; chown -R {user} ~{user}"
    )
    argv = [*servers.outputs()["hosts"]["vps-1"]["ssh"][:-1], f"{user}@{Servers.edge_address}"]
    known = {"KEY": "x", "KEY_NAME": "agent", "PATH_IN_FILE": "hosts.vps-1.server", "PATIENCE": "20", "BOOTING": ""}
    contact = script("contact", HOST="vps-1", ACCOUNT=user, ADDRESS=user, SSH=shlex.join(argv), FORWARDS="", **known)
    done = subprocess.run(["/bin/sh", "-c", contact], env=servers.env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"host vps-1: {sentence.format(user=user)}"), done.stderr
    assert len(done.stderr.splitlines()) == 1
    servers.inside("vps-1", "userdel", "-r", "-f", user, check=False)


def test_only_who_has_a_password_gets_in_at_the_hubs_door(servers: Fleet) -> None:
    passwords = servers.passwords()
    assert servers.lets_in("vps-1", passwords["vps-1-password"])
    assert not servers.lets_in("vps-1", passwords["grafana-admin-password"])


def test_nothing_of_a_cloud_is_in_it_and_nothing_is_left_to_do(servers: Fleet) -> None:
    kinds = {one["type"] for one in servers.exported()}
    assert not {kind for kind in kinds if "digitalocean" in kind}, kinds
    assert "monthly_usd" not in servers.outputs(), "nothing here costs anything at the cloud"
    before = servers.everything()
    assert servers.planned() == {}
    assert servers.everything() == before


def test_a_probe_runs_on_any_host(servers: Fleet) -> None:
    probe = {"tcp": f"{Servers.hub_address}:443"}
    servers.change({"hosts": {"vps-1": {"probes": {"entry": probe}, "scrape": {"probes": "10s"}}}})
    servers.up()
    found = eventually("the probe's result", lambda: servers.metrics('probe_success{probe="entry"}'), 60)
    assert [(one["metric"]["host"], one["value"][1]) for one in found] == [("vps-1", "1")], found


def _interval(servers: Fleet) -> str:
    """The interval of the host's own job, as the agent on vps-1 has read it."""
    url = "http://127.0.0.1:9090/api/v1/status/config"
    said = servers.inside("vps-1", "docker", "exec", "fleetwatch-agent", "wget", "-q", "-O", "-", url)
    return said.partition("job_name: node")[2].partition("scrape_interval: ")[2].partition("\\n")[0]


@contextlib.contextmanager
def _held(servers: Fleet, at: str) -> Iterator[None]:
    """Holds up the first command line of Docker on vps-1 that has this text. The program in front stays until later: a
    bash that has called it knows no other place of Docker."""
    shim = SHIM.format(hold="/tmp/hold", name="docker", program="/usr/bin/docker")
    servers.inside("vps-1", "sh", "-c", 'printf "%s" "$0" > /usr/local/bin/docker', shim)
    servers.inside("vps-1", "chmod", "755", "/usr/local/bin/docker")
    servers.inside("vps-1", "sh", "-c", 'printf "%s" "$0" > /tmp/hold', at)
    try:
        yield
    finally:
        servers.inside("vps-1", "rm", "-rf", "/tmp/hold", "/tmp/hold.reached")


def test_a_connection_that_breaks_off_costs_nothing_and_the_next_update_completes(servers: Fleet) -> None:
    """Only the connection: what runs on the host goes on, and the next update waits for it."""

    def on_host(script: str) -> bool:
        return "yes" in servers.inside("vps-1", "sh", "-c", f"{script} && echo yes", check=False)

    before = servers.everything()
    with _held(servers, "up -d --remove-orphans"):
        servers.change({"hosts": {"vps-1": {"scrape": {"node": "7s"}}}})
        first = Run(servers)
        first.until("Compose to be called", lambda: on_host("test -d /tmp/hold.reached"))
        servers.inside("vps-1", "pkill", "-KILL", "-f", "sshd: deploy")
        code, said = first.ended()
        assert code not in (0, 130), said[-3000:]
        sentence = r"host vps-1: no SSH connection .*: the connection broke off; run the update again"
        assert re.search(sentence, said), said[-3000:]
        assert servers.everything() == before
        assert _interval(servers) != "7s"
        second = Run(servers)
        second.until("the next update to wait for it", lambda: on_host("ps axww -o args | grep -qx 'sleep 1'"))
    code, said = second.ended()
    servers.inside("vps-1", "rm", "/usr/local/bin/docker")
    assert code == 0, said[-3000:]
    assert _interval(servers) == "7s"
    assert servers.everything() == before
    assert servers.planned() == {}


def test_a_firewall_of_the_host_is_named_with_the_rule_that_helps(servers: Fleet) -> None:
    """It drops what comes from containers, and not what the host sends to itself; so does ufw."""
    before, node = servers.everything(), 'up{job="node",host="vps-1"}'
    rules = ["INPUT ! -i lo -p tcp --dport 9100 -j DROP"]
    servers.inside("vps-1", "iptables", "-w", "-I", *rules[0].split())
    try:
        eventually("a scrape that fails", lambda: servers.metrics(f"{node} == 0"), 60)
        servers.change({"hosts": {"vps-1": {"scrape": {"node": "8s"}}}})  # an update that reads the targets
        said = servers.up_fails()
        assert re.search("host vps-1: job node: .*context deadline exceeded", said), said[-3000:]
        named = r"port 9100, to the agent's container: a firewall .*: `iptables -I (INPUT [^`]+ -j ACCEPT)`"
        assert (found := re.search(named, said)), said[-3000:]
        rules.append(found[1])
        servers.inside("vps-1", "iptables", "-w", "-I", *rules[1].split())
        eventually("a scrape", lambda: servers.metrics(f"{node} == 1"), 60)
        servers.up()
    finally:
        for rule in rules:
            servers.inside("vps-1", "iptables", "-w", "-D", *rule.split(), check=False)
    assert servers.everything() == before
    assert servers.planned() == {}


def test_a_compose_that_is_gone_or_too_old_is_named_and_costs_nothing(servers: Fleet) -> None:
    before = servers.everything()
    (plugin,) = servers.inside("vps-1", "sh", "-c", "ls /usr/*/docker/cli-plugins/docker-compose").split()
    servers.inside("vps-1", "docker", "network", "create", "shop")
    servers.change({"hosts": {"vps-1": {"networks": ["shop"]}}})  # what the host is looked at for again
    servers.inside("vps-1", "mv", plugin, "/tmp/kept")
    expected = "host vps-1: expected Docker Compose 2.24.1 or newer (`docker compose version`), found "
    try:
        assert f"{expected}none" in (said := servers.up_fails()), said[-3000:]
        old = """#!/bin/sh
case $1 in
    docker-cli-plugin-metadata) echo '{"SchemaVersion": "0.1.0", "Vendor": "Docker Inc.", "Version": "v2.17.3"}' ;;
    *) echo 2.17.3 ;;
esac
"""
        servers.inside("vps-1", "sh", "-c", f'printf "%s" "$0" > {plugin}; chmod 755 {plugin}', old)
        assert f"{expected}2.17.3" in (said := servers.up_fails()), said[-3000:]
        assert servers.everything() == before
    finally:
        servers.inside("vps-1", "mv", "/tmp/kept", plugin)
    servers.up()
    assert servers.everything() == before, "a network that is joined costs no container"
    form = "{{json .NetworkSettings.Networks}}"
    assert '"shop"' in servers.inside("vps-1", "docker", "inspect", "-f", form, "fleetwatch-agent")
    assert servers.planned() == {}


def test_a_network_that_is_gone_stops_no_agent_and_is_joined_again_without_a_restart(servers: Fleet) -> None:
    servers.inside("vps-1", "docker", "stop", "fleetwatch-agent", "fleetwatch-blackbox-exporter")  # which are on it
    servers.inside("vps-1", "docker", "network", "rm", "shop")
    assert "hosts.vps-1.networks: the Docker network shop does not exist there now" in servers.up()
    before = servers.everything()
    assert {"agent", "blackbox-exporter"} <= set(before["vps-1"]), "one of them does not run"
    servers.inside("vps-1", "docker", "network", "create", "shop")
    servers.up()
    form = "{{json .NetworkSettings.Networks}}"
    assert '"shop"' in servers.inside("vps-1", "docker", "inspect", "-f", form, "fleetwatch-agent")
    assert servers.everything() == before


def test_every_image_is_replaced_at_once_and_nothing_is_lost(servers: Fleet) -> None:
    """An upgrade of all parts while samples and numbered lines flow on both machines."""
    hosts = ("hub", "vps-1")
    begun, tokens = time.time(), {host: servers.talker(host) for host in hosts}
    eventually("lines", lambda: all(servers.numbered(host, tokens[host], begun) for host in hosts), 120)
    before = servers.everything()
    outage.bump_images(servers)
    said = servers.up()
    after, end = servers.everything(), time.time()
    assert "warning: the metrics agent" not in said, "the update went on with a backlog"
    for host in hosts:
        assert before[host].keys() == after[host].keys()
        assert [role for role in before[host] if before[host][role][0] == after[host][role][0]] == [], "the old image"
    eventually("samples and lines of now", lambda: all(at > end for at in servers.newest().values()), 60)
    for host in hosts:
        wrong = servers.not_once(host, tokens[host], begun)
        assert not wrong, f"{host}: lines not once: {wrong}"
        shown = len(servers.numbered(host, tokens[host], begun))
        assert shown > end - begun - 30, f"{host}: {shown} lines in {end - begun:.0f} s"
        gap, since = outage.longest_gap(servers.stamps(f'up{{job="node",host="{host}"}}', f"{end - begun + 60:.0f}s"))
        assert gap <= 30, f"{host}: more than two intervals, {gap:.0f} s, {since - begun:.0f} s after the beginning"
        servers.on(host, "docker", "rm", "-f", "talker")


def test_down_leaves_the_machines_without_anything_of_ours(servers: Fleet) -> None:
    done = servers.tool("down", "--yes")
    assert done.returncode == 0, done.stdout[-8000:]
    for server in ("hub", "vps-1"):
        for listing in (("ps", "-aq"), ("network", "ls", "-q")):
            assert servers.inside(server, "docker", *listing, *OURS) == "", f"{server}: {listing}"
        files = servers.inside(server, "sh", "-c", "find /var/lib/fleetwatch -type f 2> /dev/null", check=False)
        assert files == "", server

"""The fleet, seventh part: hosts that are dead, unreachable or strangers hold up nobody else; how a dead one leaves
without contact; a changed host key; what is left on a living one that is removed."""

from __future__ import annotations

import re

import pytest

from tests.integration.fleet import VPS, Fleet, beside
from tests.integration.rig import docker

pytestmark = pytest.mark.xdist_group("fleet")

NOBODY = "198.18.77.199"
USERS = "/var/lib/fleetwatch/fleetwatch/caddy/secrets/users"


def _sentence(said: str, host: str) -> str:
    """What is said of a host that could not be reached: one line from the summary on, besides that it waits."""
    told = said[said.index("Diagnostics:") :].splitlines()
    lines = {line.strip() for line in told if f"host {host}:" in line and ": waiting for" not in line}
    assert len(lines) == 1, f"expected one sentence about {host}: {lines}\n{said[-4000:]}"
    return lines.pop()


def _node_interval(fleet: Fleet, host: str) -> bool:
    """Whether the agent's file on a host has the new interval."""
    return "scrape_interval: 7s" in fleet.on(
        host, "cat", "/var/lib/fleetwatch/fleetwatch/edge/agent/config/prometheus.yml"
    )


def test_dead_unreachable_and_refusing_hosts_are_named_and_the_others_get_their_change(fleet: Fleet) -> None:
    docker("stop", "-t", "1", fleet.server("vps-1"))
    faster = {"scrape": {"node": "7s"}}
    elsewhere = fleet.outputs()["hosts"]["database"]["address"]  # there is no such user
    strangers = {
        "nobody": {"server": {"address": NOBODY, "user": "deploy"}},
        "closed": {"server": {"address": elsewhere, "user": "deploy"}},
    }
    fleet.change({"hosts": {"hub": faster, "database": faster, "app-1": faster, "vps-1": faster, **strangers}})
    planned = fleet.planned()
    assert planned["vps-1-project"] == planned["app-1-project"] == "update", "a preview needs no host"
    said = fleet.up_fails()
    gone = "(No route to host|timed out)"
    assert re.search(
        rf"host vps-1: no SSH connection to deploy@{VPS} port 22 \(ssh.timeout: 10 s\): .*{gone}",
        _sentence(said, "vps-1"),
    )
    assert re.search(
        rf"host nobody: no SSH connection to deploy@{NOBODY} port 22, tried for \d+ s: .*{gone}",
        _sentence(said, "nobody"),
    )
    assert f"host closed: deploy@{elsewhere} port 22 refuses the SSH key" in _sentence(said, "closed")
    for host in ("hub", "database", "app-1"):
        assert _node_interval(fleet, host), f"{host} did not get its change"
    left = set(beside(fleet.planned(), "vps-1", "nobody", "closed"))
    # On a loaded machine the hub's own gate was once left to the next update: then it must have run out of patience.
    assert not left or (left == {"hub-gate-hub"} and "host hub: within" in said), f"{left}\n{said[-6000:]}"


def test_what_was_never_reached_leaves_without_contact(fleet: Fleet) -> None:
    """And the dead server is marked: from now on it is let alone, and holds up no `up` any more."""
    fleet.change({"hosts": {"nobody": None, "closed": None, "vps-1": {"abandoned": True}}})
    said = fleet.up()
    assert "host vps-1 is abandoned" in said
    assert "remove its entry from" in said.replace("\n", " ")


def test_an_abandoned_host_is_dropped_without_contact_and_one_with_another_key_is_refused(fleet: Fleet) -> None:
    password = fleet.passwords()["vps-1-password-b"]
    assert "vps-1.caddy" in fleet.on("hub", "ls", USERS)
    renew = "rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; service ssh restart; pkill -f 'sshd: deploy'"
    fleet.inside("vps-2", "sh", "-c", renew, check=False)
    fleet.change({"hosts": {"vps-1": None, "vps-2": {"scrape": {"node": "7s"}}}})
    said = fleet.up_fails()
    assert "host vps-1:" not in said
    told = _sentence(said, "vps-2")
    assert "shows another SSH host key than the pinned one" in told
    assert "make accept-key HOST=vps-2" in told
    assert "vps-1.caddy" not in fleet.on("hub", "ls", USERS)
    assert not fleet.lets_in("vps-1.1", password), "the credential of a host that is gone"


def test_the_other_key_is_accepted_when_asked_for(fleet: Fleet) -> None:
    others = ("hub", "database", "app-1")
    before = [fleet.containers(host) for host in others]
    done = fleet.tool("accept-key", "vps-2")
    assert done.returncode == 0, done.stdout[-6000:]
    assert _node_interval(fleet, "vps-2")
    assert fleet.planned() == {}
    assert [fleet.containers(host) for host in others] == before


def test_nothing_is_left_on_living_hosts_that_are_removed(fleet: Fleet) -> None:
    """One on the internet, one behind the hub."""
    password, before = fleet.passwords()["vps-2-password"], fleet.everything()
    assert fleet.lets_in("vps-2", password)
    assert before.pop("vps-2")
    assert before.pop("app-1")
    fleet.change({"hosts": {"vps-2": None, "app-1": None}})
    fleet.up()
    label = ("--filter", "label=fleetwatch.stack=fleetwatch")
    for server in ("vps-2", "app-1"):
        for listing in (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q")):
            assert fleet.inside(server, "docker", *listing, *label) == "", f"{server}: {listing}"
        files = fleet.inside(server, "sh", "-c", "find /var/lib/fleetwatch -type f 2> /dev/null", check=False)
        assert files == "", server
        talking = fleet.inside(server, "docker", "ps", "-q", "--filter", "name=talker")
        assert talking, f"{server}: what was not ours is gone as well"
    assert not fleet.lets_in("vps-2", password)
    assert fleet.everything() == before
    assert fleet.planned() == {}

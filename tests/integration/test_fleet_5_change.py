"""The fleet, fifth part: a password is rotated without losing a sample, a host gets another name."""

from __future__ import annotations

import time

import pytest

from tests.integration.fleet import Fleet, beside
from tests.integration.rig import eventually

pytestmark = pytest.mark.xdist_group("fleet")

INTERVAL = 15  # seconds between two samples of the agent


def _gaps(stamps: list[float]) -> list[float]:
    return [round(later - earlier, 1) for earlier, later in zip(stamps, stamps[1:], strict=False)]


def test_a_rotation_that_skips_a_number_is_refused(fleet: Fleet) -> None:
    with fleet.meanwhile({"hosts": {"vps-1": {"rotation": 2}}}):
        done = fleet.tool("pulumi", "preview")
    assert done.returncode != 0
    assert "hosts.vps-1.rotation: expected 0 (no change) or 1 (a new password), got 2" in done.stdout
    assert "Traceback (most recent" not in done.stdout, done.stdout


def test_a_rotation_first_lets_both_passwords_in_and_restarts_the_log_agent_alone(fleet: Fleet) -> None:
    old = fleet.passwords()["vps-1-password"]
    # Its cAdvisor is new, by the test before: on a busy machine it may end once in its first seconds.
    starting = ("docker", "ps", "-q", "--filter", "health=starting", "--filter", "health=unhealthy")
    eventually("healthy containers on vps-1", lambda: not fleet.on("vps-1", *starting).strip(), 120)
    before, begun = fleet.everything(), time.time()
    fleet.change({"hosts": {"vps-1": {"rotation": 1}}})
    fleet.up()
    new = fleet.passwords()["vps-1-password-b"]
    assert new != old
    assert fleet.lets_in("vps-1", old), "the old one has to be let in until everything has changed over"
    assert fleet.lets_in("vps-1.1", new)
    after = fleet.everything()
    (container, _), (same, _) = before["vps-1"].pop("promtail"), after["vps-1"].pop("promtail")
    assert same == container
    assert after == before
    pushed = 'prometheus_remote_storage_samples_failed_total{host="vps-1"} > 0'
    assert fleet.metrics(pushed) == [], "samples were refused"
    eventually("a sample pushed with the new one", lambda: fleet.newest().get("vps-1", 0) > begun, 60)


def test_the_next_run_lets_in_the_new_one_alone_and_no_sample_is_missing(fleet: Fleet) -> None:
    known = fleet.passwords()
    assert beside(fleet.planned(), "vps-1") == dict.fromkeys(("hub-caddy-secrets", "hub-changed"), "update")
    fleet.up()
    assert not fleet.lets_in("vps-1", known["vps-1-password"])
    assert fleet.lets_in("vps-1.1", known["vps-1-password-b"])
    turned = time.time()
    eventually("a sample from after that", lambda: fleet.newest()["vps-1"] > turned, 60)
    gaps = _gaps(fleet.stamps('up{job="agent",host="vps-1"}', "4m"))
    assert gaps
    assert max(gaps) < 1.5 * INTERVAL, f"seconds between samples: {gaps}"


def test_a_host_that_is_renamed_while_it_cannot_be_reached_goes_on_pushing(fleet: Fleet) -> None:
    """The hub has the new name only; the edge still uses the former one, until it is reached again."""
    password, settings = fleet.passwords()["vps-1-password-b"], fleet.config["hosts"]["vps-1"]
    fleet.inside("vps-1", "sh", "-c", "service ssh stop; pkill -f 'sshd: deploy'", check=False)
    fleet.change({"hosts": {"vps-1": None, "edge-1": {**settings, "renamed_from": "vps-1"}}})
    said = fleet.up_fails()
    assert "host edge-1: no SSH connection" in said
    assert fleet.lets_in("vps-1.1", password), "the name that the edge still uses"
    assert fleet.lets_in("edge-1.1", password)
    failed = time.time()
    eventually("a sample under the former name", lambda: fleet.newest()["vps-1"] > failed, 60)
    fleet.inside("vps-1", "service", "ssh", "start")
    fleet.up()
    assert fleet.lets_in("vps-1.1", password), "accepted until an update has ended well"
    eventually("a sample under the new name", lambda: fleet.newest().get("edge-1", 0) > failed, 60)
    refused = 'prometheus_remote_storage_samples_failed_total{host=~"vps-1|edge-1"} > 0'
    assert fleet.metrics(refused) == [], "samples were refused"
    # And back, for the tests that follow: the update in the next one drops the name in between.
    fleet.change({"hosts": {"edge-1": None, "vps-1": {**settings, "renamed_from": "edge-1"}}})
    fleet.up()
    assert fleet.lets_in("vps-1.1", password)


def test_a_renamed_host_keeps_its_droplet_and_its_secrets(fleet: Fleet) -> None:
    before, droplet = fleet.everything(), fleet.droplet("db-1")
    settings = fleet.config["hosts"]["db-1"]
    fleet.change({"hosts": {"db-1": None, "database": {**settings, "renamed_from": "db-1"}}})
    fleet.up()
    assert not fleet.lets_in("edge-1.1", fleet.passwords()["vps-1-password-b"]), "the former name of another host"
    fleet.change({"hosts": {"vps-1": {"renamed_from": None}}})
    assert fleet.droplet("database")["id"] == droplet["id"]
    assert fleet.on("database", "hostname")
    after = fleet.everything()
    assert set(after.pop("database")) == set(before.pop("db-1"))
    assert after == before, "a container of another host was touched"
    assert fleet.newest("postgres").keys() >= {"database"}, "its database is seen under the new name"

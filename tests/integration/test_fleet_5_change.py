"""The fleet, fifth part: a password is rotated without losing a sample, a host gets another name and another size."""

from __future__ import annotations

import time

import pytest

from tests.integration.fleet import Fleet, beside
from tests.integration.rig import eventually

pytestmark = pytest.mark.xdist_group("fleet")

INTERVAL = 15  # seconds between two samples of the agent


def _gaps(stamps: list[float]) -> list[float]:
    return [round(later - earlier, 1) for earlier, later in zip(stamps, stamps[1:], strict=False)]


def test_a_rotation_first_lets_both_passwords_in_and_restarts_nothing(fleet: Fleet) -> None:
    old = fleet.passwords()["vps-1-password"]
    before, begun = fleet.everything(), time.time()
    fleet.change({"hosts": {"vps-1": {"rotation": 1}}})
    fleet.up()
    new = fleet.passwords()["vps-1-password-b"]
    assert new != old
    assert fleet.lets_in("vps-1", old), "the old one has to be let in until everything has changed over"
    assert fleet.lets_in("vps-1.1", new)
    assert fleet.everything() == before
    pushed = 'prometheus_remote_storage_samples_failed_total{host="vps-1"} > 0'
    assert fleet.metrics(pushed) == [], "samples were refused"
    eventually("a sample pushed with the new one", lambda: fleet.newest().get("vps-1", 0) > begun, 60)


def test_the_next_run_lets_in_the_new_one_alone_and_no_sample_is_missing(fleet: Fleet) -> None:
    known = fleet.passwords()
    assert beside(fleet.planned(), "vps-1") == {"hub-caddy-secrets": "update"}
    fleet.up()
    assert not fleet.lets_in("vps-1", known["vps-1-password"])
    assert fleet.lets_in("vps-1.1", known["vps-1-password-b"])
    assert fleet.planned() == {}
    turned = time.time()
    eventually("a sample from after that", lambda: fleet.newest()["vps-1"] > turned, 60)
    gaps = _gaps(fleet.stamps('up{job="agent",host="vps-1"}', "4m"))
    assert gaps
    assert max(gaps) < 1.5 * INTERVAL, f"seconds between samples: {gaps}"


def test_a_renamed_host_keeps_its_droplet_its_secrets_and_its_data_on_disk(fleet: Fleet) -> None:
    before, droplet = fleet.everything(), fleet.droplet("db-1")
    settings = fleet.config["hosts"]["db-1"]
    fleet.change({"hosts": {"db-1": None, "database": {**settings, "renamed_from": "db-1"}}})
    planned = fleet.planned()
    assert planned["database-droplet"] == "update", planned
    fleet.up()
    assert fleet.droplet("database")["id"] == droplet["id"]
    assert fleet.on("database", "hostname")
    after = fleet.everything()
    assert set(after.pop("database")) == set(before.pop("db-1"))
    before.pop("hub"), after.pop("hub")
    assert after == before, "a container of another host was touched"
    assert fleet.newest("postgres").keys() >= {"database"}, "its database is seen under the new name"


def test_nothing_changes_when_the_former_name_is_taken_out(fleet: Fleet) -> None:
    fleet.change({"hosts": {"database": {"renamed_from": None}}})
    assert fleet.planned() == {}


def test_a_droplet_gets_another_size_and_comes_back_by_itself(fleet: Fleet) -> None:
    before, droplet = fleet.containers("database"), fleet.droplet("database")
    fleet.change({"hosts": {"database": {"droplet": {"size": "s-1vcpu-2gb"}}}})
    assert fleet.planned() == {"database-droplet": "update"}
    fleet.up()
    turned = time.time()
    after = fleet.droplet("database")
    assert (after["id"], after["size_slug"], after["memory"]) == (droplet["id"], "s-1vcpu-2gb", 2048)
    again = fleet.containers("database")
    assert {role: container for role, (container, _) in again.items()} == {
        role: container for role, (container, _) in before.items()
    }, "they are the same containers"
    assert again != before, "the droplet was not switched off"
    eventually("samples from after that", lambda: fleet.newest()["database"] > turned, 90)
    assert fleet.planned() == {}

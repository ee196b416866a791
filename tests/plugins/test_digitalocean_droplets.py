"""Droplets of the digitalocean stand-in: made, changed in place, replaced and deleted as the vendor's plugin does it.

The order of requests and the sentences were compared with that (4.76.0) on the same cloud.
"""

from __future__ import annotations

import pytest

from localcloud.standins.plugins.provider import plain_map, wrap
from localcloud.standins.plugins.schema import UNKNOWN
from localcloud.standins.plugins.server import InitFailed
from tests.plugins.account import DROPLET, VOLUME, Account, settled


def test_a_droplet_is_waited_for_and_known_by_its_addresses(account: Account) -> None:
    inputs = {**DROPLET, "tags": ["b", "a"], "userData": "#!/bin/sh\n", "dropletAgent": False, "gracefulShutdown": True}
    made, state = account.calls.create("Droplet", inputs)
    found = plain_map(state)
    assert (found["status"], found["ipv4Address"], found["vcpus"]) == ("active", "203.0.113.20", 1)
    assert found["ipv4AddressPrivate"].startswith("10.")
    assert found["dropletUrn"] == f"do:droplet:{made}"
    assert account.machines.of("create_droplet")[0][0].user_data == "#!/bin/sh\n"
    settled(account, "Droplet", made, state, inputs)


def test_user_data_is_recorded_as_a_hash_and_replaces(account: Account) -> None:
    inputs = {**DROPLET, "userData": wrap("#!/bin/sh\n").with_secret(True)}
    _, state = account.calls.create("Droplet", inputs)
    assert state["userData"].is_secret, "a secret input stays one"
    # As `printf '#!/bin/sh\n' | sha1sum` has it.
    assert plain_map(state)["userData"] == "bd971bec88149956458a10fc9c5ecb3eb99dd452"
    answer = account.calls.diff("Droplet", state, {**inputs, "userData": "#!/bin/sh\ntrue\n"})
    assert (answer.replaces, answer.delete_before_replace) == (["userData"], True), "its name is taken"


def test_a_preview_knows_what_was_asked_for_and_not_what_the_cloud_decides(account: Account) -> None:
    state = account.calls.preview("Droplet", {**DROPLET, "sshKeys": [UNKNOWN], "vpcUuid": UNKNOWN})
    assert (state["size"], state["ipv4Address"], state["vpcUuid"]) == ("s-1vcpu-1gb", UNKNOWN, UNKNOWN)
    assert account.asked == [], "nothing is contacted"
    _, made = account.calls.create("Droplet", DROPLET)
    account.asked.clear()
    after = plain_map(account.calls.update("Droplet", "1", made, {**DROPLET, "size": "s-2vcpu-2gb"}, preview=True))
    assert after["ipv4Address"] == "203.0.113.20", "an address stays known while its droplet changes"
    assert account.asked == []


def test_a_droplet_changes_size_name_and_tags_in_place(account: Account) -> None:
    made, state = account.calls.create("Droplet", {**DROPLET, "tags": ["old"]})
    account.asks()
    wanted = {**DROPLET, "size": "s-2vcpu-2gb", "name": "web-2", "tags": ["new"], "resizeDisk": False}
    assert account.calls.diff("Droplet", state, wanted).replaces == []
    state = account.calls.update("Droplet", made, state, wanted)
    assert account.asks() == [
        *[f"POST /v2/droplets/{made}/actions"] * 4,  # power_off, resize, power_on, rename
        "DELETE /v2/tags/old/resources",
        "POST /v2/tags",
        "POST /v2/tags/new/resources",
    ]
    types = [a["type"] for a in account.client.get(f"/v2/droplets/{made}/actions")["actions"]]
    assert types[:4] == ["rename", "power_on", "resize", "power_off"]
    assert (plain_map(state)["memory"], plain_map(state)["name"]) == (2048, "web-2")
    assert account.machines.of("power") == [(int(made), False), (int(made), True)]
    settled(account, "Droplet", made, state, wanted)


def test_backups_are_switched_in_place_but_not_together_with_a_size(account: Account) -> None:
    """The second is a fault of the vendor's plugin that a program has to live with."""
    made, state = account.calls.create("Droplet", DROPLET)
    wanted = {**DROPLET, "backups": True}
    both = account.calls.update("Droplet", made, state, {**wanted, "size": "s-2vcpu-2gb"})
    assert account.calls.diff("Droplet", both, {**wanted, "size": "s-2vcpu-2gb"}).diffs == ["backups"]
    state = account.calls.update("Droplet", made, both, {**wanted, "size": "s-2vcpu-2gb"})
    assert plain_map(state)["backups"] is True


def test_a_size_that_does_not_exist_leaves_the_droplet_running(account: Account) -> None:
    made, state = account.calls.create("Droplet", DROPLET)
    with pytest.raises(InitFailed, match=r"Error resizing droplet .*422 .*invalid size") as failed:
        account.calls.update("Droplet", made, state, {**DROPLET, "size": "s-none"})
    assert account.machines.of("power")[-1] == (int(made), True)
    assert account.client.get(f"/v2/droplets/{made}")["droplet"]["status"] == "active"
    again = account.calls.diff("Droplet", failed.value.properties, {**DROPLET, "size": "s-none"})
    assert again.diffs == ["size"], "the next run tries again"
    state = account.calls.update("Droplet", made, failed.value.properties, {**DROPLET, "size": "s-2vcpu-2gb"})
    assert plain_map(state)["vcpus"] == 2


@pytest.mark.parametrize("key", ["region", "image"])
def test_what_the_api_does_not_know_is_said_in_its_words(account: Account, key: str) -> None:
    account.calls.preview("Droplet", {**DROPLET, key: "none"})
    with pytest.raises(Exception, match=rf"^Error creating droplet: POST http://.*/v2/droplets: 422 .* invalid {key} "):
        account.calls.create("Droplet", {**DROPLET, key: "none"})


def test_a_droplet_that_does_not_come_up_is_recorded(account: Account) -> None:
    account.machines.fail = {"create_droplet": "no space left"}
    with pytest.raises(InitFailed, match="become ready: unexpected state 'archive', wanted target 'active'") as failed:
        account.calls.create("Droplet", {**DROPLET, "userData": "#!/bin/sh\n"})
    assert failed.value.resource_id == str(account.client.get("/v2/droplets")["droplets"][0]["id"])
    assert plain_map(failed.value.properties)["userData"].isalnum(), "a hash here too"


def test_a_droplet_goes_after_a_shutdown_and_without_its_volumes(account: Account) -> None:
    made, state = account.calls.create("Droplet", {**DROPLET, "gracefulShutdown": True})
    volume, _ = account.calls.create("Volume", VOLUME)
    account.calls.create("VolumeAttachment", {"dropletId": int(made), "volumeId": volume})
    account.asks()
    account.calls.delete("Droplet", made, state)
    assert account.asks() == [
        f"POST /v2/droplets/{made}/actions",
        f"POST /v2/volumes/{volume}/actions",
        f"DELETE /v2/droplets/{made}",
    ]
    assert account.client.get(f"/v2/volumes/{volume}")["volume"]["droplet_ids"] == []
    account.client.get(f"/v2/droplets/{made}", code=404)


def test_a_shutdown_takes_no_longer_than_it_may(account: Account) -> None:
    made, state = account.calls.create("Droplet", {**DROPLET, "gracefulShutdown": True})
    account.machines.hold = {"power"}
    with pytest.raises(RuntimeError, match="to become off: timeout while waiting for state to become 'off'"):
        account.calls.delete("Droplet", made, state, timeout=0.1)
    account.machines.hold = set()
    account.client.settle(int(made))
    account.calls.delete("Droplet", made, state)

"""The digitalocean stand-in against the rehearsal cloud's API: what it asks for, records, changes and takes away.

The order of requests and the sentences were compared with the vendor's plugin (4.76.0) on the same cloud.
"""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.standins.plugins.provider import plain_map
from localcloud.standins.plugins.server import InitFailed
from tests.cloud.rig import KEY
from tests.plugins.account import DROPLET, VOLUME, Account, settled

ANYWHERE = ["0.0.0.0/0", "::/0"]
WEB = {"protocol": "tcp", "portRange": "443", "sourceAddresses": ANYWHERE}
PING = {"protocol": "icmp", "sourceAddresses": ANYWHERE}


def test_a_volume_grows_in_place_and_never_shrinks(account: Account) -> None:
    made, state = account.calls.create("Volume", VOLUME)
    settled(account, "Volume", made, state, VOLUME)
    wanted = {**VOLUME, "size": 20}
    assert account.calls.diff("Volume", state, wanted).replaces == []
    state = account.calls.update("Volume", made, state, wanted)
    assert account.machines.of("grow_volume") == [(made, 20)]
    with pytest.raises(ValueError, match="`size` can only be expanded and not shrunk: it is 20 GB, 10 were requested"):
        account.calls.diff("Volume", state, VOLUME)
    assert account.calls.diff("Volume", state, {**wanted, "description": "x"}).replaces == ["description"]


def test_a_volume_that_could_not_grow_counts_as_grown_until_a_refresh(account: Account) -> None:
    """As with the vendor's plugin: the way out of a size that was too much is `pulumi refresh`."""
    made, state = account.calls.create("Volume", VOLUME)
    with pytest.raises(InitFailed, match=r"Error resizing volume .*422 .*up to 16384 GiB") as failed:
        account.calls.update("Volume", made, state, {**VOLUME, "size": 99_999})
    with pytest.raises(ValueError, match="not shrunk"):
        account.calls.diff("Volume", failed.value.properties, {**VOLUME, "size": 20})
    read = account.calls.read("Volume", made, failed.value.properties, VOLUME)
    assert account.calls.diff("Volume", read.properties, {**VOLUME, "size": 20}).diffs == ["size"]


def test_an_attachment_waits_for_the_droplet_and_is_gone_with_it(account: Account) -> None:
    droplet, state = account.calls.create("Droplet", DROPLET)
    volume, _ = account.calls.create("Volume", VOLUME)
    inputs = {"dropletId": int(droplet), "volumeId": volume}
    made, attached = account.calls.create("VolumeAttachment", inputs)
    assert made.startswith(f"{droplet}-{volume}-")
    account.asks()
    account.calls.create("VolumeAttachment", inputs)
    assert account.asks() == [], "where it is there already nothing is done"
    settled(account, "VolumeAttachment", made, attached, inputs)
    account.calls.delete("VolumeAttachment", made, attached)
    assert not account.calls.read("VolumeAttachment", made, attached, inputs).resource_id
    with pytest.raises(Exception, match="after retry timeout: .*422 .*Attachment not found"):
        account.calls.delete("VolumeAttachment", made, attached)
    account.calls.delete("Droplet", droplet, state)


def test_an_address_is_assigned_and_given_back(account: Account) -> None:
    droplet, _ = account.calls.create("Droplet", DROPLET)
    ip, state = account.calls.create("ReservedIp", {"region": "fra1"})
    assert plain_map(state)["reservedIpUrn"] == f"do:reservedip:{ip}"
    inputs = {"dropletId": int(droplet), "ipAddress": ip}
    made, assigned = account.calls.create("ReservedIpAssignment", inputs)
    assert made.startswith(f"{droplet}-{ip}-")
    settled(account, "ReservedIp", ip, state, {"region": "fra1"})
    settled(account, "ReservedIpAssignment", made, assigned, inputs)
    account.calls.delete("ReservedIpAssignment", made, assigned)
    assert not account.calls.read("ReservedIpAssignment", made, assigned, inputs).resource_id
    with pytest.raises(
        RuntimeError, match="assigned to no droplet: the vendor's plugin crashes here; `pulumi refresh`"
    ):
        account.calls.delete("ReservedIpAssignment", made, assigned)
    account.calls.delete("ReservedIp", ip, state)
    assert account.machines.of("assign_ip") == account.machines.of("unassign_ip") == [(ip, int(droplet))]


def test_an_address_can_be_made_for_a_droplet(account: Account) -> None:
    droplet, _ = account.calls.create("Droplet", DROPLET)
    ip, state = account.calls.create("ReservedIp", {"region": "fra1", "dropletId": int(droplet)})
    assert plain_map(state)["dropletId"] == int(droplet)
    state = account.calls.update("ReservedIp", ip, state, {"region": "fra1"})
    assert account.machines.of("unassign_ip") == [(ip, int(droplet))]
    state = account.calls.update("ReservedIp", ip, state, {"region": "fra1", "dropletId": int(droplet)})
    account.calls.delete("ReservedIp", ip, state)
    account.client.get(f"/v2/reserved_ips/{ip}", code=404)


def test_a_vpc_that_has_members_is_tried_again_and_then_quoted(account: Account) -> None:
    inputs = {"name": "net", "region": "fra1", "ipRange": "10.77.0.0/20", "description": "x"}
    made, state = account.calls.create("Vpc", inputs)
    settled(account, "Vpc", made, state, inputs)
    assert plain_map(state)["createdAt"].endswith(" +0000 UTC")
    assert account.calls.diff("Vpc", state, {**inputs, "ipRange": "10.78.0.0/20"}).replaces == ["ipRange"]
    state = account.calls.update("Vpc", made, state, {**inputs, "name": "other", "description": "y"})
    droplet, member = account.calls.create("Droplet", {**DROPLET, "vpcUuid": made})
    account.asks()
    with pytest.raises(Exception, match=rf"^Error deleting VPC: DELETE .*/v2/vpcs/{made}: 409 .* with members"):
        account.calls.delete("Vpc", made, state, timeout=2)
    assert len(account.asks()) > 1
    account.calls.delete("Droplet", droplet, member)
    account.calls.delete("Vpc", made, state)


def test_firewall_rules_have_no_order(account: Account) -> None:
    account.client.post("/v2/tags", {"name": "hub"})
    ssh = {"protocol": "tcp", "portRange": "22", "sourceAddresses": ["198.51.100.7"]}
    out = {"protocol": "tcp", "portRange": "1-65535", "destinationAddresses": ANYWHERE}
    inputs = {"name": "fw", "tags": ["hub"], "inboundRules": [WEB, ssh, PING], "outboundRules": [out]}
    made, state = account.calls.create("Firewall", inputs)
    settled(account, "Firewall", made, state, inputs)
    turned = [PING, ssh, {**WEB, "sourceAddresses": ANYWHERE[::-1]}]
    assert not account.calls.diff("Firewall", state, {**inputs, "inboundRules": turned}).changes
    more = {**inputs, "inboundRules": [*turned, {**ssh, "portRange": "80"}]}
    answer = account.calls.diff("Firewall", state, more)
    assert (answer.diffs, answer.replaces) == (["inboundRules"], [])
    state = account.calls.update("Firewall", made, state, more)
    settled(account, "Firewall", made, state, more)
    account.calls.delete("Firewall", made, state)
    assert not account.calls.read("Firewall", made, state, inputs).resource_id


def test_a_record_points_where_it_is_told(account: Account) -> None:
    account.client.post("/v2/domains", {"name": "example.com"})
    inputs = {"domain": "example.com", "type": "A", "name": "monitor", "value": "203.0.113.9"}
    made, state = account.calls.create("DnsRecord", inputs)
    assert (plain_map(state)["fqdn"], plain_map(state)["ttl"]) == ("monitor.example.com", 1800)
    settled(account, "DnsRecord", made, state, inputs)
    wanted = {**inputs, "value": "203.0.113.10", "ttl": 60}
    assert account.calls.diff("DnsRecord", state, wanted).replaces == []
    state = account.calls.update("DnsRecord", made, state, wanted)
    state = account.calls.update("DnsRecord", made, state, inputs)
    assert plain_map(state)["ttl"] == 60, "what the program no longer says stays as it is"
    assert account.calls.diff("DnsRecord", state, {**inputs, "domain": "example.org"}).replaces == ["domain"]


def test_a_project_gets_resources_and_the_default_one_gets_them_back(account: Account) -> None:
    project = account.client.post("/v2/projects", {"name": "mon", "purpose": "x"})["project"]["id"]
    droplet, _ = account.calls.create("Droplet", DROPLET)
    volume, _ = account.calls.create("Volume", VOLUME)
    both = {"project": project, "resources": [f"do:droplet:{droplet}", f"do:volume:{volume}"]}
    made, state = account.calls.create("ProjectResources", both)
    assert made == project
    settled(account, "ProjectResources", made, state, both)
    state = account.calls.update("ProjectResources", made, state, {**both, "resources": both["resources"][:1]})
    listed = account.client.get(f"/v2/projects/{project}/resources")["resources"]
    assert [r["urn"] for r in listed] == [f"do:droplet:{droplet}"]
    account.calls.delete("ProjectResources", made, state)
    assert account.client.get(f"/v2/projects/{project}/resources")["resources"] == []
    with pytest.raises(Exception, match="^Error while retrieving project none: GET .*: 404 "):
        account.calls.create("ProjectResources", {**both, "project": "none"})


def test_a_check_from_outside_and_its_alert(account: Account) -> None:
    wanted = {"name": "hub", "target": "https://monitor.example.com", "regions": ["us_east", "eu_west"]}
    check, checked = account.calls.create("UptimeCheck", wanted)
    settled(account, "UptimeCheck", check, checked, wanted)
    alert = {
        "name": "hub is away",
        "checkId": check,
        "type": "down_global",
        "period": "2m",
        "notifications": [{"emails": ["ops@example.com"]}],
    }
    made, state = account.calls.create("UptimeAlert", alert)
    settled(account, "UptimeAlert", made, state, alert)
    more = {**alert, "notifications": [{"emails": ["ops@example.com", "on-call@example.com"]}]}
    assert account.calls.diff("UptimeAlert", state, more).diffs == ["notifications"]
    state = account.calls.update("UptimeAlert", made, state, more)
    settled(account, "UptimeAlert", made, state, more)
    account.calls.delete("UptimeAlert", made, state)
    account.calls.delete("UptimeCheck", check, checked)
    assert not account.calls.read("UptimeCheck", check, checked, wanted).resource_id


def test_a_key_is_renamed_in_place_and_its_text_replaces(account: Account) -> None:
    inputs = {"name": "ops", "publicKey": KEY}
    made, state = account.calls.create("SshKey", inputs)
    assert len(plain_map(state)["fingerprint"].split(":")) == 16
    assert not account.calls.diff("SshKey", state, {**inputs, "publicKey": f"{KEY}\n"}).changes, "as read from a file"
    assert account.calls.diff("SshKey", state, {**inputs, "publicKey": f"{KEY}x"}).replaces == ["publicKey"]
    state = account.calls.update("SshKey", made, state, {**inputs, "name": "other"})
    assert plain_map(state)["name"] == "other"


# What was deleted by hand. The vendor's plugin forgives it for two kinds only; a refresh forgives it for all.
KINDS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "SshKey": ({"name": "ops", "publicKey": KEY}, "/v2/account/keys/{}", True),
    "Tag": ({"name": "hub"}, "/v2/tags/{}", False),
    "Vpc": ({"name": "net", "region": "fra1"}, "/v2/vpcs/{}", False),
    "Volume": (VOLUME, "/v2/volumes/{}", False),
    "ReservedIp": ({"region": "fra1"}, "/v2/reserved_ips/{}", False),
    "Firewall": ({"name": "fw", "inboundRules": [WEB]}, "/v2/firewalls/{}", False),
    "UptimeCheck": ({"name": "hub", "target": "https://example.com"}, "/v2/uptime/checks/{}", False),
    "Droplet": (DROPLET, "/v2/droplets/{}", False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_someone_deleted_leaves_the_state_in_a_refresh(account: Account, kind: str) -> None:
    inputs, path, forgiven = KINDS[kind]
    made, state = account.calls.create(kind, inputs)
    assert account.calls.read(kind, made, state, inputs).resource_id
    account.client.delete(path.format(made))
    account.client.gone(path.format(made))
    assert not account.calls.read(kind, made, state, inputs).resource_id
    if forgiven:
        account.calls.delete(kind, made, state)
    else:
        with pytest.raises(Exception, match=r"404 .*could not be found|unexpected state 'Not Found'"):
            account.calls.delete(kind, made, state)


@pytest.mark.parametrize(
    ("kind", "inputs", "sentence"),
    [
        ("Droplet", {**DROPLET, "ipv6": True}, "Droplet.ipv6 is not covered"),
        ("Droplet", {**DROPLET, "backupPolicy": {"plan": "daily"}}, "Droplet.backupPolicy is not covered"),
        ("Droplet", {**DROPLET, "tags": ["a b"]}, "Droplet.tags: tags may contain lowercase letters"),
        ("Droplet", {"name": "x", "image": "y"}, "Droplet.size is missing"),
        ("Vpc", {"name": "n", "region": "fra1", "ipRange": "10.0.0"}, "Vpc.ipRange: expected a range in CIDR"),
        ("Volume", {**VOLUME, "size": 0}, "Volume.size: expected at least 1 GB, got 0"),
        (
            "Volume",
            {**VOLUME, "initialFilesystemType": "zfs"},
            "Volume.initialFilesystemType: expected one of ext4, xfs",
        ),
        ("Firewall", {"name": "fw"}, "Firewall.inboundRules: At least one rule must be specified"),
        ("Firewall", {"name": "fw", "inboundRules": [{"protocol": "tcp"}]}, "[0].portRange: `port_range` is required"),
        ("ReservedIpAssignment", {"dropletId": 1, "ipAddress": "x"}, "ipAddress: expected an IPv4 address, got 'x'"),
        (
            "DnsRecord",
            {"domain": "a.b", "type": "MX", "name": "x", "value": "y"},
            "DnsRecord.type: expected one of A, A",
        ),
    ],
)
def test_what_is_wrong_or_not_covered_is_refused(
    account: Account, kind: str, inputs: dict[str, Any], sentence: str
) -> None:
    assert sentence in account.calls.problems(kind, inputs)[0]
    assert account.asked == []


def test_the_token_is_a_secret_of_the_state(account: Account) -> None:
    checked = account.calls.check_config({"token": "t", "apiEndpoint": "http://x"})
    assert {k: v.is_secret for k, v in checked.items()} == {"token": True, "apiEndpoint": False}

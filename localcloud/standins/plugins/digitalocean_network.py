"""The digitalocean stand-in: VPCs and firewalls."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_api import Api, limit
from localcloud.standins.plugins.digitalocean_errors import CONFLICT, FORBIDDEN, failing, recorded_anyway
from localcloud.standins.plugins.provider import State

MEMBERS = 120  # seconds that a VPC may still have members when it is deleted


def go_time(text: str) -> str:
    """A time of the API as Go prints it, which is what the real provider records."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    fraction = f".{found.microsecond:06d}".rstrip("0") if found.microsecond else ""
    return f"{found:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


class Vpc:
    table = tables.VPC

    def __init__(self, api: Api) -> None:
        self._api = api
        self._one = threading.Lock()  # two at once in a region could be given one range

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        keys = {"name": "name", "region": "region", "description": "description", "ipRange": "ip_range"}
        body = {theirs: inputs[ours] for ours, theirs in keys.items() if inputs.get(ours)}
        with self._one, failing("Error creating VPC"):
            made = str(self._api.post("/v2/vpcs", body)["vpc"]["id"])
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error reading VPC"):
            found = self._api.find(f"/v2/vpcs/{resource_id}")
        if found is None:
            return None
        vpc = found["vpc"]
        return {
            "name": vpc["name"],
            "region": vpc["region"],
            "description": vpc.get("description") or "",
            "ipRange": vpc["ip_range"],
            "vpcUrn": vpc["urn"],
            "default": vpc.get("default", False),
            "createdAt": go_time(vpc["created_at"]),
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        body = {"name": inputs["name"], "default": old.get("default", False)}
        if inputs.get("description"):
            body["description"] = inputs["description"]
        with failing("Error updating VPC "):
            self._api.put(f"/v2/vpcs/{resource_id}", body)
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting VPC"):
            self._api.retry(
                limit(MEMBERS) - time.monotonic(),
                lambda: self._api.delete(f"/v2/vpcs/{resource_id}"),
                lambda error: error.status in (FORBIDDEN, CONFLICT),
            )


class Firewall:
    table = tables.FIREWALL
    SIDES = (("inboundRules", "inbound_rules", "source"), ("outboundRules", "outbound_rules", "destination"))
    PEERS = (
        ("Addresses", "addresses"),
        ("DropletIds", "droplet_ids"),
        ("LoadBalancerUids", "load_balancer_uids"),
        ("Tags", "tags"),
    )

    def __init__(self, api: Api) -> None:
        self._api = api

    def _body(self, inputs: State) -> State:
        body: State = {k: inputs.get(v) for k, v in (("name", "name"), ("droplet_ids", "dropletIds"))}
        body["tags"] = inputs.get("tags", [])
        for ours, theirs, side in self.SIDES:
            body[theirs] = [
                {
                    "protocol": rule["protocol"],
                    # Nothing for icmp, as the vendor's client leaves an empty text out.
                    **({"ports": rule["portRange"]} if rule.get("portRange") else {}),
                    f"{side}s": {b: rule[side + a] for a, b in self.PEERS if rule.get(side + a)},
                }
                for rule in inputs.get(ours, [])
            ] or None
        return body

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating firewall"):
            made = str(self._api.post("/v2/firewalls", self._body(inputs))["firewall"]["id"])
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving firewall"):
            found = self._api.find(f"/v2/firewalls/{resource_id}")
        if found is None:
            return None
        firewall = found["firewall"]
        read: State = {
            "name": firewall["name"],
            "status": firewall["status"],
            "createdAt": firewall["created_at"],
            "dropletIds": firewall.get("droplet_ids") or [],
            "tags": firewall.get("tags") or [],
            "pendingChanges": [
                {"dropletId": c.get("droplet_id"), "removing": c.get("removing", False), "status": c.get("status")}
                for c in firewall.get("pending_changes") or ()
            ],
        }
        for ours, theirs, side in self.SIDES:
            read[ours] = [self._rule(rule, side) for rule in firewall.get(theirs) or ()]
        return read

    def _rule(self, rule: State, side: str) -> State:
        peers = rule.get(f"{side}s") or {}
        ports = rule.get("ports") or ""
        if ports == "0":  # how the API writes all of them, and none for icmp
            ports = "" if rule["protocol"] == "icmp" else "all"
        return {
            "protocol": rule["protocol"],
            "portRange": ports,
            **{side + ours: sorted(peers.get(theirs) or []) for ours, theirs in self.PEERS},
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        with failing("Error updating firewall"):
            self._api.put(f"/v2/firewalls/{resource_id}", self._body(inputs))
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting firewall"):
            self._api.delete(f"/v2/firewalls/{resource_id}")

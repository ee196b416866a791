"""The digitalocean stand-in: reserved IPs, their assignments to droplets, and DNS records."""

from __future__ import annotations

import time

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_errors import UNPROCESSABLE, ApiError, busy, failing, recorded_anyway
from localcloud.standins.plugins.digitalocean_storage import unique
from localcloud.standins.plugins.provider import State, Unfinished

EVENTS = 120  # seconds that a droplet may be busy before an address is assigned to it


class _Addresses:
    """What reserved IPs and their assignments have in common."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def _assign(self, urn: str, ip: str, droplet: int) -> None:
        with failing(f"Error waiting for droplet ({droplet}) to be ready for reserved IP assign"):
            until = time.monotonic() + EVENTS
            self._api.wait(
                urn, f"droplet {droplet}", lambda: self._busy(droplet), "ready", ("busy with something else",), until
            )
        with failing(f"Error Assigning reserved IP ({ip}) to the droplet"):
            # Another try where the real provider gives up: its longer waits seldom let two requests meet.
            action = self._api.retry(
                EVENTS, lambda: self._api.post(_actions(ip), {"type": "assign", "droplet_id": droplet})["action"], busy
            )
        with failing(f"Error waiting for reserved IP ({ip}) to be Assigned"):
            self._api.action(urn, "assigning", action, _actions(ip))

    def _busy(self, droplet: int) -> str:
        actions = self._api.get(f"/v2/droplets/{droplet}/actions?per_page=50")["actions"]
        free = all(action["status"] in ("completed", "errored") for action in actions)
        return "ready" if free else "busy with something else"

    def _unassign(self, urn: str, ip: str) -> None:
        with failing(f"Error unassigning reserved IP ({ip}) from the droplet"):
            action = self._api.post(_actions(ip), {"type": "unassign"})["action"]
        with failing(f"Error waiting for reserved IP ({ip}) to be unassigned"):
            self._api.action(urn, "unassigning", action, _actions(ip))


def _actions(ip: str) -> str:
    return f"/v2/reserved_ips/{ip}/actions"


class ReservedIp(_Addresses):
    table = tables.RESERVED_IP

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating reserved IP"):
            made = str(self._api.post("/v2/reserved_ips", {"region": inputs["region"]})["reserved_ip"]["ip"])
        if inputs.get("dropletId"):
            try:
                self._assign(urn, made, inputs["dropletId"])
            except Exception as error:
                raise Unfinished(str(error), made) from error
        return made, self.read(made, inputs) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving reserved IP"):
            found = self._api.find(f"/v2/reserved_ips/{resource_id}")
        if found is None:
            return None
        ip = found["reserved_ip"]
        read: State = {
            "region": ip["region"]["slug"],
            "ipAddress": ip["ip"],
            "reservedIpUrn": f"do:reservedip:{ip['ip']}",
        }
        # Whom it is assigned to concerns only a program that says so here; others use an assignment.
        return read | ({"dropletId": ip["droplet"]["id"]} if state.get("dropletId") and ip.get("droplet") else {})

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        if inputs.get("dropletId") != old.get("dropletId"):
            if inputs.get("dropletId"):
                self._assign(urn, resource_id, inputs["dropletId"])
            else:
                self._unassign(urn, resource_id)
        return self.read(resource_id, inputs) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        if state.get("dropletId"):
            try:
                self._unassign(urn, resource_id)
            except ApiError as error:
                if error.status != UNPROCESSABLE:  # 422: assigned to nobody any more
                    raise
        with failing("Error deleting reserved IP"):
            self._api.delete(f"/v2/reserved_ips/{resource_id}")


class ReservedIpAssignment(_Addresses):
    table = tables.RESERVED_IP_ASSIGNMENT

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        droplet, ip = inputs["dropletId"], inputs["ipAddress"]
        self._assign(urn, ip, droplet)
        return unique(f"{droplet}-{ip}-"), {}

    def read(self, resource_id: str, state: State) -> State | None:
        return {} if self._droplet(state) == state["dropletId"] else None

    def _droplet(self, state: State) -> int | None:
        with failing("Error retrieving reserved IP"):
            found = self._api.get(f"/v2/reserved_ips/{state['ipAddress']}")["reserved_ip"].get("droplet")
        return int(found["id"]) if found else None

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old  # the table leaves nothing to change in place

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        droplet = self._droplet(state)
        if droplet is None:
            raise RuntimeError(
                f"reserved IP {state['ipAddress']} is assigned to no droplet: the vendor's plugin crashes here; "
                "`pulumi refresh` first takes the assignment out of the state"
            )
        if droplet == state["dropletId"]:
            self._unassign(urn, state["ipAddress"])


class DnsRecord:
    table = tables.DNS_RECORD

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        body = {"type": inputs["type"], **_record(inputs)}
        with failing("Failed to create record"):
            made = str(self._api.post(_records(inputs), body)["domain_record"]["id"])
        return made, self.read(made, inputs) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving record"):
            found = self._api.find(f"{_records(state)}/{resource_id}")
        if found is None:
            return None
        record, domain = found["domain_record"], state["domain"]
        return {
            "domain": domain,
            "name": record["name"],
            "type": record["type"],
            "value": record["data"],
            "ttl": record["ttl"],
            "fqdn": domain if record["name"] == "@" else f"{record['name']}.{domain}",
            **{key: record.get(key) or 0 for key in ("port", "priority", "weight", "flags")},
            "tag": record.get("tag") or "",
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        inputs = {"ttl": old.get("ttl"), **inputs}
        with failing("Failed to update record"):
            self._api.put(f"{_records(inputs)}/{resource_id}", _record(inputs))
        return self.read(resource_id, inputs) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        try:
            self._api.delete(f"{_records(state)}/{resource_id}")
        except ApiError as error:
            if not error.gone:
                raise RuntimeError(f"Error deleting record: {error}") from error


def _records(state: State) -> str:
    return f"/v2/domains/{state['domain']}/records"


def _record(inputs: State) -> State:
    body: State = {"name": inputs["name"], "data": inputs["value"]}
    body |= dict.fromkeys(("priority", "port", "weight", "flags"), 0)
    return body | ({"ttl": inputs["ttl"]} if inputs.get("ttl") else {})

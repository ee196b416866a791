"""The digitalocean stand-in: managed databases, the databases on them, their firewalls, and their authority.

Of a firewall's rules only type and value are recorded. Another region of a server is not covered: there it is a move of
the data.
"""

from __future__ import annotations

import base64

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_account import set_tags
from localcloud.standins.plugins.digitalocean_api import Api, limit
from localcloud.standins.plugins.digitalocean_errors import failing, recorded_anyway
from localcloud.standins.plugins.digitalocean_storage import unique
from localcloud.standins.plugins.provider import State

ONLINE = 1800  # seconds that a server may take


def ca(api: Api, given: State) -> State:
    """The function getDatabaseCa."""
    cluster = given["clusterId"]
    with failing("Error retrieving database CA certificate"):
        found = api.get(f"/v2/databases/{cluster}/ca")["ca"]["certificate"]
    return {"id": cluster, "clusterId": cluster, "certificate": base64.b64decode(found).decode()}


class DatabaseCluster:
    table = tables.DATABASE_CLUSTER

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        same = ("name", "engine", "version", "size")
        body: State = {key: inputs[key] for key in same} | {"num_nodes": inputs["nodeCount"]}
        body |= {"region": inputs["region"], "tags": inputs.get("tags", [])}
        more = {"privateNetworkUuid": "private_network_uuid", "projectId": "project_id"}
        body |= {theirs: inputs[ours] for ours, theirs in more.items() if inputs.get(ours)}
        with failing("Error creating database cluster"):
            made = str(self._api.post("/v2/databases", body)["database"]["id"])
            self._online(urn, made, "creating")
        return made, self.read(made, {}) or {}

    def _online(self, urn: str, made: str, what: str) -> None:
        def look() -> str:
            return str(self._api.get(f"/v2/databases/{made}")["database"]["status"])

        pending = ("creating", "resizing", "migrating", "forking")
        self._api.wait(urn, what, look, "online", pending, limit(ONLINE))

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving database cluster"):
            found = self._api.find(f"/v2/databases/{resource_id}")
        if found is None:
            return None
        database = found["database"]
        public, private = database["connection"], database["private_connection"]
        return {
            **{key: database[key] for key in ("name", "engine", "version", "size", "region")},
            "nodeCount": database["num_nodes"],
            "privateNetworkUuid": database["private_network_uuid"],
            "projectId": database["project_id"],
            "tags": database.get("tags") or [],
            "storageSizeMib": str(database.get("storage_size_mib") or 0),
            **{key: public[key] for key in ("host", "port", "uri", "database", "user", "password")},
            "privateHost": private["host"],
            "privateUri": private["uri"],
            "clusterUrn": f"do:dbaas:{resource_id}",
            "metricsEndpoints": [],
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        if inputs["region"] != old["region"] or inputs["version"] != old["version"]:
            raise RuntimeError("stand-in for digitalocean: another region or version of a database is not covered")
        if (inputs["size"], inputs["nodeCount"]) != (old["size"], old["nodeCount"]):
            with failing("Error resizing database cluster"):
                body = {"size": inputs["size"], "num_nodes": inputs["nodeCount"]}
                self._api.put(f"/v2/databases/{resource_id}/resize", body)
                self._online(urn, resource_id, "resizing")
        set_tags(self._api, "database", resource_id, old, inputs)
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting database cluster"):
            self._api.delete(f"/v2/databases/{resource_id}")


class DatabaseDb:
    table = tables.DATABASE_DB

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating Database DB"):
            self._api.post(f"/v2/databases/{inputs['clusterId']}/dbs", {"name": inputs["name"]})
        return f"{inputs['clusterId']}/database/{inputs['name']}", {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving Database DB"):
            found = self._api.find(f"/v2/databases/{state['clusterId']}/dbs/{state['name']}")
        return None if found is None else {}

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old  # the table leaves nothing to change in place

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting Database DB"):
            self._api.delete(f"/v2/databases/{state['clusterId']}/dbs/{state['name']}")


class DatabaseFirewall:
    table = tables.DATABASE_FIREWALL

    def __init__(self, api: Api) -> None:
        self._api = api

    def _set(self, what: str, inputs: State, rules: list[State]) -> None:
        with failing(f"Error {what} DatabaseFirewall"):
            self._api.put(f"/v2/databases/{inputs['clusterId']}/firewall", {"rules": rules})

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        self._set("creating", inputs, _rules(inputs["rules"]))
        return unique(f"{inputs['clusterId']}-"), {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving DatabaseFirewall"):
            found = self._api.find(f"/v2/databases/{state['clusterId']}/firewall")
        return None if found is None else {"rules": _rules(found["rules"])}

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        self._set("updating", inputs, _rules(inputs["rules"]))
        return old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        self._set("deleting", state, [])


def _rules(listed: list[State]) -> list[State]:
    return [{"type": rule["type"], "value": rule["value"]} for rule in listed]

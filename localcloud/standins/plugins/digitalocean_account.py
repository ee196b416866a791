"""The digitalocean stand-in: SSH keys, tags, project assignments, uptime checks and alerts: nothing that takes time."""

from __future__ import annotations

from urllib.parse import quote

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_errors import ApiError, failing, recorded_anyway
from localcloud.standins.plugins.provider import State


def set_tags(api: Api, kind: str, resource_id: str, old: State, inputs: State) -> None:
    """Take off the tags that are gone, make and put on those that are new."""
    before, after = set(old.get("tags") or ()), set(inputs.get("tags") or ())
    body: State = {"resources": [{"resource_id": resource_id, "resource_type": kind}]}
    with failing("Error updating tags"):
        for tag in sorted(before - after):
            api.delete(f"/v2/tags/{quote(tag)}/resources", body)
        for tag in sorted(after - before):
            api.post("/v2/tags", {"name": tag})
            api.post(f"/v2/tags/{quote(tag)}/resources", body)


class SshKey:
    table = tables.SSH_KEY

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        body = {"name": inputs["name"], "public_key": inputs["publicKey"]}
        with failing("Error creating SSH Key"):
            made = str(self._api.post("/v2/account/keys", body)["ssh_key"]["id"])
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving SSH key"):
            found = self._api.find(f"/v2/account/keys/{resource_id}")
        if found is None:
            return None
        key = found["ssh_key"]
        return {"name": key["name"], "publicKey": key["public_key"], "fingerprint": key["fingerprint"]}

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        with failing("Failed to update SSH key"):
            self._api.put(f"/v2/account/keys/{resource_id}", {"name": inputs["name"]})
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        try:
            self._api.delete(f"/v2/account/keys/{resource_id}")
        except ApiError as error:
            if not error.gone:
                raise RuntimeError(f"Error deleting SSH key: {error}") from error


class Tag:
    table = tables.TAG

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating tag"):
            made = str(self._api.post("/v2/tags", {"name": inputs["name"]})["tag"]["name"])
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving tag"):
            found = self._api.find(f"/v2/tags/{quote(resource_id)}")
        if found is None:
            return None
        resources = found["tag"].get("resources") or {}
        counts = {
            key: (resources.get(kind) or {} if kind else resources).get("count", 0)
            for key, kind in tables.COUNTS.items()
        }
        return {"name": found["tag"]["name"], **counts}

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old  # the table leaves nothing to change in place

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting tag"):
            self._api.delete(f"/v2/tags/{quote(resource_id)}")


class ProjectResources:
    """What of a project's resources is this program's; what leaves goes back to the default project."""

    table = tables.PROJECT_RESOURCES

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        project = inputs["project"]
        with failing(f"Error while retrieving project {project}"):
            self._api.get(f"/v2/projects/{project}")
        self._move(project, {}, inputs)
        return project, self.read(project, inputs) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error while retrieving project"):
            if self._api.find(f"/v2/projects/{resource_id}") is None:
                return None
            resources = self._api.listed(f"/v2/projects/{resource_id}/resources", "resources")
            there = {resource["urn"] for resource in resources}
        return {"project": resource_id, "resources": [urn for urn in state.get("resources") or () if urn in there]}

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        self._move(resource_id, old, inputs)
        return self.read(resource_id, inputs) or old

    def _move(self, project: str, old: State, inputs: State) -> None:
        before, after = set(old.get("resources") or ()), set(inputs["resources"])
        self._to_default(before - after)
        if after - before:
            with failing(f"Error assigning resources to project {project}: Error assigning resources"):
                self._api.post(f"/v2/projects/{project}/resources", {"resources": sorted(after - before)})

    def _to_default(self, urns: set[str]) -> None:
        if not urns:
            return
        with failing("Error assigning resources to default project: Error assigning resources"):
            default = self._api.get("/v2/projects/default")["project"]["id"]
            self._api.post(f"/v2/projects/{default}/resources", {"resources": sorted(urns)})

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error while retrieving project"):
            there = self._api.find(f"/v2/projects/{resource_id}") is not None
        if there:
            self._to_default(set(state.get("resources") or ()))


class UptimeCheck:
    table = tables.UPTIME_CHECK

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating Check"):
            made = str(self._api.post("/v2/uptime/checks", _check(inputs))["check"]["id"])
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving check"):
            found = self._api.find(f"/v2/uptime/checks/{resource_id}")
        if found is None:
            return None
        return {k: found["check"][k] for k in ("name", "target", "type", "enabled")} | {
            "regions": found["check"].get("regions") or []
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        with failing("Error updating uptime check"):
            self._api.put(f"/v2/uptime/checks/{resource_id}", _check(inputs))
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting uptime checks"):
            self._api.delete(f"/v2/uptime/checks/{resource_id}")


def _check(inputs: State) -> State:
    return {k: inputs[k] for k in ("name", "type", "target", "enabled")} | {"regions": inputs.get("regions")}


class UptimeAlert:
    table = tables.UPTIME_ALERT

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating Uptime Alert"):
            made = str(self._api.post(_alerts(inputs), _alert(inputs))["alert"]["id"])
        return made, self.read(made, inputs) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving check"):
            found = self._api.find(f"{_alerts(state)}/{resource_id}")
        if found is None:
            return None
        alert = found["alert"]
        receivers = alert.get("notifications") or {}
        return {
            "name": alert["name"],
            "type": alert["type"],
            "threshold": alert.get("threshold") or 0,
            "comparison": alert.get("comparison") or "",
            "period": alert.get("period") or "",
            "notifications": [
                {
                    "emails": receivers.get("email") or [],
                    "slacks": [{k: s[k] for k in ("channel", "url")} for s in receivers.get("slack") or ()],
                }
            ],
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        with failing("Error updating Alert"):
            self._api.put(f"{_alerts(inputs)}/{resource_id}", _alert(inputs))
        return self.read(resource_id, inputs) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting uptime alerts"):
            self._api.delete(f"{_alerts(state)}/{resource_id}")


def _alerts(state: State) -> str:
    return f"/v2/uptime/checks/{state['checkId']}/alerts"


def _alert(inputs: State) -> State:
    receivers = inputs["notifications"][0]
    return {
        "name": inputs["name"],
        "type": inputs["type"],
        "threshold": inputs.get("threshold", 0),
        "comparison": inputs.get("comparison", ""),
        "period": inputs.get("period", ""),
        "notifications": {"email": receivers.get("emails"), "slack": receivers.get("slacks")},
    }

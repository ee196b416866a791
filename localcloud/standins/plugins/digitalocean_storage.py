"""The digitalocean stand-in: volumes and their attachments to droplets."""

from __future__ import annotations

import secrets
import time

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_account import set_tags
from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_errors import busy, failing, recorded_anyway
from localcloud.standins.plugins.provider import State

PATIENCE = 300  # seconds that a droplet may be busy with something else


def unique(prefix: str) -> str:
    """An id for what has none at the API, in the form of Terraform's SDK."""
    return f"{prefix}{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{secrets.token_hex(6)}"


class Volume:
    table = tables.VOLUME

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        body = {
            "name": inputs["name"],
            "region": inputs["region"].lower(),
            "description": inputs.get("description", ""),
            "size_gigabytes": inputs["size"],
            "snapshot_id": "",
            "filesystem_type": inputs.get("initialFilesystemType", ""),
            "filesystem_label": inputs.get("initialFilesystemLabel", ""),
            "tags": inputs.get("tags", []),
        }
        with failing("Error creating Volume"):
            made = str(self._api.post("/v2/volumes", body)["volume"]["id"])
        return made, self.read(made, {}) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving volume"):
            found = self._api.find(f"/v2/volumes/{resource_id}")
        if found is None:
            return None
        volume = found["volume"]
        read = {
            "name": volume["name"],
            "region": volume["region"]["slug"],
            "size": volume["size_gigabytes"],
            "volumeUrn": f"do:volume:{volume['id']}",
            "dropletIds": volume.get("droplet_ids") or [],
            "tags": volume.get("tags") or [],
        }
        optional = {
            "description": volume.get("description"),
            "filesystemType": volume.get("filesystem_type"),
            "filesystemLabel": volume.get("filesystem_label"),
        }
        return read | {k: v for k, v in optional.items() if v}

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        if inputs["size"] != old["size"]:
            body = {"type": "resize", "size_gigabytes": inputs["size"], "region": inputs["region"].lower()}
            with failing(f"Error resizing volume ({resource_id})"):
                action = self._api.post(f"/v2/volumes/{resource_id}/actions", body)["action"]
            with failing(f"Error waiting for resize volume ({resource_id}) to finish"):
                self._api.action(urn, f"resizing to {inputs['size']} GB", action)
        set_tags(self._api, "volume", resource_id, old, inputs)
        return self.read(resource_id, old) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting volume"):
            self._api.delete(f"/v2/volumes/{resource_id}")


class VolumeAttachment:
    """Made where it is there already; gone when the volume is on another droplet or on none."""

    table = tables.VOLUME_ATTACHMENT

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        droplet, volume = inputs["dropletId"], inputs["volumeId"]
        with failing("Error retrieving volume"):
            there = self._api.get(f"/v2/volumes/{volume}")["volume"].get("droplet_ids") or []
        if there[:1] != [droplet]:
            with failing(
                "Error attaching volume to droplet after retry timeout: [WARN] Error attaching volume "
                f"({volume}) to Droplet ({droplet})"
            ):
                self._act(urn, "attach", volume, droplet)
        return unique(f"{droplet}-{volume}-"), {}

    def _act(self, urn: str, what: str, volume: str, droplet: int) -> None:
        def attempt() -> None:
            body = {"type": what, "droplet_id": droplet}
            action = self._api.post(f"/v2/volumes/{volume}/actions", body)["action"]
            self._api.action(urn, f"{what}ing", action)

        self._api.retry(PATIENCE, attempt, busy)

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving volume"):
            found = self._api.find(f"/v2/volumes/{state['volumeId']}")
        if found is None or (found["volume"].get("droplet_ids") or [])[:1] != [state["dropletId"]]:
            return None
        return {}

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        return old  # the table leaves nothing to change in place

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        droplet, volume = state["dropletId"], state["volumeId"]
        with failing(
            "Error detaching volume from droplet after retry timeout: [WARN] Error detaching volume "
            f"({volume}) from Droplet ({droplet})"
        ):
            self._act(urn, "detach", volume, droplet)

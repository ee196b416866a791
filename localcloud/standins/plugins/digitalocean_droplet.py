"""Droplets of the digitalocean stand-in: created, resized and deleted in the same steps as by the real provider."""

from __future__ import annotations

import time

from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_account import set_tags
from localcloud.standins.plugins.digitalocean_api import Api, limit
from localcloud.standins.plugins.digitalocean_errors import ApiError, failing, recorded_anyway
from localcloud.standins.plugins.provider import State, Unfinished

MADE, CHANGED, DELETED = 3600, 3600, 60  # timeouts of the real provider in seconds
GONE = "Not Found"


class Droplet:
    table = tables.DROPLET

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        until = limit(MADE)
        image = inputs["image"]
        body: State = {
            "name": inputs["name"],
            "region": inputs.get("region", "").lower(),
            "size": inputs["size"].lower(),
            "image": int(image) if image.isdecimal() else image,
            # A number is a key's id, anything else its fingerprint.
            "ssh_keys": [int(key) if key.isdecimal() else key for key in inputs.get("sshKeys", [])],
            "backups": inputs["backups"],
            "ipv6": False,
            "private_networking": False,
            "monitoring": inputs["monitoring"],
            "tags": inputs.get("tags", []),
        }
        for ours, theirs in (("userData", "user_data"), ("vpcUuid", "vpc_uuid")):
            if inputs.get(ours):
                body[theirs] = inputs[ours]
        if inputs.get("dropletAgent") is not None:
            body["with_droplet_agent"] = inputs["dropletAgent"]
        if inputs.get("publicNetworking") is False:
            body["public_networking"] = False
        with failing("Error creating droplet"):
            made = str(self._api.post("/v2/droplets", body)["droplet"]["id"])
        try:
            with failing(f"Error waiting for droplet ({made}) to become ready"):
                self._wait(urn, made, "active", ("new",), until)
            return made, self.read(made, {}) or {}
        except Exception as error:
            raise Unfinished(str(error), made) from error

    def _wait(self, urn: str, droplet: str, target: str, pending: tuple[str, ...], until: float) -> None:
        """Waits until the droplet has the status `target` and no lock. A deleted droplet has the status GONE."""

        def look() -> str | None:
            found = self._api.find(f"/v2/droplets/{droplet}")
            if found is None:
                # The API may not return a droplet that was created just now.
                return None if pending == ("new",) else GONE
            return None if found["droplet"].get("locked") else str(found["droplet"]["status"])

        self._api.wait(urn, f"droplet {droplet}", look, target, pending, until)

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error retrieving droplet"):
            found = self._api.find(f"/v2/droplets/{resource_id}")
        if found is None:
            return None
        droplet = found["droplet"]
        # The image is not read back: its name may refer to a newer image later, which the droplet does not run.
        read = {
            "name": droplet["name"],
            "dropletUrn": f"do:droplet:{droplet['id']}",
            "region": droplet["region"]["slug"],
            "size": droplet["size"]["slug"],
            "priceHourly": droplet["size"]["price_hourly"],
            "priceMonthly": droplet["size"]["price_monthly"],
            "vpcUuid": droplet.get("vpc_uuid") or "",
            "createdAt": droplet["created_at"],
            "ipv4Address": _address(droplet, "public"),
            "ipv4AddressPrivate": _address(droplet, "private"),
            "ipv6Address": "",
            "publicNetworking": _address(droplet, "public") != "",
            "volumeIds": droplet.get("volume_ids") or [],
            "tags": droplet.get("tags") or [],
            **{key: droplet[key] for key in ("disk", "vcpus", "memory", "status")},
            "locked": droplet.get("locked", False),
        }
        if (features := droplet.get("features")) is not None:
            names = {"privateNetworking": "private_networking"}
            read |= {
                key: names.get(key, key) in features for key in ("backups", "ipv6", "monitoring", "privateNetworking")
            }
        return read

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        until = limit(CHANGED)
        resized, renamed = inputs["size"].lower() != old.get("size"), inputs["name"] != old.get("name")
        if resized:
            self._resize(urn, resource_id, inputs, until)
        if renamed:
            with failing(f"Error renaming droplet ({resource_id})"):
                self._act(resource_id, "rename", name=inputs["name"])
                self._renamed(urn, resource_id, inputs["name"], old.get("name") or "", until)
        if inputs["backups"] != bool(old.get("backups")):
            # A bug of the real provider, reproduced: its waits overwrite the program's inputs with the droplet's
            # current values. After a change of size or name, backups therefore change only in the next run.
            wanted = bool(old.get("backups")) if resized or renamed else inputs["backups"]
            what = "enable" if wanted else "disable"
            with failing(f"Error {what[:-1]}ing backups on droplet ({resource_id})"):
                action = self._act(resource_id, f"{what}_backups")
                self._api.action(urn, f"{what[:-1]}ing backups", action)
        set_tags(self._api, "droplet", resource_id, old, inputs)
        return self.read(resource_id, old) or old

    def _act(self, droplet: str, what: str, **arguments: str | bool) -> State:
        found: State = self._api.post(f"/v2/droplets/{droplet}/actions", {"type": what, **arguments})["action"]
        return found

    def _renamed(self, urn: str, droplet: str, name: str, before: str, until: float) -> None:
        def look() -> str | None:
            found = self._api.get(f"/v2/droplets/{droplet}")["droplet"]
            return None if found.get("locked") else str(found["name"])

        self._api.wait(urn, f"renaming to {name}", look, name, (before,), until)

    def _resize(self, urn: str, droplet: str, inputs: State, until: float) -> None:
        with failing(f"Error powering off droplet ({droplet})"):
            try:
                self._act(droplet, "power_off")
            except ApiError as error:
                if "Droplet is already powered off" not in error.message:
                    raise
        with failing(f"Error waiting for droplet ({droplet}) to become powered off"):
            self._wait(urn, droplet, "off", ("active",), until)
        try:
            with failing(f"Error resizing droplet ({droplet})"):
                action = self._act(droplet, "resize", size=inputs["size"], disk=inputs["resizeDisk"])
                self._api.action(urn, f"resizing to {inputs['size']}", action)
        except (ApiError, RuntimeError, ConnectionError) as error:
            self._power_on(urn, droplet, until)  # with the previous size
            # The observed state is recorded, so that the next run tries again.
            raise Unfinished(str(error), droplet, self.read(droplet, {})) from error
        self._power_on(urn, droplet, until)

    def _power_on(self, urn: str, droplet: str, until: float) -> None:
        with failing(f"Error powering on droplet ({droplet}) after resize"):
            self._act(droplet, "power_on")
            self._wait(urn, droplet, "active", ("off",), until)

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        until = limit(DELETED)
        volumes = self._unlocked(urn, resource_id, until)
        if state.get("gracefulShutdown"):
            with failing(f"Error shutting down the the droplet ({resource_id})"):
                self._act(resource_id, "shutdown")
            with failing(f"Error waiting for droplet ({resource_id}) to become off"):
                self._wait(urn, resource_id, "off", ("active",), until)
        for volume in volumes:
            with failing(f"Error detaching volume {volume!r} from droplet ({resource_id})"):
                body = {"type": "detach", "droplet_id": int(resource_id)}
                action = self._api.post(f"/v2/volumes/{volume}/actions", body)["action"]
                self._api.action(urn, f"detaching volume {volume}", action)
        try:
            self._api.delete(f"/v2/droplets/{resource_id}")
        except ApiError as error:
            if error.gone:
                return
            raise RuntimeError(f"Error deleting droplet: {error}") from error
        with failing("Error deleting droplet"):
            self._wait(urn, resource_id, GONE, ("active", "off"), time.monotonic() + DELETED)

    def _unlocked(self, urn: str, droplet: str, until: float) -> list[str]:
        """Waits until the droplet has no lock. Returns the ids of its attached volumes."""
        volumes: list[str] = []

        def look() -> str:
            found = self._api.find(f"/v2/droplets/{droplet}")
            if found is None:
                return GONE
            volumes[:] = found["droplet"].get("volume_ids") or []
            return str(bool(found["droplet"].get("locked"))).lower()

        with failing(f"Error waiting for droplet to be unlocked for destroy ({droplet})"):
            self._api.wait(urn, f"droplet {droplet} is locked", look, "false", ("true",), until)
        return volumes


def _address(droplet: State, kind: str) -> str:
    found = [n["ip_address"] for n in (droplet.get("networks") or {}).get("v4") or () if n["type"] == kind]
    return str(found[0]) if found else ""

"""Block storage volumes. Made and removed while the request waits; attached, detached and grown by actions."""

from __future__ import annotations

import re

from localcloud.cloud import actions, catalogue, tags
from localcloud.cloud.again import clear
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import conflict, not_found, not_in_rehearsal, unprocessable
from localcloud.cloud.store import Json, new_uuid, now

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_FILESYSTEMS = ("", "ext4", "xfs")
MOST_GIGABYTES = 16 * 1024
_MAKING = "making"


def get(data: Json, id: str) -> Json:
    """A volume's record; 404 if there is none, or none yet."""
    volume: Json | None = data["volumes"].get(id)
    if volume is None or volume.get(_MAKING):
        raise not_found()
    return volume


def _view(volume: Json) -> Json:
    hidden = {"region", "droplet", _MAKING}
    return {
        **{key: value for key, value in volume.items() if key not in hidden},
        "region": catalogue.region(volume["region"]),
        "droplet_ids": [volume["droplet"]] if volume["droplet"] else [],
        "filesystem_label": "",
    }


def _wanted(request: Request) -> Json:
    name, region, filesystem = request.text("name"), request.text("region"), request.text("filesystem_type", "")
    size = request.number("size_gigabytes")
    if not _NAME.fullmatch(name):
        raise unprocessable("name must begin with a letter and have only lowercase letters, numbers and dashes")
    if not catalogue.known_region(region):
        raise unprocessable(f"region {region} is not available")
    if not 1 <= size <= MOST_GIGABYTES:
        raise unprocessable(f"size_gigabytes must be from 1 to {MOST_GIGABYTES}")
    if filesystem not in _FILESYSTEMS:
        raise unprocessable("filesystem_type must be ext4 or xfs")
    if filesystem == "xfs":
        raise not_in_rehearsal("filesystem_type xfs is not offered here")
    for key in ("snapshot_id", "filesystem_label"):
        if request.body.get(key):
            raise not_in_rehearsal(f"{key} is not offered here")
    return {
        "id": new_uuid(),
        "name": name,
        "description": request.text("description", ""),
        "region": region,
        "size_gigabytes": size,
        "filesystem_type": filesystem,
        "tags": tags.check(request.items("tags")),
        "created_at": now(),
        "droplet": None,
        # A service that ends here takes the half-made volume away when it starts again.
        _MAKING: True,
    }


def _create(cloud: Cloud, request: Request) -> Reply:
    volume = _wanted(request)
    with cloud.store.changing() as data:
        if any((v["name"], v["region"]) == (volume["name"], volume["region"]) for v in data["volumes"].values()):
            raise conflict("failed to create volume: volume name already exists")
        tags.ensure(data, volume["tags"])
        data["volumes"][volume["id"]] = volume
    try:
        cloud.machines.create_volume(volume["id"], volume["name"], volume["size_gigabytes"], volume["filesystem_type"])
    except BaseException:
        with cloud.store.changing() as data:
            del data["volumes"][volume["id"]]
        raise
    with cloud.store.changing():
        del volume[_MAKING]
        return Reply(201, {"volume": _view(volume)})


def undo_half_made(cloud: Cloud) -> None:
    """Resources whose creation was interrupted: the client received an error and will retry."""
    with cloud.store.reading() as data:
        half = [volume["id"] for volume in data["volumes"].values() if volume.get(_MAKING)]
    for id in half:
        try:
            clear(cloud.machines.delete_volume, id)
        except Exception as error:
            # It stays hidden, and the next start tries again.
            cloud.say(f"volume {id} was half made and cannot be removed: {error}")
            continue
        with cloud.store.changing() as data:
            del data["volumes"][id]


def _list(cloud: Cloud, request: Request) -> Reply:
    name, region = request.query.get("name"), request.query.get("region")
    with cloud.store.reading() as data:
        found = [
            _view(volume)
            for volume in data["volumes"].values()
            if not volume.get(_MAKING)
            and (name is None or name == volume["name"])
            and (region is None or region == volume["region"])
        ]
        return page(request, "volumes", found)


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"volume": _view(get(data, id))})


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        volume = get(data, id)
        if volume["droplet"]:
            raise conflict("attached volume cannot be deleted")
        actions.refuse_pending(data, volume=id)
        # From here on it is gone for everybody, and an interrupted removal is finished at the next start.
        volume[_MAKING] = True
    cloud.machines.delete_volume(id)
    with cloud.store.changing() as data:
        del data["volumes"][id]
    return NO_CONTENT


def by_name(data: Json, name: object, region: object) -> Json:
    """A volume by its name, which is unique in a region."""
    found = [v for v in data["volumes"].values() if (v["name"], v["region"]) == (name, region)]
    if not found:
        raise not_found()
    return get(data, found[0]["id"])


def _delete_by_name(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        id = by_name(data, request.query.get("name"), request.query.get("region"))["id"]
    return _delete(cloud, request, id)


def _no_snapshots(cloud: Cloud, request: Request, id: str = "") -> Reply:
    if id:
        with cloud.store.reading() as data:
            get(data, id)
    return page(request, "snapshots", [])


ROUTES = [
    Route("GET", "/v2/volumes", _list),
    Route("POST", "/v2/volumes", _create),
    Route("DELETE", "/v2/volumes", _delete_by_name),
    Route("GET", "/v2/volumes/{id}", _show),
    Route("DELETE", "/v2/volumes/{id}", _delete),
    Route("GET", "/v2/volumes/{id}/snapshots", _no_snapshots),
    Route("GET", "/v2/snapshots", _no_snapshots),
]

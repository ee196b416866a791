"""Droplets: listed, shown, removed. They are made in droplet_create.py and changed in droplet_actions.py."""

from __future__ import annotations

import ipaddress

from localcloud.cloud import actions, catalogue
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found
from localcloud.cloud.store import Json


def get(data: Json, id: object) -> Json:
    """A droplet's record; 404 if there is none."""
    droplet: Json | None = data["droplets"].get(str(id))
    if droplet is None:
        raise not_found()
    return droplet


def view(data: Json, droplet: Json) -> Json:
    """A droplet as the API shows it. Its addresses appear once its machine is there."""
    vpc = data["vpcs"][droplet["vpc"]]
    size = catalogue.size(droplet["size"])
    keys = ("id", "name", "status", "created_at", "disk", "features", "tags")
    return {
        **{key: droplet[key] for key in keys},
        "memory": size["memory"],
        "vcpus": size["vcpus"],
        "locked": actions.pending(data, "droplet", droplet["id"]),
        "kernel": None,
        "disk_info": [{"type": "local", "size": {"amount": droplet["disk"], "unit": "gib"}}],
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "volume_ids": [v["id"] for v in data["volumes"].values() if v["droplet"] == droplet["id"]],
        "image": catalogue.image(droplet["image"]),
        "size": size,
        "size_slug": droplet["size"],
        "region": catalogue.region(droplet["region"]),
        "vpc_uuid": vpc["id"],
        "networks": {"v4": _networks(droplet, vpc) if droplet["made"] else [], "v6": []},
    }


def _networks(droplet: Json, vpc: Json) -> list[Json]:
    found = []
    for kind, address, range in (
        ("private", droplet["private_ip"], vpc["ip_range"]),
        ("public", droplet["public_ip"], droplet["public_range"]),
    ):
        network = ipaddress.IPv4Network(range)
        found.append({"ip_address": address, "netmask": str(network.netmask), "gateway": str(network[1]), "type": kind})
    return found


def _list(cloud: Cloud, request: Request) -> Reply:
    tag, name = request.query.get("tag_name"), request.query.get("name")
    with cloud.store.reading() as data:
        found = [
            view(data, droplet)
            for droplet in data["droplets"].values()
            if (tag is None or tag in droplet["tags"]) and (name is None or name == droplet["name"])
        ]
        return page(request, "droplets", found if request.query.get("type", "droplets") == "droplets" else [])


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"droplet": view(data, get(data, id))})


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        droplet = get(data, id)
        actions.refuse_pending(data, droplet=droplet["id"])
        task = ("droplet.destroy", {"droplet": droplet["id"]})
        actions.start(cloud, data, "destroy", ("droplet", droplet["id"]), droplet["region"], task)
    return NO_CONTENT


@actions.work("droplet.destroy")
def _destroy(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    id = args["droplet"]
    with cloud.store.reading() as data:
        volumes = [v for v in data["volumes"].values() if v["droplet"] == id]
        ips = [r for r in data["reserved_ips"].values() if r["droplet"] == id]
    if not again:
        # The second time they may be off already; the machine's end takes them off as well.
        for volume in volumes:
            cloud.machines.detach_volume(volume["id"], id)
        for ip in ips:
            cloud.machines.unassign_ip(ip["ip"], id)
    cloud.machines.delete_droplet(id)

    def finish(data: Json) -> None:
        # Volumes and reserved addresses survive their droplet.
        for thing in (*volumes, *ips):
            thing["droplet"] = None
        del data["droplets"][str(id)]
        for firewall in data["firewalls"].values():
            firewall["droplet_ids"] = [other for other in firewall["droplet_ids"] if other != id]

    return finish


def _backup_policy(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        droplet = get(data, id)
        policy = {
            "droplet_id": droplet["id"],
            "backup_enabled": "backups" in droplet["features"],
            "next_backup_window": None,
        }
        return Reply(200, {"policy": policy | {"backup_policy": droplet["backup_policy"] or {}}})


def _no_backups(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        get(data, id)
    return page(request, request.path.rsplit("/", 1)[1], [])


ROUTES = [
    Route("GET", "/v2/droplets", _list),
    Route("GET", "/v2/droplets/{id}", _show),
    Route("DELETE", "/v2/droplets/{id}", _delete),
    Route("GET", "/v2/droplets/{id}/backups", _no_backups),
    Route("GET", "/v2/droplets/{id}/snapshots", _no_backups),
    Route("GET", "/v2/droplets/{id}/backups/policy", _backup_policy),
]

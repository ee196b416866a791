"""Making droplets: what a request must say, and the first boot."""

from __future__ import annotations

import re

from localcloud.cloud import account, actions, addresses, catalogue, droplets, rules, tags, vpcs
from localcloud.cloud.again import clear
from localcloud.cloud.api import Cloud, Reply, Request, Route
from localcloud.cloud.backend import DropletSpec
from localcloud.cloud.errors import ApiError, not_in_rehearsal, unprocessable
from localcloud.cloud.store import Json, new_number, now

_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.\-]*[a-zA-Z0-9])?")
MOST_USER_DATA = 64 * 1024


def check_name(name: object) -> str:
    """A droplet's name, which becomes its host name."""
    if not isinstance(name, str) or len(name) > 255 or not _NAME.fullmatch(name):
        raise unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
    return name


def check_size(slug: object) -> str:
    """The slug of a size."""
    if not isinstance(slug, str) or not catalogue.known_size(slug):
        raise unprocessable("You specified an invalid size for Droplet creation.")
    return slug


def _check_image(wanted: object) -> str:
    slug = catalogue.image_slug(wanted)
    if slug is None:
        raise unprocessable("You specified an invalid image for Droplet creation.")
    if slug != catalogue.SERVED_IMAGE:
        raise not_in_rehearsal(f"Image {slug} exists, but droplets can only be {catalogue.SERVED_IMAGE} here")
    return slug


def _check_keys(data: Json, wanted: list[object]) -> list[str]:
    found = {str(key): account.find(data, key) for key in wanted}
    if unknown := [key for key, record in found.items() if record is None]:
        raise unprocessable(f"{', '.join(unknown)} are invalid key identifiers for Droplet creation.")
    return [record["public_key"] for record in found.values() if record]


def _refuse_uncovered(request: Request) -> None:
    for key in ("ipv6", "gpu_partition_mode"):
        if request.body.get(key):
            raise not_in_rehearsal(f"{key} is not offered here")
    if request.body.get("public_networking") is False:
        raise not_in_rehearsal("A droplet without public networking is not offered here")


def _settings(cloud: Cloud, request: Request) -> Json:
    """The checked properties that all droplets of a request share."""
    _refuse_uncovered(request)
    region = request.text("region", "fra1")
    if not catalogue.known_region(region):
        raise unprocessable("You specified an invalid region for Droplet creation.")
    size, image = check_size(request.body.get("size")), _check_image(request.body.get("image"))
    named = tags.check(request.items("tags"))
    user_data = request.text("user_data", "")
    if len(user_data.encode()) > MOST_USER_DATA:
        raise unprocessable("User data is too long (maximum is 64 KiB)")
    with cloud.store.reading() as data:
        keys = _check_keys(data, request.items("ssh_keys"))
        vpc = _vpc(data, request.text("vpc_uuid", ""), region)
        volumes = [str(id) for id in request.items("volumes")]
        for id in volumes:
            volume = data["volumes"].get(id)
            if volume is None or volume["region"] != region or volume["droplet"]:
                raise unprocessable(f"Volume {id} does not exist in {region} or is attached to a Droplet.")
    features = ["backups"] if request.flag("backups") else []
    features += ["monitoring"] if request.flag("monitoring") else []
    features += ["droplet_agent"] if request.flag("with_droplet_agent") else []
    return {
        "region": region,
        "size": size,
        "image": image,
        "vpc": vpc or vpcs.default_of(cloud, region)["id"],
        "tags": named,
        "features": [*features, "private_networking"],
        "backup_policy": request.body.get("backup_policy") if features[:1] == ["backups"] else None,
        "disk": catalogue.size(size)["disk"],
        "ssh_keys": keys,
        "user_data": user_data,
        "volumes": volumes,
    }


def _vpc(data: Json, wanted: str, region: str) -> str:
    if not wanted:
        return ""
    try:
        vpc = vpcs.get(data, wanted)
    except ApiError:
        raise unprocessable(f"VPC {wanted} does not exist.") from None
    if vpc["region"] != region:
        raise unprocessable(f"VPC {wanted} is in {vpc['region']}, not in {region}.")
    return wanted


def _create(cloud: Cloud, request: Request) -> Reply:
    many = "names" in request.body
    names = [check_name(n) for n in (request.items("names") if many else [request.body.get("name")])]
    settings = _settings(cloud, request)
    made, begun = [], []
    # The network's lock: the VPC must not go between the check and the droplet's record.
    with cloud.network_lock, cloud.store.changing() as data:
        vpc = vpcs.get(data, settings["vpc"])
        tags.ensure(data, settings["tags"])
        for name in names:
            droplet = _record(cloud, data, name, settings, vpc)
            task = ("droplet.create", {"droplet": droplet["id"]})
            begun.append(
                actions.start(cloud, data, "create", ("droplet", droplet["id"]), droplet["region"], task)["id"]
            )
            made.append(droplets.view(data, droplet))
        links = {
            "actions": [{"id": id, "rel": "create", "href": f"{request.base}/v2/actions/{id}"} for id in begun],
        }
        return Reply(202, {**({"droplets": made} if many else {"droplet": made[0]}), "links": links})


def _record(cloud: Cloud, data: Json, name: str, settings: Json, vpc: Json) -> Json:
    # Copies: lists shared between records would change together.
    droplet: Json = {key: list(v) if isinstance(v, list) else v for key, v in settings.items()}
    droplet |= {
        "id": new_number(data, "droplets"),
        "name": name,
        "status": "new",
        "created_at": now(),
        "public_ip": addresses.public(cloud, data),
        "public_range": str(cloud.internet),
        "private_ip": addresses.private(data, vpc),
        # made: the machine exists. running: it is on, so that its firewall can be set.
        "made": False,
        "running": False,
    }
    data["droplets"][str(droplet["id"])] = droplet
    return droplet


@actions.work("droplet.create")
def _boot(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    id = args["droplet"]
    with cloud.store.reading() as data:
        droplet = droplets.get(data, id)
        size = catalogue.size(droplet["size"])
    if again:
        # Half of a machine is of no use, and it has done nothing yet that anybody could have seen.
        clear(cloud.machines.delete_droplet, id)
    cloud.machines.create_droplet(
        DropletSpec(
            name=droplet["name"],
            id=id,
            public_ip=droplet["public_ip"],
            private_ip=droplet["private_ip"],
            vpc=droplet["vpc"],
            size_vcpus=size["vcpus"],
            size_memory_mb=size["memory"],
            user_data=droplet["user_data"],
            ssh_keys=tuple(droplet["ssh_keys"]),
            region=droplet["region"],
        )
    )
    with cloud.store.changing():
        droplet |= {"made": True, "running": True}
    rules.apply(cloud)
    for volume in droplet["volumes"]:
        cloud.machines.attach_volume(volume, id)

    def finish(data: Json) -> None:
        for volume in droplet.pop("volumes"):
            data["volumes"][volume]["droplet"] = id
        droplet["status"] = "active"

    return finish


ROUTES = [Route("POST", "/v2/droplets", _create)]

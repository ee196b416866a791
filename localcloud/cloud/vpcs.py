"""VPCs: private networks of one region. A network is made and removed while the request waits."""

from __future__ import annotations

import ipaddress
import re

from localcloud.cloud import catalogue
from localcloud.cloud.again import clear
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import ApiError, bad_request, conflict, not_found, unprocessable
from localcloud.cloud.store import Json, new_uuid, now

_NAME = re.compile(r"[a-zA-Z0-9\-.]+")
_PRIVATE = [ipaddress.IPv4Network(range) for range in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_MAKING = "making"


def _view(vpc: Json) -> Json:
    return {key: value for key, value in vpc.items() if key != _MAKING} | {"urn": f"do:vpc:{vpc['id']}"}


def get(data: Json, id: str) -> Json:
    """A VPC's record; 404 if there is none, or none yet."""
    vpc: Json | None = data["vpcs"].get(id)
    if vpc is None or vpc.get(_MAKING):
        raise not_found()
    return vpc


def _range(data: Json, text: str) -> str:
    others = [ipaddress.IPv4Network(vpc["ip_range"]) for vpc in data["vpcs"].values()]
    if not text:
        free = (ipaddress.IPv4Network(f"10.{second}.0.0/20") for second in range(100, 200))
        return str(next(network for network in free if not any(network.overlaps(other) for other in others)))
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        raise unprocessable(f"ip_range {text} is not a range in CIDR notation") from None
    if not 16 <= network.prefixlen <= 28 or not any(network.subnet_of(private) for private in _PRIVATE):
        raise unprocessable("ip_range must be private (RFC 1918), not larger than /16 and not smaller than /28")
    for other in others:
        if network.overlaps(other):
            raise unprocessable(f"This range/size overlaps with another VPC network in your account: {other}")
    return str(network)


def _make(cloud: Cloud, name: str, region: str, ip_range: str, description: str, default: bool) -> Json:
    with cloud.network_lock:
        with cloud.store.changing() as data:
            vpc: Json = {
                "id": new_uuid(),
                "name": name,
                "description": description,
                "region": region,
                "ip_range": _range(data, ip_range),
                "default": default,
                "created_at": now(),
                # A service that ends here takes the half-made network away when it starts again.
                _MAKING: True,
            }
            data["vpcs"][vpc["id"]] = vpc
        try:
            cloud.machines.create_vpc(vpc["id"], vpc["ip_range"])
        except BaseException:
            with cloud.store.changing() as data:
                del data["vpcs"][vpc["id"]]
            raise
        with cloud.store.changing():
            del vpc[_MAKING]
        return vpc


def undo_half_made(cloud: Cloud) -> None:
    """Resources whose creation was interrupted: the client received an error and will retry."""
    with cloud.store.reading() as data:
        half = [vpc["id"] for vpc in data["vpcs"].values() if vpc.get(_MAKING)]
    for id in half:
        try:
            clear(cloud.machines.delete_vpc, id)
        except Exception as error:
            # It stays hidden, and the next start tries again.
            cloud.say(f"vpc {id} was half made and cannot be removed: {error}")
            continue
        with cloud.store.changing() as data:
            del data["vpcs"][id]


def default_of(cloud: Cloud, region: str) -> Json:
    """The region's own VPC, for droplets that name none; made when first needed."""
    with cloud.network_lock:
        with cloud.store.reading() as data:
            found: Json | None = next(
                (v for v in data["vpcs"].values() if v["default"] and v["region"] == region), None
            )
        return found or _make(cloud, f"default-{region}", region, "", "", True)


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "vpcs", [_view(vpc) for vpc in data["vpcs"].values() if not vpc.get(_MAKING)])


def _check_name(data: Json, name: str, but: str = "") -> None:
    if not _NAME.fullmatch(name):
        raise unprocessable("name may only contain alphanumeric characters, dashes, and periods")
    if any(vpc["name"] == name and vpc["id"] != but for vpc in data["vpcs"].values()):
        raise unprocessable(f"A VPC with the name {name} already exists in your account")


def _create(cloud: Cloud, request: Request) -> Reply:
    name, region = request.text("name"), request.text("region")
    if not catalogue.known_region(region):
        raise unprocessable(f"region {region} is not available")
    with cloud.network_lock:
        with cloud.store.reading() as data:
            _check_name(data, name)
        vpc = _make(cloud, name, region, request.text("ip_range", ""), request.text("description", ""), False)
        return Reply(201, {"vpc": _view(vpc)})


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"vpc": _view(get(data, id))})


def _change(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        vpc = get(data, id)
        name, description = request.text("name", vpc["name"]), request.text("description", vpc["description"])
        default = request.flag("default", vpc["default"])
        _check_name(data, name, but=id)
        if vpc["default"] and not default:
            raise bad_request("make another VPC the region's default instead")
        if default:
            for other in data["vpcs"].values():
                other["default"] = other["default"] and other["region"] != vpc["region"]
        vpc |= {"name": name, "description": description, "default": default}
        return Reply(200, {"vpc": _view(vpc)})


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.network_lock:
        with cloud.store.reading() as data:
            vpc = get(data, id)
            if vpc["default"]:
                raise ApiError(403, "forbidden", "Can not delete default VPCs")
            kinds = ("droplets", "balancers", "databases")
            if any(one["vpc"] == id for family in kinds for one in data[family].values()):
                raise conflict("Can not delete VPC with members")
        cloud.machines.delete_vpc(id)
        with cloud.store.changing() as data:
            del data["vpcs"][id]
    return NO_CONTENT


def _members(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        get(data, id)
        wanted = request.query.get("resource_type")
        members = [
            {"urn": f"do:{kind}:{one['id']}", "name": one["name"], "created_at": one["created_at"]}
            for kind, family in (("droplet", "droplets"), ("loadbalancer", "balancers"), ("dbaas", "databases"))
            for one in data[family].values()
            if one["vpc"] == id and wanted in (None, kind)
        ]
        return page(request, "members", members)


ROUTES = [
    Route("GET", "/v2/vpcs", _list),
    Route("POST", "/v2/vpcs", _create),
    Route("GET", "/v2/vpcs/{id}", _show),
    Route("PUT", "/v2/vpcs/{id}", _change),
    Route("PATCH", "/v2/vpcs/{id}", _change),
    Route("DELETE", "/v2/vpcs/{id}", _delete),
    Route("GET", "/v2/vpcs/{id}/members", _members),
]

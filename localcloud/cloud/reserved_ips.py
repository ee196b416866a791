"""Reserved IPs: addresses that belong to the account and are moved between droplets by actions."""

from __future__ import annotations

from localcloud.cloud import actions, addresses, catalogue, droplets, projects
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found, unprocessable
from localcloud.cloud.store import Json


def _get(data: Json, ip: str) -> Json:
    found: Json | None = data["reserved_ips"].get(ip)
    if found is None:
        raise not_found()
    return found


def _view(data: Json, reserved: Json) -> Json:
    droplet = data["droplets"].get(str(reserved["droplet"]))
    return {
        "ip": reserved["ip"],
        "region": catalogue.region(reserved["region"]),
        "droplet": droplets.view(data, droplet) if droplet else None,
        "locked": actions.pending(data, "ip", reserved["ip"]),
        "project_id": projects.project_id(data, f"do:floatingip:{reserved['ip']}"),
    }


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "reserved_ips", [_view(data, one) for one in data["reserved_ips"].values()])


def _create(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.changing() as data:
        droplet = droplets.get(data, request.number("droplet_id")) if request.body.get("droplet_id") else None
        region = droplet["region"] if droplet else request.text("region")
        if not catalogue.known_region(region):
            raise unprocessable("Region is not available")
        if droplet:
            _check_target(data, droplet)
        project = request.text("project_id", "")
        if project and project not in data["projects"]:
            raise not_found()
        ip = addresses.reserved(cloud, data)
        data["reserved_ips"][ip] = {"ip": ip, "region": region, "droplet": None}
        data["assigned"].pop(f"do:floatingip:{ip}", None)  # of who had the address before
        if project:
            projects.assign(data, f"do:floatingip:{ip}", project)
        links: Json = {}
        if droplet:
            action = _start(cloud, data, data["reserved_ips"][ip], "assign", droplet["id"])
            base = f"{request.base}/v2"
            links = {
                "droplets": [{"id": droplet["id"], "rel": "droplet", "href": f"{base}/droplets/{droplet['id']}"}],
                "actions": [{"id": action["id"], "rel": "assign_ip", "href": f"{base}/actions/{action['id']}"}],
            }
        return Reply(202, {"reserved_ip": _view(data, data["reserved_ips"][ip]), "links": links})


def _show(cloud: Cloud, request: Request, ip: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"reserved_ip": _view(data, _get(data, ip))})


def _delete(cloud: Cloud, request: Request, ip: str) -> Reply:
    with cloud.store.reading() as data:
        reserved = _get(data, ip)
        actions.refuse_pending(data, ip=ip)
        droplet = reserved["droplet"]
    if droplet:
        cloud.machines.unassign_ip(ip, droplet)
    with cloud.store.changing() as data:
        data["reserved_ips"].pop(ip, None)
    return NO_CONTENT


def _check_target(data: Json, droplet: Json) -> None:
    actions.refuse_pending(data, droplet=droplet["id"])
    if any(other["droplet"] == droplet["id"] for other in data["reserved_ips"].values()):
        raise unprocessable("The Droplet already has a reserved IP.")


def _perform(cloud: Cloud, request: Request, ip: str) -> Reply:
    type = request.text("type")
    with cloud.store.changing() as data:
        reserved = _get(data, ip)
        actions.refuse_pending(data, ip=ip)
        if type == "assign":
            droplet = droplets.get(data, request.number("droplet_id"))
            if droplet["region"] != reserved["region"]:
                raise unprocessable("The reserved IP and the Droplet must be in the same region.")
            _check_target(data, droplet)
            target = droplet["id"]
        elif type == "unassign":
            if not reserved["droplet"]:
                raise unprocessable("The reserved IP is not assigned to a Droplet.")
            actions.refuse_pending(data, droplet=reserved["droplet"])
            target = reserved["droplet"]
        else:
            raise unprocessable("You specified an invalid action type.")
        return _action_reply(data, ip, _start(cloud, data, reserved, type, target), 201)


def _start(cloud: Cloud, data: Json, reserved: Json, type: str, droplet: int) -> Json:
    task = (f"reserved_ip.{type}", {"ip": reserved["ip"], "droplet": droplet, "before": reserved["droplet"]})
    resource = ("reserved_ip", int.from_bytes(bytes(map(int, reserved["ip"].split("."))), "big"))
    return actions.start(cloud, data, f"{type}_ip", resource, reserved["region"], task)


def _action_reply(data: Json, ip: str, action: Json, status: int) -> Reply:
    project = {"project_id": projects.project_id(data, f"do:floatingip:{ip}")}
    return Reply(status, {"action": actions.view(action) | project})


@actions.work("reserved_ip.assign")
def _assign(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    if args["before"]:
        cloud.machines.unassign_ip(args["ip"], args["before"])
    if again:
        cloud.machines.unassign_ip(args["ip"], args["droplet"])
    cloud.machines.assign_ip(args["ip"], args["droplet"])
    return _held_by(args["ip"], args["droplet"])


@actions.work("reserved_ip.unassign")
def _unassign(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    cloud.machines.unassign_ip(args["ip"], args["droplet"])
    return _held_by(args["ip"], None)


def _held_by(ip: str, droplet: int | None) -> actions.Finish:
    def finish(data: Json) -> None:
        data["reserved_ips"][ip]["droplet"] = droplet

    return finish


def _actions(cloud: Cloud, request: Request, ip: str) -> Reply:
    with cloud.store.reading() as data:
        _get(data, ip)
        return page(request, "actions", actions.actions_on(data, "ip", ip))


def _show_action(cloud: Cloud, request: Request, ip: str, number: str) -> Reply:
    with cloud.store.reading() as data:
        _get(data, ip)
        actions.one_of(data, "ip", ip, number)
        return _action_reply(data, ip, data["actions"][number], 200)


ROUTES = [
    Route("GET", "/v2/reserved_ips", _list),
    Route("POST", "/v2/reserved_ips", _create),
    Route("GET", "/v2/reserved_ips/{ip}", _show),
    Route("DELETE", "/v2/reserved_ips/{ip}", _delete),
    Route("GET", "/v2/reserved_ips/{ip}/actions", _actions),
    Route("POST", "/v2/reserved_ips/{ip}/actions", _perform),
    Route("GET", "/v2/reserved_ips/{ip}/actions/{number}", _show_action),
]

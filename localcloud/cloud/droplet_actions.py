"""What can be done to a droplet: power, size, name, backups. One action at a time for each droplet."""

from __future__ import annotations

from collections.abc import Callable

from localcloud.cloud import actions, catalogue, droplets, rules
from localcloud.cloud.api import Cloud, Reply, Request, Route, page
from localcloud.cloud.droplet_create import check_name, check_size
from localcloud.cloud.errors import not_in_rehearsal, unprocessable
from localcloud.cloud.store import Json

# What the real API can do to a droplet and this one cannot.
NOT_HERE = {
    "restore",
    "rebuild",
    "snapshot",
    "password_reset",
    "change_kernel",
    "enable_ipv6",
    "enable_private_networking",
}


def _perform(cloud: Cloud, request: Request, id: str) -> Reply:
    type = request.text("type")
    if type in NOT_HERE:
        raise not_in_rehearsal(f"The action {type} is not offered here")
    if type not in _CHECKS:
        raise unprocessable("You specified an invalid action type.")
    with cloud.store.changing() as data:
        droplet = droplets.get(data, id)
        actions.refuse_pending(data, droplet=droplet["id"])
        args = {"droplet": droplet["id"], **_CHECKS[type](request, droplet)}
        task = (f"droplet.{type}", args)
        return actions.reply(
            actions.start(cloud, data, type, ("droplet", droplet["id"]), droplet["region"], task), status=201
        )


def _must_be(droplet: Json, status: str, otherwise: str) -> Json:
    if droplet["status"] != status:
        raise unprocessable(otherwise)
    return {}


def _check_resize(request: Request, droplet: Json) -> Json:
    size, disk = check_size(request.body.get("size")), request.flag("disk")
    _must_be(droplet, "off", "Droplet is currently on. Please power it off to run this event.")
    if size == droplet["size"]:
        raise unprocessable("The Droplet already has this size.")
    if catalogue.size(size)["disk"] < droplet["disk"]:
        raise unprocessable("Size can not decrease size of Droplet's disk image")
    return {"size": size, "disk": disk}


def _check_policy(request: Request, droplet: Json) -> Json:
    return {"policy": request.body.get("backup_policy")}


_OFF = "Droplet is already powered off."
_CHECKS: dict[str, Callable[[Request, Json], Json]] = {
    "power_off": lambda request, droplet: _must_be(droplet, "active", _OFF),
    "power_on": lambda request, droplet: _must_be(droplet, "off", "Droplet is already powered on."),
    "reboot": lambda request, droplet: _must_be(droplet, "active", "Droplet is currently off."),
    # The real API takes these two for a droplet that is off as well.
    "power_cycle": lambda request, droplet: {},
    "shutdown": lambda request, droplet: {},
    "resize": _check_resize,
    "rename": lambda request, droplet: {"name": check_name(request.body.get("name"))},
    "enable_backups": _check_policy,
    "change_backup_policy": _check_policy,
    "disable_backups": lambda request, droplet: {},
}


def _off(cloud: Cloud, id: int) -> None:
    with cloud.store.changing() as data:
        droplets.get(data, id)["running"] = False
    rules.forget(cloud, id)
    cloud.machines.power(id, False)


def _on(cloud: Cloud, id: int) -> None:
    cloud.machines.power(id, True)
    with cloud.store.changing() as data:
        droplets.get(data, id)["running"] = True
    rules.apply(cloud)


def _status(id: int, status: str) -> actions.Finish:
    def finish(data: Json) -> None:
        droplets.get(data, id)["status"] = status

    return finish


@actions.work("droplet.power_off")
@actions.work("droplet.shutdown")
def _power_off(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    _off(cloud, args["droplet"])
    return _status(args["droplet"], "off")


@actions.work("droplet.power_on")
def _power_on(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    _on(cloud, args["droplet"])
    return _status(args["droplet"], "active")


@actions.work("droplet.reboot")
@actions.work("droplet.power_cycle")
def _restart(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    _off(cloud, args["droplet"])
    _on(cloud, args["droplet"])
    return _status(args["droplet"], "active")


@actions.work("droplet.resize")
def _resize(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    size = catalogue.size(args["size"])
    cloud.machines.resize(args["droplet"], size["vcpus"], size["memory"])

    def finish(data: Json) -> None:
        droplet = droplets.get(data, args["droplet"])
        droplet["size"] = args["size"]
        if args["disk"]:
            droplet["disk"] = size["disk"]

    return finish


@actions.work("droplet.rename")
def _rename(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    def finish(data: Json) -> None:
        # The machine keeps its host name, as a real one does.
        droplets.get(data, args["droplet"])["name"] = args["name"]

    return finish


@actions.work("droplet.enable_backups")
@actions.work("droplet.change_backup_policy")
def _enable_backups(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    def finish(data: Json) -> None:
        # Remembered and shown; nothing is ever backed up here.
        droplet = droplets.get(data, args["droplet"])
        droplet["features"] = sorted({*droplet["features"], "backups"})
        droplet["backup_policy"] = args["policy"]

    return finish


@actions.work("droplet.disable_backups")
def _disable_backups(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    def finish(data: Json) -> None:
        droplet = droplets.get(data, args["droplet"])
        droplet["features"] = [feature for feature in droplet["features"] if feature != "backups"]
        droplet["backup_policy"] = None

    return finish


def wake(cloud: Cloud) -> int:
    """Start the droplets that should be on and are not: the machine they are on was itself restarted. How many."""
    with cloud.store.reading() as data:
        busy = {a["args"].get("droplet") for a in data["actions"].values() if a["status"] == "in-progress"}
        active = [d["id"] for d in data["droplets"].values() if d["status"] == "active" and d["id"] not in busy]
    stopped = [id for id in active if not cloud.machines.running(id)]
    with cloud.store.changing() as data:
        for id in stopped:
            droplet = droplets.get(data, id)
            droplet |= {"status": "off", "running": False}
            task = ("droplet.power_on", {"droplet": id})
            actions.start(cloud, data, "power_on", ("droplet", id), droplet["region"], task)
    return len(stopped)


def _list(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "actions", actions.actions_on(data, "droplet", droplets.get(data, id)["id"]))


def _show(cloud: Cloud, request: Request, id: str, number: str) -> Reply:
    with cloud.store.reading() as data:
        droplet = droplets.get(data, id)
        return Reply(200, {"action": actions.one_of(data, "droplet", droplet["id"], number)})


ROUTES = [
    Route("GET", "/v2/droplets/{id}/actions", _list),
    Route("POST", "/v2/droplets/{id}/actions", _perform),
    Route("GET", "/v2/droplets/{id}/actions/{number}", _show),
]

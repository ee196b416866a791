"""Attaching, detaching and growing a volume. The volume and its droplet have a pending event meanwhile."""

from __future__ import annotations

from localcloud.cloud import actions, droplets, tags, volumes
from localcloud.cloud.api import Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import unprocessable
from localcloud.cloud.store import Json

# What the actions are called once they run.
_TYPES = {"attach": "attach_volume", "detach": "detach_volume", "resize": "resize"}


def _perform(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        return _begin(cloud, request, data, volumes.get(data, id))


def _perform_by_name(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.changing() as data:
        volume = volumes.by_name(data, request.text("volume_name"), request.text("region"))
        return _begin(cloud, request, data, volume)


def _begin(cloud: Cloud, request: Request, data: Json, volume: Json) -> Reply:
    type = request.text("type")
    if type not in _TYPES:
        raise unprocessable("You specified an invalid action type.")
    if request.text("region", volume["region"]) != volume["region"]:
        raise unprocessable(f"The volume is in {volume['region']}.")
    args = _resize_args(request, volume) if type == "resize" else _droplet_args(request, data, volume, type)
    pending = {key: args[key] for key in ("volume", "droplet") if key in args}
    actions.refuse_pending(data, **pending)
    if type == "attach":
        named = tags.check(request.items("tags"))
        tags.ensure(data, named)
        volume["tags"] = sorted({*volume["tags"], *named})
    task = (f"volume.{type}", args)
    return actions.reply(actions.start(cloud, data, _TYPES[type], ("volume", None), volume["region"], task), status=202)


def _resize_args(request: Request, volume: Json) -> Json:
    size = request.number("size_gigabytes")
    if not volume["size_gigabytes"] < size <= volumes.MOST_GIGABYTES:
        raise unprocessable(f"Volume size can only be increased, up to {volumes.MOST_GIGABYTES} GiB.")
    args: Json = {"volume": volume["id"], "size": size}
    return args | ({"droplet": volume["droplet"]} if volume["droplet"] else {})


def _droplet_args(request: Request, data: Json, volume: Json, type: str) -> Json:
    droplet = droplets.get(data, request.number("droplet_id"))
    if type == "detach" and volume["droplet"] != droplet["id"]:
        raise unprocessable("Attachment not found")
    if type == "attach":
        if volume["droplet"]:
            raise unprocessable("Volume is already attached to a Droplet.")
        if volume["region"] != droplet["region"]:
            raise unprocessable("The volume and the Droplet must be in the same region.")
        if not droplet["made"]:
            raise unprocessable("Droplet already has a pending event.")
    return {"volume": volume["id"], "droplet": droplet["id"]}


def _attached_to(volume: str, droplet: int | None) -> actions.Finish:
    def finish(data: Json) -> None:
        data["volumes"][volume]["droplet"] = droplet

    return finish


@actions.work("volume.attach")
def _attach(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    if again:
        # An interrupted attachment starts again.
        _detach_if_attached(cloud, args)
    cloud.machines.attach_volume(args["volume"], args["droplet"])
    return _attached_to(args["volume"], args["droplet"])


@actions.work("volume.detach")
def _detach(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    if again:
        _detach_if_attached(cloud, args)
    else:
        cloud.machines.detach_volume(args["volume"], args["droplet"])
    return _attached_to(args["volume"], None)


def _detach_if_attached(cloud: Cloud, args: Json) -> None:
    try:
        cloud.machines.detach_volume(args["volume"], args["droplet"])
    except Exception as error:
        cloud.say(f"volume {args['volume']} taken as not attached to {args['droplet']}: {error}")


@actions.work("volume.resize")
def _resize(cloud: Cloud, args: Json, again: bool) -> actions.Finish:
    cloud.machines.grow_volume(args["volume"], args["size"])

    def finish(data: Json) -> None:
        data["volumes"][args["volume"]]["size_gigabytes"] = args["size"]

    return finish


def _list(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        volumes.get(data, id)
        return page(request, "actions", actions.actions_on(data, "volume", id))


def _show(cloud: Cloud, request: Request, id: str, number: str) -> Reply:
    with cloud.store.reading() as data:
        volumes.get(data, id)
        return Reply(200, {"action": actions.one_of(data, "volume", id, number)})


ROUTES = [
    Route("POST", "/v2/volumes/actions", _perform_by_name),
    Route("GET", "/v2/volumes/{id}/actions", _list),
    Route("POST", "/v2/volumes/{id}/actions", _perform),
    Route("GET", "/v2/volumes/{id}/actions/{number}", _show),
]

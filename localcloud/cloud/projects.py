"""Projects, and which one each resource is in. What is assigned to none is in the default project.

As for the real API, a reserved IP is listed as `do:floatingip:...` even if it was given as `do:reservedip:...`, and one
that a droplet has is in the droplet's project and cannot be moved alone.
"""

from __future__ import annotations

import re

from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import ApiError, not_found, unprocessable
from localcloud.cloud.store import Json, new_uuid, now

_OWNER = {"owner_id": 1, "owner_uuid": "5f3d0c8e-4d1b-4c2a-9d55-2f6f2a7b1c00"}
_TEXTS = ("name", "description", "purpose", "environment")
_ENVIRONMENTS = ("Development", "Staging", "Production")
_URN = re.compile(r"do:(droplet|volume|floatingip|domain|loadbalancer|dbaas):\S+")
_PATHS = {
    "droplet": "droplets",
    "volume": "volumes",
    "floatingip": "floating_ips",
    "domain": "domains",
    "loadbalancer": "load_balancers",
    "dbaas": "databases",
}


def ensure_default(data: Json) -> None:
    """Every account has one project from the beginning."""
    if not data["projects"]:
        _add(data, {"name": "fleetwatch-rehearsal", "description": "", "purpose": "Rehearsal"}, is_default=True)


def _add(data: Json, texts: Json, is_default: bool) -> Json:
    project: Json = {"environment": "Development", **texts, **_OWNER, "id": new_uuid(), "is_default": is_default}
    project |= {"created_at": now(), "updated_at": now()}
    data["projects"][project["id"]] = project
    return project


def _get(data: Json, id: str) -> Json:
    found: Json | None = data["projects"].get(_default(data) if id == "default" else id)
    if found is None:
        raise not_found()
    return found


def _default(data: Json) -> str:
    id: str = next(p["id"] for p in data["projects"].values() if p["is_default"])
    return id


def project_id(data: Json, urn: str) -> str:
    """The id of the project that a resource is in."""
    _, kind, id = urn.split(":", 2)
    if kind == "floatingip" and data["reserved_ips"].get(id, {}).get("droplet"):
        urn = f"do:droplet:{data['reserved_ips'][id]['droplet']}"
    assigned: str = data["assigned"].get(urn, {}).get("project", "")
    return assigned if assigned in data["projects"] else _default(data)


def assign(data: Json, urn: str, project: str) -> None:
    """Put a resource into a project."""
    data["assigned"][urn] = {"project": project, "at": now()}


def _urns(data: Json) -> list[str]:
    return [
        *(f"do:droplet:{id}" for id in data["droplets"]),
        *(f"do:volume:{id}" for id in data["volumes"]),
        *(f"do:floatingip:{ip}" for ip in data["reserved_ips"]),
        *(f"do:domain:{name}" for name in data["domains"]),
        *(f"do:loadbalancer:{id}" for id in data["balancers"]),
        *(f"do:dbaas:{id}" for id in data["databases"]),
    ]


def _resource(request: Request, data: Json, urn: str, status: str) -> Json:
    _, kind, id = urn.split(":", 2)
    at = data["assigned"].get(urn, {}).get("at") or _get(data, "default")["created_at"]
    return {
        "urn": urn,
        "assigned_at": at,
        "links": {"self": f"{request.base}/v2/{_PATHS[kind]}/{id}"},
        "status": status,
    }


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "projects", data["projects"].values())


def _texts(request: Request) -> Json:
    texts = {key: request.text(key) for key in _TEXTS if request.body.get(key) not in (None, "")}
    if texts.get("environment", "Development") not in _ENVIRONMENTS:
        raise unprocessable(f"environment must be one of {', '.join(_ENVIRONMENTS)}")
    return texts


def _check_name(data: Json, name: str, but: str = "") -> None:
    if any(p["name"] == name and p["id"] != but for p in data["projects"].values()):
        raise ApiError(409, "conflict", "name is already in use")


def _create(cloud: Cloud, request: Request) -> Reply:
    request.text("name")
    request.text("purpose")
    with cloud.store.changing() as data:
        texts = _texts(request)
        _check_name(data, texts["name"])
        return Reply(201, {"project": _add(data, {"description": "", **texts}, is_default=False)})


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"project": _get(data, id)})


def _change(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        project, texts = _get(data, id), _texts(request)
        default = request.flag("is_default", project["is_default"])
        _check_name(data, str(texts.get("name", project["name"])), but=project["id"])
        if project["is_default"] and not default:
            raise unprocessable("make another project the default instead")
        if default:
            for other in data["projects"].values():
                other["is_default"] = False
        project |= {**texts, "is_default": default, "updated_at": now()}
        return Reply(200, {"project": project})


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        project = _get(data, id)
        if project["is_default"]:
            raise ApiError(403, "forbidden", "the default project cannot be deleted")
        if any(project_id(data, urn) == project["id"] for urn in _urns(data)):
            raise ApiError(412, "precondition_failed", "cannot delete a project with resources. move or delete them")
        del data["projects"][project["id"]]
    return NO_CONTENT


def _resources(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        project = _get(data, id)["id"]
        found = [_resource(request, data, urn, "ok") for urn in _urns(data) if project_id(data, urn) == project]
        return page(request, "resources", found)


def _assign(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        project, known = _get(data, id)["id"], set(_urns(data))
        wanted = [str(urn).replace("do:reservedip:", "do:floatingip:") for urn in request.items("resources")]
        if strange := [urn for urn in wanted if not _URN.fullmatch(urn)]:
            raise unprocessable(f"{strange[0]} is not a URN of a resource that is offered here")
        for urn in known.intersection(wanted):
            _refuse_held(data, urn, project, wanted)
        shown = []
        for urn in wanted:
            if urn not in known:
                # What is gone is no error: whoever deletes a project moves what was in it when last seen.
                shown.append(_resource(request, data, urn, "not_found"))
                continue
            status = "already_assigned" if project_id(data, urn) == project else "assigned"
            assign(data, urn, project)
            shown.append(_resource(request, data, urn, status))
        return Reply(200, {"resources": shown, "links": {}, "meta": {"total": len(shown)}})


def _refuse_held(data: Json, urn: str, project: str, together: list[str]) -> None:
    _, kind, id = urn.split(":", 2)
    droplet = data["reserved_ips"][id]["droplet"] if kind == "floatingip" else None
    if droplet and project_id(data, urn) != project and f"do:droplet:{droplet}" not in together:
        raise ApiError(412, "precondition_failed", "Cannot move a Reserved IP with an associated Droplet.")


ROUTES = [
    Route("GET", "/v2/projects", _list),
    Route("POST", "/v2/projects", _create),
    Route("GET", "/v2/projects/{id}", _show),
    Route("PUT", "/v2/projects/{id}", _change),
    Route("PATCH", "/v2/projects/{id}", _change),
    Route("DELETE", "/v2/projects/{id}", _delete),
    Route("GET", "/v2/projects/{id}/resources", _resources),
    Route("POST", "/v2/projects/{id}/resources", _assign),
]

"""Tags, and what bears them: droplets and volumes keep the names in their own record."""

from __future__ import annotations

import re
from collections.abc import Iterable

from localcloud.cloud import rules
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import BadTag, not_found, not_in_rehearsal
from localcloud.cloud.store import Json

_NAME = re.compile(r"[a-zA-Z0-9_\-:]{1,255}")
_BEARERS = {"droplet": "droplets", "volume": "volumes"}


def check(names: Iterable[object]) -> list[str]:
    """The names of tags, each once; refused if one is no name."""
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadTag(str(name))
    return sorted({str(name) for name in names})


def ensure(data: Json, names: Iterable[str]) -> None:
    """A tag comes into being when something is given it."""
    for name in names:
        data["tags"].setdefault(name, {})


def _view(cloud: Cloud, request: Request, data: Json, name: str) -> Json:
    resources: Json = {}
    for family in ("droplets", "images", "volumes", "volume_snapshots", "databases"):
        ids = [thing["id"] for thing in data.get(family, {}).values() if name in thing["tags"]]
        resources[family] = {"count": len(ids)}
        if ids:
            resources[family]["last_tagged_uri"] = f"{request.base}/v2/{family}/{ids[-1]}"
    last = [part["last_tagged_uri"] for part in resources.values() if "last_tagged_uri" in part]
    total = {"count": sum(part["count"] for part in resources.values())}
    return {"name": name, "resources": {**total, **({"last_tagged_uri": last[0]} if last else {}), **resources}}


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "tags", [_view(cloud, request, data, name) for name in sorted(data["tags"])])


def _create(cloud: Cloud, request: Request) -> Reply:
    (name,) = check([request.text("name")])
    with cloud.store.changing() as data:
        # Making one that is there is no error: clients do so before each use.
        ensure(data, [name])
        return Reply(201, {"tag": _view(cloud, request, data, name)})


def _show(cloud: Cloud, request: Request, name: str) -> Reply:
    with cloud.store.reading() as data:
        if name not in data["tags"]:
            raise not_found()
        return Reply(200, {"tag": _view(cloud, request, data, name)})


def _delete(cloud: Cloud, request: Request, name: str) -> Reply:
    with cloud.store.changing() as data:
        if data["tags"].pop(name, None) is None:
            raise not_found()
        for family in (*_BEARERS.values(), "firewalls"):
            for thing in data[family].values():
                thing["tags"] = [tag for tag in thing["tags"] if tag != name]
    rules.apply(cloud)
    return NO_CONTENT


def _bearers(data: Json, request: Request) -> list[Json]:
    found = []
    for item in request.items("resources"):
        kind, id = (item.get("resource_type"), str(item.get("resource_id"))) if isinstance(item, dict) else ("", "")
        if kind not in _BEARERS:
            raise not_in_rehearsal(f"Only droplets and volumes can be tagged, not {kind or 'this'}")
        if id not in data[_BEARERS[kind]]:
            raise not_found()
        found.append(data[_BEARERS[kind]][id])
    return found


def _change(cloud: Cloud, request: Request, name: str, wanted: bool) -> Reply:
    with cloud.store.changing() as data:
        if name not in data["tags"]:
            raise not_found()
        for thing in _bearers(data, request):
            others = [tag for tag in thing["tags"] if tag != name]
            thing["tags"] = sorted([*others, name]) if wanted else others
    rules.apply(cloud)
    return NO_CONTENT


def _tag(cloud: Cloud, request: Request, name: str) -> Reply:
    return _change(cloud, request, name, True)


def _untag(cloud: Cloud, request: Request, name: str) -> Reply:
    return _change(cloud, request, name, False)


ROUTES = [
    Route("GET", "/v2/tags", _list),
    Route("POST", "/v2/tags", _create),
    Route("GET", "/v2/tags/{name}", _show),
    Route("DELETE", "/v2/tags/{name}", _delete),
    Route("POST", "/v2/tags/{name}/resources", _tag),
    Route("DELETE", "/v2/tags/{name}/resources", _untag),
]

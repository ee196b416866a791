"""Domains and their records: kept and shown, not served by any name server."""

from __future__ import annotations

import ipaddress
import re

from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found, unprocessable
from localcloud.cloud.store import Json, new_number

_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT")
# Their data is a name and must end with a dot; it is shown without.
_NAMES = ("CNAME", "MX", "NS", "SRV")
_NUMBERS = ("priority", "port", "weight", "flags")
TTL, SHORTEST_TTL = 1800, 30


def _get(data: Json, name: str) -> Json:
    found: Json | None = data["domains"].get(name)
    if found is None:
        raise not_found()
    return found


def _record(data: Json, name: str, id: str) -> Json:
    found: Json | None = data["records"].get(id)
    if found is None or found["domain"] != name:
        raise not_found()
    return found


def _view(record: Json) -> Json:
    return {key: value for key, value in record.items() if key != "domain"}


def _add(data: Json, domain: str, values: Json) -> Json:
    number = new_number(data, "records")
    empty = {"priority": None, "port": None, "weight": None, "flags": None, "tag": None, "ttl": TTL}
    record: Json = {"id": number, "domain": domain, **empty, **values}
    data["records"][str(number)] = record
    return record


def _values(request: Request, before: Json) -> Json:
    merged = {**before, **{key: value for key, value in request.body.items() if value is not None}}
    type = merged.get("type")
    if type not in _TYPES:
        raise unprocessable(f"Type must be one of {', '.join(_TYPES)}.")
    values: Json = {"type": type, "name": merged.get("name", "@"), "data": str(merged.get("data") or "")}
    if not values["data"]:
        raise unprocessable("Data can't be blank.")
    if type in {"A", "AAAA"}:
        _check_address(values["data"], 4 if type == "A" else 6)
    if type in _NAMES and "data" in request.body and values["data"] != "@":
        if not values["data"].endswith("."):
            raise unprocessable("Data needs to end with a dot (.)")
        values["data"] = values["data"][:-1]
    values["ttl"] = merged.get("ttl") or TTL
    if not isinstance(values["ttl"], int) or values["ttl"] < SHORTEST_TTL:
        raise unprocessable(f"TTL must be at least {SHORTEST_TTL} seconds.")
    used = {"MX": ("priority",), "SRV": ("priority", "port", "weight"), "CAA": ("flags",)}.get(str(type), ())
    values |= {key: merged.get(key, 0) if key in used else None for key in _NUMBERS}
    return values | {"tag": merged.get("tag") if type == "CAA" else None}


def _check_address(text: str, version: int) -> None:
    try:
        right = ipaddress.ip_address(text).version == version
    except ValueError:
        right = False
    if not right:
        raise unprocessable(f"IP address did not match IPv{version} format.")


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "domains", data["domains"].values())


def _create(cloud: Cloud, request: Request) -> Reply:
    name, address = request.text("name").lower(), request.text("ip_address", "")
    if not _DOMAIN.fullmatch(name):
        raise unprocessable("Name Only valid hostname characters are allowed. (a-z, a-Z, 0-9, . and -)")
    if address:
        _check_address(address, 4)
    with cloud.store.changing() as data:
        if name in data["domains"]:
            raise unprocessable("Name already exists")
        data["domains"][name] = {"name": name, "ttl": TTL, "zone_file": f"$ORIGIN {name}.\n$TTL {TTL}\n"}
        for number in (1, 2, 3):
            _add(data, name, {"type": "NS", "name": "@", "data": f"ns{number}.digitalocean.com"})
        if address:
            _add(data, name, {"type": "A", "name": "@", "data": address})
        # The zone file is made later by the real API as well.
        return Reply(201, {"domain": {"name": name, "ttl": TTL, "zone_file": None}})


def _show(cloud: Cloud, request: Request, name: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"domain": _get(data, name)})


def _delete(cloud: Cloud, request: Request, name: str) -> Reply:
    with cloud.store.changing() as data:
        del data["domains"][_get(data, name)["name"]]
        data["records"] = {id: r for id, r in data["records"].items() if r["domain"] != name}
    return NO_CONTENT


def _records(cloud: Cloud, request: Request, name: str) -> Reply:
    type, wanted = request.query.get("type"), request.query.get("name")
    with cloud.store.reading() as data:
        _get(data, name)
        found = [
            _view(r)
            for r in data["records"].values()
            # Clients query full names: www.example.com, and example.com for @.
            if r["domain"] == name
            and type in (None, r["type"])
            and wanted in (None, name if r["name"] == "@" else f"{r['name']}.{name}")
        ]
        return page(request, "domain_records", found)


def _create_record(cloud: Cloud, request: Request, name: str) -> Reply:
    with cloud.store.changing() as data:
        _get(data, name)
        return Reply(201, {"domain_record": _view(_add(data, name, _values(request, {})))})


def _show_record(cloud: Cloud, request: Request, name: str, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"domain_record": _view(_record(data, name, id))})


def _change_record(cloud: Cloud, request: Request, name: str, id: str) -> Reply:
    with cloud.store.changing() as data:
        record = _record(data, name, id)
        record |= _values(request, _view(record))
        return Reply(200, {"domain_record": _view(record)})


def _delete_record(cloud: Cloud, request: Request, name: str, id: str) -> Reply:
    with cloud.store.changing() as data:
        del data["records"][str(_record(data, name, id)["id"])]
    return NO_CONTENT


ROUTES = [
    Route("GET", "/v2/domains", _list),
    Route("POST", "/v2/domains", _create),
    Route("GET", "/v2/domains/{name}", _show),
    Route("DELETE", "/v2/domains/{name}", _delete),
    Route("GET", "/v2/domains/{name}/records", _records),
    Route("POST", "/v2/domains/{name}/records", _create_record),
    Route("GET", "/v2/domains/{name}/records/{id}", _show_record),
    Route("PUT", "/v2/domains/{name}/records/{id}", _change_record),
    Route("PATCH", "/v2/domains/{name}/records/{id}", _change_record),
    Route("DELETE", "/v2/domains/{name}/records/{id}", _delete_record),
]

"""Managed PostgreSQL: servers, the databases on them, and who may connect.

A server is made while the request waits, and shown as `creating` in the answer alone. Its sizes are those of the
cheapest plans; it has one account. Other engines, accounts and pools are not offered here.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import secrets

from localcloud.cloud import catalogue, rules, tags, vpcs
from localcloud.cloud.addresses import private
from localcloud.cloud.again import clear
from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route
from localcloud.cloud.errors import not_found, not_in_rehearsal, unprocessable
from localcloud.cloud.projects import project_id
from localcloud.cloud.store import Json, new_uuid, now
from localcloud.machines.model import DatabaseSpec

USER, DEFAULT, PORT = "doadmin", "defaultdb", 25060
_SIZES = ("db-s-1vcpu-1gb", "db-s-1vcpu-2gb", "db-s-2vcpu-4gb", "db-s-4vcpu-8gb")  # from small to large
_VERSIONS = {"17": "17.6"}
_NAME, _DATABASE = re.compile(r"[a-z][a-z0-9-]{2,62}"), re.compile(r"[A-Za-z0-9_-]{1,63}")
_MAKING = "making"


def get(data: Json, id: str) -> Json:
    """A server's record; 404 if there is none, or none yet."""
    found: Json | None = data["databases"].get(id)
    if found is None or found.get(_MAKING):
        raise not_found()
    return found


def _connection(database: Json, host: str) -> Json:
    uri = f"postgres://{USER}:{database['password']}@{host}:{PORT}/{DEFAULT}?sslmode=require"
    login = {"user": USER, "password": database["password"]}
    return {"uri": uri, "database": DEFAULT, "host": host, "port": PORT, **login, "ssl": True}


def _view(data: Json, database: Json, status: str = "online") -> Json:
    same = ("id", "name", "engine", "version", "num_nodes", "size", "region", "created_at", "tags", "db_names", "rules")
    return {
        **{key: database[key] for key in same},
        "semantic_version": _VERSIONS[database["version"]],
        "status": status,
        "private_network_uuid": database["vpc"],
        # Nothing outside of its VPC reaches it here.
        "connection": _connection(database, f"{database['name']}.rehearsal.invalid"),
        "private_connection": _connection(database, database["private_ip"]),
        "users": [{"name": USER, "role": "primary", "password": database["password"]}],
        "project_id": project_id(data, f"do:dbaas:{database['id']}"),
        "storage_size_mib": 10240,
        "metrics_endpoints": [],
    }


def _ordered(size: str, nodes: object) -> tuple[str, int]:
    """A size and a number of nodes. Raises 422."""
    if size not in _SIZES:
        raise not_in_rehearsal(f"size {size!r} is none of {', '.join(_SIZES)}")
    if not isinstance(nodes, int) or not 1 <= nodes <= 3 or (nodes > 1 and size == _SIZES[0]):
        raise unprocessable("invalid number of nodes for this size")
    return size, nodes


def _create(cloud: Cloud, request: Request) -> Reply:
    name, engine, version, region = (request.text(key) for key in ("name", "engine", "version", "region"))
    if engine != "pg" or version not in _VERSIONS:
        raise not_in_rehearsal(f"engine pg of version {', '.join(_VERSIONS)} alone is offered here")
    if not _NAME.fullmatch(name):
        raise unprocessable("invalid cluster name")
    if not catalogue.known_region(region):
        raise unprocessable("invalid region")
    size, nodes = _ordered(request.text("size"), request.body.get("num_nodes"))
    wanted = tags.check(request.items("tags"))
    with cloud.store.changing() as data:
        if any(one["name"] == name for one in data["databases"].values()):
            raise unprocessable("cluster name is not available")
        vpc = vpcs.get(data, request.text("private_network_uuid"))
        database: Json = {
            "id": new_uuid(), "name": name, "engine": engine, "version": version, "region": region, "size": size,
            "num_nodes": nodes, "vpc": vpc["id"], "private_ip": private(data, vpc), "tags": wanted, "rules": [],
            "password": f"AVNS_{secrets.token_urlsafe(14)}", "db_names": [DEFAULT], "created_at": now(), _MAKING: True,
        }  # fmt: skip
        tags.ensure(data, wanted)
        data["databases"][database["id"]] = database
    _make(cloud, database)
    with cloud.store.changing() as data:
        del database[_MAKING]
        return Reply(201, {"database": _view(data, database, status="creating")})


def _make(cloud: Cloud, database: Json) -> None:
    spec = DatabaseSpec(
        uuid=database["id"], vpc=database["vpc"], address=database["private_ip"], user=USER,
        password=database["password"],
    )  # fmt: skip
    try:
        cloud.machines.create_database(spec)
    except BaseException:
        with cloud.store.changing() as data:
            del data["databases"][database["id"]]
        raise


def undo_half_made(cloud: Cloud) -> None:
    """Servers whose creation or removal was interrupted: the client received an error and will retry."""
    with cloud.store.reading() as data:
        half = [database["id"] for database in data["databases"].values() if database.get(_MAKING)]
    for id in half:
        try:
            clear(cloud.machines.delete_database, id)
        except Exception as error:
            cloud.say(f"database {id} was half made and cannot be removed: {error}")
            continue
        with cloud.store.changing() as data:
            del data["databases"][id]


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        found = [_view(data, one) for one in data["databases"].values() if not one.get(_MAKING)]
        return Reply(200, {"databases": found})  # without pages, as in the specification


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"database": _view(data, get(data, id))})


def _resize(cloud: Cloud, request: Request, id: str) -> Reply:
    size, nodes = _ordered(request.text("size"), request.body.get("num_nodes"))
    with cloud.store.changing() as data:
        database = get(data, id)
        if _SIZES.index(size) < _SIZES.index(database["size"]):
            raise unprocessable("a cluster cannot be resized to a smaller size")
        database |= {"size": size, "num_nodes": nodes}
    return Reply(202)


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        get(data, id)[_MAKING] = True  # from here on it is gone for everybody
    cloud.machines.delete_database(id)
    with cloud.store.changing() as data:
        del data["databases"][id]
    return NO_CONTENT


def _ca(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        get(data, id)
    certificate = base64.b64encode(cloud.machines.database_ca(id).encode()).decode()
    return Reply(200, {"ca": {"certificate": certificate}})


def _dbs(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"dbs": [{"name": name} for name in get(data, id)["db_names"]]})


def _add_db(cloud: Cloud, request: Request, id: str) -> Reply:
    name = request.text("name")
    if not _DATABASE.fullmatch(name):
        raise unprocessable("invalid database name")
    with cloud.store.reading() as data:
        if name in get(data, id)["db_names"]:
            raise unprocessable("database name is not available")
    cloud.machines.database_run(id, f'CREATE DATABASE "{name}" OWNER {USER};')
    with cloud.store.changing() as data:
        get(data, id)["db_names"].append(name)
    return Reply(201, {"db": {"name": name}})


def _show_db(cloud: Cloud, request: Request, id: str, name: str) -> Reply:
    with cloud.store.reading() as data:
        if name not in get(data, id)["db_names"]:
            raise not_found()
    return Reply(200, {"db": {"name": name}})


def _delete_db(cloud: Cloud, request: Request, id: str, name: str) -> Reply:
    _show_db(cloud, request, id, name)
    cloud.machines.database_run(id, f'DROP DATABASE "{name}" WITH (FORCE);')
    with cloud.store.changing() as data:
        get(data, id)["db_names"].remove(name)
    return NO_CONTENT


def _firewall(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"rules": get(data, id)["rules"]})


def _set_firewall(cloud: Cloud, request: Request, id: str) -> Reply:
    found = [_rule(id, rule) for rule in request.items("rules")]
    with cloud.store.changing() as data:
        get(data, id)["rules"] = found
    rules.apply(cloud)
    return NO_CONTENT


def _rule(id: str, rule: object) -> Json:
    if not isinstance(rule, dict) or rule.get("type") not in ("droplet", "ip_addr", "tag"):
        raise not_in_rehearsal("rules: type is none of droplet, ip_addr and tag")
    kind, value = rule["type"], str(rule.get("value") or "")
    try:
        value = str(ipaddress.IPv4Network(value)) if kind == "ip_addr" and "/" in value else value
        if kind == "ip_addr" and "/" not in value:
            value = str(ipaddress.IPv4Address(value))
    except ValueError:
        raise unprocessable("invalid firewall rule value") from None
    made = {"uuid": str(rule.get("uuid") or new_uuid()), "cluster_uuid": id, "type": kind, "value": value}
    return {**made, "created_at": now()}


_ONE = "/v2/databases/{id}"
ROUTES = [
    Route("GET", "/v2/databases", _list),
    Route("POST", "/v2/databases", _create),
    Route("GET", _ONE, _show),
    Route("DELETE", _ONE, _delete),
    Route("PUT", f"{_ONE}/resize", _resize),
    Route("GET", f"{_ONE}/ca", _ca),
    Route("GET", f"{_ONE}/dbs", _dbs),
    Route("POST", f"{_ONE}/dbs", _add_db),
    Route("GET", f"{_ONE}/dbs/{{name}}", _show_db),
    Route("DELETE", f"{_ONE}/dbs/{{name}}", _delete_db),
    Route("GET", f"{_ONE}/firewall", _firewall),
    Route("PUT", f"{_ONE}/firewall", _set_firewall),
]

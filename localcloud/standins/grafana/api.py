"""The part of Grafana's HTTP API that the stand-in answers, in Grafana's shapes; each gives (status, document)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import NAME, VERSION
from .config import Config, ConfigProblem
from .log import log
from .provisioning import Dashboard, DataSource, Store
from .sessions import DatabaseAway, Sessions
from .sources import Answer, SourceError, health, send

Reply = tuple[int, Any]
# Grafana proxies queries to Prometheus by POST, but no changes.
PROMETHEUS_POST = ("api/v1/query", "api/v1/query_range", "api/v1/series", "api/v1/labels", "api/v1/query_exemplars")
PASSED_ON = ("Content-Type", "Accept", "X-Scope-OrgID")


def not_found(what: str) -> Reply:
    return 404, {"message": f"{what} not found"}


def database_health(sessions: Sessions) -> Reply:
    about = {"version": VERSION, "commit": "", "product": f"{NAME} (not Grafana)"}
    try:
        sessions.ping()
    except DatabaseAway:
        return 503, {"database": "failing", **about}
    return 200, {"database": "ok", **about}


def _source(source: DataSource) -> dict[str, Any]:
    raw = source.raw
    return {
        "uid": source.uid,
        "orgId": 1,
        "name": source.name,
        "type": source.type,
        "access": "proxy",
        "url": source.url,
        "isDefault": source.default,
        "basicAuth": bool(raw.get("basicAuth")),
        "jsonData": raw.get("jsonData") or {},
        "secureJsonFields": {key: True for key in source.secure},
        "readOnly": not raw.get("editable", False),
    }


def _board(board: Dashboard) -> dict[str, Any]:
    return {
        "uid": board.uid,
        "title": board.title,
        "uri": f"db/{board.uid}",
        "url": f"/d/{board.uid}/",
        "type": "dash-db",
        "tags": list(board.tags),
        "folderTitle": board.folder,
        "isStarred": False,
    }


def search(store: Store, params: Mapping[str, Sequence[str]]) -> Reply:
    wanted, tags = (params.get("query") or [""])[0].lower(), set(params.get("tag") or [])
    if (params.get("type") or ["dash-db"])[0] != "dash-db":
        return 200, []
    boards = store.dashboards.values()
    return 200, [_board(b) for b in boards if wanted in b.title.lower() and tags <= set(b.tags)]


def dashboard(store: Store, uid: str) -> Reply:
    board = store.dashboards.get(uid)
    if board is None:
        return not_found("Dashboard")
    meta = {"type": "db", "canSave": False, "canEdit": False, "provisioned": True, "url": f"/d/{uid}/"}
    meta |= {"folderTitle": board.folder, "provisionedExternalId": board.file.name}
    return 200, {"meta": meta, "dashboard": board.json}


def datasources(store: Store, rest: str) -> Reply:
    """`` for all, `uid/<uid>`, `uid/<uid>/health`, `name/<name>`."""
    parts = [part for part in rest.split("/") if part]
    if not parts:
        return 200, [_source(source) for source in store.sources.values()]
    source = store.sources.get(parts[1]) if parts[0] == "uid" and len(parts) > 1 else None
    if parts[0] == "name" and len(parts) == 2:
        source = next((s for s in store.sources.values() if s.name == parts[1]), None)
    if source is None:
        return not_found("Data source")
    if parts[2:] == ["health"]:
        ok, message = health(source)
        return (200 if ok else 400), {"status": "OK" if ok else "ERROR", "message": message}
    return (200, _source(source)) if len(parts) == 2 else not_found("Page")


def proxy(
    store: Store, method: str, uid: str, path: str, query: str, body: bytes | None, headers: Mapping[str, str]
) -> Reply | Answer:
    """Pass a request on. The asker's cookie and password stay here; the source's own are added."""
    source = store.sources.get(uid)
    if source is None:
        return not_found("Data source")
    if ".." in path.split("/"):
        return 400, {"message": "the path of a proxied request may not climb up"}
    if method == "POST" and source.type == "prometheus" and path.strip("/") not in PROMETHEUS_POST:
        return 403, {"message": "non allow-listed POSTs not allowed on proxied Prometheus datasource"}
    kept = {key: headers[key] for key in PASSED_ON if headers.get(key)}
    try:
        return send(source, method, f"{path}?{query}" if query else path, body, kept)
    except SourceError as error:
        log("warn", "data-proxy", "data source does not answer", uid=uid, error=str(error))
        return 502, {"message": str(error)}


def user(config: Config) -> dict[str, Any]:
    return {"id": 1, "login": config.admin_user, "name": config.admin_user, "orgId": 1, "isGrafanaAdmin": True}


def reload(store: Store, what: str) -> Reply:
    """Read the provisioning files again; a bad file changes nothing."""
    if what not in {"dashboards", "datasources"}:
        return not_found("Page")
    try:
        store.reload(what)
    except ConfigProblem as problem:
        log("error", "provisioning", f"kept the {what} as they were", error=str(problem))
        return 500, {"message": str(problem)}
    return 200, {"message": f"{what.capitalize()} config reloaded"}

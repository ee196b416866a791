"""Uptime checks and their alerts. The API stores and lists them, but runs no checks and sends no notifications."""

from __future__ import annotations

from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found, unprocessable
from localcloud.cloud.store import Json, new_uuid

_REGIONS = ["us_east", "eu_west"]
_ALL_REGIONS = {"us_east", "us_west", "eu_west", "se_asia"}
_TYPES = {"ping", "http", "https"}
_ALERT_TYPES = {"latency", "down", "down_global", "ssl_expiry"}
_COMPARISONS = {"greater_than", "less_than"}
_PERIODS = {"2m", "3m", "5m", "10m", "15m", "30m", "1h"}


def _check(data: Json, id: str) -> Json:
    found: Json | None = data["checks"].get(id)
    if found is None:
        raise not_found()
    return found


def _alert(data: Json, check: str, id: str) -> Json:
    _check(data, check)
    found: Json | None = data["alerts"].get(id)
    if found is None or found["check"] != check:
        raise not_found()
    return found


def _view(alert: Json) -> Json:
    return {key: value for key, value in alert.items() if key != "check"}


def _wanted(request: Request, before: Json) -> Json:
    wanted: Json = {
        "name": request.text("name", before.get("name")),
        "target": request.text("target", before.get("target")),
        "enabled": request.flag("enabled", before.get("enabled", True)),
        "regions": request.items("regions") or before.get("regions", _REGIONS),
    }
    guess = "https" if wanted["target"].startswith("https:") else "http"
    wanted["type"] = request.text("type", before.get("type", guess))
    if wanted["type"] not in _TYPES:
        raise unprocessable("type must be ping, http or https")
    if not set(wanted["regions"]) <= _ALL_REGIONS:
        raise unprocessable(f"regions must be of {', '.join(sorted(_ALL_REGIONS))}")
    return wanted


def _wanted_alert(request: Request, before: Json) -> Json:
    wanted: Json = {
        "name": request.text("name", before.get("name")),
        "type": request.text("type", before.get("type")),
        "notifications": request.body.get("notifications", before.get("notifications")),
        "period": request.text("period", before.get("period", "2m")),
        "threshold": request.body.get("threshold", before.get("threshold", 0)) or 0,
    }
    if wanted["type"] not in _ALERT_TYPES:
        raise unprocessable(f"type must be one of {', '.join(sorted(_ALERT_TYPES))}")
    if wanted["period"] not in _PERIODS:
        raise unprocessable(f"period must be one of {', '.join(sorted(_PERIODS))}")
    given = wanted["notifications"]
    if not isinstance(given, dict) or not (given.get("email") or given.get("slack")):
        raise unprocessable("notifications must name an email address or a Slack channel")
    # Returned only if the request has it: an alert of type `down` compares nothing.
    if comparison := request.text("comparison", ""):
        if comparison not in _COMPARISONS:
            raise unprocessable(f"comparison must be one of {', '.join(sorted(_COMPARISONS))}")
        wanted["comparison"] = comparison
    wanted["notifications"] = {"email": given.get("email") or [], "slack": given.get("slack") or []}
    return wanted


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "checks", data["checks"].values())


def _create(cloud: Cloud, request: Request) -> Reply:
    check = {"id": new_uuid(), **_wanted(request, {})}
    with cloud.store.changing() as data:
        data["checks"][check["id"]] = check
        return Reply(201, {"check": check})


def _show(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"check": _check(data, id)})


def _change(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        check = _check(data, id)
        check |= _wanted(request, check)
        return Reply(200, {"check": check})


def _delete(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        del data["checks"][_check(data, id)["id"]]
        data["alerts"] = {key: alert for key, alert in data["alerts"].items() if alert["check"] != id}
    return NO_CONTENT


def _alerts(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.reading() as data:
        _check(data, id)
        return page(request, "alerts", [_view(a) for a in data["alerts"].values() if a["check"] == id])


def _create_alert(cloud: Cloud, request: Request, id: str) -> Reply:
    with cloud.store.changing() as data:
        _check(data, id)
        alert = {"id": new_uuid(), **_wanted_alert(request, {}), "check": id}
        data["alerts"][alert["id"]] = alert
        return Reply(201, {"alert": _view(alert)})


def _show_alert(cloud: Cloud, request: Request, id: str, alert: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"alert": _view(_alert(data, id, alert))})


def _change_alert(cloud: Cloud, request: Request, id: str, alert: str) -> Reply:
    with cloud.store.changing() as data:
        before = _alert(data, id, alert)
        record = {"id": alert, **_wanted_alert(request, before), "check": id}
        data["alerts"][alert] = record
        return Reply(200, {"alert": _view(record)})


def _delete_alert(cloud: Cloud, request: Request, id: str, alert: str) -> Reply:
    with cloud.store.changing() as data:
        del data["alerts"][_alert(data, id, alert)["id"]]
    return NO_CONTENT


ROUTES = [
    Route("GET", "/v2/uptime/checks", _list),
    Route("POST", "/v2/uptime/checks", _create),
    Route("GET", "/v2/uptime/checks/{id}", _show),
    Route("PUT", "/v2/uptime/checks/{id}", _change),
    Route("DELETE", "/v2/uptime/checks/{id}", _delete),
    Route("GET", "/v2/uptime/checks/{id}/alerts", _alerts),
    Route("POST", "/v2/uptime/checks/{id}/alerts", _create_alert),
    Route("GET", "/v2/uptime/checks/{id}/alerts/{alert}", _show_alert),
    Route("PUT", "/v2/uptime/checks/{id}/alerts/{alert}", _change_alert),
    Route("DELETE", "/v2/uptime/checks/{id}/alerts/{alert}", _delete_alert),
]

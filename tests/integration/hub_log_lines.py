"""Lines as the hub's Caddy and Grafana write them, also those that a stranger makes them write."""

from __future__ import annotations

import json
from typing import Any


def caddy_says(logger: str, message: str, **more: Any) -> str:
    """A line as Caddy 2.11 writes it with `format json`."""
    return json.dumps({"level": "info", "ts": 1763990000.5, "logger": logger, "msg": message, **more})


def grafana_line(user: str, method: str, path: str, status: int) -> str:
    """A line of Grafana's request log."""
    page = f"https://monitor.example.com/user/password/reset?code={SECRET}"
    who = {"userId": 2 if user else 0, "orgId": 1, "uname": user, "t": "2026-11-28T12:00:00Z", "level": "info"}
    request = {"msg": "Request Completed", "method": method, "path": path, "status": status}
    return json.dumps({"logger": "context", **who, **request, "remote_addr": "203.0.113.9", "referer": page})


def access_line(**request: Any) -> str:
    """A line of Caddy's access log."""
    headers = {"User-Agent": ["curl/8.5.0"], "Accept": ["*/*"]}
    sent = {"remote_ip": "203.0.113.9", "proto": "HTTP/2.0", "method": "GET", "uri": "/", "headers": headers, **request}
    return caddy_says("http.log.access.log0", "handled request", request=sent, status=404)


RENEWED, FAILED = "certificate renewed successfully", "could not get certificate from issuer"
EMERGENCY = "certificate is in emergency renewal window; expiration imminent"
NAMED = {"identifier": "monitor.example.com"}
FORGED = caddy_says("tls.renew", FAILED, **NAMED)
# What a stranger can write into the access log: the text of a failed and of a successful renewal, in every field.
CRAFTED = tuple(
    access_line(**sent)
    for text in (f"tls.renew {FAILED}", f"tls. {EMERGENCY}", f"tls.obtain {RENEWED}", FORGED)
    for sent in (
        {"uri": f"/?{text}"},
        {"headers": {"User-Agent": [text]}},
        {"headers": {"Referer": [text]}},
        {"headers": {"Logger": ["tls.renew"], "Msg": [FAILED]}},
        {"logger": "tls.renew", "msg": FAILED},
        {"host": text, "method": text},
    )
)
# How long ago (seconds) Caddy wrote what; Loki asks its ingester for nothing that is older than three hours.
CADDY_SAYS = (
    (caddy_says("tls.obtain", "certificate obtained successfully", **NAMED), 9000),
    (caddy_says("tls.renew", FAILED, **NAMED), 7200),
    (caddy_says("tls.renew", RENEWED, **NAMED), 3600),
    (access_line(uri="/api/health"), 60),
    *((line, 30) for line in CRAFTED),
)
SECRET = "s3cret-in-a-link"  # pragma: allowlist secret
GRAFANA = '{job="docker",container="fleetwatch-grafana"}'
# (container, line) of queries that a viewer cancelled, and of errors that only mention it.
_FAILED_POST = 'Post \\"http://fleetwatch-caddy:9081/api/v1/query\\": context canceled'
CANCELLED = (
    (
        "loki",
        'level=error caller=retry.go:107 msg="error processing request" query="{a=\\"b\\"}" err="context canceled"',
    ),
    ("loki", 'level=error caller=http.go:98 msg=x err="rpc error: code = Canceled desc = context canceled"'),
    ("loki", 'level=error err="rpc error: code = Code(499) desc = The request was cancelled by the client."'),
    ("loki", 'level=error component=querier msg="error notifying scheduler about finished query" err=EOF addr=x'),
    ("loki", 'level=error msg=x err="rpc error: code = Canceled desc = grpc: the client connection is closing"'),
    ("prometheus", 'time=2026-11-28T12:00:00Z level=ERROR source=api.go:1 msg="query failed" err="context canceled"'),
    ("grafana", f'{{"level":"error","logger":"tsdb.prometheus","msg":"Query failed","error":"{_FAILED_POST}"}}'),
    (
        "caddy",
        '{"level":"error","logger":"http.handlers.reverse_proxy","msg":"reading","error":"reading: context canceled"}',
    ),
)
NO_DELETION = (
    'level=error caller=gennumber_loader.go:136 msg="error loading cache generation numbers" '
    'err="rpc error: code = Unknown desc = deletion is not available for this tenant"',
    "level=warn caller=grpc_logging.go:76 method=/grpc.Compactor/GetCacheGenNumbers msg=gRPC "
    'err="deletion is not available for this tenant"',
)
STAY_ERRORS = (
    ("loki", 'level=error msg="error reading block" err=EOF'),
    ("loki", 'level=error msg="deletion is not available for this tenant" err="no space left on device"'),
    ("loki", 'level=error msg="error processing request" query="{} |= `err=context canceled`" err="too many streams"'),
    ("loki", 'level=error msg="context canceled" err="no space left on device"'),
    ("prometheus", 'level=ERROR msg="context canceled, again" err="context canceled: disk full"'),
    ("grafana", '{"level":"error","logger":"context","msg":"context canceled","error":"database is locked"}'),
)
# Requests to Grafana: user, method, path, status.
IN_AUDIT = (
    ("", "POST", "/login", 401),
    ("", "POST", "/login", 200),
    ("", "GET", "/login/github", 302),
    ("eve", "GET", "/logout", 302),
    ("eve", "GET", "/", 200),
    ("eve", "GET", "/d/fleetwatch-hub/hub-health", 200),
    ("eve", "GET", f"/invite/{SECRET}", 200),
    ("eve", "DELETE", "/api/users/7", 200),
    ("eve", "POST", "/api/alertmanager/alertmanager/api/v2/silences", 202),
    ("eve", "POST", "/api/datasources/proxy/uid/alertmanager/api/v2/silences", 200),
    ("eve", "PATCH", f"/api/org/invites/{SECRET}/revoke", 200),
    ("eve", "PUT", "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards/x", 403),
)
ELSEWHERE = (("", "GET", "/", 302), ("", "POST", "/api/users", 401), ("", "GET", f"/api/snapshots/{SECRET}", 404))
DROPPED = (
    ("eve", "POST", "/api/ds/query", 200),
    ("eve", "POST", "/api/datasources/uid/loki/resources/labels", 200),
    ("eve", "POST", "/api/user/auth-tokens/rotate", 200),
    ("eve", "GET", "/api/search", 200),
    ("eve", "GET", "/public/build/app.js", 304),
    ("", "GET", "/login", 200),
)

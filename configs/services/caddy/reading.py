"""The reading side of Caddy: queries of Prometheus, Loki and Alertmanager, and silences. Requests that change anything
else are refused, also those that the program behind serves.

It has two listeners: one on the hub's loopback for gates, doctor and a person (`make tunnel`), one on the hub's network
for Grafana. Grafana passes any request of a signed-in user on to its data sources, so it reaches them only here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import metrics_store, names

if TYPE_CHECKING:
    from configs.settings import Settings

ALERTMANAGER = "/alertmanager"
# Reads that clients send by POST, because a query may be longer than a URL.
POSTED_READS = (
    *(
        f"/api/v1/{name}"
        for name in ("query", "query_range", "query_exemplars", "series", "labels", "format_query", "parse_query")
    ),
    *(
        f"/loki/api/v1/{name}"
        for name in ("query", "query_range", "series", "labels", "label", "index/*", "patterns", "format_query")
    ),
)
# No reads although they may be fetched by GET, or costly ones.
NEVER = (
    names.METRICS_PUSH,
    names.LOGS_PUSH,
    "/api/v1/admin/*",
    "/api/v1/otlp/*",
    "/loki/api/v1/delete*",
    "/api/prom/push",
    "/-/reload",
    "/-/quit",
    "/debug/*",
    f"{ALERTMANAGER}/-/reload",
    f"{ALERTMANAGER}/debug/*",
)
# Paths of Loki's API; the last two are those of its ruler.
LOKI = ("/loki/*", "/prometheus/*", "/api/prom/*")
REFUSED = "fleetwatch serves only reads and silences here"


def render(settings: Settings) -> str:
    """What both listeners serve, then the listeners. Only under names that mean this machine or this container, so that
    no other web page can reach them through a name that it controls."""
    loopback = [f"http://{host}:{names.CADDY_QUERY_PORT}" for host in ("127.0.0.1", "localhost")]
    sources = f"http://{names.address(settings.prefix, 'caddy', names.CADDY_SOURCES_PORT)}"
    return (
        _snippets(settings.prefix, metrics_store.reader(settings))
        + _site(names.CADDY_QUERY_PORT, ", ".join(loopback))
        + _site(names.CADDY_SOURCES_PORT, sources)
    )


def _site(port: int, addresses: str) -> str:
    return f"""
http://:{port} {{
	respond 404
}}

{addresses} {{
	import reading
}}
"""


def _snippets(prefix: str, reader: str) -> str:
    """Without its Origin, a request gets no answer that a browser would show to a page of another site."""
    return f"""
(read) {{
	reverse_proxy {{args[0]}} {{
		header_up -Origin
	}}
}}

(reading) {{
	@never path {" ".join(NEVER)}
	@read method GET HEAD
	@posted {{
		method POST
		path {" ".join(POSTED_READS)}
	}}
	@silence {{
		method POST
		path {ALERTMANAGER}/api/v2/silences
	}}
	@silenced {{
		method DELETE
		path {ALERTMANAGER}/api/v2/silence/*
	}}
	route {{
		respond @never "{REFUSED}" 403
		redir {ALERTMANAGER} {ALERTMANAGER}/
		handle @read {{
			import upstream
		}}
		handle @posted {{
			import upstream
		}}
		handle @silence {{
			import upstream
		}}
		handle @silenced {{
			import upstream
		}}
		respond "{REFUSED}" 403
	}}
}}

(upstream) {{
	handle_path {ALERTMANAGER}/* {{
		import read {names.address(prefix, "alertmanager", names.ALERTMANAGER_PORT)}
	}}
	@loki path {" ".join(LOKI)}
	handle @loki {{
		import read {names.address(prefix, "loki", names.LOKI_PORT)}
	}}
	handle {{
		import read {names.address(prefix, reader, names.PROMETHEUS_PORT)}
	}}
}}
"""

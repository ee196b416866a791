"""Caddy, the hub's only door: HTTPS for people and internet edges, a push-only port, redirects, and the query side.

Inside the container the four listeners have fixed ports; which host port and address each gets is the component's
business. Who may push is one file per host in the secrets folder, imported, so that the Caddyfile stays plain.
"""

from __future__ import annotations

from configs import names
from configs.settings import Settings

CONFIG = "/etc/caddy"
DATA = "/data"
ROOT = "pki/authorities/local/root.crt"
USERS = "users"


def caddyfile(settings: Settings) -> str:
    """The Caddyfile."""
    return "# Caddy of the hub, rendered by fleetwatch\n" + "".join(
        [
            _globals(),
            _read(),
            _https(settings),
            _redirect(settings),
            _push(settings),
            _query(settings),
            _metrics(),
        ]
    )


def user(host: str, bcrypt: str) -> str:
    """The imported line that lets `host` push."""
    return f"{host} {bcrypt}\n"


def command() -> list[str]:
    """Arguments of the container; the vendor's image has no entrypoint."""
    return ["caddy", "run", "--config", f"{CONFIG}/Caddyfile", "--adapter", "caddyfile"]


def _globals() -> str:
    return """{
	admin localhost:2019
	metrics
	skip_install_trust
	auto_https disable_redirects
	log {
		output stdout
		format json
		level INFO
	}
	servers {
		protocols h1 h2
		timeouts {
			read_header 10s
			idle 5m
		}
	}
}
"""


def _endpoints(settings: Settings, guard: str = "") -> str:
    """Push endpoints: POST only, a body limit; what was taken is not logged (a line per batch and host would be most
    of the log), what was refused is: `log_skip` comes after the guard."""
    targets = {
        names.METRICS_PUSH: names.address(settings.prefix, "prometheus", names.PROMETHEUS_PORT),
        names.LOGS_PUSH: names.address(settings.prefix, "loki", names.LOKI_PORT),
    }
    blocks = [
        f"""		route {path} {{
			@other not method POST
			respond @other 405{guard}
			request_body {{
				max_size {settings.hub.body_limit}
			}}
			log_skip
			reverse_proxy {target} {{
				header_up -Authorization
			}}
		}}
"""
        for path, target in targets.items()
    ]
    return "".join(blocks).rstrip("\n")


def _https(settings: Settings) -> str:
    domain = settings.hub.domain
    sites = [domain, "localhost"] if domain.endswith(".localhost") else [domain]
    tls = "tls internal {" if domain.endswith(".localhost") else "tls {"
    grafana = names.address(settings.prefix, "grafana", names.GRAFANA_PORT)
    guard = f"""
			basic_auth bcrypt fleetwatch {{
				import {names.SECRETS}/{USERS}/*.caddy
			}}"""
    return f"""
{", ".join(f"https://{site}:{names.CADDY_HTTPS_PORT}" for site in sites)} {{
	{tls}
		protocols tls1.3
	}}
	log
	header -Server
	route {{
{_endpoints(settings, guard)}
		handle {{
			reverse_proxy {grafana}
		}}
	}}
}}
"""


def _read() -> str:
    """Without its Origin, a request gets no answer that a browser would show to a page of another site."""
    return """
(read) {
	reverse_proxy {args[0]} {
		header_up -Origin
	}
}
"""


def _redirect(settings: Settings) -> str:
    """Redirects to the port that is published, which is not this container's own."""
    port = settings.hub.ports.https
    shown = "" if port == 443 else f":{port}"
    return f"""
http://:{names.CADDY_HTTP_PORT} {{
	log
	redir https://{settings.hub.domain}{shown}{{uri}} 308
}}
"""


def _push(settings: Settings) -> str:
    """For private networks alone: no TLS, no password, nothing but the two endpoints."""
    return f"""
http://:{names.CADDY_PUSH_PORT} {{
	log
	route {{
{_endpoints(settings)}
		respond 404
	}}
}}
"""


def _query(settings: Settings) -> str:
    """Reading side for gates, doctor and a person on this host; nothing can be pushed through it.

    Only under names that mean this machine, so that no web page elsewhere can lead a browser here by a name of its own.
    """
    prefix = settings.prefix
    return f"""
http://:{names.CADDY_QUERY_PORT} {{
	respond 404
}}

http://127.0.0.1:{names.CADDY_QUERY_PORT}, http://localhost:{names.CADDY_QUERY_PORT} {{
	@writing path {names.METRICS_PUSH} {names.LOGS_PUSH} /api/v1/otlp/* /otlp/* /loki/api/v1/delete* /flush /ingester/*
	route {{
		respond @writing 404
		redir /alertmanager /alertmanager/
		handle_path /alertmanager/* {{
			import read {names.address(prefix, "alertmanager", names.ALERTMANAGER_PORT)}
		}}
		handle /loki/* {{
			import read {names.address(prefix, "loki", names.LOKI_PORT)}
		}}
		handle {{
			import read {names.address(prefix, "prometheus", names.PROMETHEUS_PORT)}
		}}
	}}
}}
"""


def _metrics() -> str:
    return f"""
http://:{names.CADDY_METRICS_PORT} {{
	handle /metrics {{
		metrics
	}}
	respond 404
}}
"""

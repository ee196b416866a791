"""The Caddyfile of the hub: HTTPS for people and internet edges, a push-only port, redirects, and the query side.

Inside the container the listeners have fixed ports; which host port and address each gets is the component's business.
The reading side is in reading.py. Who may push is one file per host in the secrets folder, imported, so that the
Caddyfile stays plain.

A hub with a public domain gets its certificate by ACME, over port 443 or 80, whichever the CA reaches. Any other has
a certificate of Caddy's own CA; without a domain it answers to every name and address, with one certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from configs import metrics_store, names
from configs.secret_paths import REDACTED, SECRET_PATH
from configs.services import ask
from configs.services.caddy import entry, reading

if TYPE_CHECKING:
    from configs.services.caddy.entry import Entry
    from configs.settings import Settings
    from configs.settings.hub import Hub

USERS = "users"  # the folder of the imported files, below the secrets
ACME_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


def render(settings: Settings, node: Entry | None = None) -> str:
    """The Caddyfile. `node`: of one of a cluster's nodes, behind its load balancer."""
    return "# Caddy of the hub, rendered by fleetwatch\n" + "".join(
        [
            _globals(settings, node),
            _https(settings, node),
            _redirect(settings, node),
            _push(settings, node),
            reading.render(settings),
            _metrics(),
        ]
    )


SERVERS = """		protocols h1 h2
		timeouts {
			read_header 10s
			idle 5m
		}
"""


def _globals(settings: Settings, node: Entry | None) -> str:
    """The default log also has the access logs and failed requests: queries, headers and links that are secrets are
    left out of all three."""
    certificates = "".join(f"\t{line}\n" for line in _certificates(settings.hub))
    if node is not None:
        certificates += entry.authority(settings)
    return f"""{{
	admin localhost:2019
	metrics
	skip_install_trust
	auto_https disable_redirects
{certificates}	log {{
		output stdout
		format filter {{
			wrap json
			fields {{
				request>uri regexp `({SECRET_PATH})[^/?]+|([?]).*` `${{1}}${{2}}{REDACTED}`
				request>headers delete
				resp_headers delete
			}}
		}}
		level INFO
	}}
	servers {{
{SERVERS}	}}
{entry.listeners(node, SERVERS) if node is not None else ""}}}
"""


def _certificates(hub: Hub) -> list[str]:
    """Global options. Who comes by an address sends no name in the handshake, and gets the certificate of ours."""
    if hub.domain == names.NO_DOMAIN:
        return [f"default_sni {names.NO_DOMAIN}"]
    if hub.own_ca:
        return []
    email = [f"email {hub.acme.email}"] if hub.acme.email else []
    return [*email, *([f"acme_ca {ACME_STAGING}"] if hub.acme.staging else [])]


def _endpoints(settings: Settings, node: Entry | None, guard: str = "") -> str:
    """Push endpoints: POST only, a body limit; what was taken is not logged (a line per batch and host would be most
    of the log), what was refused is: `log_skip` comes after the guard."""
    targets = {
        names.METRICS_PUSH: metrics_store.writer(settings),
        names.LOGS_PUSH: (names.address(settings.prefix, "loki", names.LOKI_PORT), names.LOGS_PUSH),
    }
    blocks = [
        f"""		route {path} {{
			@other not method POST
			respond @other 405{guard}
			request_body {{
				max_size {settings.hub.body_limit}
			}}
			log_skip{entry.marked(path) if node is not None else ""}{"" if there == path else _for_thanos(there)}
			reverse_proxy {target} {{
				header_up -Authorization
				header_up -X-Loki-Ingestion-Policy
{entry.CLOSING if node is not None else ""}			}}
		}}
"""
        for path, (target, there) in targets.items()
    ]
    return "".join(blocks).rstrip("\n")


def _for_thanos(path: str) -> str:
    """Receive takes remote write at another path, and 1.0 alone: of 2.0 it would store nothing and report success. An
    agent that still pushes by 2.0 tries again until it has its new configuration. The headers are Receive's own, for
    other tenants and for other nodes."""
    return f"""
			@second header Content-Type *io.prometheus.write.v2*
			respond @second "this hub takes remote write 1.0" 503
			request_header -Thanos-*
			rewrite * {path}"""


def _sites(hub: Hub) -> list[str]:
    """The names of the HTTPS site; "" is every one, also an address."""
    if hub.domain == names.NO_DOMAIN:
        return [names.NO_DOMAIN, ""]
    return [hub.domain, "localhost"] if hub.domain.endswith(".localhost") else [hub.domain]


def _https(settings: Settings, node: Entry | None) -> str:
    tls = "tls internal {" if settings.hub.own_ca else "tls {"
    grafana = names.address(settings.prefix, "grafana", names.GRAFANA_PORT)
    guard = f"""
			basic_auth bcrypt fleetwatch {{
				import {names.SECRETS}/{USERS}/*.caddy
			}}"""
    return f"""
{", ".join(f"https://{site}:{names.CADDY_HTTPS_PORT}" for site in _sites(settings.hub))} {{
	{tls}
		protocols tls1.3
{entry.issuer(settings) if node is not None else ""}	}}
	log
	header -Server
	route {{
{_endpoints(settings, node, guard)}
{_ask(settings)}		handle {{
{_allow_list(settings.access.cidrs)}			@metrics path /metrics /metrics/*
			respond @metrics 404
			reverse_proxy {grafana}
		}}
	}}
{entry.next_nodes(settings, node) if node is not None else ""}}}
"""


def _ask(settings: Settings) -> str:
    """The assistant, behind the same allow-list as Grafana. A question is small, and so is every other request. In a
    `route`, whose directives run in the order in which they are written. Headers that it sets itself stay."""
    if settings.hub.ask is None:
        return ""
    target = names.address(settings.prefix, "ask", names.ASK_PORT)
    guard = _allow_list(settings.access.cidrs).replace("\t\t\t", "\t\t\t\t")
    hsts = "" if settings.hub.own_ca else "\t\t\t\t\t?Strict-Transport-Security max-age=31536000\n"
    return f"""		@ask path {ask.PATH} {ask.PATH}/*
		handle @ask {{
			route {{
{guard}				redir {ask.PATH} {ask.PATH}/ 308
				request_body {{
					max_size 256KB
				}}
				header {{
					?X-Content-Type-Options nosniff
					?X-Frame-Options DENY
					?Referrer-Policy same-origin
{hsts}					-Server
				}}
				reverse_proxy {target} {{
					header_up -X-Forwarded-Host
					transport http {{
						dial_timeout 5s
						response_header_timeout 2m
					}}
				}}
			}}
		}}
"""


def _allow_list(cidrs: Sequence[str]) -> str:
    """Guards Grafana alone: edges push from anywhere, by password, and an ACME challenge comes from anywhere too.

    Held against the connection's own address, never against a header of a request. In front of this Caddy stands
    nothing, or a load balancer that begins the connection with the client's address (entry.py).
    """
    if not cidrs:
        return ""
    return f"""			@outside not remote_ip {" ".join(sorted(cidrs))}
			respond @outside "{{remote_host}} is not among the addresses of fleetwatch:access.cidrs" 403
"""


def _redirect(settings: Settings, node: Entry | None) -> str:
    """Redirects to the port that is published, which is not this container's own. No push is taken here.

    Answers to ACME's challenges are Caddy's own and come before this site.
    """
    hub = settings.hub
    shown = "" if hub.ports.https == 443 else f":{hub.ports.https}"
    host = "{host}" if hub.domain == names.NO_DOMAIN else hub.domain
    redirect = f"redir https://{host}{shown}{{uri}} 308"
    return f"""
http://:{names.CADDY_HTTP_PORT} {{
	log
{entry.plain(settings, node, redirect) if node is not None else f"	{redirect}{chr(10)}"}}}
"""


def _push(settings: Settings, node: Entry | None) -> str:
    """For private networks alone: no TLS, no password, nothing but the two endpoints."""
    return f"""
http://:{names.CADDY_PUSH_PORT} {{
	log
	route {{
{_endpoints(settings, node)}
		respond 404
	}}
{entry.next_nodes(settings, node) if node is not None else ""}}}
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

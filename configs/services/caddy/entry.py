"""What the Caddy of a cluster's node has besides, because a load balancer chooses the node that a connection reaches.

The balancer passes on TCP and begins each connection with the client's address (the PROXY protocol). Each node has its
own certificate of the hub's name. A CA's request for the proof of a name (ACME, http-01) may reach any node, and only
the one that ordered the certificate has the answer, so the others pass the request on. The challenge tls-alpn-01 is
off, because Caddy cannot pass it on. Without a name all nodes certify themselves by one CA.

Agents go to another node only if they cannot connect to a Caddy. So a Caddy that cannot connect to its own Receive or
Loki passes the push on to another node's push port, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from configs import names
from configs.metrics_store import RECEIVE

if TYPE_CHECKING:
    from configs.settings import Settings

READY = "/fleetwatch/ready"
AUTHORITY = "authority"  # the folder with the CA of all nodes, below the secrets
ROOT, KEY = f"{AUTHORITY}/root.crt", f"{AUTHORITY}/root.key"
_CHALLENGE = "/.well-known/acme-challenge/*"
_PASSED = "Fleetwatch-Passed"
_PUSH = "push"  # a variable of the requests that may be passed on: the path at which another node takes it
_LISTENERS = (names.CADDY_HTTPS_PORT, names.CADDY_HTTP_PORT)
# In the `reverse_proxy` of a push. A node that is cut off from the others answers 503, and the load balancer goes on to
# send it connections: without a new one the agent would try again here for as long as that lasts.
CLOSING = """				@refused status 5xx
				handle_response @refused {
					header Connection close
					copy_response
				}
"""


@dataclass(frozen=True)
class Entry:
    """Of one node: `proxies`, the networks whose PROXY headers are trusted, and `peers`, the other nodes."""

    proxies: tuple[str, ...]
    peers: tuple[str, ...]


def listeners(entry: Entry, common: str) -> str:
    """Global options of the ports that the balancer reaches; `common` are those of every listener, which one with own
    options would not have. The header of a connection from another network is ignored."""
    if not entry.proxies:
        return ""
    wrapped = f"""		listener_wrappers {{
			proxy_protocol {{
				timeout 5s
				allow {" ".join(sorted(entry.proxies))}
			}}
			tls
		}}
"""
    return "".join(f"	servers :{port} {{\n{common}{wrapped}	}}\n" for port in _LISTENERS)


def authority(settings: Settings) -> str:
    """Global option: the CA that all nodes have."""
    if not settings.hub.own_ca:
        return ""
    return f"""	pki {{
		ca local {{
			root {{
				cert {names.SECRETS}/{ROOT}
				key {names.SECRETS}/{KEY}
			}}
		}}
	}}
"""


def issuer(settings: Settings) -> str:
    """How a node gets its certificate, in the `tls` of its site."""
    return "" if settings.hub.own_ca else "\t\tissuer acme {\n\t\t\tdisable_tlsalpn_challenge\n\t\t}\n"


def plain(settings: Settings, entry: Entry, redirect: str) -> str:
    """The HTTP site: whether this node's Receive runs, the CA's requests, and the redirect of everything else. It
    requires no answer of a peer: the last node of three would be left out, and people reach Grafana there."""
    receive = names.address(settings.prefix, RECEIVE, names.THANOS_PORT)
    passing = not settings.hub.own_ca
    return f"""	route {{
		handle {READY} {{
			log_skip
			rewrite * /-/ready
			reverse_proxy {receive} {{
				transport http {{
					dial_timeout 1s
					response_header_timeout 1s
				}}
			}}
		}}
{_challenges(settings, entry) if passing else ""}		{redirect}
	}}
{_unreachable(settings, entry) if passing else ""}"""


def _challenges(settings: Settings, entry: Entry) -> str:
    """One peer after the other. What a peer has passed on is not passed on again."""
    return f"""		@passed {{
			path {_CHALLENGE}
			header {_PASSED} *
		}}
		respond @passed 404
		handle {_CHALLENGE} {{
{_passed_on(settings, entry.peers, 3)}		}}
"""


def _unreachable(settings: Settings, entry: Entry) -> str:
    """The next peer gets the request where the first is unavailable."""
    return f"""	handle_errors 502 504 {{
		handle {_CHALLENGE} {{
{_passed_on(settings, entry.peers[1:], 3)}		}}
	}}
"""


def _passed_on(settings: Settings, peers: tuple[str, ...], depth: int) -> str:
    """The request goes to the first peer, and to the next where that does not have the answer."""
    tabs, (peer, *others) = "\t" * depth, peers
    further = ""
    if others:
        further = f"""{tabs}	@elsewhere status 3xx 4xx 5xx
{tabs}	handle_response @elsewhere {{
{_passed_on(settings, tuple(others), depth + 2)}{tabs}	}}
"""
    return f"""{tabs}reverse_proxy http://{names.node(peer)}:{settings.hub.ports.http} {{
{tabs}	header_up {_PASSED} 1
{tabs}	transport http {{
{tabs}		dial_timeout 2s
{tabs}		response_header_timeout 2s
{tabs}	}}
{further}{tabs}}}
"""


def marked(path: str) -> str:
    """For a push endpoint, after its guard: a request that failed before has no mark and is not passed on."""
    return f"\n\t\t\tvars {_PUSH} {path}"


def next_nodes(settings: Settings, entry: Entry) -> str:
    """For the sites with push endpoints: a push whose own Receive or Loki takes no connection goes to the first of the
    peers that does. An answer goes to the agent as it is. So does a failure later than connecting: the body may have
    been read in part."""
    addresses = " ".join(f"{names.node(peer)}:{settings.hub.ports.push}" for peer in entry.peers)
    return f"""	handle_errors 502 504 {{
		@next {{
			vars {_PUSH} {names.METRICS_PUSH} {names.LOGS_PUSH}
			vars_regexp {{err.message}} ^dial
			not header {_PASSED} *
		}}
		handle @next {{
			rewrite * {{vars.{_PUSH}}}
			reverse_proxy {addresses} {{
				lb_policy first
				lb_retries {len(entry.peers) - 1}
				fail_duration 10s
				header_up -Authorization
				header_up {_PASSED} 1
				transport http {{
					dial_timeout 2s
				}}
			}}
		}}
	}}
"""

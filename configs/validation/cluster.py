"""Rules about a hub of three nodes. How its nodes are placed is checked with their form (configs/settings/nodes.py)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

from configs import services
from configs.services import shared_database
from configs.settings import Settings
from configs.settings.hub import PUBLIC_PORTS
from configs.settings.secrets import placeholder


def problems(settings: Settings) -> Iterator[str]:
    """Each with its path."""
    yield from _balancer(settings)
    if not settings.hub.nodes:
        return
    yield from _one_database(settings)
    for host, edge in settings.edges.items():
        for app in sorted(services.CLUSTER_JOBS & set(edge.apps)):
            yield f"hosts.{host}.apps.{app}: `{app}` is reserved beside `kind: cluster`; choose a different name"
    taken = {port.host for port in services.node_ports(settings)}
    for name, port in settings.hub.ports:
        if port in taken:
            yield (
                f"hub.ports.{name}: port {port} is taken, at it the nodes of a cluster reach each other; choose a "
                "different one"
            )
    yield from _one_server(settings)
    yield from _connections(settings)


def _balancer(settings: Settings) -> Iterator[str]:
    """Each key where it means something."""
    hub, given = settings.hub, settings.hub.balancer.model_fields_set
    if "balancer" in hub.model_fields_set and not hub.nodes:
        yield "hub.balancer: expected `kind: cluster`, one hub has no load balancer; remove it"
        return
    for key in sorted(given & {"address", "proxies"}):
        if hub.droplet is not None:
            yield f"hub.balancer.{key}: expected no such key with droplets, the program makes their load balancer"
    if hub.droplet is not None and hub.public and hub.ports.http != PUBLIC_PORTS["http"]:
        yield (
            f"hub.ports.http: expected {PUBLIC_PORTS['http']} with three nodes and hub.domain, a certificate authority "
            f"verifies the name there, got {hub.ports.http}"
        )
    if hub.server is None or not hub.nodes:
        return
    if "nodes" in given:
        yield "hub.balancer.nodes: expected no such key with servers, the load balancer in front of them is yours"
    known = hub.public or hub.balancer.address is not None or "hub.domain" in settings.invalid
    outside = [name for name, host in settings.hosts.items() if host.via == "internet" and name not in hub.hosts]
    if outside and not known:
        yield (
            f"hub.balancer.address: missing, hosts.{outside[0]} has `via: internet` and without `hub.domain` it would "
            "know the first server alone; set one of the two keys, or `via: vpc` of every host"
        )


def _own_database(settings: Settings) -> tuple[SplitResult, SplitResult] | None:
    """The DSNs of Grafana and of the assistant in a database of the user; None where both are not known."""
    database = settings.hub.storage.shared
    if database is None or database.postgres is None or database.postgres.ask is None:
        return None
    both = [one.dsn.get_secret_value() for one in (database.postgres.grafana, database.postgres.ask)]
    # Of a file that was not decrypted both are the same placeholder.
    return None if placeholder("dsn") in both else (urlsplit(both[0]), urlsplit(both[1]))


def _server(dsn: SplitResult) -> tuple[str | None, int]:
    return dsn.hostname, dsn.port or 5432


def _one_database(settings: Settings) -> Iterator[str]:
    """Not checked with their form, which does not know of each other. Their names are compared as
    configs/services/shared_database.py reads them."""
    both = _own_database(settings)
    if both and len({(_server(dsn), unquote(dsn.path.strip("/"))) for dsn in both}) == 1:
        yield (
            "hub.storage.database.postgres.ask.dsn: expected a different database than Grafana's, both have a table "
            "query_history; make another one on the same server"
        )


def _one_server(settings: Settings) -> Iterator[str]:
    """The exporter signs in to Grafana's database alone, and HubDatabaseDown speaks of both programs."""
    both = _own_database(settings)
    if both and _server(both[0]) != _server(both[1]):
        yield (
            "hub.storage.database.postgres.ask.dsn: expected the host and port of Grafana's, the alert HubDatabaseDown "
            "watches one server; make both databases on the same one"
        )


def _connections(settings: Settings) -> Iterator[str]:
    """A server that is too small refuses some of them, and then one of the programs fails now and then."""
    database = settings.hub.storage.shared
    if database is None or database.managed is None:
        return
    size, needed = database.managed.size, shared_database.connections(settings)
    accepted = shared_database.accepted(size)
    if accepted is not None and accepted < needed:
        yield (
            f"hub.storage.database.managed.size: expected a server for the {needed} connections of the nodes, {size} "
            f"accepts {accepted}; choose db-s-1vcpu-2gb or a larger one"
        )

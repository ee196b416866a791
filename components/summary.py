"""What a stack exports and shows: addresses, credentials, what runs where, its cost and the disk it needs."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.credential import Credential
from components.edge import Edge
from components.fleet import Fleet
from components.hub import Hub
from components.remote_host import RemoteHost
from configs import cost, disk
from configs.services import roles, scrape_jobs
from configs.settings import Settings


def announce(settings: Settings) -> None:
    """Cost and disk, shown by every preview."""
    if settings.in_cloud:
        pulumi.log.info(cost.monthly(settings).sentence)
    if settings.hub.kind != "local":
        pulumi.log.info(disk.summary(settings))
    for name, host in settings.hosts.items():
        if host.abandoned:
            pulumi.log.info(
                f"host {name} is abandoned: nothing on it is changed any more. After this update remove its entry from "
                "the stack file and run it again; that run does not contact the host either"
            )


def export(settings: Settings, fleet: Fleet, hub: Hub, admin: Credential, edges: Mapping[str, Edge]) -> None:
    """The stack's outputs, and what a preview shows beside its changes."""
    announce(settings)
    pulumi.export("url", hub.url)
    if (entry := fleet.in_front["entry"]) is not None:
        pulumi.export("entry", entry)  # what the DNS record of a cluster has to name
    if settings.hub.nodes and hub.ca is not None:
        pulumi.export("ca", hub.ca)  # for `make export`: in the state it is otherwise beside its key
    pulumi.export("user", settings.hub.grafana.admin_user)
    pulumi.export("password", admin.password)
    pulumi.export("query", hub.query)
    kept = [name for name, host in settings.hosts.items() if not host.abandoned]
    pulumi.export("jobs", {name: scrape_jobs(settings, name) for name in kept})
    pulumi.export("hosts", {name: _host(settings, fleet, name) for name in kept})
    # Counted only once the edge uses the new password: until then the hub accepts the old one too.
    pulumi.export("rotations", {name: edges[name].rotated for name in settings.hosts})
    pulumi.export("storage", settings.hub.storage.kind)
    if settings.hub.nodes:
        pulumi.export("nodes", settings.hub.nodes)
        pulumi.export("node_sizes", fleet.sizes)
    pulumi.export("bucket_prepared", settings.hub.storage.bucket is not None)
    if settings.hub.storage.lines_in_bucket:
        pulumi.export("logs_since", settings.hub.storage.logs_since or "")  # "": it has none, which is known
    if settings.hub.storage.logs_until is not None:
        pulumi.export("logs_until", settings.hub.storage.logs_until)
    if hub.data is not None:
        pulumi.export("data_bucket", hub.data)
    if hub.bucket is not None:
        pulumi.export("bucket", hub.bucket)
    if settings.in_cloud:
        bill = cost.monthly(settings)
        pulumi.export("monthly_usd", bill.total)
        pulumi.export("monthly_usd_items", {item.what: item.usd for item in bill.items})
    if settings.hub.kind != "local":
        pulumi.export("disk", disk.summary(settings))


def _host(settings: Settings, fleet: Fleet, name: str) -> dict[str, pulumi.Input[object]]:
    host = fleet.hosts[name]
    return {
        "address": host.public or "this machine",
        **({"private": host.private} if host.private is not None else {}),
        "via": settings.hosts[name].via,
        "runs": roles(settings, name),
        # For `make tunnel` and people; not secret.
        **({"ssh": host.ssh_argv} if isinstance(host, RemoteHost) else {}),
    }

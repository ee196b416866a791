"""Gate: an update succeeds only after the hub received new metrics and logs of the host."""

from __future__ import annotations

import json
from urllib.parse import quote

import pulumi
import pulumi_command as command

from components.host import Host
from configs import names
from configs.deploy import script
from configs.settings import Settings

PATIENCE = 120  # seconds; a first log line needs discovery (5 s), a batch and the start of a container
TRIES = 60  # seconds in which cAdvisor finds Docker's containerd; at most two of its scrapes follow
NOTE_PATIENCE = 60  # seconds; Loki accepts lines about 20 s after a restart


def note(settings: Settings, stack: str, host: str) -> str:
    """The script that annotates a change of this host. It runs on the hub, with the output of `settled` on stdin."""
    return script(
        "note",
        HOST=host,
        LOKI=names.address(stack, "loki", names.LOKI_PORT),
        NOTE_PATIENCE=str(NOTE_PATIENCE),
        PROMETHEUS=names.container(stack, "prometheus"),
        STREAM=json.dumps({"env": settings.env, "host": host, "job": names.CHANGES_JOB}),
    )


def gate(
    hub: Host, settings: Settings, host: str, settled: pulumi.Input[str], parent: pulumi.Resource
) -> command.local.Command:
    """Runs on the hub's host in updates that change the edge of `host`: annotates the change for the dashboards and
    waits for newer data. `settled` is what the edge's project printed: since when it runs unchanged."""
    stack, edge = hub.stack, settings.edges[host]
    of_host = f'host="{host}"'
    return hub.run(
        f"gate-{host}",
        create=note(settings, stack, host)
        + script(
            "gate",
            HOST=host,
            PATIENCE=str(max(PATIENCE, TRIES + 2 * edge.scrape.cadvisor)),
            PROMETHEUS=names.container(stack, "prometheus"),
            LOKI=names.address(stack, "loki", names.LOKI_PORT),
            AGENT=names.container(stack, "agent"),
            CADVISOR=names.container(stack, "cadvisor"),
            LOG_AGENT=names.container(stack, edge.logs.agent),
            NEWEST_SAMPLE=quote(f"max(timestamp(up{{{of_host}}}))"),
            NEWEST_CONTAINER=quote(f'max(timestamp(container_last_seen{{{of_host},container!=""}}))'),
            CADVISOR_UP=quote(f'max(up{{{of_host},job="cadvisor"}})'),
            LINES=quote(f'{{{of_host},job!="{names.CHANGES_JOB}"}}'),
        ),
        delete=None,
        stdin=settled,
        parent=parent,
    )

"""Gate: an update succeeds only after the hub received new metrics and logs of the host."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from urllib.parse import quote

import pulumi
import pulumi_command as command

from components.host import Host
from components.nodes import AnyNode
from configs import metrics_store, names
from configs.deploy import script
from configs.services import scrape_jobs, users_jobs
from configs.settings import Settings

PATIENCE = 120  # seconds; a first log line needs discovery (5 s), a batch and the start of a container
FAST = 15  # seconds; jobs that are scraped at least that often have a sample at the hub before an update ends
NOTE_PATIENCE = 60  # seconds; Loki accepts lines about 20 s after a restart


def note(settings: Settings, stack: str, host: str) -> str:
    """The script that annotates a change of this host. It runs on the hub, with the output of `settled` on stdin."""
    return script(
        "note",
        HOST=host,
        LOKI=names.address(stack, "loki", names.LOKI_PORT),
        NOTE_PATIENCE=str(NOTE_PATIENCE),
        PROMETHEUS=names.container(stack, metrics_store.reader(settings)),
        STREAM=json.dumps({"env": settings.env, "host": host, "job": names.CHANGES_JOB}),
    )


def gate(
    hub: Host | AnyNode, settings: Settings, host: str, settled: pulumi.Input[str], parent: pulumi.Resource
) -> command.local.Command:
    """Runs on the hub in updates that change the edge of `host`: annotates the change for the dashboards and waits for
    its data. `settled` is what the edge's project printed: since when it runs unchanged."""
    stack, edge = hub.stack, settings.edges[host]
    found = edge.discovered
    jobs = [job for job, interval in scrape_jobs(settings, host).items() if interval <= FAST and job not in found]
    of_host = f'host="{host}"'
    return hub.run(
        f"gate-{host}",
        create=note(settings, stack, host)
        + script(
            "gate",
            HOST=host,
            PATIENCE=str(PATIENCE),
            PROMETHEUS=names.container(stack, metrics_store.reader(settings)),
            LOKI=names.address(stack, "loki", names.LOKI_PORT),
            AGENT=names.container(stack, "agent"),
            CADVISOR=names.container(stack, "cadvisor") if "cadvisor" in jobs else "",
            LOG_AGENT=names.container(stack, edge.logs.agent),
            JOBS=" ".join(jobs),
            SAMPLES=quote(_samples(of_host, jobs, users_jobs(settings, host))),
            NEWEST_SAMPLE=quote(f"max(timestamp(up{{{of_host}}}))"),
            NEWEST_CONTAINER=quote(f'max(timestamp(container_last_seen{{{of_host},container!=""}}))'),
            LINES=quote(f'{{{of_host},job!="{names.CHANGES_JOB}"}}'),
        ),
        delete=None,
        stdin=settled,
        parent=parent,
    )


def _samples(of_host: str, jobs: Sequence[str], users: Collection[str]) -> str:
    """The query for the time of the newest sample by job (0: a target of ours is down)."""
    ours = "|".join(job for job in jobs if job not in users)
    theirs = "|".join(job for job in jobs if job in users)
    query = f'min by (job) (timestamp(up{{{of_host},job=~"{ours}"}}) * up{{{of_host},job=~"{ours}"}})'
    return query + (f' or min by (job) (timestamp(up{{{of_host},job=~"{theirs}"}}))' if theirs else "")

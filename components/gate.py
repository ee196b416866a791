"""Gate: an update ends only when the hub has fresh metrics and logs of a host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

import pulumi

from components.host import Host
from configs import names
from configs.deploy import script
from configs.settings import Settings

PATIENCE = 120  # seconds; a first log line needs discovery (5 s), a batch and an image's start
TRIES = 60  # seconds in which cAdvisor finds Docker's containerd; then come two of its scrapes, at most
NOTE_PATIENCE = 60  # seconds; Loki, when it was restarted just now, takes lines after about 20


def note(settings: Settings, stack: str, host: str) -> str:
    """The script that annotates a change of this host; it runs at the hub, with the output of `settled` on stdin."""
    return script(
        "note",
        HOST=host,
        LOKI=names.address(stack, "loki", names.LOKI_PORT),
        NOTE_PATIENCE=str(NOTE_PATIENCE),
        PROMETHEUS=names.container(stack, "prometheus"),
        STREAM=json.dumps({"env": settings.env, "host": host, "job": names.CHANGES_JOB}),
    )


@dataclass(frozen=True)
class GateArgs:
    """`hub` is where the gate runs; `settled` says since when the edge runs as it does now."""

    hub: Host
    settings: Settings
    host: str
    settled: pulumi.Input[str]


class Gate(pulumi.ComponentResource):
    """In an update that changed the edge: notes the change for the dashboards, waits for data newer than it. No
    outputs."""

    def __init__(self, name: str, args: GateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Gate", name, None, opts)
        stack, edge = args.hub.stack, args.settings.edges[args.host]
        of_host = f'host="{args.host}"'
        args.hub.run(
            f"gate-{args.host}",
            create=note(args.settings, stack, args.host)
            + script(
                "gate",
                HOST=args.host,
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
            stdin=args.settled,
            parent=self,
        )
        self.register_outputs({})

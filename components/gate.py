"""Gate: an update ends only when the hub has fresh metrics and logs of a host."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import pulumi

from components.host import Host
from configs import names
from configs.deploy import script

PATIENCE = 120  # seconds; a first log line needs discovery (5 s), a batch and an image's start


@dataclass(frozen=True)
class GateArgs:
    """`hub` is where the question is asked, `settled` says since when the edge is as it is now."""

    hub: Host
    host: str
    log_agent: str
    settled: pulumi.Input[str]


class Gate(pulumi.ComponentResource):
    """Waits, in an update that changed the edge, for data newer than the change. No outputs."""

    def __init__(self, name: str, args: GateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Gate", name, None, opts)
        stack = args.hub.stack
        args.hub.run(
            f"gate-{args.host}",
            create=script(
                "gate",
                HOST=args.host,
                PATIENCE=str(PATIENCE),
                PROMETHEUS=names.container(stack, "prometheus"),
                LOKI=names.address(stack, "loki", names.LOKI_PORT),
                AGENT=names.container(stack, "agent"),
                LOG_AGENT=names.container(stack, args.log_agent),
                NEWEST_SAMPLE=quote(f'max(timestamp(up{{job="agent",host="{args.host}"}}))'),
                LINES=quote(f'{{host="{args.host}"}}'),
            ),
            delete=None,
            stdin=args.settled,
            parent=self,
        )
        self.register_outputs({})

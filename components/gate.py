"""Gate: an update ends only when the hub has fresh metrics and logs of a host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pulumi

from components.host import Host
from configs import names
from configs.deploy import script

PATIENCE = 120  # seconds; a first log line needs discovery (5 s), a batch and an image's start


@dataclass(frozen=True, kw_only=True)
class GateArgs:
    """`hub` is where the question is asked, `marks` change with each change of the edge."""

    hub: Host
    host: str
    log_agent: str
    marks: Sequence[pulumi.Input[str]]


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
            stdin=pulumi.Output.all(*args.marks).apply("\n".join),
            parent=self,
        )
        self.register_outputs({})

"""The nodes of a cluster together: what runs on any one of them, and their rings before and after a change of one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_command as command

from components.remote_host import RemoteHost
from configs import names
from configs.deploy import numbered, on_stdin, script
from configs.deployment import gone, ring_view
from configs.settings import Settings

BEFORE = 120  # seconds; a node whose droplet was resized in this update is on its way
AFTER = 300  # seconds; a Loki that starts is in the ring within 12 s, a slow machine's within a minute
_SHELL = ["/bin/sh", "-c"]


class AnyNode:
    """Runs scripts on the first node that answers, and on which the container of this role runs."""

    def __init__(self, nodes: Mapping[str, RemoteHost], role: str) -> None:
        self._nodes = nodes
        self.stack = next(iter(nodes.values())).stack
        self._needed = names.container(self.stack, role)

    def run(
        self,
        what: str,
        *,
        create: str,
        delete: None,
        stdin: pulumi.Input[str],
        parent: pulumi.Resource,
    ) -> command.local.Command:
        """As `Host.run`. The command is named as that of the first node would be."""
        whole = script("on_node", NEEDED=self._needed) + create
        numbers = numbered([{"HOST": name} for name in self._nodes])["NUMBERS"]
        return command.local.Command(
            f"hub-{what}",
            create='eval "$ANY_NODE"',
            delete=delete,
            stdin=stdin,
            environment={
                "SCRIPT": whole,
                "ANY_NODE": script("first_node", NUMBERS=numbers),
                **_ways(self._nodes, whole),
            },
            interpreter=_SHELL,
            add_previous_output_in_env=False,
            logging=command.local.Logging.STDERR,  # success is silent
            opts=pulumi.ResourceOptions(parent=parent),
        )


class Ring:
    """The nodes in the order in which an update changes them, each once the others are healthy and before the next only
    if the rings are whole again."""

    def __init__(self, settings: Settings, nodes: Mapping[str, RemoteHost]) -> None:
        self._settings, self._nodes = settings, nodes
        self._last: pulumi.Resource | None = None
        self._before: dict[str, command.local.Command] = {}

    def before(self, host: str, change: pulumi.Input[str], parent: pulumi.Resource) -> pulumi.Resource:
        """What everything on this node has to wait for. `change`: a text that is another one whenever something on the
        node is to change."""
        # All that can be reached: a droplet that was just made may not be so yet.
        after: list[pulumi.Resource] = [self._last] if self._last is not None else []
        after += [node.ready for node in self._nodes.values()]
        self._before[host] = self._step("before", host, change, after, parent)
        return self._before[host]

    def after(
        self, host: str, change: pulumi.Input[str], made: Sequence[pulumi.Resource], parent: pulumi.Resource
    ) -> None:
        """Ends once the rings are whole after the change of this node. `change`: as in `before`, but of what is there
        now; `made`: what was changed. It follows each look before, so `make up` finds a change that failed between the
        two (tools/nodes.py)."""
        self._last = self._step("after", host, change, made, parent)

    def _step(
        self, step: str, host: str, change: pulumi.Input[str], after: Sequence[pulumi.Resource], parent: pulumi.Resource
    ) -> command.local.Command:
        nodes = self._settings.hub.nodes
        view = ring_view(self._settings, self._nodes[host].base)
        rows = numbered([{"NAME": name, "NODE": nodes[name]} for name in self._nodes])
        patience = str(BEFORE if step == "before" else AFTER)
        return command.local.Command(
            f"{host}-ring-{step}",
            create='eval "$RING"',
            stdin=pulumi.Output.from_input(change).apply(lambda text: hashlib.sha256(text.encode()).hexdigest()),
            environment={
                "VIEW": view,
                "RING": script("ring", HOST=host, STEP=step, PATIENCE=patience, GONE=gone(self._settings), **rows),
                **({"BEFORE": self._before[host].stdout} if step == "after" else {}),
                **_ways(self._nodes, view),
            },
            interpreter=_SHELL,  # with its last output in the environment
            logging=command.local.Logging.STDERR,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=list(after)),
        )


def sizes(settings: Settings) -> pulumi.Output[dict[str, str]]:
    """The size of every node's droplet, by host. RunError where more than one differs from that of the last complete
    update: a droplet is off while it is resized."""
    wanted = {name: droplet.size for name in settings.hub.nodes if (droplet := settings.hosts[name].droplet)}
    if not wanted:
        return pulumi.Output.from_input(wanted)
    own = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    last = pulumi.StackReference("nodes", own).get_output("node_sizes")
    return last.apply(lambda found: one_at_a_time(settings, wanted, found or {}))


def one_at_a_time(settings: Settings, wanted: dict[str, str], last: Mapping[str, str]) -> dict[str, str]:
    """The wanted sizes; RunError where more than one is not the last one."""
    other = [name for name, size in wanted.items() if last.get(name, size) != size]
    if len(other) > 1:
        changes = ", ".join(f"{name} from {last[name]} to {wanted[name]}" for name in other)
        node = settings.hub.nodes[other[-1]]
        raise pulumi.RunError(
            f"hub.storage.nodes: expected one node with another size in one update, got {changes}; a droplet is off "
            f"while it is resized, and one node may be down at a time: give the others their old size for now (such as "
            f"`nodes.{node}.size: {last[other[-1]]}`), and change the next one in the next update"
        )
    return wanted


def _ways(nodes: Mapping[str, RemoteHost], text: str) -> dict[str, pulumi.Output[str]]:
    """By variable: the shell that runs this script, which comes on stdin, on each of the nodes."""
    return {f"ON_{number}": node.over_ssh(on_stdin(text)) for number, node in enumerate(nodes.values(), 1)}

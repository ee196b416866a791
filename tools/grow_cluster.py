"""`make grow` between a hub in a bucket and one of three nodes, both ways.

The bucket stays the same, and nothing in it is copied. TO=cluster: the first node keeps its disk; lines that are on it
alone are written into the bucket, so that the other nodes answer with them too. TO=bucket: what the leaving nodes have
alone is written into the bucket, and counted there, before anything of them is removed.

A node stops taking data only after another: a sample or line that is accepted is on two of those that remain. So what
arrives while the second node leaves is on the first too, or is refused, and its host tries again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from configs import names
from configs.services import caddy
from configs.services.caddy import entry
from configs.settings import Settings
from tools import grow_counts, grow_plan, grow_record, lines_reader, pulumi_state, remote_access
from tools.cli import confirmed
from tools.errors import ToolError
from tools.grow_lines import Lines
from tools.grow_record import Record
from tools.hub_move import Move
from tools.hub_node import PARTS, Node
from tools.progress import say, step
from tools.stack import Stack
from tools.up import up

PROTECTED = ("droplet", "volume")  # of a node, by the end of the resource's name
# What one host has not, by the beginning of the resource's type: it stands in front of the nodes, or is shared by them.
SHARED = ("digitalocean:index/loadBalancer:", "digitalocean:index/databaseCluster:", "digitalocean:index/databaseDb:")
# The one Caddy goes on with the CA of all nodes, which has signed the intermediate certificate that it keeps. With a
# root of its own, made anew, its chain would be broken until the intermediate is renewed, days later.
_KEEP_CA = f"""
from={names.SECRETS}/{entry.AUTHORITY} to={caddy.DATA}/caddy/{caddy.AUTHORITY}
if [ -e "$from/root.key" ] && [ ! -e "$to/root.key" ]; then
    umask 077
    mkdir -p "$to"
    cp "$from/root.crt" "$from/root.key" "$to"
fi
"""


def to_cluster(stack: Stack, settings: Settings, yes: bool) -> int:
    """After the stack file has the three nodes. Raises ToolError if something is missing at the end."""
    outputs, first = stack.outputs(), Move(stack, settings)
    lines, record = Lines(first, settings, outputs), grow_record.read(first, "cluster")
    # Once all is copied, Loki merges and deletes files in the bucket: copied again, these would be stale.
    written = record is not None and record.written
    say(grow_plan.to_cluster(settings, outputs, 0 if written else sum(file.size for file in lines.missing())))
    if not yes and not confirmed("Bring the stack up with three nodes, and compare? [y/N] "):
        return 1
    if record is None or not record.fresh:
        record = _counted(first, settings, "cluster", written)
    again = "Nothing was removed. Run `make grow TO=cluster` again."
    if not written:
        _copy(lines)
    if up(stack, moves=True):
        record_left = grow_plan.record_left(settings, stack.outputs().get("entry", "its output `entry`"))
        raise ToolError(f"The stack is not complete; the nodes were not compared. {record_left}{again}")
    if not written:
        _copy(lines)  # what was written to the disk until it restarted
        record = grow_record.write(first, "cluster", record.counts, written=True)
    with step("Writing the log lines of the first node's disk into the bucket"):
        Node(stack, settings).write_lines()
        # One after the other: two take what arrives meanwhile.
        for host in settings.hub.hosts[1:]:
            Node(stack, settings, host).read_new_lines()
    for host in settings.hub.hosts:
        node = Move(stack, settings, host)
        with step(f"Comparing on {host}"):
            grow_counts.require_samples(node, record.counts, again)
            grow_counts.require_lines(node, grow_counts.loki(node), record.counts, again)
    say(f"Each of the three nodes answers with what the hub had: {record.counts.sentence}.")
    if lines.on_disk():  # then the record stays, `forget` needs it
        say("The log lines of the hub's disk are in the bucket; the disk has them until `make grow FORGET=1`.")
    else:
        grow_record.remove(first)
    return 0


def to_bucket(stack: Stack, settings: Settings, yes: bool) -> int:
    """After the stack file has `kind: bucket` again. Raises ToolError if something is missing; nothing is removed
    before all is in the bucket."""
    outputs = stack.outputs()
    first, hosts = Move(stack, settings), remote_access.hub_hosts(outputs)[1:]  # as it was last brought up
    record = grow_record.read(first, "bucket")
    written = record is not None and record.written and _stopped(stack, settings, hosts, record)
    say(grow_plan.from_cluster(settings, outputs, 0 if written else _size(stack, settings, hosts)))
    if not yes and not confirmed(f"Write everything into the bucket, then remove {', '.join(hosts)}? [y/N] "):
        return 1
    if record is None or not written:
        record = _write(stack, settings, outputs, hosts)
    if settings.hub.own_ca:
        first.docker("exec", first.container("caddy"), "sh", "-euc", _KEEP_CA)
    _unprotect(stack, hosts)
    again = "The bucket has everything. Run `make grow TO=bucket` again."
    if up(stack, moves=True):
        raise ToolError(f"The stack is not complete. {again}")
    hub = Move(stack, settings)
    with step("Comparing"):
        grow_counts.require_samples(hub, record.counts, again)
        grow_counts.require_lines(hub, grow_counts.loki(hub), record.counts, again)
    grow_record.remove(hub)
    say(f"The hub answers with what the three nodes had: {record.counts.sentence}.")
    return 0


def is_moving(stack: Stack, settings: Settings) -> bool:
    """Whether a move from three nodes to the bucket was interrupted after the update."""
    return grow_record.read(Move(stack, settings), "bucket") is not None


def _copy(lines: Lines) -> None:
    with step("Copying log lines that are on the hub's disk into the bucket"):
        lines.copy()


def _counted(first: Move, settings: Settings, to: str, written: bool = False) -> Record:
    with step("Counting the samples and lines of before"):
        counts = grow_counts.counted(first, settings)
    return grow_record.write(first, to, counts, written)


def _size(stack: Stack, settings: Settings, hosts: Sequence[str]) -> int | None:
    """Bytes that the leaving nodes may have to upload; None: one of them takes nothing now."""
    try:
        return sum(Node(stack, settings, host).size() for host in hosts)
    except ToolError:
        return None


def _stopped(stack: Stack, settings: Settings, hosts: Sequence[str], record: Record) -> bool:
    """Whether no leaving node has taken anything since the bucket had everything of it: it is removed, or was not
    started since. Of one that is in the state and does not answer this is taken for granted for a day."""
    there = {one["urn"].rpartition("::")[2] for one in pulumi_state.resources(stack.read_state())}
    for host in hosts:
        # A state without anything is one that could not be read.
        if there and not there & {f"{host}-{what}" for what in (*PROTECTED, *PARTS)}:
            continue
        try:
            if Node(stack, settings, host).took_since(record.at):
                return False
        except ToolError:
            if not record.fresh:
                return False
    return True


def _write(stack: Stack, settings: Settings, outputs: Mapping[str, Any], hosts: Sequence[str]) -> Record:
    """Have everything of these nodes written into the bucket, and counted there. They run again if it fails."""
    first, nodes = Node(stack, settings), [Node(stack, settings, host) for host in hosts]
    with step(f"Looking for {', '.join(['hub', *hosts])}"):
        for node in (first, *nodes):
            _start(node)
    record = _counted(first, settings, "bucket")
    again = "The nodes run again, and nothing was removed."
    try:
        with step("Writing the log lines of hub into the bucket"):
            first.write_lines()
        for node in nodes:
            with step(f"Writing the metrics and log lines of {node.host} into the bucket"):
                node.write_lines()
                node.stop()
        _compare(first, settings, outputs, record, again)
    except BaseException:
        for node in (first, *nodes):
            node.revive()
        raise
    return grow_record.write(first, "bucket", record.counts, written=True)


def _start(node: Node) -> None:
    """ToolError with the way out where it does not start: a move needs what each node has."""
    try:
        node.start()
    except ToolError as problem:
        raise ToolError(
            f"{str(problem).rstrip('.')}. Every node has to run before the move goes on. If {node.host} is gone, set "
            f"`kind: cluster` and its nodes again, run `make up` (for a droplet `make rebuild HOST={node.host}`), then "
            "set `kind: bucket` and run `make grow TO=bucket` again (docs/growing.md)"
        ) from problem


def _compare(first: Node, settings: Settings, outputs: Mapping[str, Any], record: Record, again: str) -> None:
    """What the first node has without the others. Late samples are in memory until the next block is cut."""
    late = f"{again} Samples that arrived late are uploaded with the next block: wait for two hours, then run it again."
    with step("Comparing the samples without the other nodes"):
        first.read_new_blocks()
        grow_counts.require_samples(first, record.counts, late)
    with step("Comparing the log lines in the bucket"), lines_reader.running(first, settings, outputs) as address:
        grow_counts.require_lines(first, address, record.counts, again)


def forget(stack: Stack, settings: Settings, yes: bool) -> int:
    """Delete the log lines that the first node's disk has from before, once they were copied into the bucket."""
    first = Move(stack, settings)
    lines, record = Lines(first, settings, stack.outputs()), grow_record.read(first, "cluster")
    if not lines.on_disk():
        return 0
    if (record is None or not record.written) and lines.missing():
        raise ToolError("The bucket lacks log lines that are on the hub's disk: run `make grow TO=cluster` first.")
    if not yes and not confirmed("Delete the log lines of before from the hub's disk? [y/N] "):
        return 1
    lines.forget()
    if record is not None:
        grow_record.remove(first)
    say("Deleted the log lines of before.")
    return 0


def _unprotect(stack: Stack, hosts: Sequence[str]) -> None:
    """Pulumi may remove these nodes, and what all nodes had in common."""
    own = {f"{host}-{what}" for host in hosts for what in PROTECTED}
    for one in pulumi_state.resources(stack.read_state()):
        goes = one["type"].startswith(SHARED) or one["urn"].rpartition("::")[2] in own
        if one.get("protect") and goes:
            stack.quiet("state", "unprotect", "--yes", one["urn"])

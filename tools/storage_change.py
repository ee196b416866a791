"""Whether an update may change where a hub keeps its data: refused where it would leave some unread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import yaml

from configs.services.loki import BEGIN
from configs.settings import Settings
from configs.settings.storage import Storage
from tools import pulumi_state
from tools.errors import ToolError
from tools.progress import say
from tools.stack import Stack

_LOKI = "==> loki.yml <==\n"  # in a bundle of files (configs/deploy)
UNKNOWN = (
    "warning: it is not known whether the hub's disk has log lines from before its bucket. If this update removes "
    "`hub.storage.logs_since` from the stack file, put it back until `hub.retention.logs` has passed since that day: "
    "lines before it are not read without it (docs/growing.md)"
)


def require(stack: Stack, moves: bool = False) -> None:
    """ToolError unless the stack's next update leaves nothing unread that its hub has. `moves`: `make grow` keeps what
    a move to or from three nodes would lose."""
    settings = stack.settings()
    if settings is not None:
        check(stack.state, settings, datetime.now(timezone.utc), moves)
        if unknown(pulumi_state.outputs(stack.state), settings):
            say(UNKNOWN)


def check(state: Mapping[str, Any], settings: Settings, now: datetime, moves: bool = False) -> None:
    """ToolError if the update would leave data unread that the hub has. `state`: of the stack; `now` in UTC; `moves`
    as above."""
    outputs = pulumi_state.outputs(state)
    if "query" not in outputs:  # it was never up
        return
    was, storage = outputs.get("storage", "single"), settings.hub.storage
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    if was != storage.kind and "cluster" in (was, storage.kind):
        _nodes(was, storage.kind, moves)
    if was == storage.kind == "cluster":
        _names(outputs.get("nodes") or {}, settings.hub.nodes)
    if was == "bucket" and storage.kind == "single":
        _back(storage, _begun(state, "filesystem", tomorrow), tomorrow)
    if was == "single" and storage.kind == "bucket":
        _there(storage, _begun(state, "s3", tomorrow), tomorrow, bool(outputs.get("bucket_prepared")))
    if (since := outputs.get("logs_since")) and storage.kind != "cluster":  # a move to three nodes copies the lines
        _lines_on_disk(since, was, settings, now)
    if since == "" and was == storage.kind == "bucket" and storage.logs_since is not None:
        raise ToolError(
            "hub.storage.logs_since: expected no such key, all log lines of this hub are in its bucket: those from "
            "before that day would not be read; remove it"
        )
    if (until := outputs.get("logs_until")) is not None and storage.logs_until is None:
        _lines_are_old(until, settings, now)


def unknown(outputs: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the update may leave log lines unread that are on the hub's disk: the last one did not record it."""
    storage = settings.hub.storage
    return outputs.get("storage") == storage.kind == "bucket" and "logs_since" not in outputs and not storage.logs_since


def _nodes(was: str, kind: str, moves: bool) -> None:
    """Between a bucket and three nodes moves `make grow` alone, between a disk and three nodes nothing at once."""
    if "single" in (was, kind):
        raise ToolError(
            f"hub.storage.kind: expected `bucket` between {was} and {kind}: move the hub to its bucket first "
            "(docs/growing.md)"
        )
    if not moves:
        risk = (
            "compares what each node answers with"
            if kind == "cluster"
            else "writes what two of the nodes have alone into the bucket before they are removed"
        )
        raise ToolError(f"hub.storage.kind: run `make grow TO={kind}`, which {risk} (docs/growing.md)")


def _names(was: Mapping[str, str], nodes: Mapping[str, str]) -> None:
    """What arrived last is on two of three nodes at least, so one may leave with its disk. Its name is that of a node's
    part of the hashring; the first host must not take that of another node, whose part has other samples."""
    left = [node for host, node in was.items() if host != "hub" and host not in nodes]
    first = nodes["hub"] if was.get("hub") not in (None, nodes["hub"]) else ""
    if len(left) + bool(first) > 1 or first in was.values():
        had, wanted = (", ".join(sorted(names)) for names in (was.values(), nodes.values()))
        raise ToolError(
            f"hub.storage.nodes: expected at most one node with another name in one update, the hub has {had} and the "
            f"stack file {wanted}: what arrived last is on two of three nodes. Change one name, run `make up`, then "
            "the next; a name before that of the first node in the alphabet would make it the first"
        )


def _expired(day: str, settings: Settings) -> datetime:
    """When the lines from before this day are not kept any more."""
    return datetime.fromisoformat(day).replace(tzinfo=timezone.utc) + timedelta(seconds=settings.hub.retention.logs)


def _begun(state: Mapping[str, Any], store: str, tomorrow: str) -> str:
    """The day that has come from which Loki writes lines into this store, where an update has changed that and was
    interrupted before its outputs were in the state; else "". Loki was restarted once its files are in the state."""
    for resource in pulumi_state.resources(state):
        text = (resource.get("inputs") or {}).get("stdin")
        if resource["urn"].endswith("::hub-loki-config") and isinstance(text, str) and _LOKI in text:
            config = text.partition(_LOKI)[2].partition("\n==> ")[0]
            last = yaml.safe_load(config)["schema_config"]["configs"][-1]
            if last["object_store"] == store and BEGIN < last["from"] < tomorrow:
                return str(last["from"])
    return ""


def _there(storage: Storage, begun: str, tomorrow: str, prepared: bool) -> None:
    if not prepared:
        raise ToolError(
            "hub.storage.kind: expected `single` beside the bucket in one more `make up`, so that the metrics "
            "agents push in the form that Thanos takes; then set `bucket` and run `make grow TO=bucket` "
            "(docs/growing.md)"
        )
    if begun and storage.logs_since != begun:
        raise ToolError(
            f'hub.storage.logs_since: expected "{begun}": the update that was interrupted has begun to write the log '
            "lines from that day on into the bucket, with another day they would not be read; put it back into the "
            "stack file, then run `make grow TO=bucket` (docs/growing.md)"
        )
    if not begun and (storage.logs_since is None or storage.logs_since < tomorrow):
        raise ToolError(
            f'hub.storage.logs_since: expected "{tomorrow}" or later, because this hub has log lines on its disk; '
            "add it to the stack file, then run `make grow TO=bucket` (docs/growing.md)"
        )


def _back(storage: Storage, begun: str, tomorrow: str) -> None:
    if begun and (storage.bucket is None or storage.logs_until != begun):
        raise ToolError(
            f'hub.storage: expected the bucket and logs_until "{begun}" beside `kind: single`: the update that was '
            "interrupted has begun to write the log lines from that day on to the hub's disk, with another day they "
            "would not be read; then run `make grow TO=single` (docs/growing.md)"
        )
    if not begun and (storage.bucket is None or storage.logs_until is None or storage.logs_until < tomorrow):
        raise ToolError(
            f'hub.storage: expected the bucket and logs_until "{tomorrow}" or later beside `kind: single`, because '
            "this hub has log lines in its bucket; then run `make grow TO=single` (docs/growing.md)"
        )


def _lines_on_disk(since: str, was: str, settings: Settings, now: datetime) -> None:
    """Without this day Loki does not read the lines that the disk has from before it, with another one not those
    between the two. A day that has not come may be changed to another that has not."""
    given, expired = settings.hub.storage.logs_since, _expired(since, settings)
    if given == since or (given is not None and now.date().isoformat() < min(given, since)):
        return
    if now < expired:
        raise ToolError(
            f'hub.storage.logs_since: expected "{since}" until {expired:%Y-%m-%d}, the hub\'s disk has log lines of '
            "the days before it that are kept until then (hub.retention.logs); leave it in the stack file"
        )
    if given is not None and was == "bucket":
        raise ToolError(
            f'hub.storage.logs_since: expected "{since}" or no such key, the lines from that day on are in the bucket; '
            "remove it"
        )


def _lines_are_old(until: str, settings: Settings, now: datetime) -> None:
    """Without `logs_until` Loki does not read the lines that the bucket has from before that day."""
    expired = _expired(until, settings)
    if now < expired:
        raise ToolError(
            f'hub.storage.logs_until: expected "{until}" until {expired:%Y-%m-%d}, the bucket has log lines of the '
            "days before it that are kept until then (hub.retention.logs); leave it and the bucket in the stack file"
        )

"""Whether an update may change where a hub keeps its data: refused where it would leave some unread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from configs.settings import Settings
from configs.settings.storage import Storage
from tools import pulumi_state
from tools.errors import ToolError
from tools.stack import Stack


def require(stack: Stack) -> None:
    """ToolError unless the stack's next update leaves nothing unread that its hub has."""
    settings = stack.settings()
    if settings is not None:
        check(pulumi_state.outputs(stack.state), settings, datetime.now(timezone.utc))


def check(outputs: Mapping[str, Any], settings: Settings, now: datetime) -> None:
    """ToolError if the update would leave data unread that the hub has. `outputs`: of the stack's last update;
    `now` in UTC."""
    if "query" not in outputs:  # it was never up
        return
    was, storage = outputs.get("storage", "single"), settings.hub.storage
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    if was != storage.kind and "cluster" in (was, storage.kind):
        raise ToolError(
            f"hub.storage.kind: expected {was}, the data of a hub is not moved to or from three nodes; take it back, "
            "or make a new stack with a new bucket"
        )
    if was == "bucket" and storage.kind == "single":
        _back(storage, tomorrow)
    if was == "single" and storage.kind == "bucket":
        _there(storage, tomorrow, bool(outputs.get("bucket_prepared")))
    if (until := outputs.get("logs_until")) is not None and storage.logs_until is None:
        _lines_are_old(until, settings, now)


def _there(storage: Storage, tomorrow: str, prepared: bool) -> None:
    if not prepared:
        raise ToolError(
            "hub.storage.kind: expected `single` beside the bucket in one more `make up`, so that the metrics "
            "agents push in the form that Thanos takes; then set `bucket` and run `make grow TO=bucket` "
            "(docs/growing.md)"
        )
    if storage.logs_since is None or storage.logs_since < tomorrow:
        raise ToolError(
            f'hub.storage.logs_since: expected "{tomorrow}" or later, because this hub has log lines on its disk; '
            "add it to the stack file, then run `make grow TO=bucket` (docs/growing.md)"
        )


def _back(storage: Storage, tomorrow: str) -> None:
    if storage.bucket is None or storage.logs_until is None or storage.logs_until < tomorrow:
        raise ToolError(
            f'hub.storage: expected the bucket and logs_until "{tomorrow}" or later beside `kind: single`, because '
            "this hub has log lines in its bucket; then run `make grow TO=single` (docs/growing.md)"
        )


def _lines_are_old(until: str, settings: Settings, now: datetime) -> None:
    """Without `logs_until` Loki does not read the lines that the bucket has from before that day."""
    expired = datetime.fromisoformat(until).replace(tzinfo=timezone.utc) + timedelta(
        seconds=settings.hub.retention.logs
    )
    if now < expired:
        raise ToolError(
            f'hub.storage.logs_until: expected "{until}" until {expired:%Y-%m-%d}, the bucket has log lines of the '
            "days before it that are kept until then (hub.retention.logs); leave it and the bucket in the stack file"
        )

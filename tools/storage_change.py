"""Whether an update may change where a hub keeps its data: refused where it would leave some unread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from configs.settings import Settings
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
    if was == "bucket" and storage.kind == "single":
        raise ToolError(
            "hub.storage: expected `kind: bucket`, this hub's metrics and logs are in a bucket; moving them back to "
            "a disk is not supported (docs/growing.md)"
        )
    if was == "single" and storage.kind == "bucket":
        if not outputs.get("bucket_prepared"):
            raise ToolError(
                "hub.storage.kind: expected `single` beside the bucket in one more `make up`, so that the metrics "
                "agents push in the form that Thanos takes; then set `bucket` and run `make grow TO=bucket` "
                "(docs/growing.md)"
            )
        tomorrow = (now + timedelta(days=1)).date().isoformat()
        if storage.logs_since is None or storage.logs_since < tomorrow:
            raise ToolError(
                f'hub.storage.logs_since: expected "{tomorrow}" or later, because this hub has log lines on its disk; '
                "add it to the stack file, then run `make grow TO=bucket` (docs/growing.md)"
            )

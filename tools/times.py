"""Times as other programs write them, and as `AT=` gives them."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone

from tools.errors import ToolError

CLOCKS = 60  # seconds by which two clocks may differ


def moment(text: str) -> datetime:
    """An ISO 8601 time with its offset. Restic, Pulumi and Docker write nanoseconds, Python 3.10 reads six decimals
    exactly."""
    six = re.sub(r"\.(\d+)", lambda found: f".{found[1]:0<6.6}", text)
    return datetime.fromisoformat(six.replace("Z", "+00:00"))


def check_past(given: str, at: float, otherwise: str) -> None:
    """ToolError if AT= gives a time in the future. `otherwise`: what is done without AT=."""
    now = time.time()
    if at > now + CLOCKS:
        shown = f"{datetime.fromtimestamp(now, timezone.utc):%Y-%m-%dT%H:%M} UTC"
        raise ToolError(f"AT={given[:40]}: expected a time in the past, it is {shown} now; without AT= {otherwise}.")

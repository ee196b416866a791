"""Times as other programs write them."""

from __future__ import annotations

import re
from datetime import datetime


def moment(text: str) -> datetime:
    """An ISO 8601 time with its offset. Restic, Pulumi and Docker write nanoseconds, Python 3.10 reads six decimals
    exactly."""
    six = re.sub(r"\.(\d+)", lambda found: f".{found[1]:0<6.6}", text)
    return datetime.fromisoformat(six.replace("Z", "+00:00"))

"""What a stack costs a month and what disk it needs, before and after: two of its outputs (components/summary.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.comment.model import Record


def lines(record: Record) -> list[str]:
    """Markdown lines; none for a stack that has no such outputs (a hub on one machine)."""
    found = []
    before, after = record.before.get("monthly_usd"), record.after.get("monthly_usd")
    if before is not None or after is not None:
        found.append(f"**Monthly cost**: {_usd(before)} → {_usd(after)}{_difference(before, after)}{_items(record)}")
    old, new = record.before.get("disk"), record.after.get("disk")
    if new is not None and old == new:
        found.append(f"**Disk**: unchanged. {new}.")
    elif old is not None or new is not None:
        found.append(f"**Disk** before: {old or 'nothing'}.<br>**Disk** after: {new or 'nothing'}.")
    return found


def _usd(value: Any) -> str:
    return f"{value:.2f} USD" if isinstance(value, int | float) else "nothing"


def _difference(before: Any, after: Any) -> str:
    old, new = (value if isinstance(value, int | float) else 0.0 for value in (before, after))
    return f" (**{new - old:+.2f}**)" if round(new - old, 2) else " (unchanged)"


def _items(record: Record) -> str:
    """What came, went or has another price."""
    old, new = (_prices(outputs.get("monthly_usd_items")) for outputs in (record.before, record.after))
    went = [f"− {what} {_price(old[what])}" for what in sorted(old) if old[what] != new.get(what, "none")]
    came = [f"+ {what} {_price(new[what])}" for what in sorted(new) if new[what] != old.get(what, "none")]
    return f": {', '.join([*went, *came])}" if went or came else ""


def _price(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "(price unknown)"


def _prices(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

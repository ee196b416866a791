"""A panel's field settings: unit, decimals, colour, thresholds and mappings, with overrides by name or by pattern."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass
from typing import Any

from .units import show

PALETTE = (
    "#6fbf73", "#f2c14e", "#5aa9e6", "#ef7b45", "#e4572e", "#7f8cff", "#c77dff", "#4ecdc4",
    "#b8de6f", "#ffd6a5", "#8ecae6", "#ff9f9f", "#9d8189", "#3d9970", "#d4a373", "#a0a0ff",
)  # fmt: skip
NAMED = {
    "green": "#6fbf73", "red": "#e4572e", "yellow": "#f2c14e", "orange": "#ef7b45", "blue": "#5aa9e6",
    "purple": "#c77dff", "text": "#d8d9da", "transparent": "#d8d9da", "gray": "#8e8e8e", "super-light-blue": "#8ecae6",
}  # fmt: skip


def colour(name: object) -> str:
    """A colour that is safe inside an HTML attribute."""
    text = str(name)
    if re.fullmatch(r"#[0-9a-fA-F]{3,8}", text):
        return text
    for prefix in ("dark-", "semi-dark-", "light-", "super-light-"):
        if text not in NAMED:
            text = text.removeprefix(prefix)
    return NAMED.get(text, NAMED["text"])


@dataclass(frozen=True)
class Field:
    """The settings of one field after overrides."""

    settings: dict[str, Any]

    @property
    def custom(self) -> dict[str, Any]:
        found = self.settings.get("custom")
        return found if isinstance(found, dict) else {}

    @property
    def unit(self) -> str:
        return str(self.settings.get("unit") or "")

    @property
    def display_name(self) -> str:
        return str(self.settings.get("displayName") or "")

    def fixed_colour(self) -> str | None:
        model = self.settings.get("color") or {}
        return colour(model.get("fixedColor")) if model.get("mode") == "fixed" else None

    def number(self, key: str) -> float | None:
        value = self.settings.get(key)
        return float(value) if isinstance(value, (int, float)) else None

    def mapping(self, value: float | str) -> dict[str, Any] | None:
        """The text and colour to which a value is mapped (value mappings, and `null` for a missing value)."""
        if isinstance(value, float):
            key = "null" if math.isnan(value) else str(int(value)) if value == int(value) else str(value)
        else:
            key = value
        for model in self.settings.get("mappings") or []:
            options = model.get("options") or {}
            if model.get("type") == "value" and key in options:
                return dict(options[key])
            if model.get("type") == "special" and options.get("match") in {key, "null+nan" if key == "null" else ""}:
                return dict(options.get("result") or {})
        return None

    def text(self, value: float) -> str:
        mapped = self.mapping(value) if not math.isinf(value) else None
        if mapped and mapped.get("text"):
            return str(mapped["text"])
        decimals = self.settings.get("decimals")
        return show(value, self.unit, decimals if isinstance(decimals, int) else None)

    def colour_of(self, value: float) -> str | None:
        """The colour of a value: by mapping, else by threshold; None if neither defines one."""
        mapped = self.mapping(value) if not math.isinf(value) else None
        if mapped and mapped.get("color"):
            return colour(mapped["color"])
        thresholds = self.settings.get("thresholds") or {}
        steps = thresholds.get("steps") or []
        scale = value
        if thresholds.get("mode") == "percentage":
            low, high = self.number("min") or 0.0, self.number("max") or 100.0
            scale = (value - low) / ((high - low) or 1) * 100
        found = None
        for step in steps:
            if step.get("value") is None or scale >= step["value"]:
                found = step.get("color")
        return colour(found) if found else None


def _matches(matcher: dict[str, Any], name: str) -> bool:
    wanted = str(matcher.get("options") or "")
    if matcher.get("id") == "byName":
        return name == wanted
    if matcher.get("id") == "byRegexp":
        try:
            return re.search(wanted.strip("/"), name) is not None
        except re.error:
            return False
    return False


def field_for(panel: dict[str, Any], name: str) -> Field:
    """The settings of a field: the panel's defaults, changed by every matching override."""
    config = panel.get("fieldConfig") or {}
    settings: dict[str, Any] = copy.deepcopy(config.get("defaults") or {})
    for override in config.get("overrides") or []:
        if not _matches(override.get("matcher") or {}, name):
            continue
        for item in override.get("properties") or []:
            key = str(item.get("id"))
            if key.startswith("custom."):
                settings.setdefault("custom", {})[key.removeprefix("custom.")] = item.get("value")
            else:
                settings[key] = item.get("value")
    return Field(settings)


def reduce(points: list[tuple[float, float]], how: str) -> float:
    """Reduces a series to one number; NaN if it has no values."""
    values = [value for _, value in points if not math.isnan(value)]
    if not values:
        return math.nan
    if how in {"mean", "avg"}:
        return sum(values) / len(values)
    if how in {"max", "min", "sum"}:
        return max(values) if how == "max" else min(values) if how == "min" else sum(values)
    return values[0] if how.startswith("first") else float(len(values)) if how == "count" else values[-1]

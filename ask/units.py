"""Values as people read them, by Grafana's unit names."""

from __future__ import annotations

import math

PER_SECOND = {
    "cps": "per second",
    "reqps": "requests per second",
    "ops": "operations per second",
    "pps": "packets/s",
    "suffix:/s": "/s",
}


def show(value: float, unit: str, signed: bool = False) -> str:
    """A value with its unit."""
    if math.isnan(value):
        return "no value"
    if math.isinf(value):
        return "unbounded"
    sign = "+" if signed and value > 0 else ""
    if unit == "percentunit":
        return f"{sign}{100 * value:.3g} {'percentage points' if signed else '%'}"
    if unit in {"bytes", "binBps"}:
        return f"{sign}{_scaled(value, 1024, ('B', 'KiB', 'MiB', 'GiB', 'TiB'))}{'/s' if unit == 'binBps' else ''}"
    if unit == "s":
        return sign + _length(value)
    number = f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else _scaled(value, 1000, ("", "k", "M", "G"))
    return f"{sign}{number} {PER_SECOND[unit]}" if unit in PER_SECOND else f"{sign}{number}"


def _scaled(value: float, base: int, names: tuple[str, ...]) -> str:
    step = 0
    while abs(value) >= base and step < len(names) - 1:
        value, step = value / base, step + 1
    return f"{value:.3g} {names[step]}".strip()


def _length(seconds: float) -> str:
    size = abs(seconds)
    for least, unit, of_unit in (
        (172800, "d", 86400),
        (7200, "h", 3600),
        (120, "min", 60),
        (1, "s", 1),
        (1e-3, "ms", 1e-3),
    ):
        if size >= least:
            return f"{seconds / of_unit:.3g} {unit}"
    return f"{seconds:.3g} s"

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
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")


def show(value: float, unit: str, signed: bool = False, digits: int = 3) -> str:
    """A value with its unit, in so many significant digits."""
    if math.isnan(value):
        return "no value"
    if math.isinf(value):
        return "unbounded"
    sign = "+" if signed and value > 0 else ""
    if unit == "percentunit":
        return f"{sign}{100 * value:.{digits}g} {'percentage points' if signed else '%'}"
    if unit in {"bytes", "binBps"}:
        return f"{sign}{_scaled(value, 1024, _BYTES, digits)}{'/s' if unit == 'binBps' else ''}"
    if unit == "s":
        return sign + _length(value, digits)
    whole = value == round(value) and abs(value) < 1e6
    number = f"{value:.0f}" if whole else _scaled(value, 1000, ("", "k", "M", "G"), digits)
    return f"{sign}{number} {PER_SECOND[unit]}" if unit in PER_SECOND else f"{sign}{number}"


def _scaled(value: float, base: int, names: tuple[str, ...], digits: int) -> str:
    step = 0
    while abs(value) >= base and step < len(names) - 1:
        value, step = value / base, step + 1
    whole = len(f"{abs(value):.0f}")  # 1020 MiB is not 1.02e+03 MiB
    return f"{value:.{max(digits, whole) if whole <= 4 else digits}g} {names[step]}".strip()


def _length(seconds: float, digits: int) -> str:
    size = abs(seconds)
    for least, unit, of_unit in (
        (172800, "d", 86400),
        (7200, "h", 3600),
        (120, "min", 60),
        (1, "s", 1),
        (1e-3, "ms", 1e-3),
    ):
        if size >= least:
            return f"{seconds / of_unit:.{digits}g} {unit}"
    return f"{seconds:.{digits}g} s"

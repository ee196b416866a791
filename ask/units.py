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
_PER = {60: "minute", 3600: "hour", 86400: "day"}
_WRITTEN = "suffix:"  # in Grafana's names: what follows is written after the value
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")


def is_rate(unit: str) -> bool:
    """Whether values of a unit are per second."""
    return unit in PER_SECOND or unit == "binBps"


def per(unit: str, seconds: float) -> str:
    """The unit of values per second that were multiplied by the seconds of a minute, an hour or a day."""
    if unit == "binBps":
        return f"bytes/{_PER[int(seconds)]}"
    what = PER_SECOND[unit].removesuffix("/s").removesuffix("per second")
    return _WRITTEN + f"{what.strip()} per {_PER[int(seconds)]}".strip()


def show(value: float, unit: str, signed: bool = False, digits: int = 3) -> str:
    """A value with its unit, in so many significant digits."""
    if math.isnan(value):
        return "no value"
    if math.isinf(value):
        return "unbounded"
    if signed and unit != "s" and abs(value) < 1e-9:  # the difference of two sums
        value = 0.0
    sign = "+" if signed and value > 0 else ""
    if unit == "percentunit":
        return f"{sign}{100 * value:.{digits}g} {'percentage points' if signed else '%'}"
    if unit == "binBps" or unit.startswith("bytes"):
        return f"{sign}{_scaled(value, 1024, _BYTES, digits)}{'/s' if unit == 'binBps' else unit.removeprefix('bytes')}"
    if unit == "s":
        return sign + _length(value, digits)
    whole = value == round(value) and abs(value) < 1e6
    number = f"{value:.0f}" if whole else _scaled(value, 1000, ("", "k", "M", "G"), digits)
    after = PER_SECOND.get(unit, unit.removeprefix(_WRITTEN) if unit.startswith(_WRITTEN) else "")
    return f"{sign}{number} {after}".rstrip()


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

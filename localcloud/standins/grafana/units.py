"""Numbers as people read them, by Grafana's unit ids; an id that is not known is shown behind the number."""

from __future__ import annotations

import math
from datetime import datetime, timezone

_IEC = ("", "Ki", "Mi", "Gi", "Ti", "Pi")
_SI = ("", "k", "M", "G", "T", "P")
# id -> (base, prefixes, suffix)
_SCALED = {
    "bytes": (1024, _IEC, "B"),
    "decbytes": (1000, _SI, "B"),
    "binBps": (1024, _IEC, "B/s"),
    "Bps": (1000, _SI, "B/s"),
    "bps": (1000, _SI, "b/s"),
    "short": (1000, ("", " K", " Mil", " Bil", " Tri", " Quadr"), ""),
}
_PLAIN = {
    "percent": "%",
    "ops": " ops/s",
    "reqps": " req/s",
    "cps": " c/s",
    "wps": " wr/s",
    "rps": " rd/s",
    "iops": " io/s",
    "pps": " p/s",
    "none": "",
    "": "",
}


def _number(value: float, decimals: int | None) -> str:
    if decimals is None:
        size = abs(value)
        decimals = 0 if value == int(value) or size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 4
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{decimals}f}"


def duration(seconds: float, decimals: int | None = None) -> str:
    """One unit that fits: 120 ms, 3.5 min, 2 days."""
    size = abs(seconds)
    for limit, factor, name in ((1e-3, 1e6, " µs"), (1, 1e3, " ms"), (60, 1, " s")):
        if size < limit:
            return (_number(seconds * factor, decimals) + name) if seconds else "0 s"
    factor, name = (60, " min") if size < 3600 else (3600, " h") if size < 86400 else (86400, " days")
    return _number(seconds / factor, 1 if decimals is None else decimals) + name


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def show(value: float, unit: str = "", decimals: int | None = None) -> str:
    """The value with its unit."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if unit in {"s", "dtdurations"}:
        return duration(value, decimals)
    if unit == "ms":
        return duration(value / 1000, decimals)
    if unit == "percentunit":
        return _number(value * 100, decimals) + "%"
    if unit == "dateTimeAsIso":
        return moment(value / 1000) if abs(value) < 8e15 else "?"
    if unit in _SCALED:
        base, prefixes, suffix = _SCALED[unit]
        power = 0
        while abs(value) >= base and power < len(prefixes) - 1:
            value, power = value / base, power + 1
        glue = "" if unit == "short" else " "
        return (_number(value, decimals) + glue + prefixes[power] + suffix).strip()
    if unit in _PLAIN:
        return _number(value, decimals) + _PLAIN[unit]
    return _number(value, decimals) + " " + unit.removeprefix("suffix:").strip()

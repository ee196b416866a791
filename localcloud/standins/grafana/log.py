"""One line per event on stdout, logfmt or JSON with Grafana's keys, so that the same log pipeline reads both."""

from __future__ import annotations

import json
import sys
import threading
from datetime import datetime, timezone

LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40, "critical": 50}
_lock = threading.Lock()
_threshold = LEVELS["info"]
_as_json = False


def configure(level: str, as_json: bool) -> None:
    """Unknown levels mean info, as in Grafana."""
    global _threshold, _as_json
    _threshold, _as_json = LEVELS.get(level.lower(), LEVELS["info"]), as_json


def _value(value: str | int | float | bool) -> str:
    text = str(value)
    return text if text and all(c.isalnum() or c in "._-/:+" for c in text) else json.dumps(text, ensure_ascii=False)


def log(level: str, logger: str, msg: str, **fields: str | int | float | bool) -> None:
    """Write one line. Values are quoted, so a message cannot forge a second line."""
    if LEVELS[level] < _threshold:
        return
    now = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    pairs = {"logger": logger, "t": now, "level": level, "msg": msg, **fields}
    line = " ".join(f"{key}={_value(value)}" for key, value in pairs.items())
    if _as_json:
        line = json.dumps({key: str(value) for key, value in pairs.items()}, ensure_ascii=False)
    with _lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

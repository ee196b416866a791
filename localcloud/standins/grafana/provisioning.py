"""Data sources and dashboards from Grafana's provisioning folder; every problem names its file and stops the start.

Dashboard files may change while the stand-in runs (Grafana looks every 10 s too): `Store.refresh` takes the new ones,
and keeps the old ones when the new do not parse.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .config import ConfigProblem, expand
from .log import log

SUPPORTED = ("prometheus", "loki", "alertmanager")
LOOK_EVERY = 10.0


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One provisioned data source. `secure` never leaves the process except as request headers."""

    uid: str
    name: str
    type: str
    url: str
    default: bool
    raw: dict[str, Any] = field(repr=False)
    secure: dict[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One dashboard file, as parsed."""

    uid: str
    title: str
    tags: tuple[str, ...]
    folder: str
    file: Path
    json: dict[str, Any] = field(repr=False)


def _interpolate(value: Any, where: str, env: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolate(item, where, env) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolate(item, where, env) for item in value]
    if not isinstance(value, str):
        return value
    parts = value.split("$$")  # an escaped dollar sign
    plain = [re.sub(r"\$([A-Za-z_]\w*)(?![\w{])", lambda m: env.get(m.group(1), ""), p) for p in parts]
    return "$".join(expand(part, where, env) for part in plain)


def _documents(folder: Path, env: Mapping[str, str]) -> list[tuple[Path, dict[str, Any]]]:
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in {".yaml", ".yml"}):
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigProblem(f"{path}: cannot be read: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            at = f" at line {mark.line + 1}" if mark else ""
            raise ConfigProblem(f"{path}: not valid YAML{at}: {getattr(error, 'problem', 'not text')}") from None
        if not isinstance(data, dict):
            raise ConfigProblem(f"{path}: expected a mapping with apiVersion: 1, got {type(data).__name__}")
        found.append((path, _interpolate(data, str(path), env)))
    return found


def _entries(path: Path, data: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    items = data.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ConfigProblem(f"{path}: {key}: expected a list of mappings")
    return [(f"{path}: {key}[{n}]", item) for n, item in enumerate(items)]


def _text(item: dict[str, Any], key: str, where: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigProblem(f"{where}.{key}: expected a text, got {value!r}")
    return value


def load_datasources(folder: Path, env: Mapping[str, str]) -> dict[str, DataSource]:
    """By uid, in file order."""
    found: dict[str, DataSource] = {}
    for path, data in _documents(folder / "datasources", env):
        for where, item in _entries(path, data, "datasources"):
            name, kind, url = (_text(item, key, where) for key in ("name", "type", "url"))
            uid = _text(item, "uid", where) if "uid" in item else re.sub(r"[^A-Za-z0-9-]+", "-", name).lower()
            if kind not in SUPPORTED:
                raise ConfigProblem(f"{where}.type: the stand-in covers {', '.join(SUPPORTED)}; got {kind!r}")
            if not re.match(r"https?://[^/\s]+", url):
                raise ConfigProblem(f"{where}.url: expected http(s)://host:port, got {url!r}")
            if uid in found or name in {source.name for source in found.values()}:
                raise ConfigProblem(f"{where}: uid {uid!r} or name {name!r} is used by another data source")
            secure = {str(k): str(v) for k, v in (item.get("secureJsonData") or {}).items()}
            raw = {key: value for key, value in item.items() if key != "secureJsonData"}
            default = bool(item.get("isDefault"))
            found[uid] = DataSource(uid=uid, name=name, type=kind, url=url, default=default, raw=raw, secure=secure)
    return found


def _dashboard(path: Path, folder: str) -> Dashboard:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigProblem(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigProblem(f"{path}: not valid JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("panels"), list):
        raise ConfigProblem(f"{path}: expected a classic (v1) dashboard: an object with a list of panels")
    uid, title = (_text(data, key, str(path)) for key in ("uid", "title"))
    tags = tuple(str(tag) for tag in data.get("tags") or [])
    return Dashboard(uid=uid, title=title, tags=tags, folder=folder, file=path, json=data)


def load_dashboards(folder: Path, env: Mapping[str, str]) -> dict[str, Dashboard]:
    """By uid, sorted by title."""
    found: dict[str, Dashboard] = {}
    for path, data in _documents(folder / "dashboards", env):
        for where, item in _entries(path, data, "providers"):
            options = item.get("options") or {}
            root = Path(_text(options if isinstance(options, dict) else {}, "path", f"{where}.options"))
            if not root.is_dir():
                raise ConfigProblem(f"{where}.options.path: no such folder: {root}")
            for file in sorted(root.rglob("*.json")):
                board = _dashboard(file, str(item.get("folder") or "General"))
                if board.uid in found:
                    raise ConfigProblem(f"{file}: uid {board.uid!r} is used by {found[board.uid].file} too")
                found[board.uid] = board
    return dict(sorted(found.items(), key=lambda pair: pair[1].title))


class Store:
    """What is served. Reads are lock-free: a refresh swaps whole dictionaries."""

    def __init__(self, folder: Path, env: Mapping[str, str] = os.environ) -> None:
        if not folder.is_dir():
            raise ConfigProblem(f"{folder}: no such provisioning folder (GF_PATHS_PROVISIONING)")
        self.folder, self.env = folder, env
        self.sources = load_datasources(folder, env)
        self.dashboards = load_dashboards(folder, env)
        self._lock, self._looked, self._seen = threading.Lock(), time.monotonic(), self._signature()

    def _signature(self) -> list[tuple[str, int, int]]:
        roots = [self.folder / "dashboards"] + [b.file.parent for b in self.dashboards.values()]
        files = {file for root in roots if root.is_dir() for file in root.rglob("*") if file.is_file()}
        return sorted((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)

    def reload(self, what: str) -> None:
        """Reload `datasources` or `dashboards`; on ConfigProblem the old ones stay."""
        if what == "datasources":
            self.sources = load_datasources(self.folder, self.env)
        else:
            self.dashboards = load_dashboards(self.folder, self.env)
        log("info", "provisioning", f"{what} reloaded", count=len(getattr(self, _FIELD[what])))

    def refresh(self) -> None:
        """Look for changed dashboard files, at most every LOOK_EVERY seconds."""
        with self._lock:
            if time.monotonic() - self._looked < LOOK_EVERY:
                return
            self._looked = time.monotonic()
            try:
                seen = self._signature()
                if seen != self._seen:
                    self._seen = seen
                    self.reload("dashboards")
            except (ConfigProblem, OSError) as error:
                log("error", "provisioning.dashboard", "kept the dashboards as they were", error=str(error))

    def find_source(self, reference: object) -> DataSource | None:
        """By a panel's `datasource` (object with uid, or a name); nothing given means the default one."""
        uid = reference.get("uid") if isinstance(reference, dict) else reference
        if not uid:
            return next((s for s in self.sources.values() if s.default), next(iter(self.sources.values()), None))
        return self.sources.get(str(uid)) or next((s for s in self.sources.values() if s.name == uid), None)


_FIELD = {"datasources": "sources", "dashboards": "dashboards"}

"""Reads sql_exporter.yml and its collector files. A key that the stand-in does not cover is refused by name."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_KEYS = {
    "config": {"global", "jobs", "collector_files"},
    "global": {
        "scrape_timeout",
        "scrape_timeout_offset",
        "max_connections",
        "max_idle_connections",
        "max_connection_lifetime",
    },
    "job": {"job_name", "collectors", "static_configs"},
    "static_config": {"targets"},
    "collector": {"collector_name", "min_interval", "metrics", "queries"},
    "query": {"query_name", "query"},
    "metric": {"metric_name", "type", "help", "key_labels", "values", "static_value", "query", "query_ref"},
}


class ConfigProblem(Exception):
    """What is wrong with a file, in one sentence without its values: the main file holds passwords."""


@dataclass(frozen=True)
class Metric:
    """One metric of a query's rows: `labels` are columns, and so is `value` unless `static` is given."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    value: str | None
    static: float | None


@dataclass(frozen=True)
class Collector:
    """Queries by name with the metrics that their rows become. `min_interval` in seconds; 0: every scrape runs them."""

    name: str
    min_interval: float
    queries: Mapping[str, tuple[str, tuple[Metric, ...]]]


@dataclass(frozen=True)
class Config:
    """`jobs` are (job, target, its connection as a URL). Times in seconds."""

    timeout: float
    timeout_offset: float
    jobs: tuple[tuple[str, str, str], ...]
    collectors: tuple[Collector, ...]


def load(path: str) -> Config:
    """The whole configuration, or ConfigProblem."""
    main = _mapping(_read(path), "config", path)
    settings = _mapping(main.get("global") or {}, "global", path)
    files = [
        found for pattern in main.get("collector_files") or [] for found in sorted(glob.glob(_near(path, pattern)))
    ]
    collectors = tuple(_collector(_mapping(_read(file), "collector", file), file) for file in files)
    jobs = []
    for job in main.get("jobs") or []:
        job = _mapping(job, "job", path)
        for wanted in job.get("collectors") or []:
            if not any(fnmatch.fnmatchcase(one.name, wanted) for one in collectors):
                raise ConfigProblem(f"{path}: unknown collector {wanted!r} referenced in job {job.get('job_name')!r}")
        if list(job.get("collectors") or []) != ["*"]:
            raise ConfigProblem(f"{path}: not covered by the stand-in: a job whose `collectors` are not ['*']")
        for group in job.get("static_configs") or []:
            targets = _mapping(group, "static_config", path).get("targets") or {}
            jobs += [(str(job["job_name"]), str(target), str(dsn)) for target, dsn in targets.items()]
    if not jobs:
        raise ConfigProblem(f"{path}: expected `jobs` with at least one target")
    return Config(
        _seconds(settings.get("scrape_timeout", "10s")),
        _seconds(settings.get("scrape_timeout_offset", "500ms")),
        tuple(jobs),
        collectors,
    )


def _near(path: str, pattern: str) -> str:
    return os.path.join(os.path.dirname(path), pattern)


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return yaml.safe_load(file)
    except OSError as error:
        raise ConfigProblem(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigProblem(f"{path}{where}: {getattr(error, 'problem', None) or 'not YAML'}") from None


def _mapping(found: Any, what: str, path: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ConfigProblem(f"{path}: expected a mapping ({what}), got {type(found).__name__}")
    if unknown := sorted(str(key) for key in set(found) - _KEYS[what]):
        raise ConfigProblem(f"{path}: not covered by the stand-in: {', '.join(unknown)} in {what}")
    return found


def _seconds(text: Any) -> float:
    parts = re.findall(r"(\d+)(ms|[smhd])", str(text))
    if "".join(number + unit for number, unit in parts) != str(text) or not parts:
        raise ConfigProblem(f"expected a duration such as 9m30s, got {text!r}")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def _collector(found: dict[str, Any], path: str) -> Collector:
    named = {}
    for query in found.get("queries") or []:
        query = _mapping(query, "query", path)
        named[str(query["query_name"])] = str(query["query"])
    queries: dict[str, tuple[str, tuple[Metric, ...]]] = {}
    for raw in found.get("metrics") or []:
        metric, reference, own = _metric(_mapping(raw, "metric", path), path)
        if (own is None) == (reference is None) or (reference is not None and reference not in named):
            raise ConfigProblem(f"{path}: {metric.name}: expected either `query` or the `query_ref` of a known query")
        name, text = (reference, named[reference]) if reference is not None else (metric.name, str(own))
        queries[name] = (text, (*queries.get(name, ("", ()))[1], metric))
    if not found.get("collector_name") or not queries:
        raise ConfigProblem(f"{path}: expected a collector with a name and at least one metric")
    return Collector(str(found["collector_name"]), _seconds(found.get("min_interval", "0s")), queries)


def _metric(raw: dict[str, Any], path: str) -> tuple[Metric, str | None, str | None]:
    name = raw.get("metric_name")
    if not name or raw.get("type") not in ("gauge", "counter") or not raw.get("help"):
        raise ConfigProblem(f"{path}: {name}: expected metric_name, type (gauge or counter) and help")
    values = raw.get("values") or []
    if len(values) + ("static_value" in raw) != 1:
        raise ConfigProblem(
            f"{path}: {name}: expected one value column or a static_value (the stand-in covers no more)"
        )
    metric = Metric(
        str(name),
        str(raw["type"]),
        str(raw["help"]),
        tuple(raw.get("key_labels") or ()),
        str(values[0]) if values else None,
        float(raw["static_value"]) if "static_value" in raw else None,
    )
    return metric, raw.get("query_ref"), raw.get("query")

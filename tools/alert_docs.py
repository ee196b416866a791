"""Updates what docs/alerts.md and the runbooks take from the rules: `python -m tools.alert_docs` writes it.

In docs/alerts.md that is the table of all alerts, in each runbook the summary of its alert. In both, *label* is the
value of that label, … another value, and a part in [brackets] is optional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs import rules
from configs.rules.model import Alert
from configs.settings import Settings, load
from tools.paths import CHECKOUT

PAGE = CHECKOUT / "docs" / "alerts.md"
RUNBOOKS = PAGE.parent / "runbooks"
BEGIN, END = "<!-- alerts: begin -->\n", "<!-- alerts: end -->\n"
SUMMARY_BEGIN, SUMMARY_END = "<!-- summary: begin -->\n> ", "\n<!-- summary: end -->\n"
OR = "; or: "  # between the summaries of two alerts with the same name


def example_settings(storage: Mapping[str, Any] | None = None) -> Settings:
    """Settings for which every alert is rendered, but those about a bucket: two hosts, an app with all that alerts
    need, a database, a probe, servers with exporters, an expected container, a backup. `storage`: where the hub keeps
    its data."""
    account = {"user": "fleetwatch", "password": "unread"}  # pragma: allowlist secret
    host = {
        "apps": {"shop": {"target": "shop:8000", "http": {}, "honor_timestamps": True}},
        "postgres": {"main": {"dsn": "postgresql://nobody@db/shop"}},
        "probes": {"shop": {"http": "https://shop.example.com/"}},
        "exporters": {
            "cache": {"redis": "cache"},
            "shop": {"mysql": "db", **account},
            "carts": {"mongodb": "mongo"},
            "web": {"nginx": "http://web:8080/stub_status"},
            "queue": {"rabbitmq": "queue"},
            "sessions": {"memcached": "sessions"},
        },
        "expected": ["shop"],
    }
    other = {"local": {"docker": "unix:///run/web-1/docker.sock"}, "via": "vpc"}
    backup = {"to": {"path": "/mnt/backup"}, "password": "unread"}  # pragma: allowlist secret
    model = {"provider": "ollama", "name": "a-model", "base_url": "http://ollama:11434"}
    ask = {"model": model, "embeddings": model | {"dimensions": 768}}
    return load(
        {
            "hub": {"local": {}, "backup": backup, "ask": ask, "storage": storage or "single"},
            "hosts": {"hub": host, "web-1": other},
        },
        "docs/alerts.md",
    )


def example_alerts() -> list[Alert]:
    """All alerts, of a hub with its data on its disk, in a bucket, and of three nodes."""
    return [alert for settings in all_example_settings() for alert in rules.alerts(settings)]


def all_example_settings() -> list[Settings]:
    """Settings of a hub with its data on its disk, in a bucket, and of three nodes."""
    s3 = {"endpoint": "https://s3.example.com", "bucket": "acme", "access_key": "unread", "secret_key": "unread"}
    stored = example_settings({"kind": "bucket", "bucket": {"s3": s3}})
    return [example_settings(), stored, _three_nodes(s3)]


def _three_nodes(s3: Mapping[str, str]) -> Settings:
    nodes = {name: {"server": _node(number)} if number else {} for number, name in enumerate("abc")}
    dsn = "postgresql://grafana:unread@db.example.com/grafana"  # pragma: allowlist secret
    database = {"postgres": {"grafana": {"dsn": dsn}}}
    storage = {"kind": "cluster", "bucket": {"s3": s3}, "nodes": nodes, "database": database}
    return load({"hub": {"server": _node(0), "storage": storage}}, "docs/alerts.md")


def _node(number: int) -> dict[str, str]:
    return {"address": f"203.0.113.{number + 1}", "private_address": f"10.77.0.{number + 1}"}


def alerts_by_name() -> dict[str, Alert]:
    """The first alert of each name, sorted by name."""
    found: dict[str, Alert] = {}
    for alert in example_alerts():
        found.setdefault(alert.name, alert)
    return dict(sorted(found.items()))


def table() -> str:
    """One row per alert: severity, delay, summary, thresholds."""
    lines = ["| alert | severity | after | summary | thresholds |", "|---|---|---|---|---|"]
    for alert in alerts_by_name().values():
        keys = ", ".join(f"`{key}`" for key in alert.keys)
        page = f"[{alert.name}](runbooks/{alert.name}.md)"
        wait = "immediately" if alert.wait == "0s" else alert.wait
        lines.append(f"| {page} | {alert.severity} | {wait} | {_cell(summary_pattern(alert))} | {keys} |")
    return "\n".join(lines) + "\n"


def with_current_table(page: str) -> str:
    """The page with the table of the current rules."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def current_runbooks() -> dict[Path, str]:
    """Each runbook with the current summary of its alert below the title."""
    summaries: dict[str, list[str]] = {}
    for alert in example_alerts():
        summaries.setdefault(alert.name, []).append(summary_pattern(alert))
    pages = {RUNBOOKS / f"{name}.md": OR.join(dict.fromkeys(each)) for name, each in summaries.items()}
    return {path: _with_summary(path.read_text(), text) for path, text in pages.items() if path.exists()}


def _with_summary(page: str, text: str) -> str:
    title, rest = page.split("\n\n", 1)
    rest = rest.split(SUMMARY_END)[1].lstrip("\n") if SUMMARY_BEGIN in rest else rest
    return f"{title}\n\n{SUMMARY_BEGIN}{text}{SUMMARY_END}\n{rest}"


def summary_pattern(alert: Alert) -> str:
    """A summary with placeholders for template expressions and for values of the example settings."""
    text = re.sub(r"{{ if [^}]*}}(.*?){{ else }}(.*?){{ end }}", r"*\1 or \2*", alert.summary)
    text = re.sub(r"{{ with [^}]*}}(.*?){{ end }}", r"[\1]", text)
    for label, value in alert.labels.items() if alert.per != "hub" else ():
        text = re.sub(rf"\b{re.escape(value)}\b", f"*{label}*", text)
    text = re.sub(r"{{ \$labels\.(\w+) }}", r"*\1*", text)
    return re.sub(r"{{[^}]*}}", "…", text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_current_table(PAGE.read_text()))
    for path, text in current_runbooks().items():
        path.write_text(text)

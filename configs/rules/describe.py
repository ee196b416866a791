"""The table of all alerts in docs/alerts.md: `python -m configs.rules.describe` writes it anew between its markers."""

from __future__ import annotations

import re
from pathlib import Path

from configs import rules
from configs.rules.model import Alert
from configs.settings import Settings, load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
BEGIN, END = "<!-- alerts: begin -->\n", "<!-- alerts: end -->\n"


def everything() -> Settings:
    """A stack file of which no alert is left out: with a service, a database and an expected container."""
    host = {
        "apps": {"shop": {"target": "shop:8000", "http": {}}},
        "postgres": {"main": {"dsn": "postgresql://nobody@db/shop"}},
        "expected": ["shop"],
    }
    return load({"hub": {"local": {}}, "hosts": {"hub": host}}, "the page of alerts")


def by_name() -> dict[str, Alert]:
    """The first alert of each name, in order of its name."""
    found: dict[str, Alert] = {}
    for alert in rules.alerts(everything()):
        found.setdefault(alert.name, alert)
    return dict(sorted(found.items()))


def table() -> str:
    """One line for each: how bad, after how long, what it says, and what sets when it fires."""
    lines = ["| alert | severity | after | says | thresholds |", "|---|---|---|---|---|"]
    for alert in by_name().values():
        keys = ", ".join(f"`{key}`" for key in alert.keys)
        page = f"[{alert.name}](runbooks/{alert.name}.md)"
        wait = "at once" if alert.wait == "0s" else alert.wait
        lines.append(f"| {page} | {alert.severity} | {wait} | {_words(alert.summary)} | {keys} |")
    return "\n".join(lines) + "\n"


def renewed(page: str) -> str:
    """The page with the table of now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def _words(summary: str) -> str:
    """A summary without its template language: labels by their names, other values as dots."""
    text = re.sub(r"{{ if [^}]*}}(.*?){{ else }}(.*?){{ end }}", r"\1 or \2", summary)
    text = re.sub(r"{{ (?:if|with|else|end)[^}]*}}", "", text)
    text = re.sub(r"{{ \$labels\.(\w+) }}", r"*\1*", text)
    return re.sub(r"{{[^}]*}}", "…", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))

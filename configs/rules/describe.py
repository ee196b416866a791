"""What the pages say about alerts: `python -m configs.rules.describe` writes it anew between its markers.

In docs/alerts.md that is the table of all alerts; in each runbook the words of its alert, by which a person who has the
message finds that it is the right page: *label* is that label's value, … another one, [what is in brackets] may be left
out.
"""

from __future__ import annotations

import re
from pathlib import Path

from configs import rules
from configs.rules.model import Alert
from configs.settings import Settings, load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
RUNBOOKS = PAGE.parent / "runbooks"
BEGIN, END = "<!-- alerts: begin -->\n", "<!-- alerts: end -->\n"
SAYS_BEGIN, SAYS_END = "<!-- says: begin -->\nIt says: ", "\n<!-- says: end -->\n"
OR = "; or: "  # between the words of two alerts of one name


def everything() -> Settings:
    """A stack file of which no alert is left out: with two hosts, a service, a database and an expected container."""
    host = {
        "apps": {"shop": {"target": "shop:8000", "http": {}}},
        "postgres": {"main": {"dsn": "postgresql://nobody@db/shop"}},
        "expected": ["shop"],
    }
    other = {"local": {"docker": "unix:///run/web-1/docker.sock"}, "via": "vpc"}
    return load({"hub": {"local": {}}, "hosts": {"hub": host, "web-1": other}}, "the page of alerts")


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
        lines.append(f"| {page} | {alert.severity} | {wait} | {_cell(words(alert))} | {keys} |")
    return "\n".join(lines) + "\n"


def renewed(page: str) -> str:
    """The page with the table of now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def runbooks() -> dict[Path, str]:
    """Each runbook with the words of now, below its title where it has none yet."""
    said: dict[str, list[str]] = {}
    for alert in rules.alerts(everything()):
        said.setdefault(alert.name, []).append(words(alert))
    pages = {RUNBOOKS / f"{name}.md": OR.join(dict.fromkeys(each)) for name, each in said.items()}
    return {path: _with_words(path.read_text(), text) for path, text in pages.items() if path.exists()}


def _with_words(page: str, text: str) -> str:
    title, rest = page.split("\n\n", 1)
    rest = rest.split(SAYS_END)[1].lstrip("\n") if SAYS_BEGIN in rest else rest
    return f"{title}\n\n{SAYS_BEGIN}{text}{SAYS_END}\n{rest}"


def words(alert: Alert) -> str:
    """A summary without its template language, and without what is only true of the stack file above."""
    text = re.sub(r"{{ if [^}]*}}(.*?){{ else }}(.*?){{ end }}", r"*\1 or \2*", alert.summary)
    text = re.sub(r"{{ with [^}]*}}(.*?){{ end }}", r"[\1]", text)
    for label, value in alert.labels.items() if alert.per != "hub" else ():
        text = re.sub(rf"\b{re.escape(value)}\b", f"*{label}*", text)
    text = re.sub(r"{{ \$labels\.(\w+) }}", r"*\1*", text)
    return re.sub(r"{{[^}]*}}", "…", text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
    for path, text in runbooks().items():
        path.write_text(text)

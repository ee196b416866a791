"""docs/metrics-api.md has every endpoint, flag and metric of the hub's store that anything uses."""

from __future__ import annotations

import re
from pathlib import Path

from configs import dashboards, rules
from configs.services import prometheus
from configs.services.caddy import reading
from configs.settings import Settings
from tests.fixtures import fleets
from tests.fixtures.full import full, in_bucket

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics-api.md").read_text()
FOLDERS = ("ask", "components", "configs/deploy", "configs/services/backup", "tools")
OF_ASK = {"ask_service.py", "routes"}  # ask's own endpoints
_ENDPOINT = re.compile(r"(?<!/loki)/api/v1/([a-z_]+)")
_METRIC = re.compile(r"(?:prometheus|thanos)_[a-z0-9_]+[a-z0-9]")


def _metrics(settings: Settings) -> set[str]:
    texts = [*rules.files(settings, "https://monitor.example.com").values(), *dashboards.render(settings).values()]
    return {name for text in texts for name in re.findall(rf"(?<![a-z_]){_METRIC.pattern}(?=[{{\[|\"\\])", text)}


def test_every_metric_of_rules_and_dashboards_is_listed_and_no_other() -> None:
    used = _metrics(full()) | _metrics(in_bucket()) | _metrics(fleets.cluster())
    assert len(used) > 30
    assert set(_METRIC.findall(PAGE)) == used


def test_every_endpoint_is_listed() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".sh"}]
    used = {
        name for path in files if not OF_ASK & set(path.parts) for name in _ENDPOINT.findall(path.read_text())
    } | set(_ENDPOINT.findall(" ".join(reading.POSTED_READS)))
    assert {"query", "series", "rules", "targets", "parse_query"} <= used
    assert {name for name in used if f"/api/v1/{name}" not in PAGE} == set()


def test_every_flag_of_prometheus_is_listed() -> None:
    settings = full()
    flags = {one.partition("=")[0] for one in prometheus.command(settings)}
    assert {"--web.enable-admin-api", "--query.max-samples"} <= flags, "with a backup and ask"
    assert {flag for flag in flags if f"`{flag}`" not in PAGE} == set()

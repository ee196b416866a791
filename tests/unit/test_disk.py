"""How much disk a retention needs: one case worked out by hand, and what is said when a volume is too small."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configs import disk, services
from configs.services.context import Context
from configs.services.spec import ScrapeJob
from configs.settings import Settings, load
from configs.validation.disk import problems
from tests.fixtures.fleets import SERVER_HUB, SOURCE, fleet

SHORT = {"metrics": "10d", "logs": "5d"}


def _fleet(volume: int = 100, retention: dict[str, Any] | None = None, **hosts: Any) -> Settings:
    hub = {"droplet": {"region": "fra1", "volume": volume}, "retention": retention or {}}
    return load(fleet(hub, hosts=hosts), SOURCE)


@pytest.fixture
def round_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of what was measured."""
    jobs = ("node", "agent", "promtail", "postgres", "prometheus", "loki", "grafana", "caddy", "alertmanager")
    series = {"cadvisor": 1000, "sql": 300, **dict.fromkeys(jobs, 150)}

    measured = services.service_jobs

    def service_jobs(context: Context) -> list[ScrapeJob]:
        databases = {"sql": len(context.edge.postgres)}  # one target, that has the series of each
        found = measured(context)
        return [replace(job, series=series[job.name] * databases.get(job.name, 1)) for job in found]

    monkeypatch.setattr(services, "service_jobs", service_jobs)
    monkeypatch.setattr(disk, "SERIES_OF_APP", 50)
    monkeypatch.setattr(disk, "BYTES_PER_SAMPLE", 2.0)
    monkeypatch.setattr(disk, "LOG_BYTES_PER_DAY", 10**9)
    monkeypatch.setattr(disk, "SHARE", 0.5)


@pytest.mark.usefixtures("round_numbers")
def test_the_need_is_what_is_scraped_times_how_long_it_is_kept() -> None:
    dsn = {"dsn": "postgresql://watch:x@db/shop"}
    web = {"droplet": {}, "apps": {"shop": {"target": "shop:8000"}}, "postgres": {"a": dsn, "b": dsn}}
    settings = _fleet(retention=SHORT, web=web)
    # An edge: cAdvisor 1000 every 10 s, and node, agent and promtail 150 each every 15 s: 100 + 3 * 10 = 130 a second.
    # The hub's has its five services besides: + 50. The host's has an app, 50 every 10 s, and two databases, whose
    # queries give 300 each a minute: + 5 + 20 + 10.
    assert disk.samples_per_second(settings) == pytest.approx(180 + 165)
    assert disk.metrics_bytes(settings) == 345 * 864000 * 2
    assert disk.logs_bytes(settings) == 2 * 5 * 10**9
    assert disk.needed_gb(settings) == 20, "10.6 GB in all, doubled, are 19.7 of 1024³ bytes"


@pytest.mark.usefixtures("round_numbers")
def test_a_rarer_scrape_needs_less() -> None:
    rarer = _fleet(retention=SHORT, web={"droplet": {}, "scrape": {"cadvisor": "20s"}})
    assert disk.samples_per_second(rarer) == pytest.approx(180 + 80)


@pytest.mark.usefixtures("round_numbers")
def test_a_sample_rate_that_is_given_counts_where_it_is_higher() -> None:
    for rate, expected in ((1000, 180 + 1000), (100, 180 + 130)):
        given = _fleet(retention=SHORT, web={"droplet": {}, "metrics": {"sample_rate": rate}})
        assert disk.samples_per_second(given) == pytest.approx(expected)


def test_a_volume_that_is_too_small_is_told_with_a_number_that_fits() -> None:
    hosts: dict[str, Any] = {f"web-{n}": {"droplet": {}} for n in range(9)}
    (problem,) = list(problems(_fleet(100, **hosts)))
    assert problem.startswith("hub.droplet.volume: expected at least ")
    assert " (GB) for 730d of metrics and 90d of logs of 10 hosts (metrics ~" in problem
    assert problem.endswith(
        ", a fifth of the disk kept free), got 100; enlarge it, shorten hub.retention, or limit the metrics by "
        "hub.retention.metrics_size"
    )
    named = int(problem.split("at least ")[1].split()[0])
    assert list(problems(_fleet(named, **hosts))) == []
    assert list(problems(_fleet(named - 1, **hosts))), "the smallest that fits, not just any"


def test_the_defaults_fit_the_default_volume() -> None:
    assert list(problems(_fleet(a={"droplet": {}}, b={"droplet": {}}))) == [], "a hub and two hosts"


def test_a_size_that_is_given_lets_metrics_go_earlier() -> None:
    hosts: dict[str, Any] = {f"web-{n}": {"droplet": {}} for n in range(9)}
    settings = _fleet(100, {"metrics_size": "50GB"}, **hosts)
    assert list(problems(settings)) == []
    assert disk.metrics_size(settings) == 50 * disk.GB
    assert " samples/s, 50GB kept)" in disk.summary(settings)


def test_a_size_that_does_not_fit_the_volume_is_told() -> None:
    (problem,) = list(problems(_fleet(100, {"metrics_size": "81GB"})))
    assert problem == "hub.retention.metrics_size: expected at most 80GB (80 % of hub.droplet.volume), got 81GB"


def test_metrics_may_have_what_logs_leave_of_the_volume() -> None:
    settings = _fleet(100)
    left = 80 * disk.GB - disk.logs_bytes(settings)
    assert left - 1024**2 < disk.metrics_size(settings) <= left, "in whole megabytes, as Prometheus is told"


def test_elsewhere_the_size_is_the_settings_own() -> None:
    hubs: list[dict[str, Any]] = [SERVER_HUB, {"local": {}}]
    for hub in hubs:
        settings = load(fleet(hub), SOURCE)
        assert list(problems(settings)) == [], "how large that disk is, only the machine knows"
        assert disk.metrics_size(settings) == 10 * disk.GB


def test_a_preview_names_need_and_room() -> None:
    said = disk.summary(_fleet(100))
    assert said.startswith("Retention will need about ")
    assert " GB of 100 GB: metrics ~" in said
    assert "(20 MB compressed a day and host)" in said, (
        "the guess is named, so that everyone can hold it against theirs"
    )

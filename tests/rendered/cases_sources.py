"""When the alerts that name a source of rejected data fire, and when not. Those of Loki are in tests/integration."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub",job="shop",instance="shop:8000"'
SCRAPED, UP = f"scrape_samples_scraped{{{OF}}}", f"up{{{OF}}}"
SHOP = {"job": "shop", "instance": "shop:8000"}

KEPT = f"scrape_samples_post_metric_relabeling{{{OF}}}"
STORED = [f"shop_{n}{{{OF}}}" for n in range(3)]

CASES = (
    Case(
        alert="SamplesTooOld",
        when="when some samples of an app are not stored",
        series={KEPT: "5x80", **dict.fromkeys(STORED, "1x80")},
        at="20m",
        fires=[fired("2 samples of job shop on hub are too old and are not stored", job="shop")],
    ),
    Case(
        alert="SamplesTooOld",
        when="while each of them arrives, also late",
        series={KEPT: "3x80", **dict.fromkeys(STORED, "1x10 _x70")},
        at="20m",
    ),
    Case(
        alert="ScrapeRejected",
        when="when a target exceeds a limit",
        series={UP: "0x40", SCRAPED: "12000x40"},
        at="5m",
        fires=[fired("The metrics of job shop on hub are rejected: 12000 samples in a scrape", **SHOP)],
    ),
    Case(alert="ScrapeRejected", when="for a target that is down", series={UP: "0x40", SCRAPED: "0x40"}, at="5m"),
    Case(alert="ScrapeRejected", when="for a target that is up", series={UP: "1x40", SCRAPED: "300x40"}, at="5m"),
)

"""The alerts of probes in promtool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = '{job="probe",env="test",host="hub",probe="shop",instance="https://shop/"}'
SHOP = {"probe": "shop", "instance": "https://shop/"}
KEPT = {**SHOP, "job": "probe"}
SETTINGS = settings_of({"hub": {"probes": {"shop": {"http": "https://shop/"}}}})
ENDS = f"probe_ssl_earliest_cert_expiry{OF}"

CASES = [
    Case(
        alert="ProbeFails",
        when="the target does not answer",
        series={f"up{OF}": "1x60", f"probe_success{OF}": "1x20 0x40"},
        fires=[fired("Probe shop (https://shop/) from hub fails", **SHOP)],
    ),
    Case(
        alert="ProbeFails",
        when="the exporter is down",
        series={f"up{OF}": "1x20 0x40"},
        fires=[fired("Probe shop (https://shop/) from hub fails", **SHOP)],
    ),
    Case(alert="ProbeFails", when="it answers", series={f"up{OF}": "1x60", f"probe_success{OF}": "1x60"}),
    Case(
        alert="ProbeSlow",
        when="it takes six seconds",
        series={f"probe_duration_seconds{OF}": "6x100"},
        at="20m",
        fires=[fired("Probe shop (https://shop/) from hub takes 6s", **KEPT)],
    ),
    Case(alert="ProbeSlow", when="it took long once", series={f"probe_duration_seconds{OF}": "1x40 9 1x60"}, at="20m"),
    Case(
        alert="ProbeCertificateExpires",
        when="it ends in a day",
        series={ENDS: "87600x100"},
        at="20m",
        fires=[fired("The certificate of probe shop (https://shop/) ends in 1d 0h 0m 0s", **KEPT)],
    ),
    Case(alert="ProbeCertificateExpires", when="it is valid for a year", series={ENDS: "31536000x100"}, at="20m"),
]


def test_probe_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    check(tool, tmp_path, SETTINGS, groups_of(SETTINGS, "probes"), CASES)


def test_no_probe_rules_without_a_probe() -> None:
    assert not [group.rules for group in groups_of(settings_of(), "probes") if group.rules]


def test_every_alert_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(SETTINGS, "probes") for rule in group.rules}
    assert {case.alert for case in CASES if case.fires} == alerts == {case.alert for case in CASES if not case.fires}

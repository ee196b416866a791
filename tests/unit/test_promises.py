"""Whether the summary of a message matches its runbook, with the messages of the promtool cases."""

from __future__ import annotations

import pytest

from tests.fixtures.promises import keeps, promised
from tests.rendered import (
    cases_containers,
    cases_hosts,
    cases_hub,
    cases_pipeline,
    cases_reload,
    test_rules_databases,
    test_rules_http,
)
from tools import alert_docs

CASES = [
    *(*cases_hosts.CASES, *cases_pipeline.CASES, *cases_reload.CASES, *cases_hub.CASES, *cases_hub.CASES_OF_SEVERAL),
    *(*cases_containers.CASES, *cases_containers.GONE_CASES, *cases_containers.EXPECTED),
    *(*test_rules_databases.CASES, *test_rules_http.CASES, *test_rules_http.LOGS),
]
JOB = "Job *job_id* (*proc*[ of …]) failed"


def test_summaries_of_the_promtool_cases_match_the_runbooks() -> None:
    shown = {(case.alert, one.summary, tuple(sorted(one.labels.items()))) for case in CASES for one in case.fires}
    assert len(shown) > 50, "the cases were not read"
    broken = [(name, says) for name, says, of in shown if not any(keeps(one, says, dict(of)) for one in promised(name))]
    assert not broken, "messages whose runbook has another summary"


def test_runbooks_list_every_summary_of_an_alert() -> None:
    assert len(promised("HubPartDown")) == 3, "a component, ingestion, and Loki of a cluster"
    assert len(promised("ContainerDown")) == 2, "an expected container, and one that ran"
    assert {len(promised(name)) for name in alert_docs.alerts_by_name()} == {1, 2, 3}


@pytest.mark.parametrize(
    ("words", "says", "kept"),
    [
        ("Host *host* sends no data", "Host hub sends no data", True),
        ("Host *host* sends no data", "Host web-1 sends no data", False),
        ("Host *host* sends no data", "Host hub sends no data any more", False),
        ("*job* on *host* is … full (a.b)", "x on hub is 95% full (a.b)", True),
        ("*job* on *host* is … full (a.b)", "x on hub is 95% full (acb)", False),
        ("*job* on *host* is … full (a.b)", "x on hub is  full (a.b)", False),
        ("It is … *ahead or behind*", "It is 3s behind", True),
        (JOB, "Job 7 (tidy of public.t) failed", True),
        (JOB, "Job 7 (tidy) failed", True),
        (JOB, "Job 7 tidy failed", False),
    ],
)
def test_placeholders_match_labels_and_values(words: str, says: str, kept: bool) -> None:
    assert keeps(words, says, {"host": "hub"}) is kept

"""Whether a message is the one that its runbook promises: that question itself, asked of what promtool was shown."""

from __future__ import annotations

import pytest

from configs.rules import describe
from tests.fixtures.promises import keeps, promised
from tests.rendered import (
    cases_containers,
    cases_hosts,
    cases_hub,
    cases_pipeline,
    test_rules_databases,
    test_rules_http,
)

CASES = [
    *(*cases_hosts.CASES, *cases_pipeline.CASES, *cases_hub.CASES, *cases_hub.CASES_OF_SEVERAL),
    *(*cases_containers.CASES, *cases_containers.GONE_CASES, *cases_containers.EXPECTED),
    *(*test_rules_databases.CASES, *test_rules_http.CASES, *test_rules_http.LOGS),
]
JOB = "Job *job_id* (*proc*[ of …]) failed"


def test_every_alert_that_promtool_shows_has_the_words_of_its_runbook() -> None:
    shown = {(case.alert, one.says, tuple(sorted(one.labels.items()))) for case in CASES for one in case.fires}
    assert len(shown) > 50, "the cases were not read"
    broken = [(name, says) for name, says, of in shown if not any(keeps(one, says, dict(of)) for one in promised(name))]
    assert not broken, "somebody with this message would not find it on its page"


def test_every_wording_of_an_alert_is_in_its_runbook() -> None:
    assert len(promised("HubPartDown")) == 2, "a part, and the door"
    assert len(promised("ContainerDown")) == 2, "one that is expected, and one that ran"
    assert {len(promised(name)) for name in describe.by_name()} == {1, 2}


@pytest.mark.parametrize(
    ("words", "says", "kept"),
    [
        ("Host *host* sends nothing", "Host hub sends nothing", True),
        ("Host *host* sends nothing", "Host web-1 sends nothing", False),
        ("Host *host* sends nothing", "Host hub sends nothing any more", False),
        ("*job* on *host* is … full (a.b)", "x on hub is 95% full (a.b)", True),
        ("*job* on *host* is … full (a.b)", "x on hub is 95% full (acb)", False),
        ("*job* on *host* is … full (a.b)", "x on hub is  full (a.b)", False),
        ("It is … *ahead or behind*", "It is 3s behind", True),
        (JOB, "Job 7 (tidy of public.t) failed", True),
        (JOB, "Job 7 (tidy) failed", True),
        (JOB, "Job 7 tidy failed", False),
    ],
)
def test_labels_are_their_values_and_dots_anything(words: str, says: str, kept: bool) -> None:
    assert keeps(words, says, {"host": "hub"}) is kept

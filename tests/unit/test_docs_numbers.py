"""Numbers that pages state are those of the code: each is a text of its page, made from the constant."""

from __future__ import annotations

import pytest

from components import balancer
from configs import sizing
from configs.custom import files as custom_files
from configs.services import blackbox_exporter
from tests.fixtures.docs import ROOT
from tools import deployed, runner_firewall
from tools.comment import page
from tools.doctor import querier, variables

WRITTEN = {2: "two", 5: "five", 6: "six"}
NUMBERS = (
    ("docs/tasks/drift.md", f"each within {WRITTEN[deployed.LIMIT // 60]} minutes"),
    ("docs/doctor.md", f"{WRITTEN[querier.PARALLEL].capitalize()} requests run at a time"),
    ("docs/doctor.md", f"at most {WRITTEN[variables.PER_HOST]} values of a variable per host"),
    ("docs/ci.md", f"at most {page.LIMIT} characters"),
    ("docs/ci.md", f"older than {WRITTEN[int(runner_firewall.OLDEST.total_seconds()) // 3600]} hours"),
    ("docs/growing.md", f"after about {balancer.INTERVAL * balancer.AWAY} s"),
    ("docs/growing.md", f"With the {sizing.BESIDE} MB that the rest of a hub takes"),
    ("docs/growing.md", f"A host counts as {sizing.SERIES} series"),
    ("docs/tasks/custom.md", f"at most {custom_files.MOST >> 20} MB each and {custom_files.MOST_TOGETHER >> 20} MB"),
    ("docs/tasks/add-a-probe.md", f"may take {blackbox_exporter.TIMEOUT} s"),
)


@pytest.mark.parametrize(("name", "text"), NUMBERS)
def test_number_is_that_of_the_code(name: str, text: str) -> None:
    assert text in " ".join((ROOT / name).read_text().split())

"""Every query and rule that is declared empty has a test that shows it with data, and a plain reason."""

from __future__ import annotations

import re
from collections import Counter

from configs.dashboards import boards
from tests.fixtures.declared_empty import SHOWN_BY, declared, missing_tests
from tests.fixtures.full import ROOT, full
from tools.doctor import queries, rules


def test_every_declared_place_has_exactly_one_test() -> None:
    places = Counter(place for listed in SHOWN_BY.values() for place in listed)
    assert set(places) - declared(full()) == set(), "listed, but not declared empty"
    assert declared(full()) - set(places) == set(), "declared empty, but no test shows it with data"
    assert [place for place, count in places.items() if count > 1] == []


def test_listed_tests_exist() -> None:
    assert missing_tests(SHOWN_BY, ROOT) == []


def test_an_unknown_test_is_found() -> None:
    unknown = "tests/unit/test_declared_empty.py::test_that_nobody_wrote"
    assert missing_tests({unknown: ()}, ROOT) == [unknown]
    assert missing_tests({"tests/unit/nowhere.py::test_x": ()}, ROOT) == ["tests/unit/nowhere.py::test_x"]


def test_reasons_name_no_test_and_no_module() -> None:
    reasons = {one.place: one.empty for one in queries.panel_queries(boards(full())) if one.empty}
    reasons |= {one.place: one.empty for one in rules.described_rules(full()) if one.empty}
    assert len(reasons) > 60
    assert {place: text for place, text in reasons.items() if re.search(r"test_|\.py\b|::|stand-in", text)} == {}

"""What `make test-long` runs, and what it writes."""

from __future__ import annotations

import re

from tests import long_runs
from tools.paths import CHECKOUT

REPORT = """<testsuites><testsuite>
<testcase classname="tests.integration.test_b.TestB" name="one" time="60.0"/>
<testcase classname="tests.integration.test_a" name="one" time="1.5"/>
<testcase classname="tests.integration.test_a" name="two" time="28.5"><failure message="x"/></testcase>
<testcase classname="tests.integration.test_a" name="three" time="0"><skipped message="y"/></testcase>
<testcase classname="tests.integration.test_a" name="four" time="0"><error message="z"/></testcase>
</testsuite></testsuites>"""


def test_every_module_with_the_mark_is_run_whole() -> None:
    folder = CHECKOUT / long_runs.FOLDER
    marked = {path.stem for path in folder.glob("test_*.py") if "pytest.mark.long" in path.read_text()}
    assert marked == set(long_runs.MODULES)


def test_make_test_leaves_the_mark_out() -> None:
    (words,) = re.findall(r'-m "(.*)" tests', (CHECKOUT / "tests" / "run.sh").read_text())
    assert words == "integration and not long"


def test_a_report_becomes_a_line_for_each_module() -> None:
    first, second = long_runs.read(REPORT)
    assert first == long_runs.Module("test_a", passed=1, failed=2, skipped=1, seconds=30.0)
    assert second == long_runs.Module("test_b", passed=1, seconds=60.0)


def test_modules_that_were_not_run_keep_their_line() -> None:
    page = """## The long tests

| module | passed | failed | skipped | duration | date | modules at once |
|---|---|---|---|---|---|---|
| test_bucket | 11 | 0 | 0 | 12.0 min | 2026-11-29 | 1 |
| test_fleet_nodes | 18 | 1 | 0 | 25.0 min | 2026-11-30 | 1 |

## Another section

| test_outage_restarts | 1 |
"""
    run = [long_runs.Module("test_fleet_nodes", passed=19, seconds=1440.0)]
    assert long_runs.rows(run, page, "2026-12-01", "3") == [
        ["test_bucket", "11", "0", "0", "12.0 min", "2026-11-29", "1"],
        ["test_fleet_nodes", "19", "0", "0", "24.0 min", "2026-12-01", "3"],
    ]

"""`make test-long`: the modules that have tests with the mark `long`, whole, because their tests build on each other.

`make test` leaves those tests out. --page FILE writes what became of each module into a section of that page; lines of
modules that were not run stay as they are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import page
from tools import images, setup
from tools.cli import ended
from tools.paths import CHECKOUT
from tools.progress import say

TITLE = "The long tests"
FOLDER = "tests/integration"
MODULES = (
    "test_another_node", "test_another_server", "test_bucket", "test_bucket_years", "test_fleet_bucket",
    "test_fleet_nodes", "test_fleet_nodes_move", "test_interrupted", "test_interrupted_edge", "test_nodes_move",
    "test_nodes_parts", "test_outage", "test_outage_restarts",
)  # fmt: skip
COLUMNS = ("module", "passed", "failed", "skipped", "duration", "date", "modules at once")


@dataclass
class Module:
    """What became of a module: numbers of tests, and seconds with their fixtures."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0


def read(report: str) -> list[Module]:
    """The modules of a report in JUnit's form, as pytest writes it."""
    found: dict[str, Module] = {}
    for case in ET.fromstring(report).iter("testcase"):
        name = next(word for word in case.attrib["classname"].split(".") if word.startswith("test_"))
        module = found.setdefault(name, Module(name))
        module.seconds += float(case.attrib["time"])
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            module.failed += 1
        elif "skipped" in kinds:
            module.skipped += 1
        else:
            module.passed += 1
    return sorted(found.values(), key=lambda module: module.name)


def rows(modules: Sequence[Module], before: str, date: str, workers: str) -> list[list[str]]:
    """A line for each module; those that were not run are as they are on the page `before`."""
    section = before.partition(f"## {TITLE}\n")[2].partition("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    kept = {cells[0]: cells for cells in found if cells[0] in MODULES}
    run = {
        one.name: [
            one.name, str(one.passed), str(one.failed), str(one.skipped), f"{one.seconds / 60:.1f} min", date, workers
        ]
        for one in modules
    }  # fmt: skip
    return sorted({**kept, **run}.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.long_runs", description=__doc__)
    parser.add_argument("--page", type=Path, help="write the section into this file as well")
    parser.add_argument("modules", nargs="*", metavar="module", help="those alone")
    options = parser.parse_args()
    modules = options.modules or MODULES
    if unknown := sorted({*modules} - {*MODULES}):
        parser.error(f"expected some of {', '.join(MODULES)}, got {', '.join(unknown)}")
    chain = setup.set_up([*images.PARTS, *images.FOR_TESTS])
    kinds = ", ".join(sorted({image.kind for image in chain.images}))
    watch, workers = page.Watch(), os.environ.get("WORKERS", "3")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = ("-v", f"--junitxml={report}", "-n", workers, "--dist", "loadgroup", "-m", "integration")
        files = [f"{FOLDER}/{module}.py" for module in modules]
        done = subprocess.run([sys.executable, "-m", "pytest", *words, *files], cwd=CHECKOUT, check=False)
        if done.returncode not in (0, 1) or not report.exists():  # it was interrupted, or found no test
            return done.returncode or 1
        watch.look()
        found = read(report.read_text())
    before = options.page.read_text() if options.page else ""
    table = page.Table("By `make test-long`", COLUMNS, rows(found, before, time.strftime("%Y-%m-%d"), workers))
    text = page.render(TITLE, kinds, watch, [], [table])
    say("\n" + text)
    if options.page:
        options.page.write_text(page.put(before, text))
    return done.returncode


if __name__ == "__main__":
    sys.exit(ended(main))

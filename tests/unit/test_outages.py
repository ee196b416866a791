"""The table of `make outage`: which log agent its hosts have, and where on the page its rows are."""

from __future__ import annotations

import contextlib
import re
import signal
from pathlib import Path

import pytest

from tests.outages import __main__ as outages
from tests.outages.fleet import AGENTS, Outages
from tools.errors import ToolError
from tools.paths import CHECKOUT

PAGE = "a\n<!-- outages, promtail: begin -->\nold\n<!-- outages, promtail: end -->\nb\n"


@pytest.mark.parametrize(("logs", "images"), [("promtail", ()), ("alloy", ("alloy",))])
def test_both_hosts_have_the_log_agent_and_their_machines_its_image(logs: str, images: tuple[str, ...]) -> None:
    fleet = Outages(logs)
    try:
        hosts = fleet.config["hosts"]
        assert {name: host["logs"]["agent"] for name, host in hosts.items()} == dict.fromkeys(AGENTS, logs)
        assert tuple(fleet.more_images) == images
    finally:
        fleet.file.unlink()
        fleet.home.rmdir()


def test_rows_name_their_log_agent() -> None:
    row = outages.Row("killed", "vmagent", "Alloy", 0.4, 12, 0)
    first, *_, last = outages.table([row], 90, "2 cores, kernel 6.12, Docker 28.5.2").splitlines()
    assert last == "| killed | vmagent | Alloy | 0 | 12 | 0 |"
    assert "in a rehearsal on 2 cores, kernel 6.12, Docker 28.5.2; the hub down for 90 s" in first


def test_a_table_replaces_that_of_its_log_agent_alone() -> None:
    assert outages.put(PAGE, "new", "promtail") == PAGE.replace("old", "new")
    with pytest.raises(AssertionError, match="alloy: begin"):
        outages.put(PAGE, "new", "alloy")


def test_the_page_has_a_place_for_each_log_agent() -> None:
    page = (CHECKOUT / "docs" / "no-data-lost.md").read_text()
    for logs in outages.LOG_AGENTS:
        assert "new" in outages.put(page, "new", logs)


def test_an_image_that_cannot_be_had_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(away: int, logs: str) -> list[outages.Row]:
        raise ToolError(f"The image for {logs} cannot be pulled here: load it into Docker.")

    monkeypatch.setattr(outages, "measured", refused)
    monkeypatch.setattr("sys.argv", ["outages", "--logs", "alloy"])
    with pytest.raises(SystemExit, match=r"^The image for alloy cannot be pulled here: load it into Docker\.$"):
        outages.main()


EVENT = "agents killed (SIGKILL) and started"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (outages.Row(EVENT, "vmagent", "Promtail", 4.0, 0, 0), ""),
        (outages.Row(EVENT, "Prometheus", "Promtail", 162.0, 0, 0), ""),
        (
            outages.Row(EVENT, "vmagent", "Promtail", 4.9, 0, 0),
            "lost seconds: 4.9, at most two intervals of 2 s were expected",
        ),
        (outages.Row(EVENT, "vmagent", "Alloy", 0.0, 3, 0), "lost lines: 3"),
        (outages.Row(EVENT, "Prometheus", "Alloy", 162.0, 3, 1), "lost lines: 3, lines twice: 1"),
    ],
)
def test_a_loss_ends_the_run_with_a_sentence_after_the_table_is_written(
    row: outages.Row, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("promtail", row.logs.lower()))
    monkeypatch.setattr(
        outages, "measured", lambda away, logs: [outages.Row("calm", "vmagent", row.logs, 0, 0, 0), row]
    )
    monkeypatch.setattr(outages, "where", lambda: "2 cores")
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr("sys.argv", ["outages", "--logs", row.logs.lower(), "--page", str(page)])
    sentence = f"More was lost than was expected: {EVENT} ({row.agent}, {row.logs}): {words}."
    with pytest.raises(SystemExit, match=f"^{re.escape(sentence)}$") if words else contextlib.nullcontext():
        outages.main()
    assert f"| {EVENT} | {row.agent} | {row.logs} |" in page.read_text()

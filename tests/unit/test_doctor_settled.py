"""The doctor asks again while what is empty may only be too young, and no longer."""

from __future__ import annotations

from typing import Any

import pytest

from configs.settings import load
from tests.fixtures.full import small
from tools.doctor import command, report
from tools.doctor.verdicts import Verdict
from tools.hubclient import HubClient

SETTINGS = load(small(env="test"), "stacks/Pulumi.test.yaml")


class _Hub(HubClient):
    """One that knows something for less than a minute, or nothing."""

    def __init__(self, young: int) -> None:
        super().__init__("http://unasked.invalid")
        self.young = young

    def metrics(self, query: str, at: float | None = None) -> list[dict[str, Any]]:
        assert "offset 1m" in query or "< 60" in query
        return [{"metric": {}, "value": [1, str(self.young)]}] if self.young else []


def _found(empty: int, unloaded: int = 0) -> report.Findings:
    verdicts = [Verdict(place="b / p", state="EMPTY", cases=1, expr="x", empty=("All",))] * empty
    rules = ["rule x: the hub's Prometheus does not have it"] * unloaded
    return report.Findings(verdicts=verdicts, hosts=[], unloaded=rules, notes=[], requests=1, seconds=0.1)


def _asked(monkeypatch: pytest.MonkeyPatch, young: int, *answers: report.Findings) -> tuple[int, int]:
    """(how often it looked, faults in the end); the last answer stays."""
    left, pauses = list(answers), list[float]()
    monkeypatch.setattr(command, "examine", lambda *_: left.pop(0) if len(left) > 1 else left[0])
    found = command.settled(_Hub(young), SETTINGS, pause=pauses.append)
    return len(pauses) + 1, found.faults


def test_what_is_empty_beside_something_young_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _asked(monkeypatch, 7, _found(25), _found(2), _found(0)) == (3, 0)
    said = capsys.readouterr().out
    assert (
        "25 queries are still empty, with 7 targets and 7 containers less than a minute old: retrying in 15 s" in said
    )
    assert _asked(monkeypatch, 7, _found(3)) == (command.AGAIN + 1, 3), "not for ever"


def test_nothing_is_waited_for_where_waiting_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _asked(monkeypatch, 0, _found(25)) == (1, 25), "all of it is old"
    assert _asked(monkeypatch, 7, _found(0)) == (1, 0), "all is well"
    assert _asked(monkeypatch, 7, _found(2, unloaded=1)) == (1, 3), "a rule that is not there does not come by itself"

"""`up` interrupted at any point is continued by the next: no container twice, nothing left running or to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.rig import Rig, eventually, rig
from tests.integration.runs import Run, kill_all, names, processes
from tools import setup

pytestmark = pytest.mark.xdist_group("interrupted")
ROLES = {
    "caddy", "prometheus", "loki", "grafana", "alertmanager", "agent", "promtail", "cadvisor", "node-exporter",
}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """When `up` is interrupted: as soon as one of these roles is there, or a text is said."""

    what: str
    role: str = ""
    text: str = ""
    times: int = 1

    def reached(self, made: Rig, run: Run) -> bool:
        if self.text:
            return run.said(self.text)
        there = names(made)
        return self.role in there if self.role else bool(there)


MOMENTS = (
    pytest.param(Moment("before the engine starts", text="Docker Engine "), marks=pytest.mark.long),
    pytest.param(Moment("while the first container is created"), marks=pytest.mark.long),
    Moment("when Loki is there and the agent is not", role="loki"),
    pytest.param(Moment("when the agent is there", role="agent"), marks=pytest.mark.long),
    Moment("twice, while the hub's containers are created", role="prometheus", times=2),
)


@pytest.fixture(scope="module")
def stack(chain: setup.ToolChain) -> Iterator[Rig]:
    with rig("interrupt", {}) as made:
        yield made


@pytest.fixture
def bare(stack: Rig) -> Rig:
    """The stack, not there."""
    done = stack.tool("down", "--yes")
    assert done.returncode == 0, done.stdout
    assert stack.left() == {"container": [], "network": [], "volume": []}
    return stack


def continues(made: Rig) -> None:
    """The next `up` ends well, with every container once, and there is nothing left to change."""
    made.up()
    assert names(made) == ROLES, "not the containers that a run without an interruption makes"
    running = set(made.started_all())
    assert running == {made.container(role) for role in ROLES}, "not all of them run"
    changes = made.preview()
    assert set(changes) == {"same"}, f"a preview after it would change something: {changes}"
    assert not processes(made), "something is left running after a run that ended well"


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.what.replace(" ", "-"))
def test_ctrl_c_ends_up_and_the_next_continues(bare: Rig, moment: Moment) -> None:
    run = Run(bare)
    run.until(moment.what, lambda: moment.reached(bare, run))
    for again in range(moment.times):
        if again:
            run.until("the first Ctrl-C is answered", lambda: run.said("Ctrl-C again"))
        run.ctrl_c()
    code, output = run.ended()
    assert code == 130, f"exit code {code}:\n{output[-3000:]}"
    assert "run the command again to resume" in output, output[-3000:]
    assert "Traceback (most recent" not in output, output[-6000:]
    eventually("no process of the interrupted run", lambda: not processes(bare), patience=20)
    if moment.role == "loki":
        assert "agent" not in names(bare), "the agent was made after Ctrl-C"
    continues(bare)


def test_a_kill_of_everything_is_continued(bare: Rig) -> None:
    """As after a power cut: the lock and what was being created are left in the state."""
    run = Run(bare)
    run.until("Prometheus is there", lambda: "prometheus" in names(bare))
    kill_all(bare)
    run.ended()
    locks = list((bare.home / "state").rglob("locks/**/*.json"))
    assert locks, "no lock was left: this was no kill in the middle of a run"
    output = bare.tool("up")
    assert output.returncode == 0, output.stdout[-6000:]
    assert "removing its lock" in output.stdout, output.stdout[-6000:]
    continues(bare)


def test_down_after_an_interruption_leaves_nothing(bare: Rig) -> None:
    run = Run(bare)
    run.until("Loki is there", lambda: "loki" in names(bare))
    run.ctrl_c()
    assert run.ended()[0] == 130
    done = bare.tool("down", "--yes")
    assert done.returncode == 0, done.stdout
    assert bare.left() == {"container": [], "network": [], "volume": []}
    assert not processes(bare)

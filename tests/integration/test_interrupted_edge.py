"""An update that is killed at each step of an edge's command: what ran goes on, and the next update completes it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.rig import Rig, docker, rig
from tests.integration.runs import Hold, Run, kill_all, names, processes
from tools import setup

pytestmark = pytest.mark.xdist_group("interrupted-edge")
REPLACED = "node-exporter"  # the container whose image has another name in each step that says so
LEFT = {"edge", "edge.applied", "edge.containers", "edge.lock"}


@dataclass(frozen=True)
class Step:
    """`at`: the command line that is held up when everything is killed. `before_move`: no file was changed by then.
    `image`: the update brings another image too, which is not there until the next one if `pull`. `agent`: it begins
    without the agent, which somebody removed."""

    what: str
    at: str
    before_move: bool = False
    image: bool = False
    pull: bool = False
    agent: bool = False


LONG = (
    Step("pull", "pull -q ", before_move=True, image=True, pull=True),
    Step("check", "promtool", before_move=True),
    Step("move", "edge.next/agent/config/prometheus.yml"),
    Step("wait", "-node-exporter ", image=True),
    Step("reload", "kill -HUP 1"),
    Step("first scrape", "sleep 2", agent=True),  # with short intervals, because the agent is new
)
STEPS = (
    Step("start", "up -d --remove-orphans", image=True),
    Step("scrape", "read -r job url"),  # each target is read once
    *(pytest.param(step, marks=pytest.mark.long) for step in LONG),
)


@dataclass
class Stack:
    """A stack that is up, and what a test changes of it."""

    rig: Rig
    hold: Hold
    node_exporter: str
    changes: int = 0

    @property
    def files(self) -> Path:
        return self.rig.home / "state" / self.rig.name / "files" / "hub"

    def deployed(self) -> dict[str, bytes]:
        folder = self.files / "edge"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def change(self, image: bool, there: bool = True) -> str:
        """Another scrape interval, and another name for an image: its name."""
        self.changes += 1
        self.rig.change({"hosts": {"hub": {"scrape": {"node": f"{5 + self.changes}s"}}}})
        name = f"127.0.0.1:1/{self.rig.prefix}/node-exporter:{self.changes}"
        if image:
            self.rig.change({"images": {"node_exporter": name}})
        if image and there:
            self.tag(name)
        return name

    def tag(self, name: str) -> None:
        docker("tag", self.node_exporter, name)

    def agents_interval(self) -> str:
        """The interval of the changed job, as the agent itself has read it."""
        url = "http://127.0.0.1:9090/api/v1/status/config"
        text = docker("exec", self.rig.container("agent"), "wget", "-q", "-O", "-", url)
        return text.partition("job_name: node")[2].partition("scrape_interval: ")[2].partition("\\n")[0]

    def continues(self, before: dict[str, tuple[str, str]], replaced: set[str]) -> None:
        """The next `up` completes what was begun, and nothing is left over."""
        self.rig.up()
        after = self.rig.started_all()
        others = {name for name in before if name not in {self.rig.container(role) for role in replaced}}
        assert {name: after[name] for name in others} == {name: before[name] for name in others}
        assert set(after) == set(before), "not the containers from before"
        assert names(self.rig) == {name.removeprefix(f"{self.rig.prefix}-") for name in before}, "one more is left"
        assert self.agents_interval() == f"{5 + self.changes}s", "the agent has not read its new file"
        assert {path.name for path in self.files.glob("edge*")} == LEFT
        assert set(self.rig.preview()) == {"same"}
        assert not processes(self.rig), "something is left running after a run that ended well"


@pytest.fixture(scope="module")
def stack(chain: setup.ToolChain) -> Iterator[Stack]:
    (image,) = (image.ref for image in chain.images if image.key == "node_exporter")
    with rig("step", {}) as made:
        found = Stack(made, Hold(made), image)
        made.up()
        try:
            yield found
        finally:
            found.hold.release()
            ours = f"reference=127.0.0.1:1/{made.prefix}/*"
            tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", ours)
            made.remove()
            for tag in tags.split():
                docker("rmi", tag, check=False)


def killed(stack: Stack, what: str, reached: Callable[[], bool]) -> None:
    """An `up` whose every process is killed at a moment."""
    run = Run(stack.rig)
    try:
        run.until(what, reached)
    finally:
        kill_all(stack.rig)
    run.ended()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.what)
def test_a_kill_at_each_step_is_continued_and_costs_no_running_container(stack: Stack, step: Step) -> None:
    before, files = stack.rig.started_all(), stack.deployed()
    image = stack.change(step.image, there=not step.pull)
    if step.agent:
        docker("rm", "-f", stack.rig.container("agent"))
    stack.hold.at(step.at)
    killed(stack, f"step {step.what}", stack.hold.reached)
    stack.hold.release()
    replaced = {REPLACED} if step.image else {"agent"} if step.agent else set[str]()
    now = stack.rig.started_all()
    new = {stack.rig.container(role) for role in replaced if step.agent or step.what == "wait"}
    going_on = {name: was for name, was in before.items() if name not in new}
    assert {name: now.get(name) for name in going_on} == going_on, "a running container was touched"
    if step.before_move:
        assert stack.deployed() == files, "files were changed"
    if step.pull:
        stack.tag(image)
    stack.continues(before, replaced)


def test_a_kill_between_the_old_and_the_new_container_is_continued(stack: Stack) -> None:
    """Compose makes the new one under another name, removes the old one and renames the new one."""
    before = stack.rig.started_all()
    stack.change(image=True)
    name = stack.rig.container(REPLACED)
    seen = threading.Event()
    words = ["docker", "events", "--filter", "type=container", "--filter", "event=create", "--format"]
    with subprocess.Popen([*words, "{{.Actor.Attributes.name}}"], stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout

        def stop_compose() -> None:
            assert events.stdout
            for line in events.stdout:
                if line.strip().endswith(f"_{name}"):
                    for pid, said in processes(stack.rig).items():
                        if "--remove-orphans" in said:
                            os.kill(pid, signal.SIGSTOP)
                    seen.set()

        threading.Thread(target=stop_compose, daemon=True).start()
        try:
            killed(stack, "the new container is made", seen.is_set)
        finally:
            events.terminate()
    found = {one for one in names(stack.rig) if one.endswith(name)}
    assert found, "Compose was too quick: nothing is half-renamed"
    stack.continues(before, {REPLACED})


def test_of_two_updates_at_once_one_waits_on_the_host_or_is_refused_by_the_state(stack: Stack) -> None:
    """What another machine began, or what goes on after a connection that broke, has the lock of the host."""
    stack.change(image=False)
    before = stack.rig.started_all()
    with (stack.files / "edge.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = Run(stack.rig)
        run.until("the update to wait", lambda: "/sleep 1 " in " ".join(processes(stack.rig).values()))
        assert stack.agents_interval() != f"{5 + stack.changes}s"
        assert "is in use by another run" in stack.rig.up_fails()
    code, output = run.ended()
    assert code == 0, output[-3000:]
    stack.continues(before, set())

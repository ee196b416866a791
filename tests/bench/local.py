"""A stack on this machine, from an empty machine's state to its removal: start, nothing to do, first data, footprint.

Caches and images have to be there (they are made first, unmeasured).
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass, field, replace

from tests.bench import measure, page, usage
from tests.integration.rig import Rig, rig
from tools import images, setup
from tools.progress import step

TITLE = "One machine"
EDGE = ("agent", "promtail", "cadvisor", "node-exporter")
HUB = ("caddy", "prometheus", "loki", "grafana", "alertmanager")
SETTLE = 60  # seconds between the last container's start and the reading of memory and CPU
OVER = 60
MEMORY_AIM, CPU_AIM = 250, 5


@dataclass
class Run:
    """What one run collects."""

    app: str  # image with a Python in it
    watch: page.Watch
    figures: list[page.Figure] = field(default_factory=list)
    raw: dict[str, object] = field(default_factory=dict)
    tables: list[page.Table] = field(default_factory=list)

    def times(self, what: str, values: list[float], how: str, aim: str = "", most: float | None = None) -> None:
        met = None if most is None else statistics.median(values) < most
        self.raw[what] = values
        self.figures.append(page.Figure(what, measure.spread(values), how, aim, met))
        self.watch.look()


def _engine(run: Run, stack: Rig) -> None:
    with step("make up, cold and warm"):
        cold = measure.seconds_of(lambda: measure.make_up(stack))
        warm = [measure.seconds_of(lambda: measure.make_up(stack)) for _ in range(3)]
    run.times("`make up`, cold", [cold], "no container, volume or state; images and caches there")
    run.times("`make up`, warm", warm, "again, nothing to do")
    with step("pulumi preview and up, nothing to do"):
        found = measure.engine_runs(stack, 5)
    for name, most in (("preview", 3), ("up", None)):
        runs = found[name]
        how = f"the engine's command alone, nothing to do; {statistics.median(runs.cpu):.1f} s of CPU"
        run.times(f"`pulumi {name}`, no-op", runs.seconds, how, f"under {most} s" if most else "", most)


def _arrivals(run: Run, stack: Rig) -> None:
    with step(f"first data of a new container, beside {measure.COMPANIONS} others"):
        measure.companions(stack, run.app)
        samples, lines = measure.first_data(stack, run.app, 5)
    how = "from the start that Docker notes to the hub's answer"
    run.times("first sample of a new container", samples, how, "one interval (10 s) and 5 s", 15)
    run.times("first line of a new container", lines, how, "under 10 s", 10)
    with step("a line of a known container"):
        known = measure.known_lines(stack, run.app, 20)
    run.times("a line of a known container", known, "from the line's own time to the hub's answer", "under 1 s", 1)


def _footprint(run: Run, stack: Rig) -> None:
    roles = [*EDGE, *HUB]
    with step(f"memory and CPU, {SETTLE} s later, over {OVER} s"):
        time.sleep(SETTLE)
        found = usage.measure([stack.container(role) for role in roles], OVER)
    run.watch.look()
    named = [replace(one, container=role) for role, one in zip(roles, found, strict=True)]
    edge, hub = named[: len(EDGE)], named[len(EDGE) :]
    run.tables = [page.usages("Edge", [*edge, measure.total(edge)]), page.usages("Hub", [*hub, measure.total(hub)])]
    everything = measure.total(edge)
    memory, cpu = everything.memory / 1024**2, everything.cpu
    how = f"sum of its containers, beside {measure.COMPANIONS} more of this run"
    run.figures += [
        page.Figure("edge, memory", f"{memory:.0f} MB", f"{how}; usage without inactive file",
                    f"under {MEMORY_AIM} MB", memory < MEMORY_AIM),
        page.Figure("edge, CPU", f"{cpu:.1f} %", f"{how}; over {OVER} s",
                    f"under {CPU_AIM} % of one core", cpu < CPU_AIM),
    ]  # fmt: skip
    run.raw["usage"] = [asdict(one) for one in named]


def _lines(run: Run, stack: Rig) -> None:
    """What the log agent needs for a line: JSON, logfmt and text of everyday programs in equal parts."""
    with step(f"{measure.BURST} log lines"):
        costs = [measure.line_cost(stack, run.app, number) for number in range(3)]
    how = (
        f"CPU time of the log agent for {measure.BURST} lines of one container, beside its idle use; the lines of "
        "tests/data/levels.tsv"
    )
    run.raw["log agent, CPU for 1000 lines"] = costs
    shown = (
        f"{statistics.median(costs) * 1000:.0f} ms (median of 3, {min(costs) * 1000:.0f} to {max(costs) * 1000:.0f} ms)"
    )
    run.figures.append(page.Figure("log agent, CPU for 1000 lines", shown, how))


def _other_agent(run: Run, stack: Rig) -> None:
    """vmagent with the same targets, beside the Prometheus agent's row of the table."""
    stack.change({"hosts": {"hub": {"metrics": {"agent": "vmagent"}}}})
    with step(f"vmagent instead of the Prometheus agent: memory and CPU, {SETTLE} s later, over {OVER} s"):
        stack.up()
        time.sleep(SETTLE)
        (found,) = usage.measure([stack.container("agent")], OVER)
    run.watch.look()
    one = replace(found, container="agent (vmagent)")
    run.tables.append(page.usages("Edge, the other metrics agent", [one]))
    run.raw["usage of vmagent"] = asdict(one)


def measured(watch: page.Watch) -> Run:
    """All of it, about eleven minutes."""
    chain = setup.set_up([*images.PARTS, *images.FOR_TESTS])
    run = Run(next(image.ref for image in chain.images if image.key == "test-app"), watch)
    with rig("bench") as stack:
        watch.own = stack.prefix
        _engine(run, stack)
        _arrivals(run, stack)
        _footprint(run, stack)
        _lines(run, stack)
        _other_agent(run, stack)
    return run

"""What rules and dashboards cost a hub of ten hosts.

A stack on this machine with a database and an application is asked for all that its one host sends. A Prometheus of the
hub's image, limits and flags gets that under ten host names by remote write: six hours of what the rules look at, five
minutes of all the rest, then everything every 15 s while it is measured. Values stand still, so blocks compress better
than real ones. It evaluates the rules of a stack file with these ten hosts.
"""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from configs import rules
from configs.dashboards import boards
from configs.rules.model import Record
from configs.services import HUB_JOBS, prometheus
from configs.settings import Settings, load
from tests.bench import page, remote_write
from tests.fixtures import rendering
from tests.integration.rig import Rig, eventually, free_ports, rig
from tools import images, setup
from tools.doctor import queries, selectors, variables
from tools.doctor import rules as asked_rules
from tools.doctor.querier import Querier
from tools.hubclient import HubClient
from tools.progress import step

TITLE = "Rules and dashboards of ten hosts"
HOSTS = 10
AIM = 0.2  # seconds for all rules, once
HISTORY = 6 * 3600  # seconds: the longest that a rule looks back
RECENT = 300
EVERY = 15  # seconds between two samples, and between two evaluations
OVER = 120  # seconds of measuring
DSN = "postgresql://postgres:bench@bench-db:5432/shop"  # pragma: allowlist secret


@dataclass
class Run:
    """What one run collects."""

    figures: list[page.Figure] = field(default_factory=list)
    raw: dict[str, object] = field(default_factory=dict)


def _hosts() -> list[str]:
    return ["hub", *(f"host-{number}" for number in range(2, HOSTS + 1))]


def _settings() -> Settings:
    """A stack file with ten hosts, each with a database and an application."""
    edge = {"postgres": {"main": {"dsn": DSN}}, "apps": {"shop": {"target": "shop-api:8000", "http": {}}}}
    servers = {name: {"server": {"address": f"198.51.100.{n}"}} for n, name in enumerate(_hosts(), 1) if name != "hub"}
    raw = {
        "env": "bench",
        "hub": {"server": {"address": "198.51.100.100"}},
        "hosts": {name: {**edge, **servers.get(name, {})} for name in _hosts()},
        "access": {"admin_cidrs": ["192.0.2.0/24"]},
    }
    return load(raw, "stacks/Pulumi.bench.yaml")


def _one_hosts_series(stack: Rig, chain: setup.ToolChain) -> list[dict[str, Any]]:
    """Everything that the hub of a real stack has, a minute after the last of its parts came up."""
    refs = {image.key: image.ref for image in chain.images}
    net = stack.network("shop")
    db = ("--name", stack.container("db"), "--network", net, "--network-alias", "bench-db")
    stack.run(refs["postgres"], options=(*db, "-e", "POSTGRES_PASSWORD=bench", "-e", "POSTGRES_DB=shop"))
    api = ("--name", stack.container("api"), "--network", net, "--network-alias", "shop-api")
    stack.run(refs["test-app"], options=api)
    apps = {"shop": {"target": "shop-api:8000", "http": {}}}
    stack.change({"hosts": {"hub": {"networks": [net], "apps": apps, "postgres": {"main": {}}}}})
    done = stack.tool("secret", "hosts.hub.postgres.main.dsn", stdin=DSN)
    assert done.returncode == 0, done.stdout
    stack.up()
    eventually("the database's metrics", lambda: stack.hub.metrics("pg_up == 1"), 60)
    time.sleep(60)
    return stack.hub.metrics('{host="hub",__name__!~"ALERTS|ALERTS_FOR_STATE"}')


def _spread(found: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, str], float]]:
    """The one host's series under each name; those of the hub's own jobs under `hub` alone."""
    made = []
    for host in _hosts():
        for one in found:
            labels: dict[str, str] = one["metric"]
            if host == "hub" or labels.get("job") not in HUB_JOBS:
                made.append(({**labels, "env": "bench", "host": host}, float(one["value"][1])))
    return made


@contextmanager
def _fed(url: str, series: Sequence[remote_write.Series]) -> Iterator[None]:
    """All series every 15 s, as agents would send them."""
    end = threading.Event()

    def feed() -> None:
        while not end.is_set():
            begun = time.time()
            remote_write.push(url, series, [begun])
            end.wait(max(0.0, EVERY - (time.time() - begun)))

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _history(url: str, all_of_it: Sequence[tuple[dict[str, str], float]], wanted: re.Pattern[str]) -> int:
    """Push the past, oldest first; the number of samples."""
    now = time.time()
    looked_at = [remote_write.Series(*one) for one in all_of_it if wanted.fullmatch(one[0]["__name__"])]
    rest = [remote_write.Series(*one) for one in all_of_it if not wanted.fullmatch(one[0]["__name__"])]
    count, slice_of = 0, 900
    for start in range(int(now) - HISTORY, int(now), slice_of):
        count += remote_write.push(url, looked_at, range(start, min(start + slice_of, int(now)), EVERY))
    return count + remote_write.push(url, rest, range(int(now) - RECENT, int(now), EVERY))


def _looked_at(settings: Settings) -> re.Pattern[str]:
    """Names of the metrics that rules look at."""
    names = []
    for rule in asked_rules.described_rules(settings):
        if not rule.logs:
            for metric in selectors.metric_names(rule.expr):
                patterns = re.findall(r'__name__=~?"([^"]*)"', metric)
                names += patterns or [re.escape(metric)]
    return re.compile("|".join(f"(?:{one})" for one in dict.fromkeys(names)))


def _prometheus(stack: Rig, image: str, settings: Settings, port: int) -> None:
    """One as the hub has it: image, flags, memory and CPU. It has no Alertmanager."""
    place = stack.home / "rules-bench"
    (place / "rules").mkdir(parents=True)
    for name, text in {
        "prometheus.yml": rendering.prometheus_config(settings),
        **{f"rules/{name}": text for name, text in rules.files(settings, "https://bench.invalid").items()},
    }.items():
        (place / name).write_text(text)
    for path in (stack.home, *(one for one in (place, *place.rglob("*")))):
        path.chmod(0o755 if path.is_dir() else 0o644)
    memory, cpus = settings.hub.limits.of("prometheus")
    options = ("--name", stack.container("ten-hosts"), "-p", f"127.0.0.1:{port}:9090",
               "--memory", str(memory), "--cpus", str(cpus),
               "-v", f"{place}:{prometheus.CONFIG}:ro")  # fmt: skip
    stack.run(image, *prometheus.command(settings), options=options)


def _evaluations(hub: HubClient) -> tuple[list[float], dict[str, float]]:
    """(seconds of all rules, at each evaluation), (seconds of the rules of each name: the median)."""
    whole: list[float] = []
    each: dict[str, list[float]] = {}
    end = time.monotonic() + OVER
    while time.monotonic() < end:
        groups = hub.get("/api/v1/rules")["data"]["groups"]
        whole.append(sum(float(group["evaluationTime"]) for group in groups))
        named: dict[str, float] = {}  # several rules have one name, as that of each host that may be silent
        for rule in (rule for group in groups for rule in group["rules"]):
            named[rule["name"]] = named.get(rule["name"], 0) + float(rule["evaluationTime"])
        for name, seconds in named.items():
            each.setdefault(name, []).append(seconds)
        failed = [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"]
        assert not failed, f"these fail: {failed}"
        time.sleep(EVERY)
    return whole, {name: statistics.median(values) for name, values in each.items()}


def _boards(run: Run, hub: HubClient, settings: Settings) -> None:
    """Each dashboard once with All, one query after the other."""
    querier = Querier(hub, time.time())
    for board in boards(settings):
        asked = [one for one in queries.panel_queries([board]) if queries.is_promql(one)]
        took = {}
        for one in asked:
            expr = variables.filled(one.expr, one.variables, variables.ALL, variables.SCRAPE)
            begun = time.monotonic()
            querier.labels(one.source, one.form, expr, variables.SCRAPE)
            took[one.place] = time.monotonic() - begun
        if not took:
            continue
        slowest = max(took, key=lambda place: took[place])
        how = f"{len(took)} queries of an hour, 15 s to a point, one after the other; the slowest is {slowest}, "
        run.figures.append(
            page.Figure(f"dashboard {board.name}", f"{sum(took.values()):.2f} s", how + f"{took[slowest]:.2f} s")
        )
        run.raw[f"board {board.name}"] = took


def measured(watch: page.Watch) -> Run:
    """About five minutes."""
    chain = setup.set_up([*images.PARTS, *images.FOR_TESTS])
    image = next(image.ref for image in chain.images if image.key == "prometheus")
    run, settings = Run(), _settings()
    with rig("rules") as stack:
        watch.own = stack.prefix
        with step("one real host"):
            spread = _spread(_one_hosts_series(stack, chain))
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}/api/v1/write"
        _prometheus(stack, image, settings, port)
        hub = HubClient(f"http://127.0.0.1:{port}")
        eventually("that Prometheus", lambda: hub.metrics("vector(1)"), 60)
        with step(f"{len(spread)} series of {HOSTS} hosts"):
            samples = _history(url, spread, _looked_at(settings))
        with _fed(url, [remote_write.Series(*one) for one in spread]), step(f"evaluations, over {OVER} s"):
            time.sleep(3 * EVERY)
            whole, each = _evaluations(hub)
            _figures(run, hub, settings, (whole, each), samples)
            _boards(run, hub, settings)
        watch.look()
    return run


def _figures(
    run: Run, hub: HubClient, settings: Settings, found: tuple[list[float], dict[str, float]], samples: int
) -> None:
    whole, each = found
    series = int(hub.get("/api/v1/status/tsdb")["data"]["headStats"]["numSeries"])
    count = sum(len(group.rules) for group in rules.groups(settings))
    how = f"sum of the groups' evaluationTime, one evaluation each {EVERY} s; {count} rules, {series} series, "
    how += f"{samples / 1e6:.1f} million samples of history"
    middle = statistics.median(whole)
    value = f"{middle * 1000:.0f} ms (median of {len(whole)}, {min(whole) * 1000:.0f} to {max(whole) * 1000:.0f} ms)"
    run.figures.append(page.Figure("all rules, once", value, how, f"under {AIM * 1000:.0f} ms", middle < AIM))
    records = {one.name for group in rules.groups(settings) for one in group.rules if isinstance(one, Record)}
    made = {name: sum(int(float(one["value"][1])) for one in hub.metrics(f"count({name})")) for name in records}
    firing = hub.metrics('count by (alertname) ({__name__=~"ALERTS|ALERTS_FOR_STATE"})')
    made |= {one["metric"]["alertname"]: int(float(one["value"][1])) for one in firing}
    for kind, names in (("recording rules", records), ("alerts that are pending or fire", set(made) - records)):
        run.figures.append(page.Figure(f"series added by {kind}", str(sum(made[name] for name in names)), "counted"))
    for name, seconds in sorted(each.items(), key=lambda one: -one[1]):
        value = f"{seconds * 1000:.1f} ms, {made.get(name, 0)} series"
        kind = "record" if name in records else "alert"
        run.figures.append(page.Figure(f"{kind} {name}", value, "median of its evaluationTime; series it adds now"))
    run.raw |= {"rules": whole, "each": each, "series": series, "samples": samples}

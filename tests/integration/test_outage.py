"""The outage budget: what the hub misses while it is away arrives later, all of it and once; beyond it, a loss is said.

Budgets are scaled down (24h by default). What a budget rests on was read in Prometheus 3.15 (tsdb/agent/db.go, and
tsdb/wlog/watcher.go) and tried here:
- An agent truncates its WAL by counting segment files, whatever of them was sent: it drops the oldest two thirds of all
  but the current one. What is younger than `max-time` goes into a checkpoint, but a sender reads no samples from there.
- A sender that is behind finishes the segment that it holds open. If the next one is gone, it starts anew at the
  present: everything from the end of that segment to now is lost, also what is younger than the budget.
  Tried alone with `max-time` 4h and a truncation every 10 s: hub away 100 s, 84 s lost, and the agent's log says
  "error tailing WAL ... no such file or directory".
- So the time between two truncations makes the budget. Every truncation begins a segment; with less than 128 MB between
  two of them the next segment is kept for three to five of these times. They are two thirds of the budget: the loss
  begins between twice and 3.4 times the budget.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from configs.services import agent, loki
from configs.settings import load
from configs.units import parse_duration, show_duration
from tests.fixtures import rendering
from tests.integration import outage
from tests.integration.rig import Rig, eventually, rig
from tools import setup

BUDGET = "5m"
AWAY = 285  # nearly the budget; Promtail's own patience ends after 255 s, Prometheus' own acceptance here after 30 s
OVER_BUDGET = "30s"  # truncated every 20 s: the next segment is gone after 60 to 100 s
OVER_AWAY = 210
QUICK = {"agents": "2s", "node": "2s", "cadvisor": "2s", "hub": "2s"}
RECEIVED = 'up{job="shop"}'


def _config(budget: str) -> dict[str, object]:
    hub = {"outage_budget": budget, "metrics_block": "1m"}
    return {"hub": hub, "hosts": {"hub": {"scrape": QUICK}}}


@pytest.fixture(scope="module")
def images(chain: setup.ToolChain) -> dict[str, str]:
    return {image.key: image.ref for image in chain.images}


@pytest.fixture(scope="module")
def within(images: dict[str, str]) -> Iterator[Rig]:
    """A stack with an application and a writer, whose hub was away for as long as its budget allows."""
    with rig("outage", _config(BUDGET)) as made:
        TestTheHubIsAwayForItsBudget.app = outage.start_app(made, images["test-app"])
        made.up()
        yield made


@pytest.fixture(scope="module")
def beyond() -> Iterator[Rig]:
    with rig("beyond", _config(OVER_BUDGET)) as made:
        made.up()
        yield made


@pytest.mark.xdist_group("outage")
class TestTheHubIsAwayForItsBudget:
    """One story, in this order."""

    app = ""
    began = left = back = 0.0

    def test_lines_and_samples_arrive_before_the_outage(self, within: Rig, images: dict[str, str]) -> None:
        cls = type(self)
        cls.began = time.time() - 5
        self.writer(within, images)
        eventually("numbered lines at the hub", lambda: outage.numbers(within, f"{within.prefix}-writer", self.began))
        eventually("samples of the application", lambda: len(outage.stamps(within, RECEIVED, "1m")) > 10)

    def writer(self, within: Rig, images: dict[str, str]) -> None:
        assert outage.start_writer(within, images["test-app"]) == within.container("writer")

    def test_the_hub_goes_and_comes_back(self, within: Rig) -> None:
        cls = type(self)
        agents = {role: within.started(role) for role in ("agent", "promtail")}
        cls.left = outage.leave(within)
        outage.wait_out(self.left, AWAY - 10)
        cls.back = outage.come_back(within)
        away = self.back - self.left
        assert away > 255, f"away for {away:.0f} s only: shorter than Promtail's own patience, this proves nothing"
        assert {role: within.started(role) for role in agents} == agents, "an agent restarted; the outage was the hub's"

    def test_no_sample_is_missing_or_twice(self, within: Rig) -> None:
        eventually("samples of now", lambda: outage.stamps(within, RECEIVED, "1m")[-1] > self.back + 20, patience=180)

        def filled() -> bool:
            answered = [at for at in outage.served(self.app, self.began) if at < self.back + 20]
            during = sum(self.left < at < self.back for at in answered)
            assert during > 0.8 * (self.back - self.left), f"only {during} scrapes while the hub was away"
            lost = outage.lost(answered, outage.stamps(within, RECEIVED, "15m"))
            assert not lost, f"{len(lost)} of {len(answered)} scrapes, from {lost[0]:.0f} to {lost[-1]:.0f}"
            return True

        eventually("the backlog closes the gap", filled, patience=120, pause=3)
        times = outage.stamps(within, RECEIVED, "15m")
        assert times[0] < self.left < self.back < times[-1], "the samples asked for do not span the outage"
        assert len(times) == len(set(times)), "two samples of one series stand at one time"
        late = within.hub.metrics("prometheus_tsdb_head_out_of_order_samples_appended_total")
        assert sum(float(one["value"][1]) for one in late) > 0, "nothing was out of order: the window was not needed"

    def test_no_numbered_line_is_missing_or_twice(self, within: Rig) -> None:
        name = within.container("writer")
        last, counted = outage.all_numbers(within, name, self.began)
        assert last > 10 * (AWAY - 10), f"only {last} lines were written"
        missing = sorted(set(range(last + 1)) - set(counted))
        twice = sorted(n for n, times in counted.items() if times > 1)
        assert not missing, f"{len(missing)} of {last + 1} lines are missing, {missing[:3]} ... {missing[-3:]}"
        assert not twice, f"{len(twice)} lines stand there twice, {twice[:5]} ..."

    def test_no_agent_counts_a_loss_and_both_have_tried_again(self, within: Rig) -> None:
        lost = {
            "samples refused": "prometheus_remote_storage_samples_failed_total",
            "samples dropped": 'prometheus_remote_storage_samples_dropped_total{reason!="dropped_series"}',
            "lines dropped": "promtail_dropped_entries_total",
        }
        for what, metric in lost.items():
            found = within.hub.metrics(f"max_over_time({metric}[15m]) > 0")
            assert not found, f"{what}: {[(one['metric'], one['value'][1]) for one in found]}"
        for metric in ("prometheus_remote_storage_samples_retried_total", "promtail_batch_retries_total"):
            tried = within.hub.metrics(f"sum(max_over_time({metric}[15m])) > 0")
            assert tried, f"{metric} is 0: the agent never noticed that the hub was away"

    def test_every_image_is_replaced_at_once_and_nothing_is_lost(self, within: Rig, images: dict[str, str]) -> None:
        """An upgrade of all parts while counters and numbered lines flow. An interval is 15 s where nothing is set."""
        begun = time.time() - 5
        name = outage.start_writer(within, images["test-app"], "second-writer")
        eventually("numbered lines", lambda: outage.numbers(within, name, begun), patience=120)
        before = within.started_all()
        with outage.another_tag(within, images) as bumped:
            within.change({"images": bumped})
            said = within.up()
        after = within.started_all()
        assert before.keys() == after.keys()
        assert [one for one in before if before[one][0] == after[one][0]] == [], "containers with the old image"
        assert "warning: the metrics agent" not in said
        end = time.time()
        eventually("samples of now", lambda: outage.stamps(within, RECEIVED, "1m")[-1] > end, patience=120)
        answered = [at for at in outage.served(self.app, begun) if at < end]
        times = outage.stamps(within, RECEIVED, "15m")
        assert not outage.lost(answered, times), f"of {len(answered)} scrapes"
        gap, since = outage.longest_gap([at for at in times if begun - 10 < at < end])
        print(f"longest gap {gap:.1f} s, {since - begun:.0f} s after the beginning")
        assert gap <= 30, "more than two intervals"
        last, counted = outage.all_numbers(within, name, begun)
        assert sorted(set(range(last + 1)) - set(counted)) == [], f"of {last + 1} lines"
        print(f"{sum(times > 1 for times in counted.values())} of {last + 1} lines stand there twice")

    def test_status_says_nothing_of_a_gap(self, within: Rig) -> None:
        done = within.tool("status")
        assert done.returncode == 0, done.stdout
        assert "GAP" not in done.stdout, done.stdout


@pytest.mark.long
@pytest.mark.xdist_group("beyond")
class TestTheHubIsAwayForLonger:
    """One story, in this order."""

    def test_samples_are_lost(self, beyond: Rig) -> None:
        own = 'up{job="agent"}'
        eventually("a minute of samples", lambda: len(outage.stamps(beyond, own, "5m")) > 20, patience=120)
        assert not beyond.hub.metrics('ALERTS{alertname="SamplesLost"}'), "a loss is said before there is one"
        left = outage.leave(beyond)
        outage.wait_out(left, OVER_AWAY)
        back = outage.come_back(beyond)
        eventually("samples of now", lambda: outage.stamps(beyond, own, "1m")[-1] > back, patience=120)
        gap, since = outage.longest_gap(outage.stamps(beyond, own, "15m"))
        type(self).gap = gap
        assert gap > 80, f"only {gap:.0f} s are missing after {back - left:.0f} s away with a budget of {OVER_BUDGET}"
        assert left - 5 < since < back, "what is missing is not of the outage"

    gap = 0.0

    def test_status_says_for_how_long(self, beyond: Rig) -> None:
        said = eventually("a line GAP", lambda: re.findall(r"GAP  (.*)", beyond.tool("status").stdout), pause=5)
        assert len(said) == 1, f"one outage, {len(said)} gaps: {said}"
        length = re.search(r"hub: no metrics for ([\d.]+) (s|min) from 20\d\d-", said[0])
        assert length, said
        seconds = float(length[1]) * {"s": 1, "min": 60}[length[2]]
        assert abs(seconds - self.gap) < 30, f"said: {said}; missing: {self.gap:.0f} s"
        assert "outage budget" in said[0], said

    def test_the_alert_fires(self, beyond: Rig) -> None:
        firing = 'ALERTS{alertname="SamplesLost",alertstate="firing",host="hub"}'
        eventually("the alert SamplesLost", lambda: beyond.hub.metrics(firing), patience=120)


@pytest.mark.parametrize("budget", ["5m", "24h", "7d"])
def test_what_is_rendered_keeps_a_whole_budget(budget: str) -> None:
    seconds = parse_duration(budget)
    settings = load({"hub": {"local": {}, "outage_budget": budget}}, "a test")
    flags = dict(word[2:].split("=", 1) for word in agent.command(settings) if "=" in word)
    between = parse_duration(flags["storage.agent.wal-truncate-frequency"])
    # One and a half times between truncations is what is left when 128 MB segments fill up twice in that time.
    assert 1.5 * between >= seconds, f"the WAL is truncated every {show_duration(between)}: too often for {budget}"
    assert 4 * between <= 3 * seconds, f"truncated every {show_duration(between)} only: the WAL grows too long"
    window = re.search(r"out_of_order_time_window: (\S+)", rendering.prometheus_config(settings))
    assert window, "no out-of-order window"
    assert parse_duration(window[1]) > seconds, "the hub refuses the oldest of the backlog"
    oldest = re.search(r"reject_old_samples_max_age: (\S+)", loki.config(settings))
    assert oldest, "no limit for old lines"
    assert parse_duration(oldest[1]) > seconds, "Loki refuses the oldest lines"
    assert "max_retries: 0" in rendering.promtail_config(settings, "hub"), "Promtail gives up"

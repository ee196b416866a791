"""The one part of an alert that promtool cannot try: samples from the future, which it does not load in advance."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from configs import rules
from configs.rules.model import Alert, expression
from tests.integration.rig import docker, eventually
from tests.rendered.rules_rig import settings_of
from tools import setup

ASK = "http://localhost:9090/api/v1/query?query="


@pytest.fixture
def prometheus(chain: setup.ToolChain) -> Iterator[str]:
    """A Prometheus alone, which takes what is pushed; the container's name."""
    image = next(image.ref for image in chain.images if image.key == "prometheus")
    name = f"fwt-clock-{secrets.token_hex(3)}"
    command = "echo 'global: {}' >/tmp/p.yml && exec prometheus --config.file=/tmp/p.yml --storage.tsdb.path=/tmp/data "
    docker(
        "run", "-d", "--name", name, "--label", f"fleetwatch.test={name}", "--tmpfs", "/tmp:mode=1777",
        "--entrypoint", "/bin/sh", image, "-c", command + "--web.enable-remote-write-receiver",
    )  # fmt: skip
    try:
        eventually("Prometheus is ready", lambda: docker("exec", name, "wget", "-qO-", "http://localhost:9090/-/ready"))
        yield name
    finally:
        docker("rm", "-f", "-v", name, check=False)


def _push(prometheus: str, host: str, ahead: float) -> None:
    at = time.time() + ahead
    text = f"# TYPE node_time_seconds gauge\nnode_time_seconds {at:.3f} {at * 1000:.0f}\n"
    labels = (word for pair in ("job=node", "env=test", f"host={host}") for word in ("--label", pair))
    docker("exec", "-i", prometheus, "promtool", "push", "metrics", "http://localhost:9090", *labels, stdin=text)


def _asked(prometheus: str, query: str) -> dict[str, float]:
    """Values by host."""
    answer = json.loads(docker("exec", prometheus, "wget", "-qO-", ASK + quote(query)))
    return {one["metric"]["host"]: float(one["value"][1]) for one in answer["data"]["result"]}


def test_a_clock_that_is_ahead_of_the_hub_is_seen_and_a_good_one_is_not(prometheus: str) -> None:
    settings = settings_of()
    skew = next(rule for group in rules.groups(settings) for rule in group.rules if rule.name == "ClockSkew")
    assert isinstance(skew, Alert)
    for host, ahead in (("ahead-1", 40.0), ("good-1", -1.0), ("behind-1", -10.0)):
        _push(prometheus, host, ahead)
    found = eventually("the host that is ahead", lambda: _asked(prometheus, expression(settings, skew)), patience=20)
    assert set(found) == {"ahead-1"}
    assert 20 < found["ahead-1"] <= 40, "how far its clock is ahead, less what the asking took"

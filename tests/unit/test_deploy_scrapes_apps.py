"""scrapes.sh for real, with a fake Docker: apps that only the agent can judge, and a firewall of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_deploy_scrapes import BEFORE, NOW, Agent, _rows


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


def test_an_app_is_judged_by_the_scrapes_that_its_agent_made_with_the_new_configuration(agent: Agent) -> None:
    failed = 'server returned HTTP status 401 Unauthorized for "http://shop:1/m?token=hunter2"'
    agent.targets(_rows(BEFORE, shop="old error"), _rows(BEFORE, shop="old error"), _rows(NOW, shop=failed))
    done = agent.scrape("scraped=1; scrape_apps_again", JUDGED="shop")
    assert done.returncode == 0, done.stderr
    assert "host web-1: warning: job shop cannot be scraped: server returned HTTP status 401" in done.stderr
    assert "old error" not in done.stderr
    assert "hunter2" not in done.stderr, "a query may hold a secret"
    assert agent.read() == [], "an agent that is not new keeps its intervals"


def test_an_app_that_its_agent_does_not_scrape_again_costs_no_update(agent: Agent) -> None:
    agent.targets(_rows(BEFORE))
    assert agent.scrape("scraped=1; scrape_apps_again", JUDGED="shop").returncode == 0


def test_an_update_without_judged_apps_asks_nothing(agent: Agent) -> None:
    assert agent.scrape("scraped=1; scrape_apps_again").returncode == 0
    assert agent.calls() == []


SILENT = "context deadline exceeded"


@pytest.mark.parametrize(
    ("active", "named", "rule"),
    [
        (
            "yes",
            "ufw is active there and may drop it",
            "ufw allow from 10.213.77.0/24 to 10.213.77.1 port 9100 proto tcp",
        ),
        (
            "no",
            "a firewall of the host may drop it",
            "iptables -I INPUT -s 10.213.77.0/24 -d 10.213.77.1 -p tcp --dport",
        ),
    ],
)
def test_a_firewall_between_the_agent_and_the_host_is_named_with_its_rule(
    agent: Agent, active: str, named: str, rule: str
) -> None:
    (agent.folder / "etc" / "ufw").mkdir(parents=True)
    (agent.folder / "etc" / "ufw" / "ufw.conf").write_text(f"ENABLED={active}\n")
    agent.targets([("gateway", NOW, SILENT)])
    for what, more in (("scrape_first", {"FAST": "gateway"}), ("scraped=1; check_locked", {"LOCKED": "gateway"})):
        done = agent.scrape(what, OURS="gateway", SCRAPE_WAIT="1", ETC=str(agent.folder / "etc"), **more)
        assert done.returncode == 1
        assert f"host web-1: job gateway: {SILENT} " in done.stderr
        assert named in done.stderr
        assert rule in done.stderr


def test_another_error_of_the_host_is_no_matter_of_a_firewall(agent: Agent) -> None:
    agent.targets([("gateway", NOW, "connection refused")])
    done = agent.scrape("scraped=1; check_locked", OURS="gateway", LOCKED="gateway", SCRAPE_WAIT="1")
    assert done.returncode == 1
    assert "connection refused" in done.stderr
    assert "firewall" not in done.stderr
    agent.targets([("gateway", NOW, "")])
    assert agent.scrape("scraped=1; check_locked", OURS="gateway", LOCKED="gateway").returncode == 0


def test_a_silent_app_on_the_host_is_a_warning_with_the_rule(agent: Agent) -> None:
    agent.targets([("nightly", BEFORE, "")], [("nightly", NOW, SILENT)])
    done = agent.scrape("scraped=1; scrape_apps_again", JUDGED="nightly")
    assert done.returncode == 0
    assert "port 18123" in done.stderr

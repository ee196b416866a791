"""project.sh compares a host with what it deployed, and puts right what differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.fake_compose import NEW, OLD, Host, Role, deployed


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return deployed(tmp_path, OLD)


def _another_image(host: Host) -> None:
    host.put("agent", "Image", "sha256:x")
    host.put("agent", "Config.Image", "prom:0")


DRIFT: dict[str, tuple[Callable[[Host], object], str]] = {
    "edited": (lambda h: (h.live / "agent/config/a.yml").write_text("x\n"), "file {live}/agent/config/a.yml: edited"),
    "gone": (lambda h: (h.live / "agent/secrets/password").unlink(), "file {live}/agent/secrets/password: gone"),
    "not ours": (lambda h: (h.live / "agent/config/own.yml").write_text("x\n"),
                 "file {live}/agent/config/own.yml: not ours"),
    "not read": (lambda h: (h.base / "edge.pending").write_text("agent/config/a.yml\n"),
                 "files that were not read yet: agent/config/a.yml "),
    "stopped": (lambda h: h.put("agent", "State.Status", "exited"), "container fw-agent: exited"),
    "another image": (_another_image,
                      "container fw-agent: another image (prom:0, sha256:x)"),
    "another definition": (lambda h: h.put("agent", "definition", "v0"),
                           "container fw-agent: another definition than the update gave it"),
    "network": (lambda h: h.networks("fw-edge", "shop"), "container fw-agent: not in the network shop"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRIFT)
def test_drift_is_printed_and_nothing_is_changed(host: Host, kind: str) -> None:
    change, line = DRIFT[kind]
    assert host.deploy(OLD, action="drift", networks=["shop"]).stdout == ""
    change(host)
    before = host.tree()
    found = host.deploy(OLD, action="drift", networks=["shop"])
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [line.format(live=host.live).rstrip("\n")]
    assert host.tree() == before, "it only looks"


def test_drift_names_a_missing_and_a_foreign_container(host: Host) -> None:
    (host.answers / "containers" / "fw-agent").rename(host.answers / "containers" / "extra")
    (host.answers / "containers" / "extra" / "label.service").write_text("extra\n")
    before = host.tree()
    found = host.deploy(OLD, action="drift")
    assert found.stdout == "container fw-agent: missing\ncontainer extra: not ours, in our Compose project\n"
    assert host.tree() == before


def test_drift_shows_no_content(host: Host) -> None:
    (host.live / "agent/secrets/password").write_text("another-s3cret\n")
    found = host.deploy(OLD, action="drift")
    assert "s3cret" not in found.stdout + found.stderr + "\n".join(host.calls())


@pytest.mark.parametrize("kind", [kind for kind in DRIFT if kind not in ("another image", "another definition")])
def test_an_update_puts_back_what_drifted(host: Host, kind: str) -> None:
    DRIFT[kind][0](host)
    done = host.deploy(OLD, networks=["shop"] if kind == "network" else [])
    assert done.returncode == 0, done.stderr
    assert host.deploy(OLD, action="drift", networks=["shop"] if kind == "network" else []).stdout == ""


@pytest.mark.parametrize("kind", ["another image", "another definition"])
def test_a_repair_makes_containers_again_that_were_changed_by_hand(host: Host, kind: str) -> None:
    DRIFT[kind][0](host)
    before, other = host.get("agent", "Id"), host.get("cadvisor", "Id")
    calls = len(host.calls())
    done = host.deploy(OLD, action="repair")
    assert done.returncode == 0, done.stderr
    made = [call for call in host.calls()[calls:] if call.split()[0] in ("stop", "rm")]
    assert made == ["stop fw-agent", "rm -f -v fw-agent"], "stopped first, so that it writes what it holds"
    assert host.get("agent", "Id") != before
    assert host.get("cadvisor", "Id") == other
    assert host.deploy(OLD, action="drift").stdout == ""


def test_a_repair_without_a_difference_makes_nothing_again(host: Host) -> None:
    calls = len(host.calls())
    assert host.deploy(OLD, action="repair").returncode == 0
    assert not [call for call in host.calls()[calls:] if call.split()[0] in ("stop", "rm")]


def test_a_comparison_leaves_the_scrapes_of_an_update_alone(host: Host) -> None:
    """While an update reads the agent's targets, its configuration is a brief one, kept beside the real one."""
    kept = host.base / "edge.scrapes"
    kept.write_text("real\n")
    assert host.deploy(OLD, action="drift").returncode == 0
    assert kept.exists()
    assert "restore_scrapes" not in host.calls()
    assert host.deploy(OLD).returncode == 0, "an update ends what one that was killed had begun"
    assert not kept.exists()


def test_targets_are_scraped_where_anything_changed(host: Host) -> None:
    def scrapes(changed: dict[str, Role]) -> list[str]:
        calls = len(host.calls())
        assert host.deploy(changed).returncode == 0
        return [call for call in host.calls()[calls:] if call.startswith(("scrape_", "read_"))]

    assert [call for call in host.calls() if call.startswith(("scrape_", "read_"))] == [
        "scrape_first",
        "read_targets slow",
    ]
    assert scrapes(OLD) == [], "unchanged ones were scraped within the last interval"
    assert scrapes(NEW) == ["scrape_apps_again", "read_targets all"], "an agent that is not new keeps its intervals"
    assert scrapes({**NEW, "cadvisor": Role("cadvisor:1", "v2")}) == ["read_targets all"]

"""project.sh joins the networks of the user and leaves those that are not wanted, without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.fake_compose import OLD, Host, deployed


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return deployed(tmp_path, OLD)


def test_networks_are_joined_and_left_but_never_our_own(host: Host) -> None:
    host.networks("fw-edge", "fw-hub", "shop", "blog", "my net")
    started = host.get("agent", "State.StartedAt")
    assert host.deploy(OLD, networks=["my net", "shop"]).returncode == 0
    assert host.joined("agent") == ["fw-edge", "my net", "shop"]
    assert host.joined("cadvisor") == ["fw-edge"]
    (host.answers / "containers" / "fw-agent" / "networks").write_text(
        "id-fw-edge fw-edge\nid-fw-hub fw-hub\nid-my_net my net\nid-blog blog\n"
    )
    assert host.deploy(OLD, networks=["shop"]).returncode == 0
    assert host.joined("agent") == ["fw-edge", "fw-hub", "shop"]
    assert host.get("agent", "State.StartedAt") == started, "without a restart"


@pytest.mark.parametrize("network", ["my net", "*", "a;touch x", "$(touch x)", "-x"])
def test_a_network_is_one_argument_whatever_its_name(host: Host, network: str) -> None:
    host.networks("fw-edge", network)
    assert host.deploy(OLD, networks=[network]).returncode == 0
    assert host.calls()[-1 - host.calls()[::-1].index(f"network connect -- {network} fw-agent")]
    assert host.joined("agent") == ["fw-edge", network]
    assert host.deploy(OLD).returncode == 0
    assert host.joined("agent") == ["fw-edge"], "left as one"
    assert f"network disconnect -- {network} fw-agent" in host.calls()


def test_networks_that_are_joined_already_are_left_alone(host: Host) -> None:
    host.networks("fw-edge", "shop")
    host.deploy(OLD, networks=["shop"])
    calls = len(host.calls())
    host.deploy(OLD, networks=["shop"])
    assert not [call for call in host.calls()[calls:] if call.startswith(("network connect", "network disconnect"))]


def test_a_network_that_is_gone_is_a_warning_and_the_others_are_joined(host: Host) -> None:
    host.networks("fw-edge", "shop")
    done = host.deploy(OLD, networks=["gone", "shop"])
    assert done.returncode == 0, "it is no reason to be without the rest"
    assert done.stderr == (
        "host web-1: warning: hosts.web-1.networks: the Docker network gone does not exist there now; `make up` joins "
        "it once it does\n"
    )
    assert host.joined("agent") == ["fw-edge", "shop"]
    host.networks("fw-edge", "shop", "gone")
    assert host.deploy(OLD, networks=["gone", "shop"]).stderr == ""
    assert host.joined("agent") == ["fw-edge", "shop", "gone"]


def test_a_network_that_cannot_be_joined_is_named_with_the_reason(host: Host) -> None:
    host.networks("fw-edge", "shop")
    host.answer("network", '[ "$2" != connect ] || { echo "Error response from daemon: pool is full" >&2; exit 1; }')
    done = host.deploy(OLD, networks=["shop"])
    assert done.returncode == 1
    assert done.stderr == (
        "host web-1: hosts.web-1.networks: fw-agent cannot join the Docker network shop: "
        "Error response from daemon: pool is full\n"
    )


@pytest.mark.parametrize(
    ("status", "was", "left"),
    [
        ("exited", "id-shop shop", False),  # made again: another id under the same name
        ("exited", "id-gone gone", True),
        ("created", " gone", True),  # before its first start it knows the name only
        ("created", " shop", False),
    ],
)
def test_a_stopped_container_leaves_a_network_that_would_keep_it_from_starting(
    host: Host, status: str, was: str, left: bool
) -> None:
    host.networks("fw-edge", "shop")
    if status == "exited" and not left:
        (host.answers / "networks").write_text("id-fw-edge fw-edge\nid-shop-2 shop\n")
        left = True
    host.put("agent", "State.Status", status)
    (host.answers / "containers" / "fw-agent" / "networks").write_text(f"id-fw-edge fw-edge\n{was}\n")
    calls, name = len(host.calls()), was.partition(" ")[2]
    assert host.deploy(OLD, networks=["shop"]).returncode == 0
    disconnect = f"network disconnect -f -- {name} fw-agent"
    made = host.calls()[calls:]
    assert (disconnect in made) is left
    if left:
        up = next(number for number, call in enumerate(made) if " up " in call)
        assert made.index(disconnect) < up, "before it is started"
    assert host.joined("agent") == ["fw-edge", "shop"]


def test_every_container_of_the_list_joins_and_no_other(host: Host) -> None:
    host.networks("fw-edge", "shop", "blog")
    done = host.run_whole(host.whole(OLD, ["shop", "blog"], JOINING="agent cadvisor"), host.input(OLD))
    assert done.returncode == 0, done.stderr
    assert host.joined("agent") == host.joined("cadvisor") == ["fw-edge", "shop", "blog"]
    assert host.run_whole(host.whole(OLD, ["shop"], JOINING="cadvisor"), host.input(OLD)).returncode == 0
    assert host.joined("cadvisor") == ["fw-edge", "shop"]
    assert host.joined("agent") == ["fw-edge", "shop", "blog"], "not in the list"


def test_a_targets_name_that_two_of_the_networks_have_is_reported(host: Host) -> None:
    host.networks("fw-edge", "shop", "blog", "other")
    host.answer("ps", 'case "$*" in *no-trunc*) echo one two; exit 0 ;; esac')
    aliases = "shop db api\nblog db web\nblog db\nother api web\nshop worker\nshop worker"
    host.answer("inspect", f"case \"$*\" in *Aliases*) printf '{aliases}\n'; exit 0 ;; esac")
    whole = host.whole(OLD, ["blog", "shop"], TARGETS="db\napi\nworker")
    done = host.run_whole(whole, host.input(OLD))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "host web-1: warning: the name db exists on the networks shop and blog, either may answer; write the whole "
        "name of the container that is meant (`docker ps` there shows it)"
    ], "not `api`, which is on one of the agent's networks, nor `worker`, which is a scaled service"

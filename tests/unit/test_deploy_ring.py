"""ring.sh, ring_view.sh and first_node.sh for real, with nodes that answer as a test says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from configs.deploy import numbered, script
from configs.deployment import gone
from configs.settings import load
from tests.fixtures.fake_programs import Programs
from tests.fixtures.fleets import CLUSTER, SOURCE, cluster, fleet

NODES = {"hub": "a", "hub-b": "b", "hub-c": "c"}
PROGRAMS = ("receive", "loki", "alertmanager")


@pytest.fixture
def here(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def _well(host: str, made: tuple[str, ...] = tuple(NODES)) -> list[str]:
    """What a node tells that is in all rings, with the nodes that were made."""
    seen = [f"sees {program} {NODES[one]}" for program in PROGRAMS[1:] for one in made]
    return ["made", *(f"ready {program}" for program in PROGRAMS), *seen]


def _ring(here: Programs, step: str, host: str, **told: list[str] | str) -> subprocess.CompletedProcess[str]:
    """`told`: of each node its lines, or the error of a connection; a node that is not named is well."""
    env = {}
    for number, name in enumerate(NODES, 1):
        answer = told.get(name.replace("-", "_"), _well(name))
        text = answer if isinstance(answer, str) else "\n".join(answer)
        (here.folder / f"answer-{number}").write_text(text)
        fails = "exit 255" if isinstance(answer, str) else ""
        env[f"ON_{number}"] = (
            f"HOST=another; cat > /dev/null; cat {here.folder}/answer-{number} >&{1 + bool(fails)}; {fails}"
        )
    rows = numbered([{"NAME": name, "NODE": node} for name, node in NODES.items()])
    here.env |= {**env, "VIEW": "view"}
    return here.here("ring", "a change", HOST=host, STEP=step, PATIENCE="0", GONE=here.env.get("GONE", ""), **rows)


REASON = "no SSH connection to root@203.0.113.9 port 22 (ssh.timeout: 10 s): connect: No route to host"
AWAY = f"host hub-c: {REASON}"


def test_a_node_is_changed_while_the_others_are_in_all_rings(here: Programs) -> None:
    assert _ring(here, "before", "hub-b").returncode == 0
    assert _ring(here, "after", "hub-b").stdout == "a change\n"


def test_what_changes_nothing_on_the_node_looks_at_no_ring(here: Programs) -> None:
    """Another node has a new address: the commands that reach it are others, and this one is run again."""
    here.env["PULUMI_COMMAND_STDOUT"] = "a change"
    assert _ring(here, "before", "hub-b", hub_c=AWAY).stdout == "a change\n"
    here.env["PULUMI_COMMAND_STDOUT"] = "an earlier change"
    assert _ring(here, "before", "hub-b", hub_c=AWAY).returncode == 1


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (AWAY, f"hub-c does not answer ({REASON})"),
        ([line for line in _well("hub-c") if line != "ready receive"], "Thanos Receive on hub-c takes no requests"),
        ([line for line in _well("hub-c") if line != "ready loki"], "Loki on hub-c takes no requests"),
        ([line for line in _well("hub-c") if line != "sees alertmanager a"], "Alertmanager on hub-c does not see hub"),
        (["made"], "Thanos Receive on hub-c takes no requests"),
    ],
)  # fmt: skip
def test_a_node_is_not_changed_while_another_is_broken(here: Programs, told: list[str] | str, why: str) -> None:
    done = _ring(here, "before", "hub-b", hub_c=told)
    of = "hub" if why.endswith("see hub") else "hub-c"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"host hub-b: not changed, because {why}: without both, the hub would refuse samples and lines. Repair {of} "
        f"first: `make up` begins with it, `make rebuild HOST={of}` replaces a droplet that is gone\n"
    )


@pytest.mark.parametrize("told", [AWAY, ["made"], [], ["made", "ready alertmanager"]])
def test_the_broken_node_itself_is_changed(here: Programs, told: list[str] | str) -> None:
    assert _ring(here, "before", "hub-c", hub_c=told).returncode == 0


def test_of_two_broken_nodes_each_may_be_repaired(here: Programs) -> None:
    for host in ("hub-b", "hub-c"):
        assert _ring(here, "before", host, hub_b=["made"], hub_c=AWAY).returncode == 0
    assert "hub-b takes no requests" in _ring(here, "before", "hub", hub_b=["made"], hub_c=AWAY).stderr


def test_a_node_with_half_of_its_programs_still_counts_with_the_others(here: Programs) -> None:
    half = ["made", "ready receive"]
    assert "Thanos Receive on hub-c" in _ring(here, "before", "hub-b", hub_b=half, hub_c=["made"]).stderr
    loki_down = [line for line in _well("hub-c") if line != "ready loki"]
    assert _ring(here, "before", "hub-b", hub_b=half, hub_c=loki_down).returncode == 0


def test_nodes_that_were_not_made_yet_do_not_count(here: Programs) -> None:
    assert _ring(here, "before", "hub", hub=[], hub_b=[], hub_c=[]).returncode == 0
    first = {"hub": _well("hub", ("hub",)), "hub_b": [], "hub_c": []}
    assert _ring(here, "after", "hub", **first).returncode == 0
    two = {"hub": _well("hub", ("hub", "hub-b")), "hub_b": _well("hub-b", ("hub",)), "hub_c": list[str]()}
    assert _ring(here, "before", "hub-c", **two).returncode == 0
    assert _ring(here, "after", "hub-b", **two).returncode == 0, "a node does not look for itself"


def test_after_a_change_every_node_sees_every_other(here: Programs) -> None:
    blind = [line for line in _well("hub") if line != "sees loki b"]
    done = _ring(here, "after", "hub-b", hub=blind)
    assert (done.returncode, done.stderr) == (
        1,
        "host hub-b: changed, but after 0 s the rings are not whole: Loki on hub does not see hub-b. No other node was "
        "changed after it; once hub-b is repaired, `make up` goes on\n",
    )


def test_of_servers_both_sentences_say_which_key_has_another_machine(here: Programs) -> None:
    place = {"address": "203.0.113.5", "private_address": "10.20.0.5"}
    nodes = {"a": {}, "b": {"server": place}, "c": {"server": place}}
    database = {"postgres": {"grafana": {"dsn": "postgres://g:p@db.example.com/grafana"}}}
    storage = {**CLUSTER, "nodes": nodes, "database": database}
    servers = load(fleet({"server": place, "storage": storage, "balancer": {"address": "203.0.113.80"}}), SOURCE)
    here.env["GONE"] = gone(servers)
    for step in ("before", "after"):
        said = _ring(here, step, "hub-b", hub_c=AWAY).stderr
        assert said.endswith(
            "if its server is gone permanently, give its key another machine: `hub.server` (hub), `nodes.b.server` "
            "(hub-b), `nodes.c.server` (hub-c)\n"
        )
        assert "make rebuild" not in said
    assert gone(cluster()) == ""


RING = {"shards": [
    {"id": "a", "state": "ACTIVE", "address": "10.77.0.2:9095", "timestamp": "2026-11-30T01:00:00Z", "tokens": [1]},
    {"id": "b", "state": "UNHEALTHY", "address": "10.77.0.3:9095"},
    {"id": "c", "state": "LEAVING", "address": "10.77.0.4:9095"},
]}  # fmt: skip
STATUS = {
    "cluster": {
        "name": "01A",
        "peers": [{"address": "10.77.0.2:9094", "name": "01A"}, {"address": "10.77.0.4:9094", "name": "01C"}],
        "status": "ready",
    },
    "config": {"original": "route:\n  receiver: nobody\n"},
}


def _node(there: Programs, running: str = "*", ring: str = "3", **answers: str) -> list[str]:
    """What ring_view.sh tells on a node. `running`: the containers that run, as a pattern of the shell."""
    hosts = there.folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(
        f"10.77.0.{number} node-{node}.fleetwatch.internal\n" for number, node in ((2, "a"), (3, "b"), (4, "c"))
    ))  # fmt: skip
    metrics = f'# HELP x\nthanos_receive_hashring_nodes{{name="default"}} {ring}\nup 1'
    pages = {
        "thanos-receive:10902/-/ready": "OK", "thanos-receive:10902/metrics": metrics, "loki:3100/ready": "ready",
        "loki:3100/ring": json.dumps(RING, separators=(",", ":")), "alertmanager:9093/-/ready": "OK",
        "alertmanager:9093/api/v2/status": json.dumps(STATUS, separators=(",", ":")), **answers,
    }  # fmt: skip
    cases = "\n".join(f"*http://fw-{page}) printf '%s\\n' '{text}' ;;" for page, text in pages.items() if text)
    there.fake("docker", f"""
        case "$*" in
        'inspect '*Running*) case "$6" in {running}) echo true ;; *) echo false ;; esac ;;
        inspect*) ;;
        {cases}
        *) exit 1 ;;
        esac
    """)  # fmt: skip
    done = there.there("ring_view", PREFIX="fw", COUNT="3", HOSTS=str(hosts))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_node_tells_which_others_its_programs_see(here: Programs) -> None:
    assert _node(here) == [
        "made", "ready receive", "ready loki", "sees loki a", "ready alertmanager", "sees alertmanager a",
        "sees alertmanager c",
    ]  # fmt: skip


def test_a_program_that_does_not_answer_is_not_ready(here: Programs) -> None:
    told = _node(here, **{"loki:3100/ready": "", "loki:3100/ring": "", "thanos-receive:10902/-/ready": ""})
    assert told == ["made", "ready alertmanager", "sees alertmanager a", "sees alertmanager c"]


def test_a_receive_with_another_number_of_nodes_is_not_ready(here: Programs) -> None:
    assert "ready receive" not in _node(here, ring="2")


def test_the_view_needs_any_one_running_container(here: Programs) -> None:
    assert "ready loki" in _node(here, running="*-alertmanager")
    assert _node(here, running="no-such") == ["made"]


def test_a_host_without_the_hub_has_no_view(here: Programs) -> None:
    here.fake("docker", "exit 1")
    done = here.there("ring_view", PREFIX="fw", COUNT="3", HOSTS="/nowhere")
    assert (done.returncode, done.stdout) == (0, "")


def _first(here: Programs, *ways: str) -> subprocess.CompletedProcess[str]:
    given = here.folder / "given"
    for number, way in enumerate(ways, 1):
        here.env[f"ON_{number}"] = f"cat > {given}-{number}; {way}"
    here.env["SCRIPT"] = "the script\n"
    numbers = " ".join(str(number) for number in range(1, len(ways) + 1))
    env = {**here.env, "FIRST": script("first_node", NUMBERS=numbers)}
    return subprocess.run(
        ["/bin/sh", "-c", 'eval "$FIRST"'], input="line 1\n\n", env=env, capture_output=True, text=True, timeout=30
    )


def test_the_first_node_that_answers_runs_the_script(here: Programs) -> None:
    done = _first(here, "exit 255", "exit 75", "echo fine", "echo never")
    assert (done.returncode, done.stdout) == (0, "fine\n")
    assert (here.folder / "given-3").read_text() == "the script\nline 1\n\n", "each gets the whole input"


@pytest.mark.parametrize(("ways", "code"), [(("exit 255", "exit 1", "true"), 1), (("exit 255", "exit 75"), 75)])
def test_what_fails_on_a_node_that_answers_fails(here: Programs, ways: tuple[str, ...], code: int) -> None:
    assert _first(here, *ways).returncode == code

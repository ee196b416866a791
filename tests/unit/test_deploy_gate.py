"""gate.sh, ca.sh and ready.sh for real, with a fake docker."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from configs.deploy import COMPOSE
from tests.fixtures.fake_docker import Rig

GATE = {
    "HOST": "web-1",
    "PATIENCE": "1",
    "PROMETHEUS": "fw-prometheus",
    "LOKI": "fw-loki:3100",
    "AGENT": "fw-agent",
    "LOG_AGENT": "fw-promtail",
    "CADVISOR": "fw-cadvisor",
    "JOBS": "agent node",
    "SAMPLES": "samples",
    "NEWEST_SAMPLE": "newest",
    "NEWEST_CONTAINER": "container",
    "LINES": "lines",
}
APPLIED = "applied at 900\nscraped at 1000\nseen at 1000\n"
SAMPLE = '{"data":{"result":[{"metric":{},"value":[1,"%s.25"]}]}}'
LINE = '{"data":{"result":[{"stream":{},"values":[["1","x"]]}]}}'
NOTHING = '{"data":{"result":[]}}'


def _jobs(**times: float) -> str:
    """What the hub answers about the newest sample of each job."""
    found = ",".join(f'{{"metric":{{"job":"{job}"}},"value":[1,"{time}"]}}' for job, time in times.items())
    return f'{{"data":{{"result":[{found}]}}}}'


ALL = _jobs(agent=1001.25, node=1000)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def _hub_has(
    rig: Rig, samples: str = ALL, line: str = LINE, container: str = SAMPLE % 1001, newest: str = SAMPLE % 1001
) -> None:
    answers = {"query=samples": samples, "query=newest": newest, "query=container": container, "query_range": line}
    cases = " ".join(f"*{part}*) echo '{answer}' ;;" for part, answer in answers.items())
    rig.answer("exec", f'case "$*" in {cases} esac')


def test_gate_passes_when_all_is_newer_than_the_change(rig: Rig) -> None:
    _hub_has(rig)
    done = rig.run("gate", APPLIED, **GATE)
    assert done.returncode == 0, done.stderr
    assert "host web-1: metrics of every job, containers by name and logs arrive" in done.stdout
    assert any("start=900000000000" in call for call in rig.calls()), "a quiet host writes no line without a change"


@pytest.mark.parametrize(
    ("samples", "missing"),
    [
        (NOTHING, "agent, node"),
        (_jobs(agent=1001.25), "node"),
        (_jobs(agent=999.9, node=1001), "agent"),  # an old sample proves nothing about this update
        (_jobs(agent=1001.25, node=0), "node"),  # a target of it is down
        ("", "agent, node"),
        ("<html>502</html>", "agent, node"),
    ],
)
def test_a_job_without_a_new_sample_is_named(rig: Rig, samples: str, missing: str) -> None:
    _hub_has(rig, samples)
    done = rig.run("gate", APPLIED, **GATE)
    assert done.returncode == 1
    assert done.stderr == (
        f"host web-1: within 1 s after its update the hub got no sample of the jobs {missing}, which its agent scraped "
        "(see: docker logs fw-agent)\n"
    )


@pytest.mark.parametrize(("first", "ends"), [(2000, True), (10, False)])
def test_only_a_backlog_extends_the_patience(rig: Rig, first: int, ends: bool) -> None:
    """The newest sample advances with each query, and a job never comes."""
    _hub_has(rig, samples=_jobs(agent=1001.25))
    text = (rig.answers / "exec").read_text()
    count = f'n=$(cat "$ANSWERS/n" 2> /dev/null || echo {first}); echo $((n + 1)) > "$ANSWERS/n"'
    newest = '*query=newest*) %s; echo "{\\"data\\":{\\"result\\":[{\\"metric\\":{},\\"value\\":[1,\\"$n.25\\"]}]}}" ;;'
    rig.answer("exec", text.replace('case "$*" in', 'case "$*" in ' + newest % count))
    process = rig.start("gate", APPLIED, **{**GATE, "PATIENCE": "4"})
    try:
        process.communicate(timeout=12)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    assert (process.returncode == 1) is ends


@pytest.mark.parametrize("newest", [NOTHING, SAMPLE % 1000, ""])
def test_samples_from_before_the_update_do_not_prove_that_the_agent_pushes(rig: Rig, newest: str) -> None:
    _hub_has(rig, newest=newest)
    done = rig.run("gate", APPLIED, **GATE)
    assert done.returncode == 1
    assert "the hub got no sample that is newer (see: docker logs fw-agent)" in done.stderr


def test_a_missing_line_is_named(rig: Rig) -> None:
    _hub_has(rig, line=NOTHING)
    done = rig.run("gate", APPLIED, **GATE)
    assert done.returncode == 1
    assert "the hub got no log line (see: docker logs fw-promtail)" in done.stderr


def test_both_missing_are_named_together(rig: Rig) -> None:
    rig.answer("exec", "exit 1")
    done = rig.run("gate", APPLIED, **GATE)
    assert done.returncode == 1
    assert "no sample of the jobs agent, node" in done.stderr
    assert ", and no log line" in done.stderr


@pytest.mark.parametrize("container", [NOTHING, SAMPLE % 999, ""])
def test_gate_fails_without_a_container_by_name(rig: Rig, container: str) -> None:
    _hub_has(rig, container=container)
    done = rig.run("gate", APPLIED, **GATE)
    assert done.returncode == 1, "the names of an earlier update prove nothing about this one"
    wanted = "the hub got no container by name (see: docker logs fw-cadvisor)"
    assert done.stderr == f"host web-1: within 1 s after its update {wanted}\n"


def test_gate_does_not_wait_for_a_cadvisor_that_is_scraped_rarely(rig: Rig) -> None:
    _hub_has(rig, container=NOTHING)
    assert rig.run("gate", APPLIED, **{**GATE, "CADVISOR": ""}).returncode == 0


@pytest.mark.parametrize(
    "stdin",
    [
        "", "applied at 900\n", "scraped at 1000\n", "applied at 900\nscraped at 1\n", "scraped at 1\nseen at 1\n",
        "applied at 900\nscraped at \nseen at 1\n", "applied at\nscraped at 1000\nseen at 1\n",
        "applied at 900\nscraped at soon\nseen at 1\n", "applied at -1\nscraped at 1000\nseen at 1\n",
        "applied at 900\nscraped at 1\nscraped at 2\nseen at 1\n", "applied at 900\nscraped at 1\nseen at\n",
    ],
)  # fmt: skip
def test_gate_fails_without_the_times_to_compare_with(rig: Rig, stdin: str) -> None:
    _hub_has(rig)
    done = rig.run("gate", stdin, **GATE)
    assert done.returncode == 1, "a comparison with nothing is no proof"
    assert "host web-1: expected `applied at`, `scraped at` and `seen at` with seconds on stdin" in done.stderr
    assert rig.calls() == [], "nothing is asked"


def test_what_was_seen_once_is_not_asked_for_again(rig: Rig) -> None:
    _hub_has(rig, line=NOTHING)
    rig.run("gate", APPLIED, **{**GATE, "PATIENCE": "2"})
    assert sum("query=samples" in call for call in rig.calls()) == 1


def test_the_certificate_is_printed_once_caddy_has_made_it(rig: Rig) -> None:
    rig.answer("exec", '[ -e "$ANSWERS/once" ] && echo CERTIFICATE || { : > "$ANSWERS/once"; exit 1; }')
    done = rig.run("ca", CONTAINER="fw-caddy", FILE="/data/root.crt")
    assert (done.returncode, done.stdout) == (0, "CERTIFICATE\n"), "nothing else may be in it: it becomes a file"


def test_readiness_names_the_versions_of_engine_and_compose(rig: Rig) -> None:
    rig.answer("version", "case $* in *Arch*) echo amd64 ;; *) echo 20.10.24 ;; esac")
    rig.answer("compose", "echo v2.40.3")
    assert rig.run("ready", COMPOSE=COMPOSE).stdout == "Docker 20.10.24, Compose 2.40.3\n"


def test_a_rootless_engine_on_this_machine_is_refused(rig: Rig) -> None:
    rig.answer("version", "echo 20.10.24")
    rig.answer("compose", "echo v2.40.3")
    rig.answer("info", "echo '[\"name=rootless\"]'")
    done = rig.run("ready", COMPOSE=COMPOSE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("this machine: expected a Docker Engine that runs as root, this one is rootless")


@pytest.mark.parametrize(("answer", "found"), [("exit 1", "none"), ("echo 2.24.0", "2.24.0")])
def test_this_machine_without_compose_is_not_ready(rig: Rig, answer: str, found: str) -> None:
    rig.answer("version", "echo 20.10.24")
    rig.answer("compose", answer)
    done = rig.run("ready", COMPOSE=COMPOSE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"this machine: expected Docker Compose 2.24.1 or newer (`docker compose version`), found {found}; run "
        "`make up`, which gets it, or install it (https://docs.docker.com/compose/install/linux/)\n"
    )


MARKS = "caddy 0123abc\ncaddy applied at 1000\nloki applied at 900\ngrafana 4567def\n"
PARTS = {"PREFIX": "fw", "ROLES": "caddy loki grafana"}


@pytest.mark.parametrize("started", ["1970-01-01T00:10:00Z", "1970-01-01T00:20:00.5Z"])
def test_nothing_changed_where_all_is_of_before(rig: Rig, started: str) -> None:
    rig.answer("inspect", f"echo {started}")
    done = rig.run("settled", MARKS, **PARTS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "changed\n", "none of it is of now"


def test_a_start_and_a_changed_file_are_changes(rig: Rig) -> None:
    rig.answer("inspect", 'case "$*" in *grafana*) date -u +%FT%TZ ;; *) echo 1970-01-01T00:10:00Z ;; esac')
    assert rig.run("settled", MARKS, **PARTS).stdout == "changed grafana\n"
    assert rig.run("settled", f"{MARKS}loki applied at 4000000000\n", **PARTS).stdout == "changed loki grafana\n"


NOTE = {
    "HOST": "web-1",
    "LOKI": "fw-loki:3100",
    "NOTE_PATIENCE": "2",
    "PROMETHEUS": "fw-prometheus",
    "STREAM": '{"env": "prod", "host": "web-1", "job": "fleetwatch-changes"}',
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("changed agent postgres-main", "fleetwatch changed web-1: agent, postgres-main"),
        ("changed", "fleetwatch changed web-1: its networks or settings"),
        ('changed a"}]}, $(id) `x`', "fleetwatch changed web-1: a, id, x"),
    ],
)
def test_a_change_is_noted_at_loki_as_json(rig: Rig, changed: str, words: str) -> None:
    rig.answer("exec", "exit 0")
    done = rig.run("note", f"{APPLIED}{changed}\n", **NOTE)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (call,) = rig.calls()
    assert call.startswith("exec fw-prometheus wget ")
    assert call.endswith(" http://fw-loki:3100/loki/api/v1/push")
    (stream,) = json.loads(call.split("--post-data ", 1)[1].rpartition(" ")[0])["streams"]
    assert stream["stream"] == {"env": "prod", "host": "web-1", "job": "fleetwatch-changes"}
    ((when, line),) = stream["values"]
    assert line == words
    assert len(when) == 19, "nanoseconds"


def test_a_change_goes_on_when_loki_takes_no_note(rig: Rig) -> None:
    rig.answer("exec", "exit 1")
    done = rig.run("note", APPLIED, **NOTE)
    assert done.returncode == 0, "what was changed is changed"
    assert "Loki did not accept the line about this change" in done.stdout
    assert len(rig.calls()) == 3

"""The workflows: what actionlint says to them, and what it does not look at."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.full import ROOT
from tests.rendered.conftest import Tool
from tools import environment, policy, touched
from tools.__main__ import _parser
from tools.errors import ToolError

FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
ALL = [*WORKFLOWS, *sorted((FOLDER / "actions").glob("*/action.yml"))]
TEXT = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in ALL}


def _lint(tool: Callable[[str], Tool], folder: Path) -> tuple[int, str]:
    """actionlint on a copy of .github, in a folder that is a repository's for it."""
    (folder / ".git").mkdir(exist_ok=True)
    shutil.copytree(FOLDER, folder / ".github", dirs_exist_ok=True)
    done = tool("actionlint")("-no-color", *sorted((folder / ".github" / "workflows").glob("*.yml")))
    return done.returncode, done.stdout + done.stderr


def _jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield path.name, name, job


def _steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for file, _, job in _jobs():
        yield from ((file, step) for step in job.get("steps", ()))


def _index(steps: list[dict[str, Any]], words: str) -> int:
    (found,) = [index for index, step in enumerate(steps) if words in str(step.get("run"))]
    return found


def _run(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A step's script, as GitHub runs it."""
    whole = {"PATH": os.environ["PATH"], "HOME": str(folder), **env}
    argv = ["bash", "-e", "-c", script]
    return subprocess.run(argv, cwd=folder, env=whole, capture_output=True, text=True, timeout=30, check=False)


def _stub(folder: Path, script: str) -> None:
    """A .venv/bin/python that does this instead."""
    place = folder / ".venv" / "bin" / "python"
    place.parent.mkdir(parents=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)


def test_there_are_workflows() -> None:
    assert {path.name for path in WORKFLOWS} >= {"pull-request.yml", "deploy.yml", "deploy-stack.yml", "drift.yml"}


def test_actionlint_has_nothing_to_say(tool: Callable[[str], Tool], tmp_path: Path) -> None:
    code, said = _lint(tool, tmp_path)
    assert (code, said) == (0, ""), said


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ("runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04", "runs_on"),
        ("needs.touched.outputs.told", "needs.touched.outputs.toldd", "toldd"),
        ("needs: [touched, check, preview]", "needs: [touched, check, previews]", "previews"),
        ("github.event.number", "githubb.event.number", "githubb"),
    ],
)
def test_actionlint_would_say_it(
    tool: Callable[[str], Tool], tmp_path: Path, good: str, broken: str, said: str
) -> None:
    _lint(tool, tmp_path)
    place = tmp_path / ".github" / "workflows" / "pull-request.yml"
    assert good in place.read_text()
    place.write_text(place.read_text().replace(good, broken, 1))
    done = tool("actionlint")("-no-color", place)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize("name", TEXT)
def test_actions_of_others_are_pinned_by_commit_and_say_their_version(name: str) -> None:
    used = re.findall(r"uses: (\S+)(.*)", TEXT[name])
    assert used or "uses" not in TEXT[name]
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), f"{name}: {action}"
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{name}: which version is {action}?"


def test_one_action_has_one_version() -> None:
    pins = {pin for text in TEXT.values() for pin in re.findall(r"uses: (actions/\S+@\S+ # \S+)", text)}
    names = [pin.split("@")[0] for pin in pins]
    assert len(names) == len(set(names)), sorted(pins)


def test_nothing_is_permitted_by_default_and_each_job_says_what_it_needs() -> None:
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text())["permissions"] == {}, path.name
    writes = {}
    for file, name, job in _jobs():
        assert "permissions" in job, f"{file}: {name}"
        writes[(file, name)] = {key for key, value in job["permissions"].items() if value == "write"}
    assert {key: value for key, value in writes.items() if value} == {
        ("pull-request.yml", "comment"): {"pull-requests"},
        ("drift.yml", "issue"): {"issues"},
    }


def test_every_job_has_a_time_out() -> None:
    for file, name, job in _jobs():
        assert "uses" in job or 5 <= job.get("timeout-minutes", 0) <= 60, f"{file}: {name}"


def test_what_changes_a_stack_runs_alone_and_drops_no_other() -> None:
    """Of those that wait in one group only the newest is kept: drift may not wait where deployments do."""
    groups = {}
    for file, name in (("deploy-stack.yml", "up"), ("drift.yml", "look")):
        (job,) = [job for one, other, job in _jobs() if (one, other) == (file, name)]
        assert job["concurrency"] == {"group": job["concurrency"]["group"], "cancel-in-progress": False}
        groups[name] = job["concurrency"]["group"]
    assert groups == {"up": "stack-${{ inputs.stack }}", "look": "drift-${{ matrix.stack }}"}


def test_a_checkout_leaves_no_token_behind() -> None:
    for file, step in _steps():
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, file


def test_no_expression_stands_in_a_script() -> None:
    """What others wrote (a branch's name) would be run there; it comes in by the environment."""
    for file, step in _steps():
        assert "${{" not in str(step.get("run", "")), f"{file}: {step['run']}"


def test_the_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    jobs = {name: job for file, name, job in _jobs() if file == "pull-request.yml"}
    checkout = [step for step in jobs["comment"]["steps"] if "checkout@" in str(step.get("uses"))]
    assert [step["with"]["ref"] for step in checkout] == ["${{ github.event.pull_request.base.sha }}"]
    assert "pull_request_target" not in TEXT["workflows/pull-request.yml"]
    for name, job in jobs.items():
        assert ("secrets." in yaml.safe_dump(job)) is (name == "preview"), f"{name} has no use for credentials"
    assert "head.repo.full_name == github.repository" in jobs["preview"]["if"], "a fork gets none"


def _pull_request(job: str) -> list[dict[str, Any]]:
    (steps,) = [found["steps"] for file, name, found in _jobs() if (file, name) == ("pull-request.yml", job)]
    return list(steps)


def test_a_preview_comes_after_the_checks_and_the_comment_whatever_they_said() -> None:
    jobs = {name: job for file, name, job in _jobs() if file == "pull-request.yml"}
    assert jobs["preview"]["needs"] == ["touched", "check"]
    assert not re.search(r"always\(\)|cancelled\(\)|failure\(\)", jobs["preview"]["if"]), "checks that fail end it"
    assert jobs["comment"]["needs"] == ["touched", "check", "preview"]
    assert "!cancelled()" in jobs["comment"]["if"]
    said = next(step for step in jobs["comment"]["steps"] if step.get("name") == "the comment")
    assert said["env"]["CHECKED"] == "${{ needs.check.result }}"


@pytest.mark.parametrize(
    ("checked", "fork", "told"), [("success", False, 0), ("failure", False, 1), ("failure", True, 0)]
)
def test_the_comment_says_that_the_checks_are_in_the_way(tmp_path: Path, checked: str, fork: bool, told: int) -> None:
    (script,) = [step["run"] for step in _pull_request("comment") if step.get("name") == "the comment"]
    _stub(tmp_path, "echo 'what the tools say' > comment.md; exit 1")
    env = {"CHECKED": checked, "FROM_FORK": str(fork).lower(), "TOUCHED": "{}", "GITHUB_STEP_SUMMARY": "summary.md"}
    assert _run(script, tmp_path, **env).returncode == 1, "what the tools say of it stays"
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("what the tools say\n")
    assert text.count("no preview before the checks pass; the job `check`") == told


def test_the_bill_of_materials_is_made_and_kept() -> None:
    steps = _pull_request("check")
    (made,) = [index for index, step in enumerate(steps) if "make sbom" in str(step.get("run"))]
    assert steps[made]["run"] == 'make sbom OUT="$RUNNER_TEMP/sbom.cdx.json"'
    kept = steps[made + 1]
    assert kept["uses"].startswith("actions/upload-artifact@")
    assert kept["with"]["path"] == "${{ runner.temp }}/sbom.cdx.json"


@pytest.mark.parametrize(("audit", "step", "warned"), [(0, 0, False), (1, 1, False), (2, 0, True)])
def test_a_vulnerability_fails_and_a_service_that_does_not_answer_warns(
    tmp_path: Path, audit: int, step: int, warned: bool
) -> None:
    (script,) = [one["run"] for one in _pull_request("check") if "audit" in str(one.get("run"))]
    assert ".venv/bin/python -m tools.ci_tools audit" in script
    _stub(tmp_path, f"exit {audit}")
    done = _run(script, tmp_path)
    assert done.returncode == step, done.stderr
    assert ("::warning" in done.stdout) is warned


@pytest.mark.parametrize(("file", "between"), [("deploy-stack.yml", "make up"), ("drift.yml", "record --refresh")])
def test_a_door_is_open_while_it_is_used_and_always_closed(file: str, between: str) -> None:
    steps = [step for one, step in _steps() if one == file]
    opened, closed = _index(steps, "runner-door open"), _index(steps, "runner-door close")
    assert opened < _index(steps, between) < closed
    own = "vars.FLEETWATCH_RUNNER == ''"
    assert [steps[opened]["if"], steps[closed]["if"]] == [own, f"${{{{ always() && {own} }}}}"]
    assert steps[opened]["env"] == steps[closed]["env"], "another name would be another door"


STATE = {
    "PULUMI_BACKEND_URL": "${{ vars.PULUMI_BACKEND_URL }}",
    "PULUMI_CONFIG_PASSPHRASE": "${{ secrets.PULUMI_CONFIG_PASSPHRASE }}",
}


def test_every_step_about_a_stack_says_where_its_state_is() -> None:
    """One that does not begins a state on the runner, with a passphrase of its own, and the next step takes that."""
    asked = re.compile(r"runner-door|record |make up|make policy")
    found = [(file, step) for file, step in _steps() if asked.search(str(step.get("run")))]
    assert len(found) == 8
    for file, step in found:
        assert step["env"].items() >= STATE.items(), f"{file}: {step['run']}"


@pytest.mark.parametrize(
    ("there", "given", "code", "left", "written"),
    [
        (None, "ours", 0, "ours\n", True),
        (None, "ours\n", 0, "ours\n\n", True),
        (None, "", 0, None, False),
        ("theirs\n", "", 0, "theirs\n", False),
        ("ours\n", "ours", 0, "ours\n", False),
        ("theirs\n", "ours", 1, "theirs\n", False),
    ],
)
def test_the_key_of_a_runner_is_never_written_over(
    tmp_path: Path, there: str | None, given: str, code: int, left: str | None, written: bool
) -> None:
    place, told = tmp_path / ".ssh" / "id_ed25519", tmp_path / "told"
    told.touch()
    if there is not None:
        place.parent.mkdir()
        place.write_text(there)
    (step,) = yaml.safe_load(TEXT["actions/ssh-key/action.yml"])["runs"]["steps"]
    assert "${{" not in step["run"]
    done = _run(step["run"], tmp_path, SSH_PRIVATE_KEY=given, GITHUB_OUTPUT=str(told))
    assert done.returncode == code, done.stdout + done.stderr
    assert (place.read_text() if place.exists() else None) == left
    assert (told.read_text() == "written=true\n") is written, "what is written here is removed at the end, nothing else"
    assert not written or place.stat().st_mode & 0o77 == 0
    assert "ours" not in done.stdout + done.stderr
    assert ("left as it is" in done.stdout) is bool(code)


@pytest.mark.parametrize("file", ["deploy-stack.yml", "drift.yml"])
def test_only_a_key_that_was_written_is_removed(file: str) -> None:
    steps = [step for one, step in _steps() if one == file]
    (put,) = [step for step in steps if step.get("id") == "key"]
    assert (put["uses"], put["with"]) == ("./.github/actions/ssh-key", {"key": "${{ secrets.SSH_PRIVATE_KEY }}"})
    assert "id_ed25519" not in "".join(str(step.get("run")) for step in steps[: steps.index(put)])
    removed = steps[_index(steps, "rm -f ~/.ssh/id_ed25519")]
    assert removed["if"] == "${{ always() && steps.key.outputs.written == 'true' }}"


def test_every_stack_of_a_team_is_deployed_and_prod_comes_last() -> None:
    jobs = {name: job for file, name, job in _jobs() if file == "deploy.yml"}
    assert set(jobs) == {"which", "before", "prod"}
    told = "fromJSON(needs.which.outputs.told)"
    assert jobs["before"]["strategy"] == {
        "fail-fast": True, "max-parallel": 1, "matrix": {"stack": f"${{{{ {told}.before_last }}}}"},
    }  # fmt: skip
    assert [jobs[name]["with"]["stack"] for name in ("before", "prod")] == ["${{ matrix.stack }}", "prod"]
    assert jobs["prod"]["needs"] == ["which", "before"]
    assert "!failure() && !cancelled()" in jobs["prod"]["if"]
    files = [path.name.split(".")[1] for path in (ROOT / "stacks").iterdir()]
    deployed = json.loads(touched.decide([], [*files, "qa"]).as_json())
    assert {"qa", "dev", "staging"} <= set(deployed["before_last"])
    assert [*deployed["before_last"], jobs["prod"]["with"]["stack"]] == deployed["all"]


def test_a_stack_is_deployed_in_the_environment_of_its_name() -> None:
    up = next(job for file, name, job in _jobs() if (file, name) == ("deploy-stack.yml", "up"))
    assert up["environment"] == "${{ inputs.stack }}"


def test_what_breaks_a_guard_rail_is_not_deployed() -> None:
    steps = [step for file, step in _steps() if file == "deploy-stack.yml"]
    looked, up = steps[_index(steps, 'make policy STACK="$STACK"')], steps[_index(steps, "make up")]
    assert steps.index(looked) < _index(steps, "runner-door open") < steps.index(up)
    assert not {"if", "continue-on-error"} & set(looked)
    assert up["env"] == {**looked["env"], policy.WANTED: "1"}, "the same stack, and the pack"


def test_an_older_commit_is_not_deployed_after_a_newer_one() -> None:
    steps = [step for file, step in _steps() if file == "deploy-stack.yml"]
    checkout = next(step for step in steps if "checkout@" in str(step.get("uses")))
    assert checkout["with"]["fetch-depth"] == 0, "a clone of one commit does not know where main is"
    asked = steps[_index(steps, '-m tools --stack "$STACK" overtaken origin/main')]
    assert not {"if", "continue-on-error"} & set(asked)
    assert steps.index(asked) < _index(steps, "make policy") < _index(steps, "make up")


def test_the_page_wants_the_passphrase_wherever_the_tools_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cloud = "https://api.pulumi.com"
    for name in environment._GIVEN:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ToolError, match="The passphrase of stack prod is not here"):
        environment._passphrase(tmp_path / "prod", cloud)
    (row,) = re.findall(r"^ *\| `PULUMI_CONFIG_PASSPHRASE` .*", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE)
    assert "also with Pulumi Cloud" in row
    (row,) = re.findall(rf"^\| `{cloud}`.*", (ROOT / "docs" / "state.md").read_text(), re.MULTILINE)
    assert "the passphrase" in row


@pytest.mark.parametrize("page", [*(f".github/{name}" for name in TEXT), "docs/ci.md"])
def test_every_command_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    actions = [one for one in _parser()._actions if isinstance(one, argparse._SubParsersAction)]
    known = set(actions[0].choices)
    named = set(re.findall(r"-m tools(?: --stack \S+)?(?: --file \S+)? ([a-z][a-z-]*)", text))
    assert named <= known, named - known
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^\s*(?:- )?(?:run: )?make ([a-z-]+)", text, re.MULTILINE)) <= targets

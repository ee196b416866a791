"""The workflows: what actionlint says to them, and what it does not look at. What deploys is in test_deployment.py."""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures import workflows
from tests.fixtures.full import ROOT
from tests.fixtures.programs import Tool
from tests.fixtures.workflows import FOLDER, TEXT, WORKFLOWS
from tools import environment
from tools.__main__ import MODULES, parser
from tools.errors import ToolError


def _lint(tool: Tool, folder: Path) -> tuple[int, str]:
    """actionlint on a copy of .github, in a folder that is a repository's for it."""
    (folder / ".git").mkdir(exist_ok=True)
    shutil.copytree(FOLDER, folder / ".github", dirs_exist_ok=True)
    done = tool("actionlint")("-no-color", *sorted((folder / ".github" / "workflows").glob("*.yml")))
    return done.returncode, done.stdout + done.stderr


def test_there_are_workflows() -> None:
    assert {path.name for path in WORKFLOWS} >= {
        "pull-request.yml",
        "preview.yml",
        "deploy.yml",
        "deploy-stack.yml",
        "drift.yml",
    }


def test_actionlint_has_nothing_to_say(tool: Tool, tmp_path: Path) -> None:
    code, said = _lint(tool, tmp_path)
    assert (code, said) == (0, ""), said


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ("runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04", "runs_on"),
        ("needs.affected.outputs.found", "needs.affected.outputs.foundd", "foundd"),
        ("needs: [affected, preview]", "needs: [affected, previews]", "previews"),
        ("github.event.number", "githubb.event.number", "githubb"),
    ],
)
def test_actionlint_would_say_it(tool: Tool, tmp_path: Path, good: str, broken: str, said: str) -> None:
    _lint(tool, tmp_path)
    place = tmp_path / ".github" / "workflows" / "preview.yml"
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
    for file, name, job in workflows.jobs():
        assert "permissions" in job, f"{file}: {name}"
        writes[(file, name)] = {key for key, value in job["permissions"].items() if value == "write"}
    assert {key: value for key, value in writes.items() if value} == {
        ("preview.yml", "comment"): {"pull-requests"},
        ("preview.yml", "comment-approved"): {"pull-requests"},
        ("drift.yml", "issue"): {"issues"},
        ("ask-image.yml", "publish"): {"packages"},
    }


def test_every_job_has_a_time_out() -> None:
    for file, name, job in workflows.jobs():
        assert "uses" in job or 5 <= job.get("timeout-minutes", 0) <= 60, f"{file}: {name}"


def test_what_changes_a_stack_runs_alone_and_drops_no_other() -> None:
    """Of those that wait in one group only the newest is kept: drift may not wait where deployments do."""
    groups = {}
    for file, name in (("deploy-stack.yml", "up"), ("drift.yml", "look")):
        (job,) = [job for one, other, job in workflows.jobs() if (one, other) == (file, name)]
        assert job["concurrency"] == {"group": job["concurrency"]["group"], "cancel-in-progress": False}
        groups[name] = job["concurrency"]["group"]
    assert groups == {"up": "stack-${{ inputs.stack }}", "look": "drift-${{ matrix.stack }}"}


def test_a_checkout_leaves_no_token_behind() -> None:
    for file, step in workflows.steps():
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, file


def test_no_expression_stands_in_a_script() -> None:
    """What others wrote (a branch's name) would be run there; it comes in by the environment."""
    for file, step in workflows.steps():
        assert "${{" not in str(step.get("run", "")), f"{file}: {step['run']}"


def _pull_request(job: str) -> list[dict[str, Any]]:
    (steps,) = [found["steps"] for file, name, found in workflows.jobs() if (file, name) == ("pull-request.yml", job)]
    return list(steps)


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
    assert ".venv/bin/python -m tools audit" in script
    workflows.stub(tmp_path, f"exit {audit}")
    done = workflows.run_step(script, tmp_path)
    assert done.returncode == step, done.stderr
    assert ("::warning" in done.stdout) is warned


def test_the_page_wants_the_passphrase_wherever_the_tools_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cloud = "https://api.pulumi.com"
    for name in environment._GIVEN:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ToolError, match="The passphrase of stack prod is not on this machine"):
        environment._passphrase(tmp_path / "prod", cloud, "passphrase")
    (row,) = re.findall(r"^ *\| `PULUMI_CONFIG_PASSPHRASE` .*", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE)
    assert "also with Pulumi Cloud" in row
    (row,) = re.findall(rf"^\| `{cloud}`.*", (ROOT / "docs" / "state.md").read_text(), re.MULTILINE)
    assert "the passphrase" in row


@pytest.mark.parametrize("page", [*(f".github/{name}" for name in TEXT), "docs/ci.md"])
def test_every_command_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    known = set(MODULES)
    named = set(re.findall(r"-m tools(?: --stack \S+)?(?: --file \S+)? ([a-z][a-z-]*)", text))
    assert named <= known, named - known
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^\s*(?:- )?(?:run: )?make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_each_command_is_registered_by_the_module_that_is_imported_for_it() -> None:
    for module in set(MODULES.values()):
        (commands,) = [one for one in parser([module])._actions if isinstance(one, argparse._SubParsersAction)]
        assert set(commands.choices) == {name for name, other in MODULES.items() if other == module}

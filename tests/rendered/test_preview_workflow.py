"""The workflow that previews a pull request: whose code runs with the secrets of a stack, and after whose word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures import workflows
from tests.fixtures.full import ROOT
from tests.fixtures.workflows import TEXT


def _jobs(workflow: str) -> dict[str, dict[str, Any]]:
    return {name: job for file, name, job in workflows.jobs() if file == workflow}


def _checkouts(job: dict[str, Any]) -> list[dict[str, Any]]:
    return [step["with"] for step in job["steps"] if "checkout@" in str(step.get("uses"))]


def _triggers(workflow: str) -> set[str]:
    return set(yaml.safe_load(TEXT[f"workflows/{workflow}"])[True])  # `on` is a boolean in YAML 1.1


HEAD = "${{ github.event.pull_request.head.sha }}"


def test_the_code_of_a_pull_request_runs_without_credentials() -> None:
    assert _triggers("pull-request.yml") == {"pull_request"}
    text = TEXT["workflows/pull-request.yml"]
    assert not re.search(r"secrets\.|environment:|write", text)


def test_previews_are_run_by_the_workflow_of_the_default_branch() -> None:
    """Of a `pull_request`, GitHub would take the workflow from the branch, which could name any environment."""
    assert _triggers("preview.yml") == {"pull_request_target"}
    for other in ("deploy.yml", "deploy-stack.yml", "drift.yml"):
        assert not {"pull_request", "pull_request_target"} & _triggers(other)
    with_secrets = {(file, name) for file, name, job in workflows.jobs() if "secrets." in yaml.safe_dump(job)}
    assert {name for file, name in with_secrets if file == "preview.yml"} == {"preview", "approved"}


def test_a_preview_without_approval_runs_the_default_branchs_program_alone() -> None:
    job = _jobs("preview.yml")["preview"]
    assert job["environment"] == "${{ matrix.stack }}-preview"
    assert job["strategy"]["matrix"] == {"stack": "${{ fromJSON(needs.affected.outputs.found).automatic }}"}
    program, pull = _checkouts(job)
    assert "ref" not in program
    assert (pull["ref"], pull["path"]) == (HEAD, "pull")
    scripts = [str(step["run"]) for step in job["steps"] if "run" in step]
    assert scripts == [
        '.venv/bin/python -m tools --stack "$STACK" take-stack pull origin/main',
        '.venv/bin/python -m tools --stack "$STACK" record "preview/$STACK.preview.json"',
    ], "the clone is read by take-stack, and nothing in it is run"
    used = {step["uses"].split("@")[0] for step in job["steps"] if "uses" in step}
    assert used == {"actions/checkout", "./.github/actions/setup", "actions/upload-artifact"}


def test_the_program_of_a_pull_request_is_previewed_after_an_approval() -> None:
    job = _jobs("preview.yml")["approved"]
    assert job["environment"] == "${{ matrix.stack }}-preview-code"
    assert job["strategy"]["matrix"] == {"stack": "${{ fromJSON(needs.affected.outputs.found).by_approval }}"}
    assert [one["ref"] for one in _checkouts(job)] == [HEAD], "the commit that was approved, not the branch"
    page = (ROOT / "docs" / "ci.md").read_text()
    assert "`<stack>-preview-code`" in page


@pytest.mark.parametrize("name", ["preview", "approved"])
def test_a_fork_gets_no_preview(name: str) -> None:
    assert "head.repo.full_name == github.repository" in _jobs("preview.yml")[name]["if"]


def test_the_jobs_that_may_write_run_no_code_of_the_pull_request() -> None:
    for name in ("comment", "comment-approved"):
        assert [set(one) for one in _checkouts(_jobs("preview.yml")[name])] == [{"persist-credentials"}], name
    (affected,) = [step for step in _jobs("preview.yml")["affected"]["steps"] if step.get("id") == "affected"]
    assert '-m tools affected "$BASE" --clone pull' in affected["run"]


def test_there_is_a_comment_before_the_approval_and_after_it() -> None:
    jobs = _jobs("preview.yml")
    assert jobs["comment"]["needs"] == ["affected", "preview"], "it does not wait for somebody"
    assert jobs["comment-approved"]["needs"] == ["affected", "approved", "comment"]
    assert "!cancelled()" in jobs["comment"]["if"]
    assert "!cancelled()" in jobs["comment-approved"]["if"]


@pytest.mark.parametrize(
    ("more", "options"),
    [("--fork", "--fork --affected {}"), ("--waiting", "--waiting --affected {}"), ("", "--affected {}")],
)
def test_the_comment_is_made_and_shown_also_when_it_fails(tmp_path: Path, more: str, options: str) -> None:
    steps = yaml.safe_load(TEXT["actions/comment/action.yml"])["runs"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == "the comment"]
    assert "${{" not in script
    workflows.stub(tmp_path, 'echo "$*" > called; echo "from the tools" > comment.md; exit 1')
    env = {"AFFECTED": "{}", "MORE": more, "GITHUB_STEP_SUMMARY": "summary.md"}
    assert workflows.run_step(script, tmp_path, **env).returncode == 1
    assert (tmp_path / "summary.md").read_text() == "from the tools\n"
    called = (tmp_path / "called").read_text()
    assert called == f"-m tools comment preview {options} --out comment.md --whole whole.md\n"

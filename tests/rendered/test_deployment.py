"""The workflows that deploy and look after what is deployed: doors, keys, states, order and guard rails."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.fixtures import workflows
from tests.fixtures.full import ROOT
from tests.fixtures.workflows import TEXT
from tools import affected_stacks, policy_pack


@pytest.mark.parametrize(("file", "between"), [("deploy-stack.yml", "make up"), ("drift.yml", "record --refresh")])
def test_a_door_is_open_while_it_is_used_and_always_closed(file: str, between: str) -> None:
    steps = [step for one, step in workflows.steps() if one == file]
    opened, closed = workflows.index(steps, "runner-firewall open"), workflows.index(steps, "runner-firewall close")
    assert opened < workflows.index(steps, between) < closed
    own = "vars.FLEETWATCH_RUNNER == ''"
    assert [steps[opened]["if"], steps[closed]["if"]] == [own, f"${{{{ always() && {own} }}}}"]
    assert steps[opened]["env"] == steps[closed]["env"], "another name would be another door"


STATE = {
    "PULUMI_BACKEND_URL": "${{ vars.PULUMI_BACKEND_URL }}",
    "PULUMI_CONFIG_PASSPHRASE": "${{ secrets.PULUMI_CONFIG_PASSPHRASE }}",
}


def test_every_step_about_a_stack_says_where_its_state_is() -> None:
    """One that does not begins a state on the runner, with a passphrase of its own, and the next step takes that."""
    asked = re.compile(r"runner-firewall|record | drill |make up|make policy")
    found = [(file, step) for file, step in workflows.steps() if asked.search(str(step.get("run")))]
    assert len(found) == 12
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
    done = workflows.run_step(step["run"], tmp_path, SSH_PRIVATE_KEY=given, GITHUB_OUTPUT=str(told))
    assert done.returncode == code, done.stdout + done.stderr
    assert (place.read_text() if place.exists() else None) == left
    assert (told.read_text() == "written=true\n") is written, "what is written here is removed at the end, nothing else"
    assert not written or place.stat().st_mode & 0o77 == 0
    assert "ours" not in done.stdout + done.stderr
    assert ("left as it is" in done.stdout) is bool(code)


@pytest.mark.parametrize("file", ["deploy-stack.yml", "drift.yml"])
def test_only_a_key_that_was_written_is_removed(file: str) -> None:
    steps = [step for one, step in workflows.steps() if one == file]
    (put,) = [step for step in steps if step.get("id") == "key"]
    assert (put["uses"], put["with"]) == ("./.github/actions/ssh-key", {"key": "${{ secrets.SSH_PRIVATE_KEY }}"})
    assert "id_ed25519" not in "".join(str(step.get("run")) for step in steps[: steps.index(put)])
    removed = steps[workflows.index(steps, "rm -f ~/.ssh/id_ed25519")]
    assert removed["if"] == "${{ always() && steps.key.outputs.written == 'true' }}"


def test_every_stack_of_a_team_is_deployed_and_prod_comes_last() -> None:
    jobs = {name: job for file, name, job in workflows.jobs() if file == "deploy.yml"}
    assert set(jobs) == {"which", "before", "prod"}
    found = "fromJSON(needs.which.outputs.found)"
    assert jobs["before"]["strategy"] == {
        "fail-fast": True, "max-parallel": 1, "matrix": {"stack": f"${{{{ {found}.before_last }}}}"},
    }  # fmt: skip
    assert [jobs[name]["with"]["stack"] for name in ("before", "prod")] == ["${{ matrix.stack }}", "prod"]
    assert jobs["prod"]["needs"] == ["which", "before"]
    assert "!failure() && !cancelled()" in jobs["prod"]["if"]
    files = [path.name.split(".")[1] for path in (ROOT / "stacks").iterdir()]
    deployed = json.loads(affected_stacks.classify([], [*files, "qa"]).as_json())
    assert {"qa", "dev", "staging"} <= set(deployed["before_last"])
    assert [*deployed["before_last"], jobs["prod"]["with"]["stack"]] == deployed["all"]


def test_a_stack_is_deployed_in_the_environment_of_its_name() -> None:
    up = next(job for file, name, job in workflows.jobs() if (file, name) == ("deploy-stack.yml", "up"))
    assert up["environment"] == "${{ inputs.stack }}"


def test_what_breaks_a_guard_rail_is_not_deployed() -> None:
    steps = [step for file, step in workflows.steps() if file == "deploy-stack.yml"]
    looked, up = steps[workflows.index(steps, 'make policy STACK="$STACK"')], steps[workflows.index(steps, "make up")]
    assert steps.index(looked) < workflows.index(steps, "runner-firewall open") < steps.index(up)
    assert not {"if", "continue-on-error"} & set(looked)
    assert up["env"] == {**looked["env"], policy_pack.WANTED: "1"}, "the same stack, and the pack"


def test_an_older_commit_is_not_deployed_after_a_newer_one() -> None:
    steps = [step for file, step in workflows.steps() if file == "deploy-stack.yml"]
    checkout = next(step for step in steps if "checkout@" in str(step.get("uses")))
    assert checkout["with"]["fetch-depth"] == 0, "a clone of one commit does not know where main is"
    asked = steps[workflows.index(steps, '-m tools --stack "$STACK" overtaken origin/main')]
    assert not {"if", "continue-on-error"} & set(asked)
    assert steps.index(asked) < workflows.index(steps, "make policy") < workflows.index(steps, "make up")

"""The example for GitLab in docs/ci.md: it is YAML and shell, and does what the workflows do. It has not run there."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from tests.fixtures.docs import blocks
from tests.fixtures.full import ROOT
from tools import affected_stacks, audit, policy_pack


def _gitlab() -> dict[str, Any]:
    """The example of docs/ci.md, each job with what it extends."""
    (text,) = [block.text for block in blocks() if block.page == "docs/ci.md" and block.language == "yml"]
    file: dict[str, Any] = yaml.safe_load(text)

    def whole(name: str) -> dict[str, Any]:
        job = file[name]
        over = whole(job["extends"]) if "extends" in job else {}
        variables = {**over.get("variables", {}), **job.get("variables", {})}
        return {**over, **job, "variables": variables}

    others = ("stages", "default")
    jobs = {name: whole(name) for name in file if name not in others and not name.startswith(".")}
    assert {job["stage"] for job in jobs.values()} == set(file["stages"])
    return jobs


def _at(script: list[str], words: str) -> int:
    (found,) = [index for index, line in enumerate(script) if words in line]
    return found


def test_the_example_checks_as_github_does() -> None:
    jobs = _gitlab()
    script = jobs["check"]["script"]
    assert _at(script, "-m tools images") < _at(script, "make check")
    assert _at(script, "make sbom") >= 0
    assert jobs["audit"]["allow_failure"] == {"exit_codes": audit.UNKNOWN}
    assert list(jobs).index("check") < list(jobs).index("preview"), "stages say it too"


def test_the_example_previews_no_branch_by_itself() -> None:
    """GitLab takes the pipeline from the branch, with whatever that has made of it."""
    (rule,) = _gitlab()["preview"]["rules"]
    assert rule["when"] == "manual"
    assert "allow_failure" not in _gitlab()["preview"], "the comment waits for it"


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "drift"])
def test_the_example_has_a_way_in_and_closes_it(name: str) -> None:
    job = _gitlab()[name]
    key = job["before_script"][_at(job["before_script"], "SSH_PRIVATE_KEY")]
    assert key == "(umask 077 && printf '%s\\n' \"$SSH_PRIVATE_KEY\" > ~/.ssh/id_ed25519)"
    used = "make drift" if name == "drift" else "make up"
    opening = job["script"][_at(job["script"], "runner-firewall open")]
    assert _at(job["script"], "runner-firewall open") < _at(job["script"], used)
    closing = opening.replace("runner-firewall open", "runner-firewall close")
    assert closing in job["after_script"], "it runs however the job ends"
    assert job["resource_group"] == "stack-$STACK"


def test_the_example_deploys_in_order_and_gives_each_environment_its_own_secrets() -> None:
    jobs = _gitlab()
    deployed = [name for name, job in jobs.items() if job["stage"] == "deploy"]
    files = {path.name.split(".")[1] for path in (ROOT / "stacks").iterdir()}
    assert tuple(deployed) == affected_stacks.classify([], files).deployed
    assert [jobs[name]["needs"] for name in deployed] == [[], ["dev"], ["staging"]]
    for name in deployed:
        assert jobs[name]["environment"] == jobs[name]["variables"]["STACK"] == name
        script = jobs[name]["script"]
        assert (
            _at(script, "overtaken origin/main")
            < _at(script, "make policy")
            < _at(script, f"{policy_pack.WANTED}=1 make up")
        )
    for name in ("preview", "drift"):
        assert jobs[name]["environment"] == {"name": f"$STACK-{name}", "action": "access"}
        assert jobs[name]["parallel"] == {"matrix": [{"STACK": deployed}]}
    assert jobs["drift"]["script"][-1] == 'make drift STACK="$STACK"'
    when = {name: job["rules"][0]["if"] for name, job in jobs.items()}
    assert "schedule" in when["drift"]
    assert all('== "push"' in when[name] for name in deployed), "a schedule deploys nothing"


def test_the_scripts_of_the_example_are_shell() -> None:
    for name, job in _gitlab().items():
        for part in ("before_script", "script", "after_script"):
            script = "\n".join(job.get(part, []))
            done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), f"{name}: {done.stderr}"

"""Which stacks a change touches."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tools import affected_stacks
from tools.errors import ToolError

STACKS = ["prod", "local", "dev", "rehearsal", "staging", "qa"]
DEPLOYED = ("dev", "staging", "qa", "prod")


@pytest.mark.parametrize(
    ("paths", "stacks"),
    [
        (["stacks/Pulumi.prod.yaml"], ("prod",)),
        (["stacks/Pulumi.prod.yaml", "stacks/Pulumi.dev.yaml", "docs/x.md"], ("dev", "prod")),
        (["docs/fleet.md", "README.md", "tests/unit/test_x.py", ".github/workflows/drift.yml"], ()),
        (["localcloud/cloud/api.py", ".gitignore", "renovate.json"], ()),
        (["stacks/Pulumi.local.yaml", "stacks/Pulumi.rehearsal.yaml"], ()),
        (["components/edge.py"], DEPLOYED),
        (["configs/images.yaml"], DEPLOYED),
        (["__main__.py"], DEPLOYED),
        (["requirements.txt"], DEPLOYED),
        (["policy/ports.py"], DEPLOYED),
        (["docs/x.md", "configs/deploy/files.sh"], DEPLOYED),
        (["something/nobody/thought/of"], DEPLOYED),
        (["configs/README.md"], DEPLOYED),
        (["stacks/notes.txt"], DEPLOYED),
        (["stacks/prod/rules/shop.yml"], ("prod",)),
        (["stacks/local/rules/shop.yml"], ()),
        (["stacks/shared/rules/shop.yml"], DEPLOYED),
        ([], ()),
    ],
)
def test_a_path_touches(paths: list[str], stacks: tuple[str, ...]) -> None:
    assert affected_stacks.classify(paths, STACKS).stacks == stacks


def test_a_stack_file_that_goes_is_named_and_not_previewed() -> None:
    found = affected_stacks.classify(["stacks/Pulumi.old.yaml"], STACKS)
    assert (found.stacks, found.removed) == ((), ("old",))


def test_the_comment_says_that_what_was_deployed_stays() -> None:
    found = affected_stacks.parse_affected(affected_stacks.classify(["stacks/Pulumi.old.yaml"], STACKS).as_json())
    assert "what was deployed from it stays" in found.note
    assert "`make down STACK=old`" in found.note
    assert affected_stacks.classify(["stacks/Pulumi.dev.yaml"], STACKS).note == ""


@pytest.mark.parametrize("stacks", [STACKS, ["prod"], ["qa", "dev"], ["local"]])
def test_prod_is_deployed_last_and_no_stack_is_left_out(stacks: list[str]) -> None:
    told = json.loads(affected_stacks.classify([], stacks).as_json())
    assert told["before_last"] + [stack for stack in stacks if stack == "prod"] == told["all"]
    assert set(told["all"]) == set(stacks) - affected_stacks.ON_ONE_MACHINE


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stacks": 1}'])
def test_a_text_that_is_not_the_commands_output_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match="--affected: expected"):
        affected_stacks.parse_affected(text)


def _git(folder: Path, *words: str) -> None:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *names, *words], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with two stacks, and a branch that was left behind by main."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "components").mkdir()
    for stack in ("dev", "prod", "local"):
        (tmp_path / "stacks" / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    (tmp_path / "components" / "x.py").write_text("one\n")
    _git(tmp_path, "init", "-q", "-b", "main")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-qm", "one")
    _git(tmp_path, "switch", "-qc", "branch")
    return tmp_path


def _commit(clone: Path, path: str, text: str) -> None:
    (clone / path).parent.mkdir(parents=True, exist_ok=True)
    (clone / path).write_text(text)
    _git(clone, "add", "-A")
    _git(clone, "commit", "-qm", path)


def test_what_main_did_meanwhile_does_not_count(clone: Path) -> None:
    _git(clone, "switch", "-q", "main")
    _commit(clone, "components/x.py", "two\n")
    _git(clone, "switch", "-q", "branch")
    _commit(clone, "stacks/Pulumi.dev.yaml", "config: {'fleetwatch:env': b}\n")
    told = json.loads(affected_stacks.affected_since("main", clone).as_json())
    assert told == {
        "stacks": ["dev"], "removed": [], "all": ["dev", "prod"], "before_last": ["dev"],
        "automatic": ["dev"], "by_approval": [], "approval": {}, "new": [],
        "why": "the stack files of dev changed",
    }  # fmt: skip


@pytest.mark.parametrize("code", [False, True])
def test_a_new_stack_is_previewed_by_no_pipeline(clone: Path, code: bool) -> None:
    """Its environments do not exist: the CI would make them, and ask nobody."""
    _commit(clone, "stacks/Pulumi.evil.yaml", "config: {'fleetwatch:env': b}\n")
    if code:
        _commit(clone, "components/x.py", "two\n")
    found = affected_stacks.affected_since("main", clone)
    told = json.loads(found.as_json())
    assert "evil" in told["stacks"], "a merge deploys it"
    assert "evil" not in told["automatic"] + told["by_approval"]
    assert "No preview of `evil`" in found.note
    assert affected_stacks.parse_affected(found.as_json()) == found


def test_a_stack_file_that_was_moved_counts_in_both_places(clone: Path) -> None:
    _git(clone, "mv", "stacks/Pulumi.dev.yaml", "stacks/Pulumi.qa.yaml")
    _git(clone, "commit", "-qm", "move")
    found = affected_stacks.affected_since("main", clone)
    assert (found.stacks, found.removed) == (("qa",), ("dev",))


def test_a_name_that_git_would_quote_is_read(clone: Path) -> None:
    _commit(clone, "docs/ä b.md", "x\n")
    assert affected_stacks.affected_since("main", clone).stacks == ()
    _commit(clone, "components/ä\nb.py", "x\n")
    assert affected_stacks.affected_since("main", clone).stacks == ("dev", "prod")


@pytest.mark.parametrize("base", ["no-such-branch", "0" * 40, "--help"])
def test_a_base_that_git_does_not_know_is_told(clone: Path, base: str) -> None:
    with pytest.raises(ToolError, match="expected a commit or branch that this clone has"):
        affected_stacks.affected_since(base, clone)


def test_the_secrets_of_a_stack_touch_it() -> None:
    found = affected_stacks.classify(["stacks/secrets.dev.yaml", "stacks/secrets.gone.yaml"], ["dev", "prod"])
    assert (found.stacks, found.removed) == (("dev",), ())


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("components/x.py", ("dev", "prod")),
        ("stacks/Pulumi.prod.yaml", ("prod",)),
        ("docs/x.md", ()),
        ("stacks/Pulumi.qa.yaml", ()),
    ],
)
def test_a_deployment_that_a_newer_one_overtook_is_refused(clone: Path, path: str, refused: tuple[str, ...]) -> None:
    _git(clone, "switch", "-q", "main")  # goes on; what is checked out afterwards is the commit before
    _commit(clone, path, "config: {a: b}\n")
    _git(clone, "switch", "-q", "branch")
    for stack in ("dev", "prod"):
        if stack in refused:
            with pytest.raises(ToolError, match=rf"Overtaken: main has .* affect {stack} .*Nothing was changed"):
                affected_stacks.refuse_overtaken(stack, "main", clone)
        else:
            said = affected_stacks.refuse_overtaken(stack, "main", clone)
            assert said == f"main has no newer commit that affects {stack}."


def test_the_newest_commit_is_not_overtaken(clone: Path) -> None:
    _commit(clone, "components/x.py", "two\n")
    assert "no newer commit" in affected_stacks.refuse_overtaken("prod", "main", clone), "main is behind, or the same"


def test_a_clone_that_does_not_know_main_refuses_too(clone: Path) -> None:
    with pytest.raises(ToolError, match="affected origin/main: expected a commit or branch that this clone has"):
        affected_stacks.refuse_overtaken("prod", "origin/main", clone)

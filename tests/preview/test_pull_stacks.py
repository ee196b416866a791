"""Which stack files of a pull request are previewed at once, and how they reach the program of the other branch."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tools import affected_stacks, pull_stacks
from tools.errors import ToolError

FILE, SECRETS = pull_stacks.files("prod")
BEFORE = """\
config:
  fleetwatch:hub: {droplet: {region: fra1}}
  digitalocean:token: {secure: v1:aaaa}
"""
SECRET = "config:\n  fleetwatch:hosts: {hub: {postgres: {main: {dsn: {secure: v1:bbbb}}}}}\nencryptionsalt: v1:salt\n"
CODE = "components/x.py"


def _git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True)


def _commit(folder: Path, files: dict[str, str | None]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        if text is None:
            (folder / path).unlink()
        else:
            (folder / path).write_text(text)
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "x")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a pull request whose branch parted from main, which went on."""
    made = tmp_path / "pull"
    made.mkdir()
    _git(made, "init", "-q", "-b", "main")
    _commit(made, {FILE: BEFORE, SECRETS: SECRET, CODE: "1\n", "stacks/Pulumi.dev.yaml": "config: {}\n"})
    _git(made, "checkout", "-q", "-b", "branch")
    _git(made, "checkout", "-q", "main")
    _commit(made, {CODE: "main\n"})
    _git(made, "checkout", "-q", "branch")
    return made


AUTOMATIC = {
    "a setting": {FILE: BEFORE.replace("fra1", "ams3")},
    "a host": {FILE: BEFORE + "  fleetwatch:hosts: {web-1: {droplet: {}}}\n"},
    "a secret that goes": {SECRETS: "config: {}\nencryptionsalt: v1:salt\n"},
    "no YAML": {FILE: "config: [\n"},
}
BY_APPROVAL = {
    "code": ({CODE: "2\n"}, rf"the pull request changes code \({CODE}\)"),
    "code and a setting": ({CODE: "2\n", FILE: BEFORE.replace("fra1", "ams3")}, "the pull request changes code"),
    "an address for the token": (
        {FILE: BEFORE + "  digitalocean:apiEndpoint: https://example.net\n"},
        "changes digitalocean:apiEndpoint, which is not fleetwatch's own",
    ),
    "another token": ({FILE: BEFORE.replace("{secure: v1:aaaa}", "x")}, "changes digitalocean:token"),
    "a key service": ({FILE: BEFORE + "secretsprovider: hashivault://x\n"}, "changes secretsprovider"),
    "an environment of Pulumi": ({FILE: BEFORE + "environment: [other]\n"}, "changes environment"),
    "another salt": ({SECRETS: SECRET.replace("v1:salt", "v1:other")}, "secrets.prod.yaml changes encryptionsalt"),
    "an encrypted value where it is shown": (
        {FILE: BEFORE + "  fleetwatch:env: {secure: v1:bbbb}\n"},
        "has an encrypted value that is new at config.fleetwatch:env",
    ),
    "an encrypted value in a list": (
        {FILE: BEFORE + "  fleetwatch:access: {cidrs: [{secure: v1:bbbb}]}\n"},
        "new at config.fleetwatch:access.cidrs.0",
    ),
    "a new secret": ({SECRETS: SECRET.replace("bbbb", "cccc")}, "new at config.fleetwatch:hosts.hub.postgres.main.dsn"),
}


@pytest.mark.parametrize("case", AUTOMATIC)
def test_a_change_of_settings_alone_is_previewed_at_once(clone: Path, case: str) -> None:
    _commit(clone, dict(AUTOMATIC[case]))
    found = affected_stacks.affected_since("main", clone)
    assert (found.stacks, found.approval) == (("prod",), {})
    assert '"automatic": ["prod"], "by_approval": []' in found.as_json()


@pytest.mark.parametrize("case", BY_APPROVAL)
def test_what_could_lead_a_secret_elsewhere_waits_for_an_approval(clone: Path, case: str) -> None:
    files, reason = BY_APPROVAL[case]
    _commit(clone, dict(files))
    found = affected_stacks.affected_since("main", clone)
    assert re.search(reason, found.approval["prod"]), found.approval
    assert '"automatic": []' in found.as_json()
    assert affected_stacks.parse_affected(found.as_json()).approval == found.approval


def test_a_new_stack_is_previewed_at_once_if_it_has_no_secret(clone: Path) -> None:
    _commit(clone, {"stacks/Pulumi.qa.yaml": "config: {}\n", "stacks/Pulumi.qb.yaml": SECRET})
    found = affected_stacks.affected_since("main", clone)
    assert set(found.stacks) == {"qa", "qb"}
    assert set(found.approval) == {"qb"}


@pytest.mark.parametrize("name", ["$(touch x)", "a;b", "a b", "-x", "`id`", "a'b", "..", "a\nb"])
def test_a_stack_file_with_a_name_that_a_shell_reads_is_refused(clone: Path, name: str) -> None:
    _commit(clone, {f"stacks/Pulumi.{name}.yaml": BEFORE})
    with pytest.raises(ToolError, match="expected a stack's name of letters, digits"):
        affected_stacks.affected_since("main", clone)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout of main that previews."""
    (tmp_path / "main" / "stacks").mkdir(parents=True)
    (tmp_path / "main" / FILE).write_text(BEFORE)
    (tmp_path / "main" / SECRETS).write_text(SECRET)
    return tmp_path / "main"


def test_the_files_are_taken_and_nothing_else(clone: Path, checkout: Path) -> None:
    _commit(clone, {FILE: BEFORE.replace("fra1", "ams3"), "docs/x.md": "x\n"})
    pull_stacks.take("prod", clone, "main", checkout)
    assert {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()} == {FILE, SECRETS}
    assert "ams3" in (checkout / FILE).read_text()


def test_files_that_main_changed_meanwhile_are_not_taken(clone: Path, checkout: Path) -> None:
    (checkout / FILE).write_text(BEFORE + "  fleetwatch:hosts: {web-1: {droplet: {}}}\n")
    _commit(clone, {FILE: BEFORE.replace("fra1", "ams3")})
    with pytest.raises(ToolError, match=f"Not taken: main has changed {FILE} since this branch began; merge main"):
        pull_stacks.take("prod", clone, "main", checkout)


def test_files_that_need_an_approval_are_not_taken(clone: Path, checkout: Path) -> None:
    """Also where `affected` was made to say something else."""
    _commit(clone, {FILE: BEFORE + "  digitalocean:apiEndpoint: https://example.net\n"})
    with pytest.raises(ToolError, match="Not taken: .*digitalocean:apiEndpoint.*needs an approval"):
        pull_stacks.take("prod", clone, "main", checkout)
    assert (checkout / FILE).read_text() == BEFORE


@pytest.mark.parametrize("path", [FILE, SECRETS])
def test_a_link_is_not_followed(clone: Path, checkout: Path, path: str) -> None:
    (clone / path).unlink()
    (clone / path).symlink_to("/proc/self/environ")
    _commit(clone, {})
    with pytest.raises(ToolError, match=f"{path}: expected a plain file, git has the mode 120000"):
        pull_stacks.take("prod", clone, "main", checkout)
    assert (checkout / path).read_text()

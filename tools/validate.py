"""`python -m tools validate`: stack files checked by themselves, without this machine, the cloud, or any credential."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from components import custom_folder
from configs import custom
from configs.settings.messages import for_stack, in_clear_text
from configs.settings.secrets import readable
from configs.validation import check_file
from tools import missing, secrets_provider, stack_names, working_copy
from tools.cli import Commands
from tools.errors import ToolError
from tools.paths import CHECKOUT, shown_path
from tools.progress import say

# What `make rehearse` adds to its stack file on each machine, such as an SSH key: without it that file is not complete.
_COMPLETED_LATER = "Pulumi.rehearsal.yaml"


def register(commands: Commands) -> None:
    parser = commands.add("validate", _validate, "check stack files by themselves, without credentials")
    parser.add_argument("files", nargs="*", type=Path, help="without any: all of stacks/, but not the rehearsal's")


def _validate(options: argparse.Namespace) -> int:
    return validate([file.resolve() for file in options.files])


def validate(files: Sequence[Path]) -> int:
    """Shows every problem of these stack files (none named: of all in stacks/). Exit code 1 if there is one."""
    stacks = sorted((CHECKOUT / "stacks").glob("Pulumi.*.yaml"))
    checked = list(files) or [file for file in stacks if file.name != _COMPLETED_LATER]
    found = [problem for file in checked for problem in problems(file)]
    for problem in found:
        say(f"  - {problem}")
    say(f"{len(checked)} stack files, {len(found)} problems")
    return 1 if found else 0


def problems(file: Path) -> Iterator[str]:
    """Of one stack file. A secret that is not set yet is none: secrets are set apart from the file."""
    shown, env = shown_path(file), stack_names.of_file(file)
    try:
        content, unreadable = working_copy.parse_repaired(working_copy.read_text(file), shown)
        yield from unreadable
        if unreadable and not content:
            return
        if not unreadable:
            secrets_provider.choose(file, file)
    except ToolError as error:
        yield str(error)
        return
    config = content.get("config") or {}
    settings, found = check_file({"env": env, **readable(missing.completed(config, env))}, shown)
    yield from found
    if settings is not None:
        yield from custom.problems(custom_folder.added(settings, CHECKOUT))
    for path in working_copy.plain_secrets(config):
        yield for_stack(f"{in_clear_text(path)} ({shown})", env)

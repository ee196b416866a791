"""Which stacks a change affects: a stack file its own stack, every other file of the program all stacks.

Documentation, tests, workflows and the rehearsal cloud affect none. An unknown path affects every stack: a preview too
many is better than one too few.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools.cli import Commands
from tools.comment.records import LAST, rank
from tools.errors import ToolError
from tools.paths import CHECKOUT
from tools.progress import say

_STACK_FILE = re.compile(r"^stacks/Pulumi\.([^/]+)\.ya?ml$")
_SECRETS = re.compile(r"^stacks/secrets\.([^/]+)\.ya?ml$")  # its encrypted values
# Of one machine, not of a team: no runner deploys them.
ON_ONE_MACHINE = frozenset({"local", "rehearsal"})
_NOTHING_DEPLOYED = re.compile(
    r"^(docs|tests|localcloud|\.github|\.ci)/"
    r"|^[^/]*\.md$|^\.gitignore$|^\.yamllint\.yaml$|^\.gitlab-ci\.yml$|^renovate\.json$|^LICEN[CS]E"
)


def register(commands: Commands) -> None:
    parser = commands.add("affected", _affected, "which stacks the commits since BASE affect, as JSON")
    parser.add_argument("base", help="a branch or commit")
    parser = commands.add(
        "overtaken", _overtaken, "fail when a newer commit than the one checked out affects the stack"
    )
    parser.add_argument("main", help="the branch that is deployed, such as origin/main")


def _affected(options: argparse.Namespace) -> None:
    say(affected_since(options.base, CHECKOUT).as_json())


def _overtaken(options: argparse.Namespace) -> None:
    say(refuse_overtaken(options.stack, options.main, CHECKOUT))


@dataclass(frozen=True)
class AffectedStacks:
    """`stacks`, in the order they are deployed in; `removed`: stacks whose file goes; `why`: a sentence."""

    stacks: tuple[str, ...]
    removed: tuple[str, ...] = ()
    why: str = ""
    deployed: tuple[str, ...] = field(default=())  # every stack of the checkout that a runner may deploy

    @property
    def note(self) -> str:
        """The comment's warning about stacks whose file is removed."""
        if not self.removed:
            return ""
        names = ", ".join(f"`{stack}`" for stack in self.removed)
        return (
            f"**The stack file of {names} is removed; what was deployed from it stays** and costs money. Before the "
            f"merge: `make down STACK={self.removed[0]}`, from a checkout that still has the file."
        )

    def as_json(self) -> str:
        """For a workflow's matrix. `before_last`: all but the one that is deployed after them."""
        before = [stack for stack in self.deployed if stack != LAST]
        affected = {"stacks": self.stacks, "removed": self.removed, "all": self.deployed, "before_last": before}
        return json.dumps({**affected, "why": self.why})


def parse_affected(text: str) -> AffectedStacks:
    """What `as_json` wrote. ToolError when it is something else."""
    try:
        parsed = json.loads(text)
        why, deployed = str(parsed["why"]), tuple(parsed["all"])
        return AffectedStacks(tuple(parsed["stacks"]), tuple(parsed["removed"]), why, deployed)
    except (ValueError, KeyError, TypeError):
        raise ToolError(
            f"--affected: expected the output of `python -m tools affected BASE`, got {text[:60]!r}."
        ) from None


def classify(paths: Iterable[str], stacks: Iterable[str]) -> AffectedStacks:
    """`paths`: what was changed, also what is gone; `stacks`: those whose file the checkout has now."""
    there = tuple(sorted(set(stacks) - ON_ONE_MACHINE, key=rank))
    own: set[str] = set()
    program = []
    for path in paths:
        found = _STACK_FILE.match(path)
        if found:
            own.add(found[1])
        elif secrets := _SECRETS.match(path):
            own |= {secrets[1]} & set(there)  # without its stack file nothing is done with it
        elif not _NOTHING_DEPLOYED.search(path):
            program.append(path)
    removed = tuple(sorted(own - set(there) - ON_ONE_MACHINE, key=rank))
    if program:
        more = f" and {len(program) - 1} more" if len(program) > 1 else ""
        return AffectedStacks(there, removed, f"every stack: {program[0]}{more} changed", there)
    affected = tuple(stack for stack in there if stack in own)
    why = (
        f"the stack files of {', '.join(affected)} changed" if affected else "no stack file and nothing of the program"
    )
    return AffectedStacks(affected, removed, why, there)


def affected_since(base: str, checkout: Path) -> AffectedStacks:
    """What the commits since `base` affect. ToolError when git does not know it."""
    there = [
        match[1] for path in (checkout / "stacks").glob("*") if (match := _STACK_FILE.match(f"stacks/{path.name}"))
    ]
    return classify(_changed(base, "HEAD", base, checkout), there)


def refuse_overtaken(stack: str, main: str, checkout: Path) -> str:
    """ToolError if `main` has newer commits that affect the stack: deploying this one would revert them. Otherwise a
    sentence."""
    newer = classify(_changed("HEAD", main, main, checkout), [stack])
    if newer.stacks:
        raise ToolError(
            f"Overtaken: {main} has newer commits that affect {stack} ({newer.why}). Nothing was changed; the run for "
            "the newest commit deploys it. To go back to an older state, revert on the branch."
        )
    return f"{main} has no newer commit that affects {stack}."


def _changed(ours: str, theirs: str, named: str, checkout: Path) -> list[str]:
    """Paths that differ between `theirs` and where the two parted; `named`: the one that the user named."""
    # Three dots: only what that side did since they parted. No renames: a moved stack file counts in both places.
    argv = ["git", "-C", str(checkout), "diff", "--name-only", "--no-renames", "-z", f"{ours}...{theirs}", "--"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(
            f"affected {named}: expected a commit or branch that this clone has, with a common ancestor ("
            f"{done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'git gives no reason'}); "
            "fetch it, with its history: `git fetch --unshallow`, or fetch-depth: 0 in a workflow."
        )
    return [path for path in done.stdout.split("\0") if path]

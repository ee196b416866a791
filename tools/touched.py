"""Which stacks a change touches: a stack file its own stack, anything else that the program is made of every stack.

What is neither program nor stack file (documentation, tests, workflows, the rehearsal cloud) touches none. A path that
nobody thought of here touches every stack: a preview too many is better than one too few.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools.comment.reading import LAST, rank
from tools.errors import ToolError

_STACK_FILE = re.compile(r"^stacks/Pulumi\.([^/]+)\.ya?ml$")
_SECRETS = re.compile(r"^stacks/secrets\.([^/]+)\.ya?ml$")  # its encrypted values
# Of one machine, not of a team: no runner deploys them.
ON_ONE_MACHINE = frozenset({"local", "rehearsal"})
_NOTHING_DEPLOYED = re.compile(
    r"^(docs|tests|localcloud|\.github|\.ci)/"
    r"|^[^/]*\.md$|^\.gitignore$|^\.yamllint\.yaml$|^\.gitlab-ci\.yml$|^renovate\.json$|^LICEN[CS]E"
)


@dataclass(frozen=True)
class Touched:
    """`stacks`, in the order they are deployed in; `removed`: stacks whose file goes; `why`: a sentence."""

    stacks: tuple[str, ...]
    removed: tuple[str, ...] = ()
    why: str = ""
    deployed: tuple[str, ...] = field(default=())  # every stack of the checkout that a runner may deploy

    @property
    def note(self) -> str:
        """What the comment has to say of stacks whose file goes."""
        if not self.removed:
            return ""
        names = ", ".join(f"`{stack}`" for stack in self.removed)
        return (
            f"**The stack file of {names} goes, what was deployed from it stays** and costs what it costs. Before the "
            f"merge: `make down STACK={self.removed[0]}`, from a checkout that still has the file."
        )

    def as_json(self) -> str:
        """For a workflow's matrix. `before_last`: all but the one that is deployed after them."""
        before = [stack for stack in self.deployed if stack != LAST]
        told = {"stacks": self.stacks, "removed": self.removed, "all": self.deployed, "before_last": before}
        return json.dumps({**told, "why": self.why})


def read(text: str) -> Touched:
    """What `as_json` wrote. ToolError when it is something else."""
    try:
        told = json.loads(text)
        return Touched(tuple(told["stacks"]), tuple(told["removed"]), str(told["why"]), tuple(told["all"]))
    except (ValueError, KeyError, TypeError):
        raise ToolError(f"--touched: expected what `python -m tools touched BASE` says, got {text[:60]!r}.") from None


def decide(paths: Iterable[str], stacks: Iterable[str]) -> Touched:
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
        return Touched(there, removed, f"every stack: {program[0]}{more} changed", there)
    touched = tuple(stack for stack in there if stack in own)
    why = f"the stack files of {', '.join(touched)} changed" if touched else "no stack file and nothing of the program"
    return Touched(touched, removed, why, there)


def since(base: str, checkout: Path) -> Touched:
    """What the commits since `base` touch. ToolError when git does not know it."""
    there = [
        match[1] for path in (checkout / "stacks").glob("*") if (match := _STACK_FILE.match(f"stacks/{path.name}"))
    ]
    return decide(_changed(base, "HEAD", base, checkout), there)


def refuse_overtaken(stack: str, main: str, checkout: Path) -> str:
    """ToolError if `main` has what this checkout lacks and what touches the stack: to deploy it would take that back.
    Otherwise a sentence."""
    newer = decide(_changed("HEAD", main, main, checkout), [stack])
    if newer.stacks:
        raise ToolError(
            f"Overtaken: {main} has what this commit lacks and what touches {stack} ({newer.why}). Nothing was "
            "changed; the run for the newest commit brings it. To go back to an older state, revert on the branch."
        )
    return f"{main} has nothing newer that touches {stack}."


def _changed(ours: str, theirs: str, named: str, checkout: Path) -> list[str]:
    """Paths that differ between `theirs` and where the two parted; `named`: the one that the user named."""
    # Three dots: only what that side did since they parted. No renames: a moved stack file counts in both places.
    words = ["git", "-C", str(checkout), "diff", "--name-only", "--no-renames", "-z", f"{ours}...{theirs}", "--"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(
            f"touched {named}: expected a commit or branch that this clone has, with a common ancestor ("
            f"{done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'git says nothing'}); "
            "fetch it, with its history: `git fetch --unshallow`, or fetch-depth: 0 in a workflow."
        )
    return [path for path in done.stdout.split("\0") if path]

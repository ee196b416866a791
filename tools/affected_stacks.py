"""Which stacks a change affects: a stack file its own stack, every other file of the program all stacks.

Documentation, tests, workflows and the rehearsal cloud affect none. An unknown path affects every stack: a preview too
many is better than one too few. A preview runs the program with the stack's secrets, so each stack is also sorted by
whether that needs an approval first (pull_stacks.py).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools import pull_stacks
from tools.cli import Commands
from tools.comment.records import LAST, rank
from tools.errors import ToolError
from tools.paths import CHECKOUT
from tools.progress import say
from tools.stack_names import checked

_STACK_FILE = re.compile(r"^stacks/Pulumi\.([^/]+)\.ya?ml$")
_FOLDER = re.compile(r"^stacks/([^/]+)/")  # own dashboards and rules of one stack; another folder may be shared
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
    parser.add_argument(
        "--clone", type=Path, default=CHECKOUT, help="a clone at whose HEAD to look; without it: this one"
    )
    parser = commands.add(
        "overtaken", _overtaken, "fail when a newer commit than the one checked out affects the stack"
    )
    parser.add_argument("main", help="the branch that is deployed, such as origin/main")


def _affected(options: argparse.Namespace) -> None:
    say(affected_since(options.base, options.clone).as_json())


def _overtaken(options: argparse.Namespace) -> None:
    say(refuse_overtaken(options.stack, options.main, CHECKOUT))


@dataclass(frozen=True)
class AffectedStacks:
    """`stacks`, in the order they are deployed in; `removed`: stacks whose file goes; `why`: a sentence. `approval`:
    those of `stacks` whose preview needs one, with the reason; `new`: those that the base does not have, which no
    pipeline previews: the CI would make their environments, without an approval."""

    stacks: tuple[str, ...]
    removed: tuple[str, ...] = ()
    why: str = ""
    deployed: tuple[str, ...] = field(default=())  # every stack of the checkout that a runner may deploy
    approval: Mapping[str, str] = field(default_factory=dict)
    new: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The comment's warning about stacks whose file is removed, and about new ones."""
        new = ", ".join(f"`{stack}`" for stack in self.new)
        added = (
            f"No preview of {new}: it is new here, and its environments do not exist yet (docs/ci.md)." if new else ""
        )
        return "\n\n".join(part for part in (self._removal(), added) if part)

    def _removal(self) -> str:
        if not self.removed:
            return ""
        names = ", ".join(f"`{stack}`" for stack in self.removed)
        return (
            f"**The stack file of {names} is removed; what was deployed from it stays** and costs money. Before the "
            f"merge: `make down STACK={self.removed[0]}`, from a checkout that still has the file."
        )

    def as_json(self) -> str:
        """For a workflow's matrix. `before_last`: all but the one that is deployed after them; `automatic` and
        `by_approval`: those of `stacks` that are previewed at once, and the others."""
        before = [stack for stack in self.deployed if stack != LAST]
        affected = {"stacks": self.stacks, "removed": self.removed, "all": self.deployed, "before_last": before}
        approval = {
            "automatic": [stack for stack in self.stacks if stack not in (*self.approval, *self.new)],
            "by_approval": [stack for stack in self.approval if stack not in self.new],
            "approval": dict(self.approval),
            "new": self.new,
        }
        return json.dumps({**affected, **approval, "why": self.why})


def parse_affected(text: str) -> AffectedStacks:
    """What `as_json` wrote. ToolError when it is something else."""
    try:
        parsed = json.loads(text)
        why, deployed = str(parsed["why"]), tuple(parsed["all"])
        approval = {str(stack): str(reason) for stack, reason in parsed["approval"].items()}
        new = tuple(map(str, parsed["new"]))
        return AffectedStacks(tuple(parsed["stacks"]), tuple(parsed["removed"]), why, deployed, approval, new)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ToolError(
            f"--affected: expected the output of `python -m tools affected BASE`, got {text[:60]!r}."
        ) from None


def classify(paths: Iterable[str], stacks: Iterable[str]) -> AffectedStacks:
    """`paths`: what was changed, also what is gone; `stacks`: those whose file the checkout has now."""
    there = tuple(sorted({checked(stack, "stacks/") for stack in stacks} - ON_ONE_MACHINE, key=rank))
    own: set[str] = set()
    program = []
    for path in paths:
        found = _STACK_FILE.match(path)
        if found:
            own.add(checked(found[1], path))
        elif secrets := _SECRETS.match(path):
            own |= {secrets[1]} & set(there)  # without its stack file nothing is done with it
        elif (folder := _FOLDER.match(path)) and folder[1] in {*there, *ON_ONE_MACHINE}:
            own |= {folder[1]} & set(there)
        elif not _NOTHING_DEPLOYED.search(path):
            program.append(path)
    removed = tuple(sorted(own - set(there) - ON_ONE_MACHINE, key=rank))
    if program:
        more = f" and {len(program) - 1} more" if len(program) > 1 else ""
        reason = f"the pull request changes code ({program[0]}{more})"
        why = f"every stack: {program[0]}{more} changed"
        return AffectedStacks(there, removed, why, there, dict.fromkeys(there, reason))
    affected = tuple(stack for stack in there if stack in own)
    why = (
        f"the stack files of {', '.join(affected)} changed" if affected else "no stack file and nothing of the program"
    )
    return AffectedStacks(affected, removed, why, there)


def affected_since(base: str, checkout: Path) -> AffectedStacks:
    """What the commits since `base` affect. ToolError when git does not know it."""
    there = _stacks(f"stacks/{path.name}" for path in (checkout / "stacks").glob("*"))
    found = classify(_changed(base, "HEAD", base, checkout), there)
    listed = _git(["ls-tree", "--name-only", base, "stacks/"], base, checkout).splitlines()
    known = _stacks(listed)
    found = replace(found, new=tuple(stack for stack in found.stacks if stack not in known))
    if found.approval:
        return found
    start = _git(["merge-base", base, "HEAD"], base, checkout).strip()
    reasons = {
        stack: pull_stacks.needs_approval(
            pull_stacks.committed(stack, checkout, start), pull_stacks.committed(stack, checkout, "HEAD")
        )
        for stack in found.stacks
    }
    return replace(found, approval={stack: reason for stack, reason in reasons.items() if reason})


def _stacks(paths: Iterable[str]) -> set[str]:
    """The stacks whose files are among these."""
    return {match[1] for path in paths if (match := _STACK_FILE.match(path))}


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
    listed = _git(["diff", "--name-only", "--no-renames", "-z", f"{ours}...{theirs}", "--"], named, checkout)
    return [path for path in listed.split("\0") if path]


def _git(arguments: Sequence[str], named: str, checkout: Path) -> str:
    """What git prints; `named`: the branch or commit that the user named."""
    done = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(
            f"affected {named}: expected a commit or branch that this clone has, with a common ancestor ("
            f"{done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'git gives no reason'}); "
            "fetch it, with its history: `git fetch --unshallow`, or fetch-depth: 0 in a workflow."
        )
    return done.stdout

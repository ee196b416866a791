"""Pulumi as a program that runs for a user: its output line by line, and the meaning of its errors."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

from tools import state_files
from tools.errors import ToolError
from tools.progress import say
from tools.pulumi_output import readable

_WRONG_PASSPHRASE = "incorrect passphrase"
_LOCKED = "stack is currently locked by"  # for a state in a bucket; one in a folder is checked before
_IN_PROGRESS = "update is currently in progress"  # Pulumi Cloud's lock: [409] Conflict: Another ...
_NO_LOGIN = "PULUMI_ACCESS_TOKEN must be set"
_KNOWN = (_WRONG_PASSPHRASE, _LOCKED, _IN_PROGRESS, _NO_LOGIN)
_UNREACHABLE = re.compile(r"\bhost (\S+): no SSH connection to ")  # configs/deploy/on_host.sh and contact.sh
_CREATED_BY = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")


def streamed(
    argv: Sequence[str], env: Mapping[str, str], stack: str, shown: Callable[[str], None] | None = None
) -> int:
    """Run with the output shown line by line, without its noise. `shown` gets each line as well.

    The first Ctrl-C makes Pulumi stop in order, the second at once. It runs in a new session, so that each of them
    reaches it once.
    """
    interrupted, wrong = False, ""  # `wrong`: the lines that `explain` knows
    with subprocess.Popen(
        argv, env=dict(env), text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as pulumi:
        while True:
            try:
                for line in readable(pulumi.stdout or ()):
                    print(line, end="", flush=True)
                    if shown is not None:
                        shown(line)
                    known = any(text in line for text in _KNOWN) or (wrong and _CREATED_BY.search(line))
                    wrong = wrong + line if known else wrong
                code = int(pulumi.wait())
                break
            except KeyboardInterrupt:
                if not interrupted:
                    say("Interrupted: Pulumi finishes the operations in progress; Ctrl-C again stops it at once.")
                interrupted = True
                pulumi.send_signal(signal.SIGINT)
    if interrupted:
        raise KeyboardInterrupt
    if code and wrong:
        raise ToolError(explain(wrong, stack))
    return code


def unreachable(line: str) -> str | None:
    """The host that a line reports as one without an SSH connection."""
    found = _UNREACHABLE.search(line)
    return found[1] if found else None


def errors(digest: str) -> str:
    """The errors among the diagnostics of a preview for programs; nothing if it is none."""
    try:
        diagnostics = json.loads(digest).get("diagnostics") or []
    except ValueError:
        return ""
    return "".join(one.get("message", "") for one in diagnostics if one.get("severity") == "error").strip()


def explain(message: str, stack: str) -> str:
    """Pulumi's error message, with the fix where it is known."""
    if _WRONG_PASSPHRASE in message:
        return (
            "The passphrase is not the one that this stack's secrets were encrypted with. It is kept in the file "
            "`passphrase` of the stack's state; if PULUMI_CONFIG_PASSPHRASE is set, unset it and try again."
        )
    if _LOCKED in message:
        owners = [
            f"{user} on {host}, process {pid}, since {since}" for user, host, pid, since in _CREATED_BY.findall(message)
        ]
        return state_files.in_use(" and ".join(owners) or "unknown", stack)
    if _IN_PROGRESS in message:
        return state_files.in_use("the stack's page in Pulumi Cloud shows which", stack)
    if _NO_LOGIN in message:
        return (
            "The state is in Pulumi Cloud: set PULUMI_ACCESS_TOKEN to your token (the login of your CLI is not used)."
        )
    return f"Pulumi failed: {message}"

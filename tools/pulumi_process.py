"""The engine as a program that is run for a user: its output line by line, and what its errors mean."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence

from tools import pulumi_state
from tools.errors import ToolError
from tools.progress import say
from tools.pulumi_output import readable

_WRONG_PASSPHRASE = "incorrect passphrase"
_LOCKED = "stack is currently locked by"  # of a state in a bucket; in a folder we look ourselves, before
_IN_PROGRESS = "update is currently in progress"  # Pulumi Cloud's lock: [409] Conflict: Another ...
_NO_LOGIN = "PULUMI_ACCESS_TOKEN must be set"
_KNOWN = (_WRONG_PASSPHRASE, _LOCKED, _IN_PROGRESS, _NO_LOGIN)
_CREATED_BY = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")


def streamed(argv: Sequence[str], env: Mapping[str, str], stack: str) -> int:
    """Run with the output shown line by line, without its noise.

    The first Ctrl-C asks the engine to end in order, the second to end at once. It has a session of its own, so that
    each of them reaches it once.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    interrupted, wrong = False, ""  # `wrong`: what `explain` knows a way out of
    with subprocess.Popen(argv, env=dict(env), text=True, start_new_session=True, **pipes) as engine:  # type: ignore[call-overload]
        while True:
            try:
                for line in readable(engine.stdout):
                    print(line, end="", flush=True)
                    known = any(words in line for words in _KNOWN) or (wrong and _CREATED_BY.search(line))
                    wrong = wrong + line if known else wrong
                code = int(engine.wait())
                break
            except KeyboardInterrupt:
                if not interrupted:
                    say("Interrupted: the engine finishes what it is doing; Ctrl-C again ends it at once.")
                interrupted = True
                engine.send_signal(signal.SIGINT)
    if interrupted:
        raise KeyboardInterrupt
    if code and wrong:
        raise ToolError(explain(wrong, stack))
    return code


def errors(digest: str) -> str:
    """The errors among the diagnostics of a preview for programs; nothing if it is none."""
    try:
        told = json.loads(digest).get("diagnostics") or []
    except ValueError:
        return ""
    return "".join(one.get("message", "") for one in told if one.get("severity") == "error").strip()


def explain(said: str, stack: str) -> str:
    """The engine's words, with the way out where it is known."""
    if _WRONG_PASSPHRASE in said:
        return (
            "The passphrase is not the one that this stack's secrets were encrypted with. It is kept in the file "
            "`passphrase` of the stack's state; if PULUMI_CONFIG_PASSPHRASE is set, unset it and try again."
        )
    if _LOCKED in said:
        owners = [
            f"{user} on {host}, process {pid}, since {since}" for user, host, pid, since in _CREATED_BY.findall(said)
        ]
        return pulumi_state.in_use(" and ".join(owners) or "somebody", stack)
    if _IN_PROGRESS in said:
        return pulumi_state.in_use("whose, the stack's page in Pulumi Cloud says", stack)
    if _NO_LOGIN in said:
        return (
            "The state is in Pulumi Cloud: set PULUMI_ACCESS_TOKEN to a token of yours (your CLI's login is not used)."
        )
    return f"The engine says: {said}"

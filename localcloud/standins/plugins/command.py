"""Stand-in for the command provider: `command:local:Command`, by running the command with the shell.

As the real one: `create` once; when an input changes, `update`, or `create` again where there is none; new `triggers`
replace; `delete` at the end. The previous output is in the environment unless `addPreviousOutputInEnv` is false. Lines
appear beside the resource while the command runs (`logging`), and a failure shows the command and its whole output.

Limits: no assets or archives, no `local.run` function, nothing remote.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import threading
from typing import IO, Any

from localcloud.standins.plugins.provider import Package, State
from localcloud.standins.plugins.schema import Prop, Table
from localcloud.standins.plugins.server import Log

STDOUT, STDERR = "PULUMI_COMMAND_STDOUT", "PULUMI_COMMAND_STDERR"

TABLE = Table(
    token="command:local:Command",
    props={
        "create": Prop(kind="str"),
        "update": Prop(kind="str"),
        "delete": Prop(kind="str"),
        "stdin": Prop(kind="str"),
        "environment": Prop(kind="map"),
        "triggers": Prop(kind="list", item="any", replace=True),
        "dir": Prop(kind="str"),
        "interpreter": Prop(kind="list"),
        "logging": Prop(kind="str", choices=("stdout", "stderr", "stdoutAndStderr", "none")),
        "addPreviousOutputInEnv": Prop(kind="bool"),
        "stdout": Prop(kind="str", output=True, volatile=True),
        "stderr": Prop(kind="str", output=True, volatile=True),
    },
)


class CommandFailed(Exception):
    """The message of the real provider."""


class LocalCommand:
    table = TABLE

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: set[subprocess.Popen[str]] = set()

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        made = f"{urn.rsplit('::', 1)[-1]}{secrets.token_hex(4)}"
        return made, self._run(urn, inputs.get("create"), inputs, {"stdout": "", "stderr": ""})

    def read(self, resource_id: str, state: State) -> State | None:
        return state  # the effect of a command cannot be read back

    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        command = inputs.get("update")
        return self._run(urn, inputs.get("create") if command is None else command, inputs, _outputs(old))

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        self._run(urn, state.get("delete"), state, _outputs(state))

    def cancel(self) -> None:
        for process in list(self._running):
            _kill(process)

    def _run(self, urn: str, command: str | None, inputs: State, before: State) -> State:
        if command is None:
            return before
        output: list[str] = []
        heard: dict[str, list[str]] = {"stdout": [], "stderr": []}
        process = subprocess.Popen(
            [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), command],
            text=True,
            errors="replace",
            cwd=inputs.get("dir"),
            env=_environment(inputs, before),
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._running.add(process)
        try:
            readers = [
                self._reader(urn, name, getattr(process, name), inputs, [output, heard[name]])
                for name in ("stdout", "stderr")
            ]
            _feed(process, inputs.get("stdin") or "")
            for reader in readers:
                reader.join()
            code = process.wait()
        finally:
            self._running.discard(process)
        if code != 0:
            how = f"exit status {code}" if code > 0 else f"signal: {signal.strsignal(-code) or -code}".lower()
            raise CommandFailed(f"{how}: running {_quoted(command)}:\n{''.join(output)}")
        return {name: "".join(lines).removesuffix("\n") for name, lines in heard.items()}

    def _reader(self, urn: str, name: str, stream: IO[str], inputs: State, into: list[list[str]]) -> threading.Thread:
        shown = inputs.get("logging") or "stdoutAndStderr"
        live = shown in (name, "stdoutAndStderr")

        def read() -> None:
            for line in stream:
                for collected in into:
                    collected.append(line)
                if live:
                    self._log.info(line.rstrip("\n"), urn, live=True)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread


def _outputs(state: State) -> State:
    return {name: state.get(name) or "" for name in ("stdout", "stderr")}


def _environment(inputs: State, before: State) -> dict[str, str]:
    env = {**os.environ, **(inputs.get("environment") or {})}
    if inputs.get("addPreviousOutputInEnv") is not False:
        env |= {key: before[name] for key, name in ((STDOUT, "stdout"), (STDERR, "stderr")) if before[name]}
    return env


def _feed(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    # A command that does not want its input, or ended early, is no failure here: its exit code says what happened.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(text)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _quoted(command: str) -> str:
    escaped = command.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _kill(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def package(log: Log) -> Package:
    local = LocalCommand(log)
    return Package(
        "command", Table(token="pulumi:providers:command", props={}), {TABLE.token: local}, cancel=local.cancel
    )

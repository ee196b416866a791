"""`make alert-test RECEIVER=`: one test alert to one receiver, and the answer of each of its services.

A second Alertmanager sends it, beside the running one in its container: the same program, the same templates, secrets
and network, and the receiver as it is deployed. The running one is not involved: no other receiver gets the alert, no
silence or quiet hours hold it back, and a failure is not counted as a lost notification.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs import names
from configs.names import NOBODY
from configs.services import alertmanager
from tools import nodes, remote_access
from tools.cli import Commands
from tools.errors import ToolError
from tools.progress import say, step
from tools.stack_factory import open_stack
from tools.unknown_name import unknown

SCRIPT = Path(__file__).with_suffix(".sh")
PORT = 19093
PATIENCE = 30  # seconds for a message; Alertmanager gives up after ten
TIMEOUT = 150
_FAILED = re.compile(
    r"notify retry canceled (?:due to unrecoverable error )?after \d+ attempts: (.*)", re.DOTALL
)  # Alertmanager's frame around a service's error
_BOT_TOKEN = re.compile(r"/bot[^/\s]+/")  # Telegram has it in the address, which an error may repeat


@dataclass(frozen=True)
class Answer:
    """What a service of the receiver answered to the alert and to its end. None: it took the message; "": it was not
    sent one."""

    service: str
    alert: str | None
    end: str | None


def register(commands: Commands) -> None:
    parser = commands.add("alert-test", _alert_test, "send one test alert to a receiver, show the answer")
    parser.add_argument("receiver", help="its name in the stack file")


def _alert_test(options: argparse.Namespace) -> int:
    stack = open_stack(options)
    outputs = stack.outputs()
    container = names.container(stack.prefix(), "alertmanager")
    docker = nodes.docker(stack, outputs)
    deployed = _docker(docker, ("exec", container, "cat", f"{alertmanager.CONFIG}/alertmanager.yml"))
    config = only(deployed, options.receiver)
    services = services_of(config)
    settings = stack.settings()
    variables = {
        **script_variables(options.receiver, len(services), f"/tmp/receiver-test-{secrets.token_hex(4)}"),
        "ENVIRONMENT": settings.env if settings is not None else stack.name,
        "DASHBOARD": str(outputs["url"]),
    }
    environment = [f"-e{key}={value}" for key, value in variables.items()]
    with step(f"Sending a test alert to {options.receiver} ({', '.join(services)}), then its end"):
        log = _docker(docker, ("exec", "-i", *environment, container, "sh", "-s"), script(config))
    return show(options.receiver, answers(log, services))


def script(config: str) -> str:
    """alert_test.sh for a shell's standard input: a login shell on the way may take no line breaks in arguments."""
    return f"CONFIG={shlex.quote(config)}\nrun() {{\n{SCRIPT.read_text()}\n}}\nrun < /dev/null\n"


def script_variables(receiver: str, count: int, work: str) -> dict[str, str]:
    """What alert_test.sh needs, apart from the environment's name and the dashboard's address."""
    return {
        "WORK": work,
        "PORT": str(PORT),
        "COUNT": str(count),
        "PATIENCE": str(PATIENCE),
        "SUMMARY": f"Test of receiver {receiver}",
        "DESCRIPTION": "Sent by make alert-test. Nothing is wrong and nothing has to be done.",
        "RUNBOOK": "docs/tasks/receivers.md",
    }


def only(deployed: str, receiver: str) -> str:
    """The deployed configuration with this receiver alone. ToolError if it has no such receiver."""
    found = yaml.safe_load(deployed)
    receivers = {one["name"]: one for one in found["receivers"] if one["name"] != NOBODY}
    if receiver not in receivers:
        problem = unknown("RECEIVER", receiver, "the name of a receiver that is deployed", receivers)
        raise ToolError(f"{problem} `make up` deploys one that was added to `hub.alerts.receivers` in the stack file.")
    route = {"receiver": receiver, "group_by": ["..."], "group_wait": "0s", "group_interval": "5s"}
    return yaml.safe_dump({"route": route, "templates": found.get("templates", []), "receivers": [receivers[receiver]]})


def services_of(config: str) -> list[str]:
    """What Alertmanager calls the services of the only receiver: `telegram[0]`."""
    (receiver,) = yaml.safe_load(config)["receivers"]
    kinds = [key.removesuffix("_configs") for key in receiver if key.endswith("_configs")]
    return [f"{kind}[{number}]" for kind in kinds for number in range(len(receiver[f"{kind}_configs"]))]


def answers(log: str, services: Sequence[str]) -> list[Answer]:
    """The answers of these services, out of the log. ToolError if Alertmanager did not start."""
    sent = {service: 0 for service in services}
    errors: dict[str, list[str]] = {service: [] for service in services}
    for entry in _entries(log):
        if entry.get("msg") == "Notify success" and entry.get("integration") in sent:
            sent[entry["integration"]] += 1
        elif entry.get("msg") == "Notify for alerts failed":
            for service, error in _failures(str(entry.get("err"))):
                errors.setdefault(service, []).append(error)
    if not any(sent.values()) and not any(errors.values()):
        raise ToolError(_no_start(log))
    return [_answer(service, sent[service], errors[service]) for service in services]


def _answer(service: str, sent: int, errors: Sequence[str]) -> Answer:
    if not sent:
        return Answer(service, errors[0] if errors else f"no answer within {PATIENCE} s", "")
    return Answer(service, None, None if sent > 1 else errors[0] if errors else f"no answer within {PATIENCE} s")


def _failures(text: str) -> Iterator[tuple[str, str]]:
    """The service and the reason, for each error of one entry: each error begins a line."""
    for part in re.split(r"(?:^|\n)(?=[a-z0-9-]+/\w+\[\d+\]: )", text):
        if found := re.match(r"[a-z0-9-]+/(\w+\[\d+\]): (.*)", part, re.DOTALL):
            reason = _FAILED.fullmatch(found[2].strip())
            yield found[1], _BOT_TOKEN.sub("/bot<token>/", " ".join((reason[1] if reason else found[2]).split()))


def _entries(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _no_start(log: str) -> str:
    reasons = [str(entry.get("err", entry.get("msg"))) for entry in _entries(log) if entry.get("level") == "ERROR"]
    reason = [*(log.strip().splitlines() or ["no output"]), *reasons][-1]
    return f"Alertmanager did not send the test alert: {_BOT_TOKEN.sub('/bot<token>/', ' '.join(reason.split()))}"


def show(receiver: str, found: Sequence[Answer]) -> int:
    """One line for each service; 1 if one failed."""
    width = max(len(answer.service) for answer in found)
    for answer in found:
        what = "delivered" if answer.alert is None else f"failed: {answer.alert}"
        failed = f"; the resolved message failed: {answer.end}"
        end = {None: ", the resolved message too", "": ""}.get(answer.end, failed)
        say(f"{answer.service.ljust(width)}  {what}{end}")
    count = len([answer for answer in found if answer.alert is not None or answer.end])
    if count:
        say(f"{receiver}: {count} of {len(found)} services failed (docs/tasks/receivers.md)")
    return 1 if count else 0


def _docker(docker: Sequence[str], arguments: Sequence[str], stdin: str = "") -> str:
    """The output of a docker command on the hub's host."""
    argv = remote_access.with_arguments(docker, arguments)
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise ToolError(f"`{shlex.join(argv[:2])}` has not ended within {TIMEOUT} s on the hub's host.") from None
    except OSError as error:
        raise ToolError(f"{argv[0]}: {error.strerror}") from None
    if done.returncode not in (0, 3):  # 3: Alertmanager did not start; its log has the reason
        lines = done.stderr.strip().splitlines() or [f"`docker {arguments[0]}` ended with {done.returncode}"]
        raise ToolError(f"The hub's Alertmanager is not available: {lines[-1]}")
    return done.stdout

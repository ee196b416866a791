"""`make env NAME=qa`: the stack file of a new environment, its secrets, and a list of what is still missing.

An existing file is never written to. Run it again to continue: it does not ask for what is set already.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from configs.settings.sections import own_sections
from configs.validation import check_file
from tools import stack_secrets, working_copy
from tools.cli import Commands
from tools.errors import ToolError
from tools.missing import TOKEN_KEY, report, secrets_wanted, token_wanted
from tools.paths import CHECKOUT
from tools.progress import say
from tools.stack import Stack
from tools.stack_factory import open_stack, stack_file

TEMPLATE = CHECKOUT / "tools" / "templates" / "stack.yaml.template"
_KEYS = ("ed25519", "ecdsa", "rsa")


def register(commands: Commands) -> None:
    parser = commands.add("env", _env, "a new environment: its stack file, its secrets, and what is still missing")
    parser.add_argument("name", help="such as qa")
    for name in ("region", "domain", "cidrs", "size", "volume"):
        parser.add_argument(f"--{name}", default="", help="for the stack file; without it the terminal prompts")


def _env(options: argparse.Namespace) -> int:
    options.stack = checked_name(options.name)
    answers = Answers(options.region, options.domain, options.cidrs, options.size, options.volume)
    if answers.given() or not stack_file(options).exists():
        write(stack_file(options), options.stack, answers)
    return complete(open_stack(options), os.environ)


@dataclass(frozen=True)
class Answers:
    """What the template needs. Empty: prompted for on a terminal, else the default."""

    region: str = ""
    domain: str = ""
    cidrs: str = ""
    size: str = ""
    volume: str = ""

    def given(self) -> list[str]:
        return [name for name, value in vars(self).items() if value]


_QUESTIONS = {
    "region": ("DigitalOcean region", "fra1"),
    "domain": ("Domain of the hub, such as monitor.example.com (empty: its address, certified by itself)", ""),
    "cidrs": ("Networks that may reach SSH, such as 203.0.113.7/32 (this machine's address as the world sees it)", ""),
    "size": ("Size of the hub's droplet", "s-2vcpu-4gb"),
    "volume": ("GB for metrics and logs", "100"),
}


def write(file: Path, name: str, answers: Answers) -> None:
    """Write the stack file of a new environment. ToolError, and no file, when one is there or an answer is wrong."""
    if file.exists():
        raise ToolError(f"{file} exists already and is never overwritten; edit it, or choose another NAME.")
    found = {key: getattr(answers, key) or _answer(*question) for key, question in _QUESTIONS.items()}
    text = _filled(name, found)
    problems = _problems(name, text)
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ToolError(f"{file} was not written:\n{lines}")
    file.write_text(text)
    say(f"Wrote {file}. It holds no secret: commit it.")


def complete(stack: Stack, environ: Mapping[str, str]) -> int:
    """Ask for the secrets that the stack file has places for, then list what is missing. Exit code 1: something is."""
    config = stack.prepare()
    wanted = secrets_wanted(config, stack.name)
    if token_wanted(config, environ):
        wanted = [*wanted, TOKEN_KEY]
    given = _from_pipe(wanted, stack.name) if not sys.stdin.isatty() else {}
    if wanted and (given or sys.stdin.isatty()):
        stack.select()
        kept = ""
        for key in wanted:
            value = given.get(key) or (
                stack_secrets.ask_secret(f"{key} (empty: later): ") if sys.stdin.isatty() else ""
            )
            if value:
                kept = stack_secrets.set_secret(stack, key, value)
                say(f"  {key}: set, encrypted")
        if kept:
            say(kept.strip())
        config = stack.prepare()
    return report(config, stack, environ)


def checked_name(name: str) -> str:
    """An environment's name: it becomes part of file names, labels and droplets."""
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", name):
        raise ToolError(f"NAME: expected lower-case letters, digits and hyphens, at most 22, such as qa; got {name!r}.")
    return name


def _filled(name: str, found: Mapping[str, str]) -> str:
    cidrs = ", ".join(part for part in re.split(r"[\s,]+", found["cidrs"]) if part)
    key = next((kind for kind in _KEYS if (Path.home() / ".ssh" / f"id_{kind}").exists()), _KEYS[0])
    domain = f"domain: {found['domain']}" if found["domain"] else "# domain: monitor.example.com   # TLS by ACME"
    values = {**found, "name": name, "cidrs": cidrs, "domain": domain}
    values["ssh"] = f"fleetwatch:ssh: {{key: ~/.ssh/id_{key}}}"
    return Template(TEMPLATE.read_text()).substitute(values)


def _problems(name: str, text: str) -> list[str]:
    """What is wrong with the answers; what is only missing yet is reported later."""
    config = working_copy.parse(text, f"stacks/Pulumi.{name}.yaml").get("config") or {}
    problems = check_file({"env": name, **own_sections(config)}, "your answers")[1]
    return [problem for problem in problems if ": missing" not in problem]


def _answer(question: str, default: str, ask: Callable[[str], str] = input) -> str:
    if not sys.stdin.isatty():
        return default
    try:
        return ask(f"{question}{f' [{default}]' if default else ''}: ").strip() or default
    except EOFError:
        return default


def _from_pipe(wanted: list[str], stack: str) -> dict[str, str]:
    """Lines `path=value`. A path that no secret is wanted for is an error; values are never shown."""
    found: dict[str, str] = {}
    for number, line in enumerate(sys.stdin.read().splitlines(), 1):
        key, sign, value = line.partition("=")
        if not line.strip():
            continue
        if not sign or not value:
            raise ToolError(f"stdin, line {number}: expected path=value, such as {(wanted or ['hub.x.url'])[0]}=...")
        if key.strip() not in wanted:
            raise ToolError(
                f"stdin, line {number}: no secret with this path is missing; expected one of: "
                f"{', '.join(wanted) or 'none, all are set'}. To change one: `make secret STACK={stack} KEY=...`."
            )
        found[key.strip()] = value
    return found

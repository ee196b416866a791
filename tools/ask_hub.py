"""`make ask`: a question in plain language, answered by the assistant of a stack, or here from the hub's data.

Answered here are questions for a hub without the assistant or with one that does not answer, and those at another time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from ask import __main__ as terminal
from ask import catalogue as catalogues
from ask.answer import Answer
from ask.client import Hub
from ask.engine import Engine
from ask.reading import Context
from ask.reply import reply
from ask.safety import Limits
from configs import catalogue
from configs.services import ask
from configs.settings import Settings
from tools import ask_service, stack_secrets
from tools.cli import Commands
from tools.doctor.command import settings_of
from tools.errors import ToolError
from tools.remote_access import query_address
from tools.stack import Stack
from tools.stack_factory import open_stack
from tools.times import check_past


def register(commands: Commands) -> None:
    parser = commands.add("ask", answer, "a question in plain language, answered from the hub")
    parser.add_argument("question")
    parser.add_argument("--at", default="", help="the time of the question; now if not given")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")
    commands.add("ask-catalogue", print_catalogue, "the catalogue of a stack file, for an assistant that runs alone")


def print_catalogue(options: argparse.Namespace) -> int:
    """What the hub's assistant reads as catalogue.json. Needs the stack file alone."""
    print(catalogue.render(settings_of(open_stack(options))))
    return 0


def answer(options: argparse.Namespace) -> int:
    """Print the answer to a question; 1 if there is none."""
    if not options.question.strip():
        raise ToolError('expected a question, for example: make ask Q="how full are the disks?"')
    try:
        at = terminal.moment(options.at.strip())
    except SystemExit as refused:
        raise ToolError(str(refused).replace("--at: ", "AT=: ", 1)) from None
    check_past(options.at, at, "the question is about now")
    stack = open_stack(options)
    settings, outputs = settings_of(stack), stack.outputs()
    found = None if options.at else _by_assistant(stack, settings, outputs, options.question)
    if found is None:
        found = _here(settings, outputs, options.question, at)
    print(json.dumps(found.document(), ensure_ascii=False) if options.json else terminal.show(found))
    return 0 if found.status in {"answered", "empty"} else 1


def _by_assistant(stack: Stack, settings: Settings, outputs: Mapping[str, Any], question: str) -> Answer | None:
    """None if the stack has no assistant, or it cannot be used; why is shown."""
    if settings.hub.ask is None:
        return None
    try:
        password = stack_secrets.ask_password(stack.export_clear())
        return ask_service.answer(outputs, settings.prefix, password, question)
    except (ask_service.NotUsed, ToolError) as problem:
        print(f"Answered without the assistant on the hub: {problem}", file=sys.stderr)
        return None


def _here(settings: Settings, outputs: Mapping[str, Any], question: str, at: float) -> Answer:
    """By the engine in this process: without a model, and without a trace in the assistant's history."""
    limits = Limits(**ask.safety(settings.hub.ask.limits)) if settings.hub.ask is not None else Limits()
    engine = Engine(catalogues.load(catalogue.render(settings)), limits)
    with query_address(outputs) as base:
        hub = Hub(base, base)
        world = terminal.world_of(engine, hub, at)
        found = reply(engine, hub, world, question, at, Context(), str(outputs.get("url", "")))
        hub.close()
    return found

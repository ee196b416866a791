"""`make ask`: a question in plain language, answered from the hub of a stack."""

from __future__ import annotations

import argparse
import json

from ask import __main__ as terminal
from ask import catalogue as catalogues
from ask.client import Hub
from ask.engine import Engine
from ask.reading import Context
from ask.reply import reply
from ask.safety import Limits
from configs import catalogue
from configs.services import ask
from tools.cli import Commands
from tools.doctor.command import settings_of
from tools.errors import ToolError
from tools.remote_access import query_address
from tools.stack_factory import open_stack


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
        at = terminal.moment(options.at)
    except SystemExit as refused:
        raise ToolError(str(refused)) from None
    stack = open_stack(options)
    settings = settings_of(stack)
    limits = Limits(**ask.safety(settings.hub.ask.limits)) if settings.hub.ask is not None else Limits()
    engine = Engine(catalogues.load(catalogue.render(settings)), limits)
    outputs = stack.outputs()
    with query_address(outputs) as base:
        hub = Hub(base, base)
        world = terminal.world_of(engine, hub, at)
        found = reply(engine, hub, world, options.question, at, Context(), str(outputs.get("url", "")))
        hub.close()
    print(json.dumps(found.document(), ensure_ascii=False) if options.json else terminal.show(found))
    return 0 if found.status in {"answered", "empty"} else 1

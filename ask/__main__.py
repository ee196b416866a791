"""`python -m ask`: a question answered in the terminal, or a file of questions as one JSON line each."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from ask import catalogue as catalogues
from ask.answer import Answer
from ask.client import Hub
from ask.engine import Engine
from ask.reading import Context
from ask.reply import reply
from ask.world import World, discover

YEAR_10000 = 253402300800.0


def moment(text: str) -> float:
    """Seconds since 1970, from seconds or an ISO date; now if empty."""
    if not text:
        return time.time()
    try:
        at = float(text) if text.replace(".", "", 1).isdecimal() else _of_date(text)
    except ValueError:
        at = -1.0
    if not 0 <= at < YEAR_10000:
        raise SystemExit(f"--at: {text[:40]!r} is no time; expected seconds or, for example, 2026-11-20T12:00:00Z")
    return at


def _of_date(text: str) -> float:
    given = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (given if given.tzinfo else given.replace(tzinfo=timezone.utc)).timestamp()


def questions(path: Path) -> list[dict[str, Any]]:
    """The questions of a YAML file: a list, or a mapping with `questions`."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise SystemExit(f"{path}: cannot be read as YAML: {problem}") from None
    found = found.get("questions") if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(one, dict) and "question" in one for one in found):
        raise SystemExit(f"{path}: expected a list of mappings with `id` and `question`")
    return found


def context_of(given: object) -> Context:
    """The context of a question: the previous question as text, several as a list with the oldest first, or a mapping
    with `question` and `host`."""
    if isinstance(given, str):
        return Context(question=given)
    if isinstance(given, list):
        texts = [str(one) for one in given if str(one).strip()]
        return Context(texts[-1], earlier=tuple(texts[:-1])) if texts else Context()
    if isinstance(given, dict):
        before = given.get("question") or given.get("previous") or given.get("previous_question") or ""
        return Context(str(before), str(given.get("host") or ""))
    return Context()


def line(one: dict[str, Any], answer: Answer) -> str:
    """The JSON line of one question."""
    document = {
        "id": one.get("id"),
        "query": answer.query if answer.status not in {"abstained", "refused"} else "",
        "language": answer.language,
        "start": answer.start,
        "end": answer.end,
        "abstained": answer.status in {"abstained", "refused"},
        "answer": answer.sentence,
        "status": answer.status,
        "confidence": answer.confidence,
    }
    return json.dumps(document, ensure_ascii=False)


def show(answer: Answer) -> str:
    """An answer for the terminal, without the characters that would control it: anybody writes log lines."""
    parts = [answer.sentence]
    parts += [f"  {one['text']:>14}  {one['name']}" for one in answer.rows]
    parts += [f"  {one['line']}" for one in answer.lines[:20]]
    if answer.query:
        parts += ["", f"Query: {answer.query}"]
        parts += [f"Meaning: {answer.explanation}"] if answer.explanation else []
        parts += ["First checks:", *(f"  {one}" for one in answer.checks)] if answer.checks else []
        parts += [f"{name.capitalize()}: {address}" for name, address in answer.links.items() if address]
        parts.append(f"Confidence: {answer.confidence:g} ({answer.engine})")
    if answer.assumptions:
        parts.append(f"Assumed: {'; '.join(answer.assumptions)}")
    if answer.readings:
        parts += ["", "Other readings:", *(f"  {one}" for one in answer.readings)]
    return "\n".join("".join(map(_printed, part)) for part in parts)


def _printed(one: str) -> str:
    return one if one.isprintable() else " " if one.isspace() else "\ufffd"


def world_of(engine: Engine, hub: Hub, at: float) -> World:
    """What the hub has at a time; a store that is down is named on standard error."""
    world = discover(hub, engine.catalogue, at)
    for problem in world.missing:
        print(problem, file=sys.stderr)
    return world


Improve = Callable[[Engine, Hub, World, str, Context, float, Answer], Answer]


def reply_to_all(
    engine: Engine, hub: Hub, path: Path, at: float, site: str = "", improve: Improve | None = None
) -> None:
    """Print one JSON line for each question of a file. `improve` may replace an answer, as a language model does."""
    world = world_of(engine, hub, at)
    for one in questions(path):
        question, context = str(one["question"]), context_of(one.get("context"))
        answer = reply(engine, hub, world, question, at, context, site)
        if improve is not None:
            answer = improve(engine, hub, world, question, context, at, answer)
        print(line(one, answer), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="ask", description=__doc__)
    parser.add_argument("question", nargs="?", default="", help="a question in plain language")
    parser.add_argument("--catalogue", type=Path, required=True, help="the rendered catalogue")
    parser.add_argument("--base", required=True, help="the hub's query address")
    parser.add_argument("--loki", default="", help="Loki's address, if it is another")
    parser.add_argument("--site", default="", help="Grafana's address, for links")
    parser.add_argument("--at", default="", help="the time of the question; now if not given")
    parser.add_argument("--questions", type=Path, help="a YAML file: prints one JSON line for each question")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")
    options = parser.parse_args()
    at = moment(options.at)
    engine = Engine(catalogues.read(options.catalogue))
    hub = Hub(options.base, options.loki or options.base)
    if options.questions is not None:
        reply_to_all(engine, hub, options.questions, at, options.site)
        return 0
    answer = reply(engine, hub, world_of(engine, hub, at), options.question, at, Context(), options.site)
    print(json.dumps(answer.document(), ensure_ascii=False, indent=1) if options.json else show(answer))
    return 0 if answer.status in {"answered", "empty"} else 1


if __name__ == "__main__":
    sys.exit(main())

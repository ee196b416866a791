"""`make ask-eval`: the questions answered against the seeded fleet at its fixed time, judged by execution."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import yaml

from ask import __main__ as terminal
from ask import catalogue as catalogues
from ask import promql, words
from ask.client import Away, Hub
from ask.compose import Query
from ask.engine import Engine
from ask.plan import Plan
from ask.world import World, discover
from configs import services
from configs.catalogue import render
from configs.settings import Settings, load
from tests.ask import evaluate_embeddings, evaluate_model, references, rig
from tests.ask.evaluate_embeddings import Measured
from tests.ask.evaluate_model import Model
from tests.ask.seed import AT

VERDICTS = references.FOLDER / "verdicts.json"


def settings() -> Settings:
    """The seeded fleet's stack."""
    raw = yaml.safe_load((references.FOLDER / "fleet.yaml").read_text())
    return load(raw, "tests/ask/fleet.yaml")


def judged(
    engine: Engine, world: World, hub: Hub, half: str, model: Model | None = None, embeddings: Measured | None = None
) -> list[tuple[dict[str, Any], str, Plan]]:
    """Every question of a half with its verdict."""
    known = references.blocks()
    found = []
    for one in references.questions(half):
        before, used = terminal.context_of(one.get("context")), engine
        if embeddings is not None:
            used = embeddings.supported(engine, world, one["question"], before, AT)
        plan = used.plan(one["question"], world, AT, before)
        if model is not None:
            plan = model.plan(used, world, hub, one, AT)
        options = references.expected(one["expect"], known)
        found.append((one, references.judge(hub, options, plan.query), plan))
    return found


def bm25(titles: dict[str, tuple[str, ...]], asked: tuple[str, ...]) -> list[tuple[float, str]]:
    """Plain BM25 over titles, for comparison: (score, id), the best first."""
    count = len(titles)
    mean = sum(map(len, titles.values())) / max(1, count)
    seen = Counter(word for terms in titles.values() for word in set(terms))
    found = []
    for key, terms in titles.items():
        total = 0.0
        for word in asked:
            times = terms.count(word)
            if times:
                rarity = math.log(1 + (count - seen[word] + 0.5) / (seen[word] + 0.5))
                total += rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(terms) / mean))
        found.append((total, key))
    return sorted(found, reverse=True)


def by_title(engine: Engine, hub: Hub, half: str) -> Counter[str]:
    """BM25 over the titles alone: the best panel, without anything that the question names. Never abstains."""
    known = references.blocks()
    titles = {key: words.content(f"{one.title} {one.name}") for key, one in engine.entries.items()}
    verdicts: Counter[str] = Counter()
    for one in references.questions(half):
        options = references.expected(one["expect"], known)
        ranked = bm25(titles, words.content(one["question"]))
        best = engine.entries[ranked[0][1]] if ranked and ranked[0][0] > 0 else None
        answer = None
        if best is not None:
            answer = Query(without_variables(catalogues.filled(best.expr)), "promql", AT, AT)
        verdicts[references.judge(hub, options, answer)] += 1
    return verdicts


def without_variables(text: str) -> str:
    """An expression without the dashboard's variables."""
    return promql.text(promql.parse(text), lambda one: one.without_variables())


def table(half: str, found: list[tuple[dict[str, Any], str, Plan]]) -> list[str]:
    """Right, abstained and wrong by kind."""
    kinds: dict[str, Counter[str]] = {}
    for one, verdict, _ in found:
        kinds.setdefault(one["kind"], Counter())[verdict] += 1
    lines = [f"half {half}: {len(found)} questions", f"  {'':18}{'right':>7}{'abstained':>11}{'wrong':>7}"]
    for kind, count in {**kinds, "all": Counter(verdict for _, verdict, _ in found)}.items():
        lines.append(f"  {kind:18}{count['right']:>7}{count['abstained']:>11}{count['wrong']:>7}")
    total = Counter(verdict for _, verdict, _ in found)
    share = {key: 100 * total[key] / len(found) for key in ("right", "abstained", "wrong")}
    lines.append(f"  {share['right']:.1f} % right, {share['abstained']:.1f} % abstained, {share['wrong']:.1f} % wrong")
    return lines


def foreign(hub: Hub, at: float) -> Settings:
    """A stack for a hub that was not deployed from here: everything that a stack can have, and an app with `http:` for
    each job that has the usual HTTP metrics."""
    raw = yaml.safe_load((references.FOLDER / "fleet.yaml").read_text())
    found = hub.series(["http_requests_total", "http_request_duration_seconds_bucket"], at - 3600, at, 20000)
    own = services.RESERVED_JOBS
    jobs = sorted({one["job"] for one in found if re.fullmatch(r"[a-z][a-z0-9-]*", one.get("job", ""))} - own)
    apps = {job: {"target": "app:8000", "http": {}} for job in jobs}
    raw["hosts"] = {"hub": {"apps": apps, "postgres": {"main": {"dsn": "postgresql://watch:placeholder@db/shop"}}}}
    return load(raw, "the hub at --base")


def answer_file(options: argparse.Namespace) -> None:
    """One JSON line for each question of a file."""
    at = terminal.moment(options.at)
    terminal.questions(options.questions)  # it ends with a sentence for a file that is none
    hub = Hub(options.base, options.loki or options.base)
    try:
        engine = Engine(catalogues.load(render(foreign(hub, at))))
    except (Away, httpx.InvalidURL) as problem:
        raise SystemExit(f"BASE={options.base[:80]}: expected the address of a hub that answers, {problem}") from None
    model = evaluate_model.of(options)
    terminal.reply_to_all(engine, hub, options.questions, at, improve=model.improve if model is not None else None)
    hub.close()
    if model is not None:
        print(model.report(), file=sys.stderr)


def measure(failures: bool, write: bool, model: Model | None, embeddings: Measured | None = None) -> None:
    """Both halves against the seeded fleet."""
    verdicts: dict[str, list[str]] = {}
    engine = Engine(catalogues.load(render(settings())))
    with rig.fleet() as (prometheus, loki):
        hub = Hub(prometheus, loki)
        world = discover(hub, engine.catalogue, AT)
        for half in "ab":
            found = judged(engine, world, hub, half, model, embeddings)
            print("\n".join(table(half, found)))
            verdicts |= {one["id"]: [verdict, plan.query.text if plan.query else ""] for one, verdict, plan in found}
            if half == "a" and failures:
                for one, verdict, plan in found:
                    if verdict != "right":
                        what = plan.query.text[:230] if plan.query else plan.abstention or plan.refusal
                        print(f"    {one['id']} {verdict}: {one['question']}\n      {what}")
            print(f"  BM25 over titles alone: {dict(by_title(engine, hub, half))}", flush=True)
        hub.close()
    if write:
        VERDICTS.write_text(json.dumps(verdicts, indent=0, ensure_ascii=False) + "\n")
    reports = [one.report() for one in (model, embeddings) if one is not None]
    print("\n".join(f"With {one}." for one in reports) or "Without a language model and embeddings.")


def _needs(options: argparse.Namespace) -> list[tuple[str, bool]]:
    """Names of values that were given, and whether what they belong to was given too."""
    questions, model, embeddings = options.questions is not None, bool(options.model), bool(options.embeddings)
    pairs = {
        "BASE": (options.base, questions),
        "LOKI": (options.loki, questions),
        "AT": (options.at, questions),
        "MODEL_URL": (options.model_url, model),
        "KEY_FILE": (options.key_file, model),
        "ALONE": (options.alone, model),
        "EMBEDDINGS_URL": (options.embeddings_url, embeddings),
        "EMBEDDINGS_KEY_FILE": (options.embeddings_key_file, embeddings),
        "DIMENSIONS": (options.dimensions, embeddings),
    }
    return [(name, needs) for name, (given, needs) in pairs.items() if given]


def main() -> None:
    parser = argparse.ArgumentParser(prog="ask-eval", description=__doc__)
    parser.add_argument("--failures", action="store_true", help="list what half a does not answer right")
    parser.add_argument("--write", action="store_true", help="write the verdicts and queries that the tests compare")
    parser.add_argument("--questions", type=Path, help="a YAML file of questions: one JSON line for each")
    parser.add_argument("--base", default="", help="the query address of a hub, for --questions")
    parser.add_argument("--loki", default="", help="Loki's address, if it is another")
    parser.add_argument("--at", default="", help="the time of the questions; now if not given")
    evaluate_model.arguments(parser)
    evaluate_embeddings.arguments(parser)
    options = parser.parse_args()
    if options.write and (options.model or options.embeddings):
        parser.error("--write is for the measurement without a model and embeddings, which the tests compare with")
    if options.questions is not None and options.embeddings:
        parser.error("EMBEDDINGS is for the questions of tests/ask, without QUESTIONS")
    unused = [name for name, needs in _needs(options) if not needs]
    if unused:
        parser.error(f"{unused[0]} has no effect here; leave it out (make help: ask-eval)")
    if options.questions is None:
        measure(options.failures, options.write, evaluate_model.of(options), evaluate_embeddings.of(options))
    elif options.base and not options.base.startswith(("http://", "https://")):
        parser.error(f"BASE={options.base[:80]}: expected the address of a hub, such as http://127.0.0.1:9080")
    elif not options.base:
        parser.error("QUESTIONS needs BASE, the query address of a hub, such as http://127.0.0.1:9080")
    else:
        answer_file(options)


if __name__ == "__main__":
    main()

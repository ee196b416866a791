"""`make ask-eval`: the questions answered against the seeded fleet at its fixed time, judged by execution."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import yaml

from ask import catalogue as catalogues
from ask import ranking, words
from ask.client import Hub
from ask.engine import Engine, Plan
from ask.reading import Context
from ask.world import World, discover
from configs.catalogue import render
from configs.settings import Settings, load
from tests.ask import references, rig
from tests.ask.references import Query
from tests.ask.seed import AT


def settings() -> Settings:
    """The seeded fleet's stack."""
    raw = yaml.safe_load((references.FOLDER / "fleet.yaml").read_text())
    return load(raw, "tests/ask/fleet.yaml")


def context_of(one: dict[str, Any]) -> Context:
    """The context of a question."""
    given = one.get("context") or {}
    return Context(given.get("question", ""), given.get("host", ""))


def query_of(plan: Plan) -> Query | None:
    """The query of a plan as the references have it."""
    found = plan.query
    if found is None:
        return None
    return Query(found.text, found.language, found.start, found.end, found.form == "lines")


def judged(engine: Engine, world: World, hub: Hub, half: str) -> list[tuple[dict[str, Any], str, Plan]]:
    """Every question of a half with its verdict."""
    known = references.blocks()
    found = []
    for one in references.questions(half):
        plan = engine.plan(one["question"], world, AT, context_of(one))
        options = references.expected(one["expect"], known)
        found.append((one, references.judge(hub, options, query_of(plan)), plan))
    return found


def by_title(engine: Engine, world: World, hub: Hub, half: str) -> Counter[str]:
    """BM25 over the titles alone: the best panel, without anything that the question names. Never abstains."""
    known = references.blocks()
    titles = {key: words.content(f"{one.title} {one.name}") for key, one in engine.entries.items()}
    verdicts: Counter[str] = Counter()
    for one in references.questions(half):
        options = references.expected(one["expect"], known)
        ranked = ranking.bm25(titles, words.content(one["question"]))
        best = engine.entries[ranked[0][1]] if ranked and ranked[0][0] > 0 else None
        answer = None
        if best is not None:
            text = catalogues.filled(best.expr)
            tree = ranking_tree(text)
            answer = Query(tree, "promql", AT, AT)
        verdicts[references.judge(hub, options, answer)] += 1
    return verdicts


def ranking_tree(text: str) -> str:
    """An expression without the dashboard's variables."""
    from ask import promql

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


def main() -> None:
    parser = argparse.ArgumentParser(prog="ask-eval", description=__doc__)
    parser.add_argument("--failures", action="store_true", help="list what half a does not answer right")
    options = parser.parse_args()
    engine = Engine(catalogues.load(render(settings())))
    with rig.fleet() as (prometheus, loki):
        hub = Hub(prometheus, loki)
        world = discover(hub, engine.catalogue, engine.catalogue.jobs, AT)
        for half in "ab":
            found = judged(engine, world, hub, half)
            print("\n".join(table(half, found)))
            if half == "a" and options.failures:
                for one, verdict, plan in found:
                    if verdict != "right":
                        what = plan.query.text[:230] if plan.query else plan.abstention or plan.refusal
                        print(f"    {one['id']} {verdict}: {one['question']}\n      {what}")
            titles = by_title(engine, world, hub, half)
            print(f"  BM25 over titles alone: {dict(titles)}")
        hub.close()


if __name__ == "__main__":
    main()

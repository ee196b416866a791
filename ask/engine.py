"""The deterministic engine: a question becomes one query with its confidence, or an abstention with other readings."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ask import apps, compose, fitting, lines, safety, units
from ask.catalogue import Catalogue, Entry
from ask.compose import Bound, CannotBind
from ask.plan import Plan
from ask.ranking import Index, Ranked, Support
from ask.reading import Context, Reading, read
from ask.safety import Limits, Refused
from ask.world import World

APP_ENOUGH = 0.6
EXACT = 0.97  # from here on the question is a phrasing: its terms need not name a value
NO_CONTEXT = Context()
OFFERED, BESIDE = 3, 2  # readings where there is no query, and at least beside an answer
HUB = "hub"  # the board of this name is about the hub alone, on each of its hosts


@dataclass
class Engine:
    """A catalogue, prepared once, and the limits. `support`: of one question, by embeddings."""

    catalogue: Catalogue
    limits: Limits = field(default_factory=Limits)
    support: Support = field(default_factory=Support)

    def __post_init__(self) -> None:
        self.entries = {one.id: one for one in self.catalogue.panels if one.language == "promql"}
        self.log_entries = [one for one in self.catalogue.panels if one.language == "logql" and "$" not in one.expr]
        self.index = Index([*self.entries.values(), *self.log_entries])

    def supported(self, support: Support) -> Engine:
        """This engine with the support for one question."""
        found = copy.copy(self)
        found.support = support
        return found

    def plan(self, question: str, world: World, now: float, context: Context = NO_CONTEXT) -> Plan:
        """The query for a question. Never raises for what a user wrote."""
        try:
            plain = safety.question(question, self.limits)
            reading = read(plain, context, world, self.index, self.catalogue, now)
            return self._offering(self._plan(reading, world, now), plain, reading, world)
        except Refused as refusal:
            return Plan(refusal=str(refusal), readings=self.examples(world))

    def _plan(self, reading: Reading, world: World, now: float) -> Plan:
        if reading.times.future:
            raise Refused("The time is in the future: only what was measured can be answered.")
        if reading.times.window and reading.times.end - reading.times.start < 1:
            raise Refused("The time range is empty: name one of a second or more.")
        if reading.unknown:
            return self._unknown(reading)
        if reading.excluded:
            return Plan(
                reading=reading, abstention=f"{reading.excluded} is left out in the question: name what is meant."
            )
        if sentence := fitting.negated(reading):
            return Plan(reading=reading, abstention=sentence)
        safety.time_range(reading.times.start, reading.times.end, now, self.limits, reading.about_logs)
        if now - reading.times.start > 2 * self.limits.range:
            raise Refused("The time is too long ago.")
        if reading.times.back > self.limits.range:
            raise Refused("The time to compare with is too long ago.")
        if reading.about_logs:
            return lines.plan(reading, world)
        ranked = self._candidates(reading, world)
        derived = apps.rank(
            reading.asked, reading.text, world.apps.values(), reading.hints | fitting.parts_of_names(reading)
        )
        best = ranked[0] if ranked else None
        if any(fitting.are_halves(ranked[0][0], other) for other, _ in ranked[1:6]):
            best = None
        above = 0.05 + (best[0].score if self._is_enough(reading, best[0].score) else best[0].terms) if best else 0.0
        if derived and derived[0].score >= max(APP_ENOUGH, above):
            plan = self._derived(reading, derived[0], world)
            if plan is not None:
                return plan
        if best is None or not self._is_enough(reading, best[0].score):
            return Plan(
                reading=reading,
                abstention=fitting.abstention(reading),
                readings=tuple(fitting.title_of(one.entry) for one, _ in ranked[:OFFERED]),
            )
        return self._panel(
            reading, best[0], best[1], tuple(fitting.title_of(one.entry) for one, _ in ranked[1:4]), world
        )

    def _offering(self, plan: Plan, question: str, reading: Reading, world: World) -> Plan:
        """A plan with enough readings, each once: questions that are accepted, and not this one."""
        most = OFFERED if plan.query is None else max(BESIDE, len(plan.readings))
        found: dict[str, str] = {}
        for one in self._near(plan, reading, world):
            key = fitting.folded(one)
            if key != fitting.folded(question) and fitting.is_askable(one, self.limits):
                found.setdefault(key, one)
            if len(found) == most:
                break
        return replace(plan, readings=tuple(found.values()))

    def _near(self, plan: Plan, reading: Reading, world: World) -> Iterator[str]:
        """The plan's own readings, then what the question is nearest to, then examples."""
        yield from plan.readings
        for one, _ in self._candidates(reading, world):
            if plan.entry is None or one.entry.id != plan.entry.id:
                yield fitting.title_of(one.entry)
        yield from self._examples(world)

    def _is_enough(self, reading: Reading, score: float) -> bool:
        """Whether the entry agrees well, and the terms, or a name such as a mount point, state what is measured."""
        if not self.index.is_enough(reading.asked, score):
            return False
        implied = fitting.implied(reading, HUB)
        exact = len(reading.asked) > 1 and score >= EXACT
        return exact or self.index.is_strong((*reading.asked, *implied))

    def _candidates(self, reading: Reading, world: World) -> list[tuple[Ranked, Bound]]:
        """The entries that can answer: their metrics exist, their labels fit the names, their unit fits the bound."""
        ranked = self.index.rank(reading.asked, reading.hints, fitting.terms_of_groups(reading))
        if reading.wants.counted and (reading.times.window or reading.wants.threshold):
            ranked += self._of_counted(reading)
        if self.support.scores:
            ranked = self.index.supported(ranked, self.support.scores)
        found: list[tuple[Ranked, Bound]] = []
        for one in ranked:
            if one.entry.language == "promql":
                bound = self._bound(reading, one.entry)
                if bound is None or not fitting.exists(one.entry, world) or not fitting.fits(one.entry, reading):
                    continue
            elif reading.mentions or reading.wants.threshold:
                continue
            else:
                bound = {}
            found.append((one, bound))
        found.sort(key=lambda pair: (-round(pair[0].score, 3), fitting.breadth(pair[0].entry), pair[0].entry.id))
        return found

    def _of_counted(self, reading: Reading) -> list[Ranked]:
        """What is counted may be what a panel shows per second, or which of its values exceed a bound."""
        asked = tuple(word for word in reading.asked if word != "count")
        found = self.index.rank(asked, reading.hints, fitting.terms_of_groups(reading))
        bounded = reading.wants.threshold is not None
        return [one for one in found if one.entry.unit in units.PER_SECOND or bounded]

    def _bound(self, reading: Reading, entry: Entry) -> Bound | None:
        """The label of each name in this entry; None if one has none."""
        can = compose.labels_of(entry)
        bound: dict[str, list[str]] = {}
        if (fixed := compose.fixed_host(entry.expr)) and not re.search(
            rf"\b{re.escape(fixed)}\b", reading.stated.lower()
        ):
            return None
        for one in reading.values:
            if one.label in can and one.fits(entry):
                bound[one.label] = [one.value]
            elif one.only:
                return None
        for mention in reading.mentions:
            label = next((one for one in mention.labels if one in can), None)
            if label is None and mention.value == HUB and entry.board == f"fleetwatch-{HUB}":
                continue
            if label is None:
                return None
            bound.setdefault(label, []).append(mention.value)
        return {label: tuple(values) for label, values in bound.items()}

    def _panel(self, reading: Reading, best: Ranked, bound: Bound, others: tuple[str, ...], world: World) -> Plan:
        best = replace(best, entry=fitting.meant(best.entry, reading))
        if best.entry.language == "logql":
            if reading.times.back:
                return Plan(
                    reading=reading, abstention="Log lines are not compared with another time.", readings=others
                )
            query = lines.of_panel(best.entry, reading.times)
        else:
            try:
                query = compose.build(best.entry, bound, fitting.wants_of(reading, best.entry), reading.times)
            except CannotBind as missing:
                return Plan(reading=reading, abstention=f"The metric has no label {missing}.", readings=others)
            safety.check(query.text, world.metrics, self.limits)
        return Plan(
            reading=reading,
            query=query,
            entry=best.entry,
            confidence=round(best.score, 2),
            assumptions=(*fitting.assumptions(reading, bound, query), *self._by_meaning(reading, best)),
            readings=others,
        )

    def _by_meaning(self, reading: Reading, best: Ranked) -> tuple[str, ...]:
        """What an answer states that its terms alone would not have given."""
        return () if self._is_enough(reading, best.terms) else ("embeddings show that the question means this value",)

    def chosen(self, reading: Reading, entry: Entry, world: World, confidence: float) -> Plan:
        """The query of an entry that was not chosen by its rank. Raises Refused if it does not fit the question."""
        bound = self._bound(reading, entry)
        if bound is None:
            raise Refused("The entry has no label for a name of the question.")
        if not fitting.exists(entry, world) or not fitting.fits(entry, reading):
            raise Refused("The entry does not fit what the question wants of its values.")
        plan = self._panel(reading, Ranked(entry, confidence, 1.0), bound, (), world)
        if plan.query is None:
            raise Refused(plan.abstention)
        return plan

    def _derived(self, reading: Reading, found: apps.Candidate, world: World) -> Plan | None:
        bound: dict[str, tuple[str, ...]] = {}
        for mention in reading.mentions:
            label = next((one for one in mention.labels if mention.value in found.metric.labels.get(one, ())), None)
            if label is None:
                return None
            bound[label] = (*bound.get(label, ()), mention.value)
        query = apps.build(found, reading.text, bound, reading.wants, reading.times)
        safety.check(query.text, world.metrics, self.limits)
        return Plan(
            reading=reading,
            query=query,
            confidence=round(found.score * 0.9, 2),
            assumptions=fitting.assumptions(reading, bound, query),
            derived=True,
        )

    def _unknown(self, reading: Reading) -> Plan:
        name = reading.unknown[0]
        near = f" Did you mean {' or '.join(reading.suggestions)}?" if reading.suggestions else ""
        return Plan(
            reading=reading,
            abstention=f"Nothing that sends data is called {name}.{near}",
            readings=tuple(reading.original.replace(name, one) for one in reading.suggestions),
        )

    def examples(self, world: World) -> tuple[str, ...]:
        """Three questions that this fleet can answer."""
        return tuple(one for one in self._examples(world) if fitting.is_askable(one, self.limits))[:OFFERED]

    def _examples(self, world: World) -> tuple[str, ...]:
        """More than are shown: one may be the question itself, and a host's name may be what no question may have."""
        hosts = sorted(world.values("host")) or ["hub"]
        first = ("how full are the disks?", f"cpu of {hosts[0]} over the last 6 hours", "which alerts are firing?")
        return (*first, "memory usage of each host", "load of each host")

"""Blocks of Alloy's language: strings, relabelling rules, stages of a pipeline."""

from __future__ import annotations

import json
from textwrap import indent

from configs.render.log_stages import Stage, Value


def quoted(text: str) -> str:
    """A string; its escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def strings(name: str, values: dict[str, str]) -> str:
    """A block of strings inside an endpoint."""
    width = max(map(len, values))
    return (
        f"\t\t{name} {{\n" + "".join(f"\t\t\t{k.ljust(width)} = {quoted(v)}\n" for k, v in values.items()) + "\t\t}\n"
    )


def rule(target: str, source: list[str] | None = None, regex: str | None = None, **more: str) -> str:
    """A relabelling rule."""
    lines = [f"\t\tsource_labels = {json.dumps(source)}"] if source else []
    lines += [f"\t\ttarget_label  = {quoted(target)}"] if target else []
    lines += [f"\t\tregex         = {quoted(regex)}"] if regex else []
    lines += [f"\t\t{key.ljust(13)} = {quoted(value)}" for key, value in more.items()]
    return "\trule {\n" + "\n".join(lines) + "\n\t}\n"


def stage(kind: str, **values: str) -> str:
    """A stage of `loki.process` with values that are written already."""
    width = max(map(len, values))
    return f"\tstage.{kind} {{\n" + "".join(f"\t\t{k.ljust(width)} = {v}\n" for k, v in values.items()) + "\t}\n"


def of_stage(given: Stage) -> str:
    """A stage with those inside it."""

    def value(one: Value) -> str:
        if isinstance(one, (str, int, float)):
            return json.dumps(one, ensure_ascii=False)
        return "{ " + ", ".join(f"{key} = {quoted(text)}" for key, text in one.items()) + " }"

    own = stage(given.kind, **{key: value(one) for key, one in given.values.items()})
    inner = "".join("\n" + indent(of_stage(one), "\t") for one in given.stages)
    return own.removesuffix("\t}\n") + inner + "\t}\n"

"""Schemas of resources: how a table of properties checks, compares and defaults a resource.

A provider plugin for Pulumi answers the same few questions for every resource: are these inputs right, what changed,
does the change force a replacement, what is secret. Here one table per resource type answers them; only making,
reading, changing and deleting the thing is code. It knows nothing of Docker, of gRPC or of a file.

Limits: only what the tables name. Anything else is refused with a sentence, never ignored: a stand-in that quietly
drops a property would report a success the real provider does not give.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# What Pulumi sends in a preview for an unknown value (the same in every Pulumi SDK).
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

NAMES = {
    "str": "a string",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "any": "anything",
    "list": "a list",
    "set": "a list",
    "map": "a mapping of strings",
    "object": "an object",
}


@dataclass(frozen=True, kw_only=True)
class Prop:
    """One property. `item`: element kind of a list or set, or the fields of an object or of a list's objects."""

    kind: str = field(kw_only=False)
    item: str | Mapping[str, Prop] = "str"
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    replace: bool = False  # a change makes a new resource
    computed: bool = False  # filled in by the other side: absent in the program means "as it is"
    by: tuple[str, ...] = ()  # a list's objects in any order: matched by these fields
    as_asked: bool = False  # like a set: recorded as the program wrote it until a refresh reads it back
    volatile: bool = False  # an output that every update may change: unknown in its preview
    secret: bool = False
    output: bool = False  # never an input
    keep: Callable[[str], str] | None = None  # how the state holds what the program wrote: a hash, lower case
    alike: Callable[[str], str] | None = None  # texts that come out the same here are no change


@dataclass(frozen=True, kw_only=True)
class Table:
    """One resource type: its token, its properties, and how the real provider goes about it."""

    token: str
    props: Mapping[str, Prop]
    delete_first: bool = False  # a replacement with an unchanged name must delete the old one first
    reads_back: bool = False  # creating and changing end with a full read, and what that found is recorded
    meta: Mapping[str, Any] = field(default_factory=dict)  # constant outputs the real plugin keeps in its state
    # What no single property's row can say: (state or nothing, inputs) to (property, sentence) per problem.
    verify: Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[tuple[str, str]]] = lambda old, new: iter(())

    @property
    def short(self) -> str:
        return self.token.rsplit(":", 1)[-1]

    def inputs(self) -> dict[str, Prop]:
        return {k: p for k, p in self.props.items() if not p.output}

    def outputs(self) -> dict[str, Prop]:
        return {k: p for k, p in self.props.items() if p.output}


@dataclass(frozen=True)
class Change:
    path: str
    kind: str  # add, delete or update
    replace: bool

    @property
    def top(self) -> str:
        return self.path.replace("[", ".").split(".")[0]


# --- check -----------------------------------------------------------------------------------------------------------


def check(package: str, table: Table, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Problems as (property, sentence); empty when the inputs fit the table."""
    found = list(_check_fields(f"stand-in for {package}: {table.short}", "", table.inputs(), inputs))
    return found or verify(package, table, {}, inputs)  # only what has the right form can be looked at more closely


def verify(package: str, table: Table, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Problems of inputs that a check let pass, once there is a state to compare them with."""
    who = f"stand-in for {package}: {table.short}"
    return [(path, f"{who}.{path}: {sentence}") for path, sentence in table.verify(state, inputs)]


def _check_fields(
    who: str, path: str, fields: Mapping[str, Prop], value: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for key in value:
        if key not in fields and not key.startswith("__") and value[key] is not None:
            yield path + key, f"{who}.{path}{key} is not covered (it covers {', '.join(sorted(fields))})"
    for key, prop in fields.items():
        found = value.get(key)
        if found is None:
            if prop.required:
                yield path + key, f"{who}.{path}{key} is missing: expected {NAMES[prop.kind]}"
        else:
            yield from _check_value(who, path + key, prop, found)


def _check_value(who: str, path: str, prop: Prop, value: Any) -> Iterator[tuple[str, str]]:
    if value == UNKNOWN:
        return
    if not _fits(prop.kind, value):
        # Never the value itself: it may be a secret.
        yield path, f"{who}.{path}: expected {NAMES[prop.kind]}, got {_type_name(value)}"
    elif prop.choices and value not in prop.choices:
        yield path, f"{who}.{path}: expected one of {', '.join(prop.choices)}, got {value!r}"
    elif prop.kind == "object":
        yield from _check_fields(who, path + ".", fields_of(prop), value)
    elif prop.kind in ("list", "set"):
        for i, element in enumerate(value):
            at = f"{path}[{i}]"
            if isinstance(prop.item, str):
                yield from _check_value(who, at, Prop(kind=prop.item), element)
            elif element != UNKNOWN:
                yield from _check_value(who, at, Prop(kind="object", item=prop.item), element)


def _fits(kind: str, value: Any) -> bool:
    if kind == "int":
        return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    if kind == "map":
        return isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values())
    expected: dict[str, Any] = {"str": str, "bool": bool, "any": object, "list": list, "set": list, "object": Mapping}
    return isinstance(value, expected[kind])


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return {"str": "a string", "float": "a number", "int": "a number", "list": "a list", "dict": "a mapping"}.get(
        type(value).__name__, type(value).__name__
    )


def fields_of(prop: Prop) -> Mapping[str, Prop]:
    return prop.item if not isinstance(prop.item, str) else {}


# --- states ----------------------------------------------------------------------------------------------------------


def with_defaults(table: Table, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as the provider works with them: every default filled in, at the top level and inside objects."""
    return {k: v for k, p in table.inputs().items() if (v := _filled(p, inputs.get(k))) is not None}


def _filled(prop: Prop, value: Any) -> Any:
    if value is None:
        return prop.default
    if value == UNKNOWN or isinstance(prop.item, str):
        return value
    if prop.kind == "object":
        return {k: v for k, p in prop.item.items() if (v := _filled(p, value.get(k))) is not None}
    return [_filled(Prop(kind="object", item=prop.item), v) for v in value]


def kept(table: Table, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as the state holds them."""
    return {
        k: keep(v) if isinstance(v, str) and v != UNKNOWN and (keep := table.props[k].keep) else v
        for k, v in inputs.items()
    }


def recorded(table: Table, inputs: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The state after a creation: what was found, but sets as the program wrote them (Terraform's SDK does that)."""
    inputs = kept(table, inputs)
    if table.reads_back:
        return sort_sets(table, {**inputs, **found, **table.meta})
    requested = {k: v for k, v in inputs.items() if table.props[k].kind == "set" or table.props[k].as_asked}
    empty: dict[str, Any] = {k: [] for k, _ in filled_lists(table)}
    return sort_sets(table, {**empty, **inputs, **found, **requested, **table.meta})


def sort_sets(table: Table, state: Mapping[str, Any]) -> dict[str, Any]:
    sets = {k for k, p in table.props.items() if p.kind == "set"}
    return {k: sorted(v, key=order) if k in sets and isinstance(v, list) else v for k, v in state.items()}


def expected_state(table: Table, inputs: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The state a preview shows: the inputs; what only the other side knows is unknown (in an update: as it was)."""
    state = kept(table, with_defaults(table, inputs))
    for key, prop in table.props.items():
        if not (prop.output or prop.computed) or state.get(key) is not None:
            continue
        if old is None or prop.volatile:
            state[key] = UNKNOWN
        elif old.get(key) is not None:
            state[key] = old[key]
    return state | dict(table.meta)


def filled_lists(table: Table) -> list[tuple[str, Prop]]:
    """Lists that the other side fills: missing in the state only where a creation failed before they were read.

    That is how the real providers' next run comes to replace (or at least update) what did not come up.
    """
    return [(k, p) for k, p in table.props.items() if p.computed and p.kind == "list"]


def order(value: Any) -> str:
    """A set's elements have no order, and neither have sets inside them (aliases of a network): this gives them one."""
    if isinstance(value, dict):
        value = {
            k: sorted(v) if isinstance(v, list) and all(isinstance(x, str) for x in v) else v for k, v in value.items()
        }
    return json.dumps(value, sort_keys=True)

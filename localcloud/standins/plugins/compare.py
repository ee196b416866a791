"""What changed: a resource's recorded state against the program's inputs, property by property, by its table.

Rules of the real providers' SDK (Terraform's): an empty value is none, an absent one takes the default or, where the
other side fills it in, stays as it is; the order of a set is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localcloud.standins.plugins.schema import UNKNOWN, Change, Prop, Table, fields_of, filled_lists, order


def normal(prop: Prop, value: Any, fill: bool = True) -> Any:
    """The value as it is compared: defaults filled in, an empty value the same as none (as Terraform has it)."""
    if value is None and fill:
        value = prop.default
    if value is None or value == UNKNOWN:
        return value
    if prop.kind == "object":
        return normal_fields(fields_of(prop), value)
    if prop.kind in ("list", "set"):
        element = Prop(kind=prop.item) if isinstance(prop.item, str) else Prop(kind="object", item=prop.item)
        # A scalar inside a list is kept as it is: [""] is not the empty list.
        items = [v if isinstance(prop.item, str) else normal(element, v) for v in value]
        if prop.by and UNKNOWN not in items:
            items.sort(key=lambda v: [str(v.get(k)) for k in prop.by])
        return items or None
    if prop.kind == "map":
        return dict(value) or None
    if prop.kind == "any":
        return value
    if prop.alike and isinstance(value, str):
        value = prop.alike(value)
    return value if value not in ("", 0, False) else None


def _kept(prop: Prop, value: Any) -> Any:
    return prop.keep(value) if prop.keep and isinstance(value, str) and value not in ("", UNKNOWN) else value


def normal_fields(fields: Mapping[str, Prop], value: Mapping[str, Any]) -> dict[str, Any]:
    found = {k: normal(p, value.get(k)) for k, p in fields.items()}
    return {k: v for k, v in found.items() if v is not None}


def diff(table: Table, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[Change]:
    """What separates the program's inputs from the recorded state, property by property."""
    found = [Change(k, "add", p.replace) for k, p in filled_lists(table) if k not in state and inputs.get(k) is None]
    for key, prop in table.inputs().items():
        old, new = normal(prop, state.get(key), fill=False), normal(prop, _kept(prop, inputs.get(key)))
        if prop.computed and inputs.get(key) is None:
            continue
        for path, kind in _compare(prop, key, old, new):
            if path == key and None not in (state.get(key), inputs.get(key)):
                kind = "update"  # from or to a value that only counts as empty: 0, false
            found.append(Change(path, kind, prop.replace))
    return found


def _compare(prop: Prop, path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    if old is None or new is None:
        yield path, "add" if old is None else "delete"
    elif UNKNOWN in (old, new):
        yield path, "update"
    elif prop.kind == "set":
        yield from _compare_sets(prop, path, old, new)
    elif prop.kind == "list":
        yield from _compare_lists(prop, path, old, new)
    elif prop.kind == "object":
        for key, sub in fields_of(prop).items():
            if sub.computed and new.get(key) is None:
                continue
            yield from _compare(sub, f"{path}.{key}", old.get(key), new.get(key))
    elif prop.kind == "map":
        for key in sorted({*old, *new}):
            yield from _compare(Prop(kind="str"), f"{path}.{key}", old.get(key), new.get(key))
    else:
        yield path, "update"


def _compare_lists(prop: Prop, path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[str, str]]:
    element = Prop(kind=prop.item) if isinstance(prop.item, str) else Prop(kind="object", item=prop.item)
    for i in range(max(len(old), len(new))):
        yield from _compare(element, f"{path}[{i}]", old[i] if i < len(old) else None, new[i] if i < len(new) else None)


def _compare_sets(prop: Prop, path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[str, str]]:
    olds, news = [order(v) for v in old], [order(v) for v in new]
    gone = {i for i, key in enumerate(olds) if key not in news}
    came = {i for i, key in enumerate(news) if key not in olds}
    nested = any(p.kind == "set" for p in fields_of(prop).values())
    if (gone or came) and (nested or UNKNOWN in new):
        yield path, "update"
        return
    for i in sorted(gone | came):
        if i in gone and i in came:
            element = Prop(kind=prop.item) if isinstance(prop.item, str) else Prop(kind="object", item=prop.item)
            yield from _compare(element, f"{path}[{i}]", old[i], new[i])
        else:
            yield f"{path}[{i}]", "delete" if i in gone else "add"

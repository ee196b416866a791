"""What the settings models say about a place in the stack file: its keys, its default, and whether it is secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from configs.settings.base import HIDDEN, SHOWN

Place = tuple[int | str, ...]
ANY = "*"  # in a pattern: a name that the user chooses, or the number of a list's entry


def keys_at(model: Any, place: Place) -> list[str]:
    """The keys a model knows at this depth; an empty list where it knows none."""
    found = _model(_type_at(model, place))
    return list(found.model_fields) if found is not None else []


def has_default(model: Any, place: Place) -> bool:
    """Whether leaving out what stands at `place` gives a usable default; None is none, it means `not given`."""
    field = _field_at(model, place)
    return field is not None and not field.is_required() and field.default is not None


def is_secret(model: Any, place: Place) -> bool:
    """Whether the value at `place` is typed as a secret."""
    field = _field_at(model, place)
    return field is not None and _holds(field.annotation, SecretStr)


def is_hidden(model: Any, place: Place) -> bool:
    """Whether a value at `place` may be, hold or stand beside a secret, so that no message shows it."""
    if any(_has_mark(_field_at(model, place[:depth]), SHOWN) for depth in range(1, len(place) + 1)):
        return False
    if any(map(_holds_secret, _types_along(model, place))):
        return True
    return _has_mark(_field_at(model, place), HIDDEN)


def secret_patterns(model: Any) -> Iterator[tuple[str, ...]]:
    """Every place below a model that is typed as a secret, with `*` for what the user names."""
    origin, inner = get_origin(model), get_args(model)
    if model is SecretStr:
        yield ()
    elif (found := _model_itself(model)) is not None:
        for name, field in found.model_fields.items():
            yield from ((name, *rest) for rest in secret_patterns(field.annotation))
    elif origin in (dict, list):
        yield from ((ANY, *rest) for rest in secret_patterns(inner[-1]))
    else:
        for part in inner:
            yield from secret_patterns(part)


def key_patterns(model: Any) -> Iterator[tuple[str, ...]]:
    """Every key below a model, with `*` for what the user names."""
    origin, inner = get_origin(model), get_args(model)
    if (found := _model_itself(model)) is not None:
        for name, field in found.model_fields.items():
            yield (name,)
            yield from ((name, *rest) for rest in key_patterns(field.annotation))
    elif origin in (dict, list):
        yield from ((ANY, *rest) for rest in key_patterns(inner[-1]))
    else:
        for part in inner:
            yield from key_patterns(part)


def _types_along(model: Any, place: Place) -> Iterator[Any]:
    """The type at `place` where it holds secrets below, and each model on the way that has one among its own keys."""
    at = _type_at(model, place)
    if at is not None and any(True for _ in secret_patterns(at)):
        yield SecretStr
    for depth in range(len(place) + 1):
        yield _model(_type_at(model, place[:depth]))


def _holds_secret(found: Any) -> bool:
    if found is SecretStr:
        return True
    return found is not None and any(_holds(field.annotation, SecretStr) for field in found.model_fields.values())


def _holds(annotation: Any, wanted: type) -> bool:
    """Whether a field's own type (not one below it) is, or may be, the wanted one."""
    if annotation is wanted:
        return True
    return get_origin(annotation) not in (dict, list) and any(_holds(part, wanted) for part in get_args(annotation))


def _has_mark(field: FieldInfo | None, mark: str) -> bool:
    """Whether a field, or a part of its type, is annotated with `mark`."""
    return field is not None and (mark in field.metadata or _marked(field.annotation, mark))


def _marked(annotation: Any, mark: str) -> bool:
    if mark in getattr(annotation, "__metadata__", ()):
        return True
    return any(_marked(part, mark) for part in get_args(annotation))


def _type_at(model: Any, place: Place) -> Any:
    """The type of what stands at `place`; None where the models know no such place."""
    for key in place:
        found, model = _model(model), _bare(model)
        if found is not None:
            field = found.model_fields.get(str(key))
            if field is None:
                return None
            model = field.annotation
        elif get_origin(model) in (dict, list):
            model = get_args(model)[-1]
        else:
            return None
    return model


def _field_at(model: Any, place: Place) -> FieldInfo | None:
    found = _model(_type_at(model, place[:-1])) if place else None
    return found.model_fields.get(str(place[-1])) if found is not None else None


def _bare(annotation: Any) -> Any:
    """The mapping or list inside `X | None` and Annotated, or the annotation itself."""
    if get_origin(annotation) in (dict, list) or _model_itself(annotation) is not None:
        return annotation
    for part in get_args(annotation):
        found = _bare(part)
        if get_origin(found) in (dict, list) or _model_itself(found) is not None:
            return found
    return annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    return _model_itself(_bare(annotation))


def _model_itself(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None

"""How a mistake in the stack file is told: where, what was expected, and what was found unless it may be secret."""

from __future__ import annotations

import re
from typing import Any, get_origin

from pydantic import BaseModel

from configs.units import show_duration

Place = tuple[int | str, ...]
# Nothing below these keys is ever shown, whatever its type: a secret written at the wrong place is still a secret.
_SECRET_SUBTREES = frozenset(
    {
        "postgres",
        "auth",
        "receivers",
        "client_secret",
        "password",
        "dsn",
        "url",
        "routing_key",
        "key",
        "public_key",
        "host_key",
        "setup",
    }
)
_SECRETS = frozenset({"client_secret", "dsn", "url", "routing_key"})  # `password` is given or left out


def sentence(path: str, place: Place, mistake: Any, model: Any) -> str:
    """One problem in one line; `mistake` is pydantic's."""
    where = ".".join([path, *map(str, place)])
    kind, message = mistake["type"], mistake["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{where}: unknown key, expected one of {', '.join(keys_at(model, place[:-1]))}"
    if kind == "missing":
        way_out = f"; `make secret KEY={where}` asks for it" if place and str(place[-1]) in _SECRETS else ""
        return f"{where}: missing, it has to be given{way_out}"
    head, colon, rest = message.partition(": ")
    if colon and head in keys_at(model, place):  # a model's own check names the key it is about
        where, message = f"{where}.{head}", rest
    if not message.startswith("expected"):
        message = "expected " + (_bound(mistake) or re.sub(r"^(Input should be |\w+ should )", "", message))
    message = re.sub(r"valid dictionary( or instance of \w+)?", "mapping", message)
    return f"{where}: {message}{_got(path, place, mistake)}"


def for_stack(problem: str, stack: str) -> str:
    """The sentence with its command as it is typed for this stack: without the name it would be the `local` one's."""
    return problem if stack == "local" else problem.replace("`make secret KEY=", f"`make secret STACK={stack} KEY=")


def _bound(mistake: Any) -> str | None:
    """A bound that is not kept, in words; that of a duration as people write it."""
    words = {"ge": "at least", "le": "at most", "min_length": "at least", "max_length": "at most"}
    for name, limit in mistake.get("ctx", {}).items():
        if name in words:
            if "length" in name:
                of = "entry" if limit == 1 else "entries"
                return f"{words[name]} {limit} {of}" if mistake["type"].startswith("too_") else None
            return f"{words[name]} {show_duration(limit) if isinstance(mistake['input'], str) else limit}"
    return None


def keys_at(model: Any, place: Place) -> list[str]:
    """The keys a model knows at this depth; an empty list where it knows none."""
    found = _model_at(model, place)
    return list(found.model_fields) if found is not None else []


def has_default(model: Any, place: Place) -> bool:
    """Whether leaving out what stands at `place` gives a usable default; None is none, it means `not given`."""
    found = _model_at(model, place[:-1]) if place else None
    field = found.model_fields.get(str(place[-1])) if found is not None else None
    return field is not None and not field.is_required() and field.default is not None


def _model_at(model: Any, place: Place) -> type[BaseModel] | None:
    model = _inner(model)
    for key in place:
        if _is_model(model):
            field = model.model_fields.get(str(key))
            if field is None:
                return None
            model = field.annotation
            model = {"of": model} if _is_mapping(model) else _inner(model)
        elif isinstance(model, dict):
            model = _inner(model["of"])
    return model if _is_model(model) else None


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) in (dict, list)


def _is_model(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)


def _inner(annotation: Any) -> Any:
    """The model inside `X | None`, `dict[str, X]`, `list[X]` or Annotated."""
    if _is_model(annotation):
        return annotation
    for part in reversed(getattr(annotation, "__args__", ())):
        found = _inner(part)
        if _is_model(found):
            return found
    return annotation


def _got(path: str, place: Place, mistake: Any) -> str:
    value = mistake.get("input")
    if "got " in mistake["msg"] or mistake["type"] == "value_error" and isinstance(value, (dict, BaseModel)):
        return ""
    if _SECRET_SUBTREES & {*place, *path.split(".")} or isinstance(value, str) and _may_be_secret(value):
        return f", got a {kind_of(value)} (not shown)" if value != "" else ", got an empty text"
    if isinstance(value, (str, int, float, bool)):
        return f", got {value!r}"
    return f", got a {kind_of(value)}"


def _may_be_secret(text: str) -> bool:
    """An address with a password, or one that is a password itself, such as a webhook's; a private key. What is long is
    no slip of a name."""
    return "@" in text or "://" in text or "\n" in text or "PRIVATE KEY" in text or len(text) > 100


def kind_of(value: Any) -> str:
    """What a value is, in the words of a stack file."""
    return {
        "dict": "mapping",
        "str": "text",
        "int": "number",
        "float": "number",
        "bool": "boolean",
        "NoneType": "nothing",
    }.get(type(value).__name__, type(value).__name__)

"""Generates docs/settings.md from the settings models: every key with path, type, default, and each model's docstring.

The page is a pure function of the models, so it cannot differ from what the program accepts:
`.venv/bin/python -m configs.settings.describe >docs/settings.md`. A test compares the two.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from configs.settings.base import MOST
from configs.settings.edge import Edge, Metrics
from configs.settings.fleet import Access, Cloud, Docker, Ssh
from configs.settings.host import Host
from configs.settings.hub import Hub
from configs.settings.kinds import KINDS
from configs.settings.limits import Limits
from configs.settings.model import IMAGE_KEYS
from configs.units import show_duration, show_size

_PLAIN = {str: "text", int: "number", float: "number", bool: "true or false"}
_HEAD = """\
# Settings

Generated from the models in `configs/settings` (`.venv/bin/python -m configs.settings.describe >docs/settings.md`).

The stack file is `stacks/Pulumi.<stack>.yaml`. Every path below stands under `config:`, its first word with
`fleetwatch:` in front: `hub.retention.logs` is `fleetwatch:hub: {retention: {logs: 14d}}`.

- A *duration* is `10s`, `5m`, `24h`, `90d`, `2y` or `1h30m`; a *size* is `256KB`, `512MB` or `5GB` (powers of 1024);
  at most `100y` and `1024TB`.
- A *secret* is never in the file in clear text: `make secret KEY=<path>` prompts for it and stores it encrypted. The
  section around it has to be in the file already: `postgres: {main: {}}`, then
  `make secret KEY=hosts.hub.postgres.main.dsn`; for another stack than `local` with its name,
  `make secret STACK=prod KEY=...`.
- *required* means: where the section is written, the key has to be there. Everything else may be left out.
- Unknown keys and wrong types are refused, all of them in one message, before anything is changed.
- A name that YAML reads as a number, a boolean or a date (`1`, `1e3`, `yes`, `2024-01-01`) needs quotes, also as
  `prefix` and `env`.
- IPv6 addresses of hosts are not supported; networks in `access` may be IPv6.

| path | type | default | |
|---|---|---|---|
| `prefix` | DNS label | `fleetwatch` | the beginning of all Docker names; another one for a second stack on a machine |
| `env` | DNS label | the stack's name | the label `env` of all data |
"""


def markdown() -> str:
    """The whole page."""
    sections: list[tuple[str, type[BaseModel]]] = [
        ("hub", Hub),
        ("metrics", Metrics),
        ("hosts.<host>", Host),
        ("hosts.<host>", Edge),  # the same section of the stack file
        ("access", Access),
        ("cloud", Cloud),
        ("ssh", Ssh),
        ("docker", Docker),
    ]
    seen: dict[type[BaseModel], str] = {}
    parts = [_HEAD]
    for path, model in sections:
        parts += _section(path, model, seen)
    return "\n".join([*parts, _limits(), _images()])


def _section(path: str, model: type[BaseModel], seen: dict[type[BaseModel], str]) -> Iterator[str]:
    """Describes the model at `path`, then the models below it. A model that was described already is only linked."""
    if model in seen or model is Limits:
        return
    seen[model] = path
    yield f"## {path}{': what is collected' if model is Edge else ''}\n"
    yield f"{_text(model)}\n"
    yield "| key | type | default |\n|---|---|---|"
    yield from (_row(name, field, seen) for name, field in model.model_fields.items())
    yield ""
    for name, field in model.model_fields.items():
        entry = {dict: ".<name>", list: ".<number>"}
        below = f"{path}.{name}" + next(
            (more for kind, more in entry.items() if get_origin(field.annotation) is kind), ""
        )
        for inner in _models(field.annotation):
            yield from _section(below, inner, seen)


def _row(name: str, field: FieldInfo, seen: dict[type[BaseModel], str]) -> str:
    known = [seen[model] for model in _models(field.annotation) if model in seen]
    see = f" (as [{known[0]}](#{anchor(known[0])}))" if known else ""
    return f"| `{name}` | {_kind(field)}{see} | {_default(field)} |"


def _kind(field: FieldInfo) -> str:
    """The name of a field's type on the page, from its validator or else its annotation; then its bounds."""
    kind = _checked(field.metadata) or _type(field.annotation)
    bounds = [text for one in field.metadata for text in _bounds(one, kind)]
    return ", ".join([kind, *bounds])


def _checked(metadata: Any) -> str:
    names = [one.func.__name__ for one in metadata if hasattr(getattr(one, "func", None), "__name__")]
    if names and names[-1] not in KINDS:
        raise ValueError(f"{names[-1]} checks a setting: say in configs/settings/kinds.py how its result is called")
    return KINDS[names[-1]] if names else ""


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _checked(annotation.__metadata__) or _type(inner[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return _type(next(one for one in inner if one is not type(None)))
    if origin is list:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"mapping of {_type(inner[0])} to {_type(inner[1])}"
    if annotation is Limits:
        return "[limits](#limits)"
    return _PLAIN.get(annotation, "section")


def _bounds(constraint: Any, kind: str) -> Iterator[str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "min_length": "at least", "max_length": "at most"}
    for name, word in words.items():
        value = getattr(constraint, name, None)
        if value is not None and value != MOST:
            shown = {"duration": show_duration, "size": show_size}.get(kind.split(",")[0], str)(value)
            yield f"{word} {shown}" + (" of them" if "length" in name else "")


def _default(field: FieldInfo) -> str:
    """The default. A description replaces it, for example where the default depends on other fields."""
    if field.description is not None:
        return field.description
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "*required*"
    if isinstance(value, Limits):
        return f"`{{memory: {show_size(value.memory)}, cpus: {value.cpus}}}`"
    if isinstance(value, BaseModel):
        given = {key: getattr(value, key) for key in sorted(value.model_fields_set)}
        return f"`{{{', '.join(f'{k}: {v}' for k, v in given.items())}}}`" if given else ""
    if value is None or value in ([], {}):
        return "none"
    shown = {"duration": show_duration, "size": show_size}.get(_checked(field.metadata).split(",")[0], str)(value)
    return f"`{shown.lower() if isinstance(value, bool) else shown}`"


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The settings models inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation] if annotation is not Limits else []
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _text(model: type[BaseModel]) -> str:
    own = "`hosts.hub` is the hub's own host. `hub` defines where it is; of these keys it takes `via` and `rotation`."
    return _doc(model) + (f"\n\n{own}" if model is Host else "")


def _doc(model: type[BaseModel]) -> str:
    return "\n".join(line.strip() for line in (model.__doc__ or "").strip().splitlines())


def anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _limits() -> str:
    rows = [f"| `{name}` | {_kind(field)} |" for name, field in Limits.model_fields.items()]
    return "\n".join(["## limits\n", f"{_doc(Limits)}\n", "| key | type |", "|---|---|", *rows, ""])


def _images() -> str:
    keys = " ".join(f"`{key}`" for key in IMAGE_KEYS)
    return f"""\
## images

Another image for a part, by its key: `fleetwatch:images: {{caddy: "registry.example.com/caddy:2.11.8"}}`. The pins that
hold without it are in `configs/images.yaml`. The keys:
{keys}
"""


if __name__ == "__main__":
    print(markdown(), end="")

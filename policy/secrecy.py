"""No secret in the clear in any property: what is not marked as a secret stands readable in state and previews.

Looks at names (a property `password`, a variable `DB_TOKEN=...`) and at shapes (a URL with a password, a private key, a
token that its maker gave a prefix). What has neither a telling name nor a shape cannot be found by looking.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from configs.deploy.reading import file_variables, parameters, unbundled
from policy.records import Record

_WORDS = frozenset(
    {"password", "passwd", "passphrase", "pwd", "token", "secret", "dsn", "credential", "credentials", "apikey"}
)
_ENDS = ("password", "passwd", "passphrase", "token", "secret")  # of names without a separator, such as PGPASSWORD
_PAIRS = frozenset({("private", "key"), ("api", "key"), ("access", "key"), ("routing", "key"), ("auth", "key")})
# The name of where a secret is, or of something about it, is no secret.
_ABOUT = frozenset(
    {"file", "files", "path", "dir", "length", "id", "name", "names", "url", "type", "version", "outputs", "rotation"}
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ASSIGNED = re.compile(r"^-{0,2}([A-Za-z_][\w.-]*)=(.+)$", re.DOTALL)
# Of YAML, of an INI file. A colon without a blank is part of a text there: `token-app:8000` is an address.
_LINE = re.compile(r"""^\s*(?:- )?["']?([\w.-]+)["']?\s*(?:=|:(?=\s))\s*(\S.*)$""", re.MULTILINE)
# A placeholder that something else fills in: $VAR, ${VAR}, $(cat ...), {user}, <password>, %s.
_FILLED_IN = re.compile(r"""^["']?[$%{<\[]""")
_URL = re.compile(r"""[a-z][a-z0-9+.-]*://[^\s/:@"'`|;()]*:(?P<secret>[^\s/@"'`|;()]+)@""", re.IGNORECASE)
# What the makers of these tokens put in front of them, from each one's documentation.
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a DigitalOcean token": re.compile(r"\bdo[opr]_v1_[0-9a-f]{32,}"),
    "a Slack webhook": re.compile(r"https://hooks\.slack\.com/(services|workflows)/\w+"),
    "a Slack token": re.compile(r"\bxox[abeprs]-[\w-]{10,}"),
    "a GitHub token": re.compile(r"\b(gh[opsur]_\w{30,}|github_pat_\w{30,})"),
    "a Grafana token": re.compile(r"\bglsa_\w{30,}"),
    "an AWS access key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
}


def plain(record: Record, _env: str) -> Iterator[str]:
    """What looks like a secret is marked as one. The message never shows it."""
    for where, what in [*_found(record.properties, "", False), *_secret_files(record)]:
        yield (
            f"{record.called}: {where} holds {what} in the clear; expected a Pulumi secret; wrap it in Output.secret, "
            "or give the name of a file that holds it (a secret of the stack file: `make secret`)"
        )


def _found(value: Any, where: str, telling: bool) -> Iterator[tuple[str, str]]:
    """(place, what it looks like) below a value; `telling`: the name above it promises a secret."""
    if isinstance(value, Mapping):
        label = value.get("label", value.get("key"))  # a list of labels, one object for each
        for key, inner in value.items():
            if key.startswith("__"):
                continue  # the bridge's own notes
            named = key == "value" and isinstance(label, str) and is_telling(label)
            yield from _found(inner, f"{where}.{key}".lstrip("."), named or is_telling(key))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _found(inner, f"{where}[{number}]", telling)
    elif isinstance(value, str) and value and (what := _looks_like(value, telling)):
        yield where, what


def _secret_files(record: Record) -> Iterator[tuple[str, str]]:
    """Files that a command writes: those of a folder `secrets`, whose text has neither a telling name nor a shape, and
    lines such as `password: x` of the others."""
    environment = record.object("environment")
    script = environment.get("SCRIPT")
    folder = posixpath.basename(parameters(script).get("DIR", "")) if isinstance(script, str) else ""
    texts = {f"environment.{name}": environment[name] for name in file_variables(environment)}
    for where, text in {**texts, "stdin": record.properties.get("stdin")}.items():
        for name, content in unbundled(text) if isinstance(text, str) else ():
            if "secrets" in f"{folder}/{name}".split("/")[:-1]:
                yield where, f"the secret file {name}"
            for line in _LINE.finditer(content):
                if is_telling(line[1]) and not _FILLED_IN.match(line[2]):
                    yield where, f"a value for {line[1]} (file {name})"


def _looks_like(text: str, telling: bool) -> str | None:
    if telling and not _FILLED_IN.match(text):
        return "named like a secret"
    if (assigned := _ASSIGNED.match(text)) and "\n" not in text.strip():
        name, value = assigned.groups()
        if is_telling(name) and not _FILLED_IN.match(value):
            return f"a value for {name}"
    if any(not _FILLED_IN.match(url["secret"]) for url in _URL.finditer(text)):
        return "a URL with a password"
    return next((what for what, shape in _SHAPES.items() if shape.search(text)), None)


def is_telling(name: str) -> bool:
    """Whether a name in camelCase, snake_case or capitals promises that its value is a secret."""
    parts = [part.lower() for part in _PART.findall(name)]
    if not parts or parts[-1] in _ABOUT:
        return False
    return any(part in _WORDS or part.endswith(_ENDS) for part in parts) or any(
        pair in _PAIRS for pair in zip(parts, parts[1:], strict=False)
    )

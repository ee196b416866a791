"""The working copy of a stack file: the user's file, plus what this machine adds to it.

Pulumi writes into the stack file that it is given (the salt of its encryption, secrets). A copy beside the state keeps
`git status` clean. Each run writes it from its parts: the user's file, the encrypted values that `make secret` stored
(in the last copy, and for a stack of several people in a file beside the user's), and the overlay of this machine
(images assembled here, the folder of rendered files).

This module works on the raw YAML, not on the typed settings: it copies values that it must not interpret, encrypted
ones among them, and has to keep what the settings refuse. Settings are read by stack_settings.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from configs.settings.secrets import is_secret_path
from configs.settings.sections import near, value_at
from tools import stack_yaml
from tools.errors import ToolError
from tools.paths import write_whole

PROJECT = "fleetwatch:"
_PROVIDER_TOKEN = re.compile(r"[a-z]+:token")  # such as `digitalocean:token`, a secret of the provider
# What Pulumi needs beside the provider itself to decrypt: a passphrase's salt, the data key of a key service.
ENCRYPTION = ("encryptionsalt", "encryptedkey")


def read(path: Path) -> dict[str, Any]:
    """A stack file's mapping. ToolError names every line that is no YAML that Pulumi reads in the same way."""
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """A stack file's text; ToolError when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ToolError(f"{path}: there is no such stack file; FILE=... names another one.") from None
    except UnicodeDecodeError:
        raise ToolError(f"{path}: expected YAML, this is no text in UTF-8.") from None
    except OSError as problem:
        raise ToolError(f"{path}: expected a stack file, {problem.strerror}; FILE=... names another one.") from None


def parse(text: str, path: str) -> dict[str, Any]:
    """The same of a text; `path` is what messages call it."""
    content, problems = parse_repaired(text, path)
    if problems:
        raise ToolError("\n".join(f"{problem}." for problem in problems))
    return content


def parse_repaired(text: str, path: str) -> tuple[dict[str, Any], list[str]]:
    """The mapping as far as it can be read, and what is wrong with its YAML: keys that are no texts, for example."""
    found = stack_yaml.parsed(text, path)
    content = {} if found.value is None else found.value
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        return {}, [*found.problems, _no_config(path)]
    if "config" not in content and any(_is_misplaced(str(key)) for key in content):
        return {}, [*found.problems, f"{_no_config(path)}; the sections are in that mapping"]
    return content, found.problems


def _no_config(path: str) -> str:
    return f"{path}: expected a mapping with the key `config`, as in stacks/Pulumi.local.yaml"


def _is_misplaced(key: str) -> bool:
    return key.startswith(PROJECT) or near(key, ["config"]) is not None


def sections(path: Path) -> dict[str, Any]:
    """The program's own sections of a stack file, by their names."""
    config: dict[str, Any] = read(path).get("config") or {}
    return {key.removeprefix(PROJECT): value for key, value in config.items() if key.startswith(PROJECT)}


def value(path: Path, *keys: str) -> Any:
    """What a stack file has at this place; None if it has nothing."""
    return value_at(sections(path), *keys)


def compose(user: dict[str, Any], last: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """The working copy. Encrypted values of `last` are kept where the user's file still has their surroundings."""
    made = {key: value for key, value in user.items() if key != "config"}
    for key in ENCRYPTION:
        if key in last:
            made.setdefault(key, last[key])
    config = _with_secrets(user.get("config") or {}, _renamed(user.get("config") or {}, last.get("config") or {}))
    for key, extra in overlay.items():
        given = config.get(PROJECT + key) or {}
        if isinstance(given, dict):
            config[PROJECT + key] = merged(given, extra)
    made["config"] = config
    return made


def secrets_of(file: Path) -> Path:
    """Where the encrypted values of a stack file are kept for others: stacks/secrets.prod.yaml of Pulumi.prod.yaml."""
    return file.with_name(f"secrets.{file.name.removeprefix('Pulumi.')}")


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both; `first` wins where both have a value."""
    result = dict(first)
    for key, value in second.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        elif result.get(key) is None:
            result[key] = value
    return result


def is_encrypted(value: Any) -> bool:
    """Whether this is a value that Pulumi has encrypted."""
    return isinstance(value, dict) and set(value) == {"secure"}


def _is_cipher(value: Any) -> bool:
    """Whether `secure` holds what Pulumi writes: `v1:` and more with a passphrase, base64 with a key service."""
    text = value["secure"] if is_encrypted(value) else None
    return isinstance(text, str) and re.fullmatch(r"v1:.+|[A-Za-z0-9+/]{24,}=*", text) is not None


def only_secrets(content: dict[str, Any]) -> dict[str, Any]:
    """A stack file's encrypted values and the salt that they need, with nothing else."""

    def look(value: Any) -> Any:
        if is_encrypted(value) or not isinstance(value, dict):
            return value if is_encrypted(value) else None
        found = {key: inner for key, one in value.items() if (inner := look(one)) is not None}
        return found or None

    encryption = {key: content[key] for key in ENCRYPTION if key in content}
    return {**encryption, "config": look(content.get("config") or {}) or {}}


def write(path: Path, content: dict[str, Any], mode: int = 0o600) -> None:
    """Readable by its owner alone, unless `mode` is another one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, stack_yaml.dumped(content), mode)


def plain_secrets(config: dict[str, Any]) -> dict[str, Any]:
    """Path -> value of every secret that is not encrypted: what the settings type as one, and providers' tokens."""
    found: dict[str, Any] = {}

    def look(value: Any, path: str) -> None:
        if isinstance(value, (dict, list)) and not is_encrypted(value):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                look(inner, f"{path}.{key}" if path else str(key).removeprefix(PROJECT))
        elif (is_secret_path(path) or _PROVIDER_TOKEN.fullmatch(path)) and value is not None and not _is_cipher(value):
            found[path] = value

    look(config, "")
    return found


def _renamed(user: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """`last` with a renamed host under its new name as well: its secrets go with it."""
    hosts, known = user.get(f"{PROJECT}hosts"), last.get(f"{PROJECT}hosts")
    if not isinstance(hosts, dict) or not isinstance(known, dict):
        return last
    moved = {
        name: known[host["renamed_from"]]
        for name, host in hosts.items()
        if isinstance(host, dict) and host.get("renamed_from") in known and name not in known
    }
    return {**last, f"{PROJECT}hosts": {**known, **moved}} if moved else last


def _with_secrets(user: Any, last: Any) -> Any:
    if not isinstance(user, dict) or not isinstance(last, dict) or is_encrypted(user):
        return user
    kept = {key: value for key, value in last.items() if is_encrypted(value) and key not in user}
    return {**{key: _with_secrets(value, last.get(key)) for key, value in user.items()}, **kept}

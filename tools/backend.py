"""Where the state of a stack is kept: below this machine's state folder, or at PULUMI_BACKEND_URL.

The choice is made with the stack and remembered beside its passphrase. A later run that names another place is
refused: a second state of the same machines would make all of them a second time. docs/state.md describes how to move
it.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from tools.errors import ToolError
from tools.progress import say

VARIABLE = "PULUMI_BACKEND_URL"
REMEMBERED = "backend-url"  # in the stack's state folder; absent: the state is in there as well
_CLOUD = ("https", "http")
_SCHEMES = ("file", "s3", "gs", "azblob", *_CLOUD)


def default_url(home: Path) -> str:
    """The URL of the backend inside the stack's own state folder."""
    return (home / "backend").resolve().as_uri()


def choose(home: Path, given: str | None) -> str:
    """The backend of the stack whose folder is `home`. ToolError if `given` is not where its state is already."""
    if given is not None:
        given = checked(given)
    known = _known(home)
    if given and known and not _same(given, known):
        raise ToolError(
            f"{VARIABLE} is {given}, but the state of stack {home.name} is in {known}. Unset the variable to go on "
            f"there, or move the state: `make move-state STACK={home.name} TO={given}` (docs/state.md)."
        )
    return known or given or default_url(home)


def checked(url: str, where: str = VARIABLE) -> str:
    """The URL, if it is one that Pulumi can use; never one with a password in it. `where`: what has it."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        parts = urllib.parse.urlsplit("")
    if parts.username or parts.password:  # not shown
        raise ToolError(f"{where}: expected a URL without a user and a password; give those by AWS_* variables.")
    if url.startswith("/"):
        raise ToolError(f"{where}: expected a URL, got a path; did you mean file://{url}?")
    if parts.scheme not in _SCHEMES or not (parts.netloc or parts.path):
        raise ToolError(
            f"{where}: expected file:///folder, s3://bucket?endpoint=..., gs://bucket, azblob://container or "
            f"https://api.pulumi.com, got {url[:80]!r} (docs/state.md)."
        )
    if (place := folder(url)) is not None and not place.is_absolute():
        raise ToolError(f"{where}: expected an absolute path after file://, got {url!r}.")
    return url


def folder(url: str) -> Path | None:
    """The folder of a `file://` backend; None for any other."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "file":
        return None
    return Path(parts.netloc + urllib.parse.unquote(parts.path)).expanduser()


def needs_login(url: str) -> bool:
    """Pulumi Cloud, or a server of its kind."""
    return urllib.parse.urlsplit(url).scheme in _CLOUD


def remember(home: Path, url: str) -> None:
    """From now on the stack's state is there. The URL carries no secret (`checked`)."""
    file = home / REMEMBERED
    if _same(url, default_url(home)):
        file.unlink(missing_ok=True)
    elif not file.exists() or file.read_text().strip() != url:
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_text(f"{url}\n")
        beside.rename(file)
        say(f"The state of stack {home.name} is kept in {url}.")


def knows(url: str, stack: str, env: Mapping[str, str]) -> bool:
    """Whether the backend has the stack. Runs Pulumi only where the state is not in a folder."""
    if (place := folder(url)) is not None:
        stacks = place / ".pulumi" / "stacks" / "fleetwatch"
        return any((stacks / f"{stack}.json{packed}").exists() for packed in ("", ".gz"))
    done = subprocess.run(
        ["pulumi", "stack", "ls", "--json", "--project", "fleetwatch", "--non-interactive"],
        env={**env, VARIABLE: url}, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise ToolError(f"The backend {url} does not list its stacks: {done.stderr.strip()} (docs/state.md)")
    return stack in {str(item["name"]).rpartition("/")[2] for item in json.loads(done.stdout)}


def _known(home: Path) -> str | None:
    if (file := home / REMEMBERED).exists():
        return checked(file.read_text().strip())
    return default_url(home) if knows(default_url(home), home.name, {}) else None


def _same(one: str, other: str) -> bool:
    left, right = folder(one), folder(other)
    if left is not None and right is not None:
        return left.resolve() == right.resolve()
    return one.rstrip("/") == other.rstrip("/")

"""Where things are kept: the checkout, the state (precious) and the cache (can be made again).

State and cache lie outside the checkout, so that `git status` stays clean and `make clean` can take the cache alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"


def shown_path(path: Path) -> str:
    """A path for messages: relative to the checkout if it is inside."""
    return str(path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path)


def _private(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _base(own: str, xdg: str, fallback: str) -> Path:
    if given := os.environ.get(own):
        return Path(given).expanduser().resolve()
    return Path(os.environ.get(xdg) or Path.home() / fallback).resolve() / "fleetwatch"


def state_dir() -> Path:
    """Passphrase, state backend, working copies: mode 0700, never removed by `make clean`."""
    return _private(_base("FLEETWATCH_STATE", "XDG_STATE_HOME", ".local/state"))


def cache_dir(*parts: str) -> Path:
    """A folder of the cache, made when missing."""
    base = _base("FLEETWATCH_CACHE", "XDG_CACHE_HOME", ".cache")
    # `make clean` removes it whole: never a folder that somebody else may have things in.
    base = base if base.name == "fleetwatch" else base / "fleetwatch"
    return _private(_private(base).joinpath(*parts))


def write_whole(file: Path, text: str, mode: int = 0o600) -> None:
    """Written beside and moved: a reader has all of it or what was there before. Several commands may write it at the
    same time: each has a separate file beside."""
    number, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}.", suffix=".next")
    try:
        with os.fdopen(number, "w") as out:
            os.fchmod(number, mode)
            out.write(text)
        os.replace(beside, file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def only_one(what: str) -> Iterator[None]:
    """Two set-ups at once would build the same things twice: the second waits for the first."""
    with (cache_dir() / f"{what}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another {what} is running on this machine; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

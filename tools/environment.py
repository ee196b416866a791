"""The environment in which the program and the Pulumi CLI run: state, passphrase, plugins and PATH of fleetwatch's own.

Nothing of the user's own Pulumi (login, plugins, passphrase) is used or changed. The passphrase is made once and kept
with the state, as a file: it never appears in an argument list.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from tools import plugins, pulumi_cli
from tools.paths import VENV

# A user's settings for another project would lead our runs elsewhere.
_DROPPED = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "PULUMI_STACK", "PULUMI_CONFIG")


def _passphrase(stack_state_dir: Path) -> Path:
    """The file with the stack's passphrase, made on first use; readable by its owner alone."""
    file = stack_state_dir / "passphrase"
    if not file.exists():
        beside = stack_state_dir / f"passphrase.{os.getpid()}"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(32))
        beside.rename(file)
    return file


def _path() -> str:
    folders = [VENV / "bin"]
    if given := plugins.given_dir():
        folders.append(given)
    folders += [pulumi_cli.find().folder, plugins.stand_in_dir()]
    return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])


def pulumi_env(stack_state_dir: Path) -> dict[str, str]:
    """What `pulumi` needs for the stack whose state is kept in `stack_state_dir` (made when missing)."""
    backend = stack_state_dir / "backend"
    backend.mkdir(mode=0o700, parents=True, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    env |= {
        "PATH": _path(),
        "PULUMI_HOME": str(plugins.home()),
        "PULUMI_BACKEND_URL": backend.resolve().as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(_passphrase(stack_state_dir)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_CONTINUE_ON_ERROR": "true",  # one dead host does not keep the others from their changes
    }
    if (own := stack_state_dir / "environment.json").exists():  # readable by its owner alone: it may hold a token
        env |= json.loads(own.read_text())
    if any(plugin.kind != plugins.VENDORS for plugin in plugins.state()):
        # Otherwise every command tries five times to download what is on PATH already.
        env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return env

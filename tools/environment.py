"""The environment in which the program and the Pulumi CLI run: its own state, passphrase, plugins and PATH.

Nothing of the user's own Pulumi (login, plugins, passphrase) is used or changed, unless the state is kept elsewhere
(backend.py). The passphrase is made once and kept with the state, as a file: it never appears in an argument list. A
stack with another secrets provider (secrets_provider.py) has none.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from tools import backend, plugins, pulumi_cli, secrets_provider
from tools.affected_stacks import ON_ONE_MACHINE
from tools.errors import ToolError
from tools.paths import VENV, state_dir, write_whole

TOKEN = "PULUMI_ACCESS_TOKEN"
_GIVEN = ("PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CONFIG_PASSPHRASE")
# A user's settings for another project would redirect these runs.
_DROPPED = (*_GIVEN, TOKEN, "PULUMI_STACK", "PULUMI_CONFIG")
_RUNNERS = ("CI", "GITHUB_ACTIONS")  # what a CI sets in its jobs


def _refuse_runner_folder(stack_state_dir: Path) -> None:
    """ToolError where a CI job would keep a fleet's state in its runner's home: without an address the state would be a
    new one, and everything would be made a second time. At GitHub a variable that is not set is an empty one."""
    name, runner = stack_state_dir.name, any(os.environ.get(key, "").lower() in ("true", "1") for key in _RUNNERS)
    if not runner or name in ON_ONE_MACHINE or os.environ.get("FLEETWATCH_STATE"):
        return
    if stack_state_dir.parent == state_dir():
        raise ToolError(
            f"{backend.VARIABLE} is not set, and this is a CI job: the state of stack {name} would be a new one in "
            f"{stack_state_dir}, its fleet a second one, forgotten with this runner. Expected the address of the "
            f"stack's state: give the job's environment the variable {backend.VARIABLE} (docs/ci.md). A runner that "
            "keeps states on its own disk names their folder by FLEETWATCH_STATE."
        )


def _passphrase(stack_state_dir: Path, url: str, provider: str) -> dict[str, str]:
    """The variable by which Pulumi finds the stack's passphrase. For a state on this machine it is made on first use,
    in a file that only its owner can read; for a shared state it has to be given. A stack with another secrets provider
    needs none; one that is there is passed on, because a state may have been encrypted with it before."""
    file, name = stack_state_dir / "passphrase", stack_state_dir.name
    elsewhere = url != backend.default_url(stack_state_dir)
    given = {key: os.environ[key] for key in _GIVEN if os.environ.get(key)} if elsewhere else {}
    if not file.exists() and given:
        return dict([next(iter(given.items()))])
    if not file.exists() and not secrets_provider.needs_passphrase(provider, url):
        return {}
    if not file.exists():
        if backend.folder(url) is None:
            raise ToolError(
                f"The passphrase of stack {name} is not on this machine, and its state in {url} is shared: put the "
                f"shared one (for a new stack: a long one of your choice) into {file}, mode 0600, or name its file by "
                "PULUMI_CONFIG_PASSPHRASE_FILE. Another secrets provider needs none (docs/state.md)."
            )
        if backend.knows(url, name, {}):
            raise ToolError(
                f"The passphrase of stack {name} is missing: expected it in {file}. Restore it from your copy. Without "
                "it the stack's secrets cannot be read (docs/state.md lists what is left then)."
            )
        write_whole(file, secrets.token_urlsafe(32))
    return {_GIVEN[0]: str(file)}


def _path() -> str:
    folders = [VENV / "bin"]
    if given := plugins.given_dir():
        folders.append(given)
    folders += [pulumi_cli.find().folder, plugins.stand_in_dir()]
    return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])


def pulumi_env(stack_state_dir: Path, provider: str = secrets_provider.PASSPHRASE) -> dict[str, str]:
    """What `pulumi` needs for the stack whose folder is `stack_state_dir` (made when missing) and whose secrets
    `provider` encrypts. ToolError if the state is elsewhere than at PULUMI_BACKEND_URL, or a passphrase is missing."""
    extra: dict[str, str] = {}
    if (own := stack_state_dir / "environment.json").exists():  # readable by its owner alone: it may hold a token
        extra = json.loads(own.read_text())
    named = extra.get(backend.VARIABLE) or os.environ.get(backend.VARIABLE) or None
    url = backend.choose(stack_state_dir, named)
    if named is None and url == backend.default_url(stack_state_dir):
        _refuse_runner_folder(stack_state_dir)
    for place in (stack_state_dir, backend.folder(url)):
        if place is not None:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    if backend.needs_login(url) and TOKEN in os.environ:
        env[TOKEN] = os.environ[TOKEN]
    env |= {
        "PATH": _path(),
        "PULUMI_HOME": str(plugins.home()),
        backend.VARIABLE: url,
        **_passphrase(stack_state_dir, url, provider),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",  # Pulumi runs `pip list`, which asks the package index for a newer pip
        "PULUMI_CONTINUE_ON_ERROR": "true",  # one dead host does not block changes of the others
        **extra,
    }
    if any(plugin.kind != plugins.VENDORS for plugin in plugins.state()):
        # Otherwise every command tries five times to download a plugin that is on PATH already.
        env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return env

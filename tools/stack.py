"""One stack on this machine: its working copy, its state, and engine commands with the right environment.

Everything of a stack (passphrase, working copy, rendered files, and the state itself unless backend.py says where else)
is in its own folder of the state, so that any checkout continues it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.settings.messages import for_stack
from tools import backend, engine_state, orphans, secrets_provider, stackfile
from tools.engine_words import errors, explain, streamed
from tools.errors import ToolError
from tools.paths import CHECKOUT, state_dir
from tools.touched import ON_ONE_MACHINE

# `url` is Slack's and a webhook's: whoever has it can post. Grafana's addresses are called auth_url and so on.
SECRET_KEYS = frozenset({"dsn", "client_secret", "password", "routing_key", "token", "url"})

OVERLAY = "fleetwatch:images"
MADE_HERE = "fleetwatch.local/"  # begins the name of every image that a machine assembled itself (recipes.py)
ENVIRONMENT = "FLEETWATCH_ENV"
IMAGES = "images.yaml"  # what replaced pins on this machine in the last `up`, by key
OWN = "overlay.yaml"  # beside the state: what this machine alone adds to a stack file, by section
_WITH_FILE = ("up", "preview", "destroy", "refresh", "config", "import", "watch")
_INIT = ("--no-select", "--non-interactive")


@dataclass
class Stack:
    """`env` is the engine's environment, `images` the references that replace pins on this machine."""

    name: str
    file: Path
    env: Mapping[str, str]
    images: Mapping[str, str] | None = None  # None: as in the last working copy
    policy_pack: Path | None = None  # looks at every preview and update

    def __post_init__(self) -> None:
        path = self.file.resolve()
        shown = path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else self.file
        self.env = {**self.env, "FLEETWATCH_STACK_FILE": str(shown)}  # how the program calls it in what it says
        self.home = state_dir() / self.name
        self.working = self.home / f"Pulumi.{self.name}.yaml"
        self.backend = self.env.get(backend.VARIABLE) or backend.own(self.home)
        self.files = self.home / "files"
        self.state: dict[str, Any] = {}  # as exported by `select`

    def prepare(self, check: bool = True) -> dict[str, Any]:
        """Write the working copy and give its configuration. `check` refuses secrets that stand in clear."""
        made = self.composed(check)
        stackfile.write(self.working, made)
        if stackfile.secrets_of(self.file).exists():
            self.share_secrets()  # those of a renamed host stand under its new name from now on
        if self.images is not None:
            stackfile.write(self.home / IMAGES, dict(self.images))
        config: dict[str, Any] = made["config"]
        return config

    def composed(self, check: bool = True) -> dict[str, Any]:
        """The working copy as `prepare` would write it."""
        user = stackfile.read(self.file)
        clear = stackfile.clear_secrets(user.get("config") or {}, SECRET_KEYS)
        if clear and check:
            lines = "\n".join(
                for_stack(f"  - {path}: `make secret KEY={path}` asks for it", self.name) for path in clear
            )
            raise ToolError(f"{self.file}: secrets stand in clear; take them out and set them encrypted:\n{lines}")
        last = stackfile.read(self.working) if self.working.exists() else {}
        shared = stackfile.secrets_of(self.file)
        last = stackfile.and_what_is_there(stackfile.read(shared), last) if shared.exists() else last
        images = self.images if self.images is not None else self._images(last)
        overlay: dict[str, Any] = stackfile.sections(self.home / OWN) if (self.home / OWN).exists() else {}
        if hub_is_here(user.get("config") or {}):
            here = {"files": str(self.files), "docker": docker_address(user.get("config") or {})}
            overlay["hub"] = {"local": here}
        overlay |= {"images": dict(images)} if images else {}
        return stackfile.compose(user, last, overlay)

    def share_secrets(self) -> Path | None:
        """Keep the encrypted values beside the stack file too, for whoever else works with it: where they are now. What
        is there already stays, also of a host that is taken out: a preview of that must not lose its secrets. None for
        a stack that lives on one machine."""
        if self.name in ON_ONE_MACHINE:
            return None
        path = stackfile.secrets_of(self.file)
        there = stackfile.read(path) if path.exists() else {}
        whole = stackfile.and_what_is_there(stackfile.only_secrets(stackfile.read(self.working)), there)
        if whole != there:
            stackfile.write(path, whole, mode=0o644)
        return path

    def _images(self, last: Mapping[str, Any]) -> Mapping[str, Any]:
        """What replaced pins on this machine in the last `up`. Not from its working copy, where the stack file's own
        images are too; in that of a release that kept it nowhere else, by their names."""
        kept = self.home / IMAGES
        return stackfile.read(kept) if kept.exists() else made_here(_below(last.get("config") or {}, OVERLAY))

    @property
    def here(self) -> bool:
        """Whether the hub is on this machine."""
        return hub_is_here(self._config())

    @property
    def on_server(self) -> bool:
        """Whether the hub is a machine that exists without the program."""
        return "server" in _below(self._config(), "fleetwatch:hub")

    def docker(self) -> str:
        """Where the Docker Engine of a hub on this machine is."""
        return docker_address(self._config())

    def prefix(self) -> str:
        """The beginning of all Docker names."""
        return str(self._config().get("fleetwatch:prefix") or "fleetwatch")

    def _config(self) -> dict[str, Any]:
        source = self.working if self.working.exists() else self.file
        return stackfile.read(source).get("config") or {}

    def select(self, mend: bool = True) -> None:
        """Make the stack if there is none, and clear what an interrupted run left. Without `mend` what the state says
        of that is let be: a preview takes no lock, so to it an update that goes on looks like one that was cut off."""
        if (folder := backend.folder(self.backend)) is not None:
            engine_state.clear_dead_lock(folder, self.name)
        if not self.exists():
            self.make()
        backend.remember(self.home, self.backend)
        pulumi = ["pulumi", "-C", str(CHECKOUT)]
        if self.here:
            engine_state.clear_checks(self.docker(), self.prefix())
        self.state = engine_state.export(self.name, pulumi, self.env)
        if not mend:
            return
        orphans.refuse(self.state, self.name, self.values, self.env)
        docker = self.docker() if self.here else None
        engine_state.clear_half_made(self.state, self.name, self.prefix(), docker, pulumi, self.env)

    def secrets_provider(self) -> str:
        """What encrypts its secrets."""
        return secrets_provider.choose(self.file, self.working)

    def values(self) -> dict[str, str]:
        """The stack's configuration with its secrets in clear."""
        told = json.loads(self.quiet("config", "--json", "--show-secrets"))
        return {key: str(one.get("value", "")) for key, one in told.items()}

    def urn(self, kind: str, name: str) -> str:
        """The engine's name of a resource that the state knows; ToolError if it does not."""
        for resource in (self.state.get("deployment") or {}).get("resources") or []:
            if resource["type"] == kind and resource["urn"].endswith(f"::{name}"):
                return str(resource["urn"])
        raise ToolError(f"The state of stack {self.name} has no {name}; `make pulumi ARGS=stack` lists what it has.")

    def exists(self) -> bool:
        """Whether the state knows the stack."""
        return backend.knows(self.backend, self.name, self.env)

    def make(self) -> None:
        """An empty stack in the state's backend."""
        provider = self.secrets_provider()
        # The engine writes the new stack's salt into the file of the project that it is asked from.
        (self.home / "Pulumi.yaml").write_text("name: fleetwatch\nruntime: python\n")
        self._quiet(
            ["pulumi", "-C", str(self.home), "stack", "init", self.name, "--secrets-provider", provider, *_INIT]
        )

    def forget(self) -> None:
        """Take the stack out of the backend, whatever it holds. The stack file stays."""
        self.quiet("stack", "rm", "--yes", "--force", "--preserve-config")

    def run(self, *words: str) -> int:
        """An engine command whose output the user sees; its exit code."""
        if self.policy_pack and words[0] in ("up", "preview"):
            words = (*words, "--policy-pack", str(self.policy_pack))
        return streamed(self._argv(words), {**self.env, **self._for_the_pack()}, self.name)

    def quiet(self, *words: str, stdin: str | None = None) -> str:
        """An engine command whose output is wanted; ToolError with the engine's words if it fails."""
        return self._quiet(self._argv(words), stdin)

    def _quiet(self, argv: Sequence[str], stdin: str | None = None) -> str:
        done = subprocess.run(argv, env=dict(self.env), input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(explain(done.stderr.strip() or done.stdout.strip(), self.name))
        return done.stdout

    def _argv(self, words: Sequence[str]) -> list[str]:
        config = ["--config-file", str(self.working)] if words[0] in _WITH_FILE else []
        return ["pulumi", "-C", str(CHECKOUT), *words, "--non-interactive", "--stack", self.name, *config]

    def _for_the_pack(self) -> dict[str, str]:
        """The policy pack is told which environment the file is for: its SDK passes no configuration on."""
        return {ENVIRONMENT: str(self._config().get("fleetwatch:env") or self.name)} if self.policy_pack else {}

    def planned(self, *words: str, **env: str) -> dict[str, Any]:
        """What a preview would do, as the engine prints it for programs; ToolError with its words if it cannot."""
        argv = self._argv(["preview", "--json", "--show-sames", *words])
        done = subprocess.run(argv, env={**self.env, **env}, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            digest: dict[str, Any] = json.loads(done.stdout)
            return digest
        raise ToolError(explain(errors(done.stdout) or done.stderr.strip() or done.stdout.strip(), self.name))

    def outputs(self, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; ToolError when it was never brought up."""
        if not self.exists():
            raise ToolError(f"There is no stack {self.name} on this machine yet; `make up` makes it.")
        shown = ["--show-secrets"] if secrets else []
        found: dict[str, Any] = json.loads(self.quiet("stack", "output", "--json", *shown))
        if "query" not in found:
            raise ToolError(f"The stack {self.name} is not up; `make up` brings it up.")
        return found


def made_here(images: Mapping[str, Any]) -> dict[str, Any]:
    """Of a working copy's images those that this machine assembled. The others came from the stack file, and go with
    their line there."""
    return {key: ref for key, ref in images.items() if str(ref).startswith(MADE_HERE)}


def docker_address(config: Mapping[str, Any]) -> str:
    """`hub.local.docker`, else DOCKER_HOST, else the usual socket. The program itself tells mistakes in the file."""
    return named_docker(config) or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def hub_is_here(config: Mapping[str, Any]) -> bool:
    """A hub that is no droplet and no server; mistakes are told by the program."""
    return not {"droplet", "server"} & set(_below(config, "fleetwatch:hub"))


def named_docker(config: Mapping[str, Any]) -> str | None:
    """`hub.local.docker`, if the stack file says it."""
    named = _below(_below(config, "fleetwatch:hub"), "local").get("docker")
    return str(named) if named else None


def _below(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}

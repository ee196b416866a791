"""One stack on this machine: its working copy, its state, and Pulumi commands with the right environment.

Everything of a stack (passphrase, working copy, rendered files, and the state itself unless it is kept elsewhere, see
backend.py) is in one folder of the state directory, so that any checkout can continue it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.settings import Settings, SettingsError
from configs.settings.messages import for_stack
from tools import backend, orphans, pulumi_state, secrets_provider, stack_prefixes, state_files, working_copy
from tools.affected_stacks import ON_ONE_MACHINE
from tools.errors import ToolError
from tools.own_images import references
from tools.paths import CHECKOUT, state_dir
from tools.pulumi_process import errors, explain, streamed
from tools.stack_settings import docker_address, read_settings

ENVIRONMENT = "FLEETWATCH_ENV"
IMAGES = "images.yaml"  # beside the state: the references that replaced pins in the last `up`, by key
OWN = "overlay.yaml"  # beside the state: what this machine alone adds to a stack file, by section
_WITH_FILE = ("up", "preview", "destroy", "refresh", "config", "import", "watch")
_INIT = ("--no-select", "--non-interactive")


@dataclass
class Stack:
    """`env` is Pulumi's environment, `images` the references that replace pins on this machine."""

    name: str
    file: Path
    env: Mapping[str, str]
    images: Mapping[str, str] | None = None  # None: as in the last `up`
    policy_pack: Path | None = None  # checks every preview and update

    def __post_init__(self) -> None:
        path = self.file.resolve()
        shown = path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else self.file
        self.env = {**self.env, "FLEETWATCH_STACK_FILE": str(shown)}  # its name in the program's messages
        self.home = state_dir() / self.name
        self.working = self.home / f"Pulumi.{self.name}.yaml"
        self.backend = self.env.get(backend.VARIABLE) or backend.default_url(self.home)
        self.files = self.home / "files"
        self.state: dict[str, Any] = {}  # as exported by `select`

    def prepare(self, check: bool = True) -> dict[str, Any]:
        """Write the working copy and give its configuration. `check` refuses secrets in clear text."""
        made = self.composed(check)
        stack_prefixes.refuse_taken(self._read(made)[0], self.file, self.working)
        working_copy.write(self.working, made)
        if working_copy.secrets_of(self.file).exists():
            self.share_secrets()  # those of a renamed host stand under its new name from now on
        if self.images is not None:
            working_copy.write(self.home / IMAGES, dict(self.images))
        return dict(made["config"])

    def composed(self, check: bool = True) -> dict[str, Any]:
        """The working copy as `prepare` would write it."""
        user = working_copy.read(self.file)
        plain = working_copy.plain_secrets(user.get("config") or {})
        if plain and check:
            lines = "\n".join(for_stack(f"  - {path}: `make secret KEY={path}` sets it", self.name) for path in plain)
            raise ToolError(f"{self.file}: secrets are in clear text; remove them and set them encrypted:\n{lines}")
        last = working_copy.read(self.working) if self.working.exists() else {}
        shared = working_copy.secrets_of(self.file)
        last = working_copy.merged(working_copy.read(shared), last) if shared.exists() else last
        overlay: dict[str, Any] = working_copy.sections(self.home / OWN) if (self.home / OWN).exists() else {}
        settings = self._read(user)[0]
        images = {**(self._images() if self.images is None else self.images), **references(settings)}
        if settings is not None and settings.hub.local is not None:
            overlay["hub"] = {"local": {"files": str(self.files), "docker": docker_address(settings)}}
        overlay |= {"images": dict(images)} if images else {}
        return working_copy.compose(user, last, overlay)

    def share_secrets(self) -> Path | None:
        """Keep the encrypted values beside the stack file too, for others who use it; the file's path. Values that the
        file has already stay, also those of a host that is removed: a preview of the removal must not lose them.
        None for a stack that lives on one machine."""
        if self.name in ON_ONE_MACHINE:
            return None
        path = working_copy.secrets_of(self.file)
        there = working_copy.read(path) if path.exists() else {}
        whole = working_copy.merged(working_copy.only_secrets(working_copy.read(self.working)), there)
        if whole != there:
            working_copy.write(path, whole, mode=0o644)
        return path

    def _images(self) -> Mapping[str, Any]:
        """The references that replaced pins on this machine in the last `up`."""
        kept = self.home / IMAGES
        return working_copy.read(kept) if kept.exists() else {}

    def settings(self) -> Settings | None:
        """The settings of the working copy, repaired where they have mistakes: the program reports those. None: the
        section `hub` cannot be read."""
        return self._current()[0]

    def valid_settings(self) -> Settings:
        """The settings of the working copy; ToolError with all their mistakes."""
        settings, problems = self._current()
        if problems or settings is None:
            raise ToolError(str(SettingsError(for_stack(problem, self.name) for problem in problems)))
        return settings

    def _current(self) -> tuple[Settings | None, list[str]]:
        return self._read(working_copy.read(self.working if self.working.exists() else self.file))

    def _read(self, content: Mapping[str, Any]) -> tuple[Settings | None, list[str]]:
        return read_settings(content.get("config") or {}, self.name, self.env["FLEETWATCH_STACK_FILE"])

    @property
    def hub_is_local(self) -> bool:
        """Whether the hub is on this machine."""
        settings = self.settings()
        return settings is not None and settings.hub.local is not None

    @property
    def on_server(self) -> bool:
        """Whether the hub is a machine that exists without the program."""
        settings = self.settings()
        return settings is not None and settings.hub.server is not None

    def docker(self) -> str:
        """The address of the Docker Engine of a hub on this machine."""
        return docker_address(self.settings())

    def prefix(self) -> str:
        """The beginning of all Docker names. ToolError if the stack file's is not valid: what bears the default prefix
        belongs to another stack."""
        settings, problems = self._current()
        if settings is None or any(problem.startswith("prefix:") for problem in problems):
            return self.valid_settings().prefix
        return settings.prefix

    def select(self, repair: bool = True) -> None:
        """Make the stack if there is none, and clear what an interrupted run left. Without `repair` the state's pending
        operations stay: a preview takes no lock, so that a running update looks to it like an interrupted one."""
        if (folder := backend.folder(self.backend)) is not None:
            state_files.free(folder, self.name)
        if not self.exists():
            self.make()
        backend.remember(self.home, self.backend)
        self.state = self.read_state()
        if not repair:
            return
        if self.hub_is_local:
            pulumi_state.clear_checks(self.docker(), self.prefix())
        orphans.refuse(self.state, self.name, self.values, self.env)
        if not pulumi_state.pending(self.state):
            return
        pulumi = ["pulumi", "-C", str(CHECKOUT)]
        self.state = pulumi_state.export(self.name, pulumi, self.env)  # in the form in which it is imported again
        local = pulumi_state.LocalDocker(self.docker(), self.prefix()) if self.hub_is_local else None
        pulumi_state.clear_pending(self.state, self.name, local, pulumi, self.env)

    def read_state(self) -> dict[str, Any]:
        """The state as Pulumi keeps it, secrets encrypted; empty when there is none yet. A state in a folder is read
        without starting Pulumi."""
        folder = backend.folder(self.backend)
        found = pulumi_state.read(folder, self.name) if folder is not None else None
        return found if found is not None else pulumi_state.export(self.name, ["pulumi", "-C", str(CHECKOUT)], self.env)

    def export_clear(self) -> dict[str, Any]:
        """The state with its secrets in clear. Never written to a file, shown or passed on but to a command's stdin."""
        return dict(json.loads(self.quiet("stack", "export", "--show-secrets")))

    def secrets_provider(self) -> str:
        """What encrypts its secrets."""
        return secrets_provider.choose(self.file, self.working)

    def values(self) -> dict[str, str]:
        """The stack's configuration with its secrets in clear."""
        values = json.loads(self.quiet("config", "--json", "--show-secrets"))
        return {key: str(entry.get("value", "")) for key, entry in values.items()}

    def urn(self, kind: str, name: str) -> str:
        """The URN of a resource in the state; ToolError if there is none."""
        for resource in pulumi_state.resources(self.state):
            if resource["type"] == kind and resource["urn"].endswith(f"::{name}"):
                return str(resource["urn"])
        raise ToolError(f"The state of stack {self.name} has no {name}; `make pulumi ARGS=stack` lists what it has.")

    def exists(self) -> bool:
        """Whether the state knows the stack."""
        return backend.knows(self.backend, self.name, self.env)

    def make(self) -> None:
        """An empty stack in the state's backend."""
        provider = self.secrets_provider()
        # Pulumi writes the new stack's salt into the stack file of the project that it runs in.
        (self.home / "Pulumi.yaml").write_text("name: fleetwatch\nruntime: python\n")
        self._quiet(
            ["pulumi", "-C", str(self.home), "stack", "init", self.name, "--secrets-provider", provider, *_INIT]
        )

    def forget(self) -> None:
        """Remove the stack from the backend, including what it holds. The stack file stays."""
        self.quiet("stack", "rm", "--yes", "--force", "--preserve-config")

    def run(self, *arguments: str, shown: Callable[[str], None] | None = None) -> int:
        """A Pulumi command whose output the user sees; its exit code."""
        if self.policy_pack and arguments[0] in ("up", "preview"):
            arguments = (*arguments, "--policy-pack", str(self.policy_pack))
        return streamed(self._argv(arguments), {**self.env, **self._pack_environment()}, self.name, shown)

    def quiet(self, *arguments: str, stdin: str | None = None) -> str:
        """The output of a Pulumi command; ToolError with Pulumi's own message if it fails."""
        return self._quiet(self._argv(arguments), stdin)

    def _quiet(self, argv: Sequence[str], stdin: str | None = None) -> str:
        done = subprocess.run(argv, env=dict(self.env), input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(explain(done.stderr.strip() or done.stdout.strip(), self.name))
        return done.stdout

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        config = ["--config-file", str(self.working)] if arguments[0] in _WITH_FILE else []
        return ["pulumi", "-C", str(CHECKOUT), *arguments, "--non-interactive", "--stack", self.name, *config]

    def _pack_environment(self) -> dict[str, str]:
        """The policy pack gets the environment's name in a variable: its SDK passes no configuration on."""
        if not self.policy_pack:
            return {}
        settings = self.settings()
        return {ENVIRONMENT: settings.env if settings is not None else self.name}

    def planned(self, *arguments: str, **env: str) -> dict[str, Any]:
        """The plan of a preview, from Pulumi's JSON; ToolError with Pulumi's own message if there is none."""
        argv = self._argv(["preview", "--json", "--show-sames", *arguments])
        done = subprocess.run(argv, env={**self.env, **env}, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            digest: dict[str, Any] = json.loads(done.stdout)
            return digest
        raise ToolError(explain(errors(done.stdout) or done.stderr.strip() or done.stdout.strip(), self.name))

    def outputs(self, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; ToolError when it was never brought up."""
        if not self.exists():
            raise ToolError(f"There is no stack {self.name} on this machine yet; `make up` makes it.")
        found = pulumi_state.outputs(self.export_clear() if secrets else self.read_state())
        if "query" not in found:
            raise ToolError(f"The stack {self.name} is not up; `make up` brings it up.")
        return found

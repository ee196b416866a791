"""A host: gives its children a docker provider, a way to run commands, and readiness. Kind `local` so far.

A new kind of host is one more subclass: another docker address and another kind of command resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from configs.deploy import on_stdin, script
from configs.settings import Local


@dataclass(frozen=True, kw_only=True)
class HostArgs:
    """What every kind of host needs to know. `stack` is the prefix of all Docker names."""

    stack: str
    local: Local


class Host(pulumi.ComponentResource):
    """A machine with a Docker Engine. Makes its provider and readiness, and no container.

    Outputs: `docker`, the provider for its children; `base`, the folder on the host that rendered files go into.
    """

    def __init__(self, name: str, args: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Host", name, None, opts)
        self.host = name
        self.stack = args.stack
        self._docker_host = args.local.docker
        home = Path(args.local.files or f"~/.local/state/fleetwatch/{args.stack}/files").expanduser()
        self.docker_socket = self._docker_host.removeprefix("unix://")
        self.base = str(home / name)
        self.ready = self.run("ready", create=script("ready"), delete=None)
        self.docker = docker.Provider(
            f"docker-{name}",
            host=self._docker_host,
            # Readiness is waited for, not read from: an unknown host would show every container as changing.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready]),
        )
        self.register_outputs({"base": self.base})

    def run(
        self,
        what: str,
        *,
        create: str,
        delete: str | None,
        stdin: pulumi.Input[str] | None = None,
        triggers: Sequence[pulumi.Input[str]] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        parent: pulumi.Resource | None = None,
    ) -> command.local.Command:
        """A script on this host, run at creation and again when anything of it changes. Secrets go into `stdin`."""
        return command.local.Command(
            f"{self.host}-{what}",
            create=on_stdin(create),
            delete=delete,
            stdin=pulumi.Output.concat(create, stdin if stdin is not None else ""),
            triggers=list(triggers) if triggers else None,
            environment={"DOCKER_HOST": self._docker_host},
            interpreter=["/bin/sh", "-c"],
            add_previous_output_in_env=False,
            logging=command.local.Logging.STDERR,  # what went well is quiet
            opts=pulumi.ResourceOptions(parent=parent or self, depends_on=list(depends_on)),
        )

    def labels(self, role: str) -> Mapping[str, str]:
        """Docker labels by which everything that was made here is found again, and nothing else."""
        return {"fleetwatch.stack": self.stack, "fleetwatch.host": self.host, "fleetwatch.role": role}

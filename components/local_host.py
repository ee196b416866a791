"""The machine that the program runs on, as a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.host import Host
from configs.deploy import COMPARES, COMPOSE, engine, fed, on_stdin, script
from configs.settings import Local


class LocalHost(Host):
    """Kind `local`: commands run here, Docker is its socket. Nothing of it is reachable from elsewhere."""

    keeps_volumes = True

    def __init__(self, name: str, stack: str, local: Local, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, stack, opts)
        self._docker_host = local.docker
        home = Path(local.files or f"~/.local/state/fleetwatch/{stack}/files").expanduser()
        self.docker_socket = self._docker_host.removeprefix("unix://")
        self.base = str(home / name)
        self.ready = self.run("ready", create=engine() + script("ready", COMPOSE=COMPOSE), delete=None)
        self.register_outputs({"base": self.base})

    def docker(self) -> docker.Provider:
        return docker.Provider(
            f"docker-{self.name}",
            host=self._docker_host,
            # Waits for readiness without using its output: an unknown host would show every container as changing.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready]),
        )

    def run(
        self,
        what: str,
        *,
        create: str,
        delete: str | None,
        stdin: pulumi.Input[str] | None = None,
        files: Mapping[str, pulumi.Input[str]] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        parent: pulumi.Resource | None = None,
        compares: bool = False,
    ) -> command.local.Command:
        return command.local.Command(
            f"{self.name}-{what}",
            create=f'{fed(sorted(files or {}))} | eval "$HERE"',
            delete=delete,
            stdin=stdin if stdin is not None else "",
            environment={
                **(files or {}),
                **({COMPARES: self.name} if compares else {}),
                "SCRIPT": create,
                "HERE": on_stdin(create),
                "DOCKER_HOST": self._docker_host,
            },
            interpreter=["/bin/sh", "-c"],
            add_previous_output_in_env=False,
            logging=command.local.Logging.STDERR,  # success is silent
            opts=pulumi.ResourceOptions(parent=parent or self, depends_on=list(depends_on)),
        )

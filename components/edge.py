"""Edge: the collectors that every monitored Docker host runs. They push; nothing is published on the host."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_command as command

from components.credential import Credential, ScrapeCredential
from components.gate import FAST, gate
from components.host import Host
from components.hub import Endpoint
from components.late import LateValues, known
from components.nodes import AnyNode
from configs import compose, deployment, names, services
from configs.deploy import bundle, numbered, script
from configs.services import agent
from configs.services.container import Container, check_line, trial_line
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings

PATIENCE = 300  # seconds that an update waits for one before it, whose connection broke
HEALTHY = 120  # seconds until a container that was started answers its health check
BRIEF, LONG = 2, 10  # seconds between the first scrapes of a new agent; where the host is too busy for the first
OLDEST = FAST + 10  # seconds that the newest sample of an unchanged job may be old
SCRAPE_WAIT = 20  # seconds until a scrape without an error, more than an interval
STALL = 60  # seconds in which the backlog of an agent that is replaced has to become less
DRAIN = 1800  # seconds that an update waits for it at the most
SLOW_TIMEOUT = 45  # seconds for reading a target of a slower job once
TRIAL_BRIEF, TRIAL_LONG = 3, 45  # seconds for an app's answer in its trial, and for one that needs longer
TRIAL_START = 14  # seconds until a new agent knows its targets; Prometheus looks for them each five
PIECE = 90_000  # characters; one variable of the environment holds 128 KB


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """`hub`: how this edge reaches the hub; `gate`: where its gate runs, on the hub. `settings` are plain and
    checked: they shape the resource graph. `credential`: None for an edge that pushes over the private network."""

    host: Host
    settings: Settings
    images: Mapping[str, str]
    credential: Credential | None
    hub: Endpoint
    gate: Host | AnyNode


class Edge(pulumi.ComponentResource):
    """One host's edge: a Compose project on it, which one command brings there, and the gate that waits for its data.

    Outputs: `rotated`, the rotation of its password.
    """

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Edge", name, None, opts)
        self._args = args
        host = args.host
        self._context = deployment.context(args.settings, host.name, host.base, host.docker_socket)
        self._specs = services.edge_specs(self._context)
        made = compose.containers(self._context, self._specs, args.images)
        scrape = ScrapeCredential(host.name, self._context.host.rotation, host)
        self._late: LateValues = {
            "passwords": {**(args.credential.files if args.credential is not None else {}), **scrape.files},
            "scraper": scrape.accepted,
            **({"hub_ca": args.hub.ca} if args.hub.ca is not None else {}),
        }
        project = self._project(made)
        if not self._context.host.abandoned:
            gate(args.gate, args.settings, host.name, project.stdout, self)
        # Known to be so only once everything has changed over.
        self.rotated = project.stdout.apply(lambda _: self._context.host.rotation)
        self.register_outputs({})

    def _project(self, made: Mapping[str, Container]) -> command.local.Command:
        host = self._args.host
        place = {"BASE": host.base, "DIR": self._context.project, "PREFIX": host.stack}
        needs = {need for spec in self._specs for file in spec.secrets.values() for need in file.needs}
        secrets = known(self._late, needs, lambda late: bundle(compose.secrets(self._specs, late)))
        return host.run(
            "project",
            create=script("pull", HOST=host.name, **self._parameters(made))
            + script("incoming")
            + script("mounts")
            + script("containers", **place)
            + script("scrapes", **self._jobs())
            + script("trial", **self._trial(made))
            + script("backlog", STALL=str(STALL), DRAIN=str(DRAIN))
            + script("project"),
            delete=script("remove_project", VOLUMES="" if host.keeps_volumes else "yes", **place),
            files=self._files(compose.compose_yaml(self._context, made)),
            stdin=pulumi.Output.secret(secrets),
            depends_on=[host.ready],
            parent=self,
            compares=True,
        )

    def _parameters(self, made: Mapping[str, Container]) -> dict[str, str]:
        stack, specs = self._args.host.stack, self._specs
        rows = [self._row(spec, made[spec.role]) for spec in specs]
        return {
            **numbered(rows),
            "PUSHERS": " ".join(spec.role for spec in specs if spec.pushes),
            "JOINING": " ".join(spec.role for spec in specs if spec.user_networks),
            "NETWORKS": "\n".join(sorted(self._context.edge.networks)),
            "TARGETS": "\n".join(self._context.edge.names_of_targets),
            "OWN": f"{names.edge_network(stack)} {names.hub_network(stack)}",
            "PATIENCE": str(PATIENCE),
            "HEALTHY": str(HEALTHY),
        }

    def _jobs(self) -> dict[str, str]:
        settings, host = self._args.settings, self._args.host.name
        jobs, users = services.scrape_jobs(settings, host), services.users_jobs(settings, host)
        # A target that demands a password is read by the agent alone, which has it in a file.
        locked = {job.name for job in self._context.jobs if job.password}
        found = self._context.edge.discovered
        fast = [job for job, interval in jobs.items() if (interval <= FAST or job in locked) and job not in found]
        readable = [job for job in jobs if job not in locked and job not in users]
        return {
            "FAST": " ".join(fast),
            "SLOW": " ".join(job for job in readable if job not in fast),
            "READ": " ".join(readable),
            "JUDGED": " ".join(job for job in fast if job in users),
            "LOCKED": " ".join(job for job in jobs if job in locked),
            "GATEWAY": self._context.gateway,
            "SUBNET": self._context.edge.subnet,
            "OURS": " ".join(job for job in jobs if job not in users),
            "SCRAPES": f"agent/config/{agent.FILE}",
            "AGENT_PORT": str(names.PROMETHEUS_PORT),
            "BRIEF": str(BRIEF),
            "LONG": str(LONG),
            "SCRAPE_WAIT": str(SCRAPE_WAIT),
            "SLOW_TIMEOUT": str(SLOW_TIMEOUT),
            "OLDEST": str(OLDEST),
        }

    def _trial(self, made: Mapping[str, Container]) -> dict[str, str]:
        settings, host, edge = self._args.settings, self._args.host.name, self._context.edge
        timeouts = {job.name: job.timeout or min(10, job.interval) for job in self._context.jobs if job.users}
        timeouts |= {name: app.scrape_timeout for name, app in edge.apps.items()}
        jobs, users = services.scrape_jobs(settings, host), services.users_jobs(settings, host)
        tried = [job for job in jobs if job in users and (jobs[job] > FAST or job in edge.discovered)]
        (spec,) = (spec for spec in self._specs if spec.trial)
        return {
            "TRIED": " ".join(f"{job}={timeouts[job]}" for job in tried),
            "TRIAL": trial_line(made[spec.role], spec.trial, self._args.host.labels("check")) if tried else "",
            "TRIAL_PORT": str(agent.TRIAL_PORT),
            "TRIAL_BRIEF": str(TRIAL_BRIEF),
            "TRIAL_LONG": str(TRIAL_LONG),
            "TRIAL_START": str(TRIAL_START),
        }

    def _row(self, spec: ServiceSpec, made: Container) -> dict[str, str]:
        check = check_line(
            spec,
            image=made.image,
            config=f'"$next/{spec.role}/config"',
            secrets=f'"$next/{spec.role}/secrets"',
            labels=self._args.host.labels("check"),
        )
        return {
            "ROLE": spec.role,
            "KEY": spec.service.image,
            "IMAGE": made.image,
            "CHECK": check,
            "RELOAD": spec.reload,
            "HEALTH": shlex.join(made.health.argv),
        }

    def _files(self, compose_yaml: str) -> dict[str, pulumi.Input[str]]:
        """What is not secret, as variables: FILES, FILES_HOSTS, and FILES_<ROLE> for a role's. A preview shows each
        that changes. A text that is known late hides its whole variable; guard rails have to see compose.yaml."""
        made: dict[str, pulumi.Input[str]] = {
            "FILES": bundle({compose.FILE: compose_yaml, compose.README: compose.readme(self._context)}, whole=False)
        }
        if self._args.hub.addresses:
            made["FILES_HOSTS"] = pulumi.Output.all(*self._args.hub.addresses).apply(
                lambda found: bundle({compose.HOSTS: compose.hosts(found, self._context.gateway)}, whole=False)
            )
        for spec in self._specs:
            if spec.files:
                made |= _pieces(f"FILES_{spec.role.upper().replace('-', '_')}", spec, self._late)
        return made


def _pieces(name: str, spec: ServiceSpec, late: LateValues) -> dict[str, pulumi.Input[str]]:
    """The files of a role, in as many variables as they need, which are joined in the order of their names."""

    def text(values: Late) -> str:
        return bundle(compose.files(spec, values), whole=False)

    needs = {need for file in spec.files.values() for need in file.needs}
    # The number of variables has to be known before all late values are.
    now: dict[str, Any] = {need: late[need] for need in needs if isinstance(late[need], str)}
    count = len(text(Late(**now)).encode()) // PIECE + 1
    whole = known(late, needs, text)

    def piece(number: int) -> pulumi.Output[str]:
        return whole.apply(lambda found: found[len(found) * number // count : len(found) * (number + 1) // count])

    return {name if number == 0 else f"{name}_{number + 1:02}": piece(number) for number in range(count)}

"""vmagent of an edge: the same scrape jobs and labels as the Prometheus agent, with a queue on disk.

What the hub has not accepted is in the queue and survives a restart. Up to five seconds of samples and the block that
is being sent are in memory alone: a stop writes them, a kill loses them.

It listens inside its container alone, because it takes samples of anybody who reaches its port, with any labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from configs import names
from configs.render import apps, push_auth
from configs.render.dump import to_yaml
from configs.services import agent
from configs.services.container import TRIAL_FILE
from configs.services.context import Context, pushing
from configs.services.spec import MB, File, Pushing, Service, ServiceSpec, Volume, restart_if

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.app import App

SERVICE = Service(
    image="vmagent",
    licence="Apache-2.0",
    limits=agent.ROLE,
    memory=256 * MB,
    cpus=0.5,
    jobs=(agent.ROLE,),
    pushing=Pushing(role=agent.ROLE, lost=agent.LOST),
)
PROGRAM = "/vmagent-prod"
CONFIG = "/etc/vmagent"
DATA = "/vmagent-data"
REMOTE_WRITE = "remote-write"  # a file with one argument a line: the URL of the hub is known late
# Bytes of a sample in the queue. Measured: 12 with values that compress badly; a quarter more for small blocks.
BYTES_PER_SAMPLE = 15
LEAST = 536_871_040  # bytes of a queue, which is stored in files of that size


def specs(context: Context) -> list[ServiceSpec]:
    """vmagent of a host, where it is the metrics agent."""
    if context.edge.metrics.agent != "vmagent":
        return []
    return [
        agent.spec(
            context,
            service=SERVICE,
            config_dir=CONFIG,
            files={
                agent.FILE: File(lambda _: config(context)),
                **pushing(context, REMOTE_WRITE, remote_write),
            },
            check=(PROGRAM, "-dryRun", f"-promscrape.config={CONFIG}/{agent.FILE}"),
            trial=tuple(trial()),
            reload=restart_if(REMOTE_WRITE),
            entrypoint=("/bin/sh", "-c", _START, "vmagent"),
            command=tuple(command(context.settings, context.name)),
            volumes={"vmagent": Volume(DATA)},
            stop_timeout=15,  # a request to the hub may take five seconds to end, then the queue is written
            series=980,
        )
    ]


# Replaces itself by vmagent, which then gets the signals.
_START = f'''while IFS= read -r argument; do set -- "$@" "$argument"; done < {CONFIG}/{REMOTE_WRITE}
exec {PROGRAM} "$@"'''


def config(context: Context) -> str:
    """The scrape configuration."""
    return to_yaml(
        agent.scrape_settings(context, CONFIG, app_keys), f"vmagent of {context.name}, rendered by fleetwatch"
    )


def app_keys(app: App) -> dict[str, Any]:
    """The keys of an app's job that only vmagent has."""
    return {"max_scrape_size": apps.binary_size(app.size_limit)}


def remote_write(context: Context) -> str:
    """The arguments about the hub, one a line. They are read at the start of the container.

    vmagent tries again after any answer but a 400, 409 and 415. Its queue belongs to the URL.
    """
    arguments = {"url": context.push_url + names.METRICS_PUSH}
    if context.host.via == "internet":
        login = push_auth.basic_auth(context.name, context.host)
        tls = push_auth.tls_config(context.settings.hub, CONFIG)
        arguments |= {
            "basicAuth.username": login["username"],
            "basicAuth.passwordFile": login["password_file"],
            **({"tlsCAFile": tls["ca_file"]} if "ca_file" in tls else {}),
        }
    return "".join(f"-remoteWrite.{name}={value}\n" for name, value in arguments.items())


def command(settings: Settings, host: str) -> list[str]:
    """Arguments of the container. One queue: each has a block in memory, which a kill loses."""
    return [
        f"-promscrape.config={CONFIG}/{agent.FILE}",
        f"-remoteWrite.tmpDataPath={DATA}",
        f"-remoteWrite.maxDiskUsagePerURL={queue_size(settings, host)}",
        "-remoteWrite.queues=1",
        "-remoteWrite.forcePromProto=true",
        "-remoteWrite.retryMaxInterval=10s",
        "-remoteWrite.sendTimeout=30s",
        "-enableTCP6",  # targets by IPv6 too, as a Prometheus agent
        f"-httpListenAddr=127.0.0.1:{names.PROMETHEUS_PORT}",
    ]


def trial() -> list[str]:
    """The argv of a second vmagent. It does not start without an address for its samples: nothing listens there."""
    return [
        PROGRAM,
        f"-promscrape.config={TRIAL_FILE}",
        "-remoteWrite.url=http://127.0.0.1:9",
        "-remoteWrite.tmpDataPath=/tmp/data",
        "-remoteWrite.maxDiskUsagePerURL=20MB",
        "-remoteWrite.queues=1",
        "-enableTCP6",
        f"-httpListenAddr=127.0.0.1:{agent.TRIAL_PORT}",
    ]


def queue_size(settings: Settings, host: str) -> int:
    """Bytes of disk that the queue may take: the expected samples of the outage budget. Beyond it the oldest go."""
    rate = settings.edges[host].metrics.sample_rate
    return max(LEAST, rate * settings.hub.outage_budget * BYTES_PER_SAMPLE)

"""The edge's Prometheus in agent mode: scrapes the host's targets and pushes the samples to the hub.

What it shares with the other metrics agent (vmagent.py) is here too: the scrape jobs and the container around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from configs import names
from configs.render import apps, push_auth
from configs.render.dump import to_yaml
from configs.services.container import TRIAL_FILE
from configs.services.context import Context, passwords, pusher_networks, pushing, scrape_password
from configs.services.spec import (
    MB,
    RELOAD_BY_HUP,
    USERS_LABELS,
    USERS_SAMPLES,
    File,
    Pushing,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
)
from configs.units import prometheus_duration

if TYPE_CHECKING:
    from configs.settings import Settings
    from configs.settings.app import App

ROLE = "agent"  # of either metrics agent
LOST = "samples that it has not sent yet are lost if it is a Prometheus agent; vmagent keeps them"
SERVICE = Service(
    image="prometheus",
    licence="Apache-2.0",
    limits=ROLE,
    memory=256 * MB,
    cpus=0.5,
    jobs=(ROLE,),
    pushing=Pushing(role=ROLE, lost=LOST),
)
CONFIG = "/etc/prometheus"
DATA = "/prometheus"
FILE = "prometheus.yml"
TRIAL_PORT = 9099  # of a second agent in the container's network, for some seconds
# Of an app's labels, in characters. A scrape with a longer one is rejected, as by its `sample_limit`.
LABEL_LENGTHS = {"label_name_length_limit": 128, "label_value_length_limit": 2048}
# Prometheus 3 refuses an answer whose Content-Type it does not know, such as text/html, unless it has a format for it.
FALLBACK = "PrometheusText0.0.4"


def specs(context: Context) -> list[ServiceSpec]:
    """The Prometheus agent of a host, where it is the metrics agent."""
    if context.edge.metrics.agent != "prometheus":
        return []
    return [
        spec(
            context,
            service=SERVICE,
            config_dir=CONFIG,
            files=pushing(context, FILE, config),
            check=("promtool", "check", "config", "--agent", f"{CONFIG}/{FILE}"),
            trial=(
                "/bin/prometheus", "--agent", f"--config.file={TRIAL_FILE}", "--storage.agent.path=/tmp/data",
                f"--web.listen-address=127.0.0.1:{TRIAL_PORT}",
            ),
            reload=RELOAD_BY_HUP,
            command=tuple(command(context.settings)),
            volumes={"agent": Volume(DATA)},
            stop_timeout=5,  # its flush waits for the hub, which may be down
            series=720,
        )
    ]  # fmt: skip


def spec(
    context: Context,
    *,
    service: Service,
    config_dir: str,
    files: Mapping[str, File],
    check: tuple[str, ...],
    trial: tuple[str, ...],
    reload: str,
    command: tuple[str, ...],
    volumes: Mapping[str, Volume],
    stop_timeout: int,
    series: int,
    entrypoint: tuple[str, ...] = (),
) -> ServiceSpec:
    """The metrics agent `service`. Either has the same role, port and scrape job, so that everything around it is
    the same."""
    return ServiceSpec(
        role=ROLE,
        service=service,
        limits=context.edge_limits(service),
        config_dir=config_dir,
        files={**files, **apps.files(context.edge)},
        secrets={**passwords(context), **scrape_password(), **apps.secrets(context.edge)},
        check=check,
        trial=trial,
        reload=reload,
        entrypoint=entrypoint,
        command=command,
        binds={context.hosts_file: "/etc/hosts"} if context.hub_by_address else {},
        hosts=context.host_names,
        sysctls=context.dials,
        volumes=volumes,
        networks=pusher_networks(context),
        user_networks=True,
        health=http_check(f"http://127.0.0.1:{names.PROMETHEUS_PORT}/-/healthy"),
        stop_timeout=stop_timeout,
        scrape=ScrapeJob(
            name=ROLE,
            interval=context.edge.scrape.agents,
            port=names.PROMETHEUS_PORT,
            target=f"localhost:{names.PROMETHEUS_PORT}",
            series=series,
        ),
    )


def config(context: Context) -> str:
    """prometheus.yml of the agent."""
    labels = {"env": context.settings.env, "host": context.name}
    return to_yaml(
        {
            "global": {"external_labels": labels, "scrape_interval": "15s"},
            **scrape_settings(context, CONFIG, app_keys),
            "remote_write": [_remote_write(context)],
        },
        f"Prometheus agent of {context.name}, rendered by fleetwatch",
    )


def app_keys(app: App) -> dict[str, Any]:
    """The keys of an app's job that only a Prometheus agent has. vmagent reads an answer of any Content-Type."""
    size = apps.binary_size(app.size_limit)
    return {**LABEL_LENGTHS, "body_size_limit": size, "fallback_scrape_protocol": FALLBACK}


def scrape_settings(context: Context, folder: str, own: Callable[[App], Mapping[str, Any]]) -> dict[str, Any]:
    """The scrape jobs, which both metrics agents read from `folder`. `own`: the keys of an app's job that only one has.

    Their targets have all labels: vmagent takes external labels for labels of the metric, which become `exported_host`
    beside those of the target.
    """
    labels = {"env": context.settings.env, "host": context.name}
    return {"scrape_configs": _labelled([*_service_jobs(context), *apps.jobs(context.edge, folder, own)], labels)}


def command(settings: Settings) -> list[str]:
    """Arguments of the container. The WAL keeps samples that the hub did not accept yet for the outage budget.

    The truncation frequency of the WAL decides, not `max-time`: each truncation begins a new segment file and drops
    the oldest two thirds of the previous ones, sent or not (Prometheus 3.15, tsdb/agent/db.go), and a sender whose next
    segment was dropped resumes with the current one. The frequency is two thirds of the budget. An edge that writes up
    to two segments of 128 MB in that time (about 10000 series) then keeps at least one budget, an edge that writes one
    segment at least one and a third.
    """
    budget = settings.hub.outage_budget
    truncate = max(10, budget * 2 // 3)
    return [
        "--agent",
        f"--config.file={CONFIG}/{FILE}",
        f"--storage.agent.path={DATA}",
        f"--storage.agent.retention.min-time={prometheus_duration(min(300, truncate))}",
        f"--storage.agent.retention.max-time={prometheus_duration(budget)}",
        f"--storage.agent.wal-truncate-frequency={prometheus_duration(truncate)}",
        f"--web.listen-address=:{names.PROMETHEUS_PORT}",
    ]


def _remote_write(context: Context) -> dict[str, Any]:
    """Prometheus always retries a 5xx and, with the setting below, a 429; any other 4xx is final.

    Of a request by remote write 1.0 the hub stores nothing if it refuses one sample (too old, or a duplicate), which
    costs up to 2000 samples of other jobs. By 2.0 it stores the rest, and its answer counts what it refused. Thanos
    takes 1.0 alone, and stores the rest.
    """
    first = context.settings.hub.storage.bucket is not None
    target: dict[str, Any] = {
        "url": context.push_url + names.METRICS_PUSH,
        "protobuf_message": "prometheus.WriteRequest" if first else "io.prometheus.write.v2.Request",
        "remote_timeout": "30s",
        "queue_config": {"max_backoff": "10s", "retry_on_http_429": True, "batch_send_deadline": "1s"},
    }
    if context.host.via == "internet":
        target["basic_auth"] = push_auth.basic_auth(context.name, context.host)
        target["tls_config"] = push_auth.tls_config(context.settings.hub, CONFIG)
    return target


def _labelled(jobs: list[dict[str, Any]], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Adds the labels to each target: a target's labels override a metric's own (which becomes `exported_host`).

    External labels do not override labels that a metric has, and `honor_labels` keeps those of the metric.
    """
    for job in jobs:
        for group in job.get("static_configs", []):
            group["labels"] = {**labels, **group.get("labels", {})}
        if "dns_sd_configs" in job:
            steps = [{"target_label": key, "replacement": value} for key, value in labels.items()]
            job["relabel_configs"] = [*job.get("relabel_configs", []), *steps]
        if job.get("honor_labels"):
            job["metric_relabel_configs"] = [*job.get("metric_relabel_configs", []), *apps.honored(labels)]
    return jobs


def _job(name: str, interval: int) -> dict[str, Any]:
    """A scrape job without its targets; `_labelled` adds the labels of env and host."""
    timeout = {"scrape_timeout": prometheus_duration(interval)} if interval < 10 else {}
    return {"job_name": name, "scrape_interval": prometheus_duration(interval), **timeout}


def _service_jobs(context: Context) -> list[dict[str, Any]]:
    """The jobs of our services on this host. Services with the same job name share a job, with one target each."""
    made: dict[str, dict[str, Any]] = {}
    for job in context.jobs:
        group = {"targets": [job.target], **({"labels": dict(job.labels)} if job.labels else {})}
        if job.name in made:
            made[job.name]["static_configs"].append(group)
            continue
        more: dict[str, Any] = {"scrape_timeout": prometheus_duration(job.timeout)} if job.timeout else {}
        if job.password:
            more["basic_auth"] = push_auth.scrape_auth()
        if not job.honor_timestamps:
            more["honor_timestamps"] = False
        if job.users:
            more |= {"sample_limit": USERS_SAMPLES, "label_limit": USERS_LABELS}
        made[job.name] = {**_job(job.name, job.interval), **more, "static_configs": [group]}
        if job.metric_relabel_configs:
            made[job.name]["metric_relabel_configs"] = [dict(rule) for rule in job.metric_relabel_configs]
    return list(made.values())

"""Promtail on an edge: containers by Docker discovery, files, journal; pushed to the hub's Loki."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from configs import names
from configs.render import levels, log_stages, loglines, push_auth
from configs.render.dump import to_yaml
from configs.services import log_agent
from configs.services.context import Context
from configs.services.spec import MB, Pushing, Service, ServiceSpec
from configs.units import go_duration, show_size

if TYPE_CHECKING:
    from configs.settings.logs import LogFile

SERVICE = Service(
    image="promtail",
    licence="AGPL-3.0-only",
    limits="logs",
    memory=192 * MB,
    cpus=0.5,
    jobs=("promtail",),
    pushing=Pushing(role="promtail", lost=log_agent.LOST),
)
CONFIG = "/etc/promtail"
DATA = "/var/lib/promtail"
FILE = "promtail.yml"
CHECK = ["/usr/bin/promtail", f"-config.file={CONFIG}/{FILE}", "-check-syntax"]


def specs(context: Context) -> list[ServiceSpec]:
    """Promtail of a host, where it is the log agent."""
    if context.edge.logs.agent != "promtail":
        return []
    return [
        log_agent.spec(
            context,
            service=SERVICE,
            config_dir=CONFIG,
            file=FILE,
            render=config,
            check=tuple(CHECK),
            program="/usr/bin/promtail",
            command=tuple(command()),
            data=DATA,
            positions=("positions.yml",),
            ready="/ready",
            series=190,
        )
    ]


def config(context: Context) -> str:
    """promtail.yml. Batches are retried without an end: Docker's log files are the buffer, not Promtail's patience.

    A 429 is not retried: Loki stored what it accepts of the batch and counts the rest (configs/services/loki.py).
    `limits_config` makes Promtail read slower, it drops nothing. Its `max_streams` is not used: in Promtail 3.7 one
    stream above it ends the client (clients/pkg/promtail/client/client.go).
    """
    settings, edge = context.settings, context.edge
    client: dict[str, Any] = {
        "url": context.push_url + names.LOGS_PUSH,
        "batchwait": "500ms",
        "batchsize": 1048576,
        "timeout": "30s",
        "backoff_config": {"min_period": "500ms", "max_period": "15s", "max_retries": 0},
        "drop_rate_limited_batches": True,
        "external_labels": {"env": settings.env, "host": context.name},
    }
    if context.host.via == "internet":
        client["basic_auth"] = push_auth.basic_auth(context.name, context.host)
        client["tls_config"] = push_auth.tls_config(settings.hub, CONFIG)
    return to_yaml(
        {
            "server": {"http_listen_port": names.LOG_AGENT_PORT, "grpc_listen_port": 0, "log_level": "warn"},
            "positions": {"filename": f"{DATA}/positions.yml", "sync_period": "2s"},
            "clients": [client],
            "limits_config": {
                "readline_rate_enabled": True,
                "readline_rate": edge.logs.line_rate,
                "readline_burst": edge.logs.line_rate,
                "readline_rate_drop": False,
                "max_line_size": show_size(settings.hub.loki.max_line_size),
                "max_line_size_truncate": True,
            },
            "target_config": {"sync_period": "2s"},
            "scrape_configs": [
                _containers(context),
                _stopped(context),
                *(_file(name, source) for name, source in sorted(edge.logs.files.items())),
                *([_journal(settings.hub.outage_budget)] if edge.logs.journal else []),
            ],
        },
        f"Promtail of {context.name}, rendered by fleetwatch",
    )


def command() -> list[str]:
    """Arguments of the container."""
    return [f"-config.file={CONFIG}/{FILE}"]


def _containers(context: Context) -> dict[str, Any]:
    return {
        "job_name": "docker",
        "docker_sd_configs": [{"host": f"unix://{names.DOCKER_SOCKET}", "refresh_interval": "2s"}],
        "relabel_configs": _relabel(context),
        "pipeline_stages": [
            *map(_stage, loglines.container_stages(context.edge, context.settings.prefix, context.is_hub, live=True)),
            _metadata(),
        ],
    }


def _stopped(context: Context) -> dict[str, Any]:
    """Containers that have stopped: Promtail looks for new ones every 5 s, so it may never have seen them run.

    It shares the positions with the job above. Docker gives it the lines of a stopped container's last second again
    each time, which Loki recognizes; `older_than` ends that.
    """
    edge, budget = context.edge, context.settings.hub.outage_budget
    old = {"drop": {"older_than": go_duration(budget), "drop_counter_reason": "stopped_before_outage_budget"}}
    stages = loglines.container_stages(edge, context.settings.prefix, context.is_hub, live=False)
    return {
        "job_name": "docker-stopped",
        "docker_sd_configs": [
            {
                "host": f"unix://{names.DOCKER_SOCKET}",
                "refresh_interval": "15s",
                "filters": [{"name": "status", "values": ["exited", "dead"]}],
            }
        ],
        "relabel_configs": _relabel(context),
        "pipeline_stages": [old, *map(_stage, stages), _metadata()],
    }


def _relabel(context: Context) -> list[dict[str, Any]]:
    edge, prefix = context.edge, context.settings.prefix
    rules: list[dict[str, Any]] = []
    projects = loglines.project_regex(edge, prefix)
    label = "__meta_docker_container_label_"
    compose, stack = label + "com_docker_compose_", label + "fleetwatch_stack"
    if projects:
        rules.append({"source_labels": [compose + "project", stack], "regex": projects, "action": "keep"})
    return [
        *rules,
        {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
        *(
            {
                "source_labels": [compose + key, stack],
                "regex": names.USERS_LABEL,
                "target_label": f"compose_{key}",
            }
            for key in ("project", "service")
        ),
        *(
            {
                "source_labels": [label + key for key in keys],
                "regex": regex,
                "target_label": "image",
                "replacement": value,
            }
            for keys, regex, value in loglines.IMAGE_LABELS
        ),
        {"source_labels": ["__meta_docker_container_log_stream"], "target_label": "stream"},
        {"target_label": "job", "replacement": names.DOCKER_JOB},
    ]


def _stage(stage: log_stages.Stage) -> dict[str, Any]:
    values: dict[str, Any] = {
        key: value if isinstance(value, (str, int, float)) else dict(value) for key, value in stage.values.items()
    }
    if stage.kind == "labels":
        values = values["values"]
    inner = {"stages": [_stage(one) for one in stage.stages]} if stage.stages else {}
    return {stage.kind: {**values, **inner}}


def _file(name: str, source: LogFile) -> dict[str, Any]:
    return {
        "job_name": f"file-{name}",
        **({"encoding": source.encoding} if source.encoding else {}),
        "static_configs": [
            {
                "targets": ["localhost"],
                "labels": {
                    "job": source.job or name,
                    **dict(sorted(source.labels.items())),
                    "__path__": source.path,
                    "__path_exclude__": loglines.excluded(source),
                },
            }
        ],
        "pipeline_stages": [*_level(*loglines.json_keys(source)), _metadata()],
    }


def _journal(budget: int) -> dict[str, Any]:
    return {
        "job_name": "journal",
        "journal": {"max_age": go_duration(max(43200, budget)), "labels": {"job": names.JOURNAL_JOB}},
        "relabel_configs": [{"source_labels": ["__journal__systemd_unit"], "target_label": "unit"}],
        "pipeline_stages": [*_level(), _metadata()],
    }


def _level(*json_keys: str) -> list[dict[str, Any]]:
    return [_stage(one) for one in levels.stages(json_keys)]


def _metadata() -> dict[str, Any]:
    return {"structured_metadata": dict.fromkeys(loglines.STRUCTURED_METADATA)}

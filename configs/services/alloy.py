"""Grafana Alloy as log agent of an edge: the same sources, labels and filters as Promtail, in Alloy's language.

What Promtail calls scrape jobs are pipelines here: discovery or files -> loki.process -> loki.write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from configs import names
from configs.render import alloy_blocks as blocks
from configs.render import levels, loglines, push_auth
from configs.services import log_agent
from configs.services.context import Context
from configs.services.spec import MB, Pushing, Service, ServiceSpec
from configs.units import go_duration

if TYPE_CHECKING:
    from configs.settings.logs import LogFile

SERVICE = Service(
    image="alloy",
    licence="Apache-2.0",
    limits="logs",
    memory=192 * MB,
    cpus=0.5,
    jobs=("alloy",),
    pushing=Pushing(role="alloy", lost=log_agent.LOST),
)
CONFIG = "/etc/alloy"
DATA = "/alloy-data"  # not the image's own folder, whose owner a container without rights may not write as
FILE = "config.alloy"
CHECK = ["/bin/alloy", "validate", f"{CONFIG}/{FILE}"]

_LABEL = "__meta_docker_container_label_"
_COMPOSE = _LABEL + "com_docker_compose_"


def specs(context: Context) -> list[ServiceSpec]:
    """Grafana Alloy of a host, where it is the log agent."""
    if context.edge.logs.agent != "alloy":
        return []
    return [
        log_agent.spec(
            context,
            service=SERVICE,
            config_dir=CONFIG,
            file=FILE,
            render=config,
            check=tuple(CHECK),
            program="/bin/alloy",
            command=tuple(command()),
            data=DATA,
            positions=("loki.source.docker.*/positions.yml", "loki.source.journal.*/positions.yml"),
            ready="/-/ready",
            series=400,  # not measured
        )
    ]


def config(context: Context) -> str:
    """config.alloy. Batches are retried without an end and a 429 is final, as in Promtail."""
    settings, edge = context.settings, context.edge
    parts = [
        f"// Grafana Alloy of {context.name}, rendered by fleetwatch\n",
        'logging {\n\tlevel = "warn"\n}\n',
        _write(context),
        _line_rate(context),
        _containers(context),
        *(_file(name, source) for name, source in sorted(edge.logs.files.items())),
        *([_journal(settings.hub.outage_budget)] if edge.logs.journal else []),
    ]
    return "\n".join(parts)


def command() -> list[str]:
    """Arguments of the container."""
    return [
        "run",
        f"--server.http.listen-addr=0.0.0.0:{names.LOG_AGENT_PORT}",
        f"--storage.path={DATA}",
        "--disable-reporting",
        f"{CONFIG}/{FILE}",
    ]


def _write(context: Context) -> str:
    login = ""
    if context.host.via == "internet":
        login = "\n" + "\n".join(
            [
                blocks.strings("basic_auth", push_auth.basic_auth(context.name, context.host)),
                blocks.strings("tls_config", push_auth.tls_config(context.settings.hub, CONFIG)),
            ]
        )
    return f"""loki.write "hub" {{
	endpoint {{
		url                 = {blocks.quoted(context.push_url + names.LOGS_PUSH)}
		batch_wait          = "500ms"
		remote_timeout      = "30s"
		min_backoff_period  = "500ms"
		max_backoff_period  = "15s"
		max_backoff_retries = 0
		retry_on_http_429   = false
{login}
	}}

	external_labels = {{
		env  = {blocks.quoted(context.settings.env)},
		host = {blocks.quoted(context.name)},
	}}
}}
"""


def _line_rate(context: Context) -> str:
    """All sources pass it. It makes Alloy read slower, it drops nothing."""
    rate = str(context.edge.logs.line_rate)
    return _process("line_rate", [blocks.stage("limit", rate=rate, burst=rate, drop="false")], to="loki.write.hub")


def _containers(context: Context) -> str:
    edge, prefix = context.edge, context.settings.prefix
    projects = loglines.project_regex(edge, prefix)
    stack = "__meta_docker_container_label_fleetwatch_stack"
    rules = [
        *([blocks.rule("", [_COMPOSE + "project", stack], projects, action="keep")] if projects else []),
        blocks.rule("container", ["__meta_docker_container_name"], "/(.*)"),
        *(blocks.rule(f"compose_{key}", [_COMPOSE + key, stack], names.USERS_LABEL) for key in ("project", "service")),
        *(
            blocks.rule("image", [_LABEL + k for k in keys], rx, replacement=to)
            for keys, rx, to in loglines.IMAGE_LABELS
        ),
        blocks.rule("stream", ["__meta_docker_container_log_stream"]),
        blocks.rule("job", replacement="docker"),
    ]
    stages = loglines.container_stages(edge, prefix, context.is_hub, live=True)
    budget = blocks.quoted(go_duration(context.settings.hub.outage_budget))
    old = blocks.stage("drop", older_than=budget, drop_counter_reason=blocks.quoted("older_than_outage_budget"))
    return f"""discovery.docker "containers" {{
	host             = "unix:///var/run/docker.sock"
	refresh_interval = "2s"

	filter {{
		name   = "status"
		values = ["running", "paused", "restarting", "exited", "dead"]
	}}
}}

discovery.relabel "containers" {{
	targets = discovery.docker.containers.targets

{chr(10).join(rules)}}}

loki.source.docker "containers" {{
	host          = "unix:///var/run/docker.sock"
	targets       = discovery.relabel.containers.output
	relabel_rules = discovery.relabel.containers.rules
	forward_to    = [loki.process.containers.receiver]
}}

{_process("containers", [old, *map(blocks.of_stage, stages), _metadata()])}"""


def _file(name: str, source: LogFile) -> str:
    label = "file_" + name.replace("-", "_")
    labels = {
        "__path__": source.path,
        "__path_exclude__": loglines.excluded(source),
        "job": source.job or name,
        **dict(sorted(source.labels.items())),
    }
    encoding = f"\tencoding   = {blocks.quoted(source.encoding)}\n" if source.encoding else ""
    target = ", ".join(f"{key} = {blocks.quoted(value)}" for key, value in labels.items())
    return f"""local.file_match "{label}" {{
	path_targets = [{{ {target} }}]
	sync_period  = "5s"
}}

loki.source.file "{label}" {{
	targets    = local.file_match.{label}.targets
	forward_to = [loki.process.{label}.receiver]
{encoding}}}

{_process(label, [*_level(*loglines.json_keys(source)), _metadata()])}"""


def _journal(budget: int) -> str:
    return f"""loki.relabel "journal" {{
	forward_to = []

{blocks.rule("unit", ["__journal__systemd_unit"])}}}

loki.source.journal "journal" {{
	max_age       = {blocks.quoted(go_duration(max(43200, budget)))}
	labels        = {{ job = "journal" }}
	relabel_rules = loki.relabel.journal.rules
	forward_to    = [loki.process.journal.receiver]
}}

{_process("journal", [*_level(), _metadata()])}"""


def _process(label: str, stages: list[str], to: str = "loki.process.line_rate") -> str:
    return f"""loki.process "{label}" {{
	forward_to = [{to}.receiver]

{chr(10).join(stages)}}}
"""


def _level(*json_keys: str) -> list[str]:
    return [blocks.of_stage(one) for one in levels.stages(json_keys)]


def _metadata() -> str:
    return blocks.stage(
        "structured_metadata", values="{ " + ", ".join(f'{k} = ""' for k in loglines.STRUCTURED_METADATA) + " }"
    )

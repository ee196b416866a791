"""Grafana Alloy as log agent of an edge: the same sources, labels and filters as Promtail, in Alloy's language.

What Promtail calls scrape jobs are pipelines here: discovery or files -> loki.process -> loki.write.
"""

from __future__ import annotations

import json
from textwrap import indent
from typing import TYPE_CHECKING

from configs import names
from configs.render import levels, log_stages, loglines, push_auth
from configs.services import log_agent
from configs.services.context import Context
from configs.services.spec import MB, RELOAD_BY_HUP, Pushing, Service, ServiceSpec
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
            render=lambda push_url: config(context, push_url),
            check=tuple(CHECK),
            reload=RELOAD_BY_HUP,
            command=tuple(command()),
            data=DATA,
            ready="/-/ready",
            series=400,  # not measured
        )
    ]


def config(context: Context, push_url: str) -> str:
    """config.alloy. Batches are retried without an end and a 429 is final, as in Promtail."""
    settings, edge = context.settings, context.edge
    parts = [
        f"// Grafana Alloy of {context.name}, rendered by fleetwatch\n",
        'logging {\n\tlevel = "warn"\n}\n',
        _write(context, push_url),
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


def _q(text: str) -> str:  # escapes are those of JSON
    return json.dumps(text, ensure_ascii=False)


def _write(context: Context, push_url: str) -> str:
    login = ""
    if context.host.via == "internet":
        login = "\n" + "\n".join(
            [
                _block("basic_auth", push_auth.basic_auth(context.name, context.host)),
                _block("tls_config", push_auth.tls_config(context.settings.hub, CONFIG)),
            ]
        )
    return f"""loki.write "hub" {{
	endpoint {{
		url                 = {_q(push_url + names.LOGS_PUSH)}
		batch_wait          = "500ms"
		batch_size          = "1MiB"
		remote_timeout      = "30s"
		min_backoff_period  = "500ms"
		max_backoff_period  = "15s"
		max_backoff_retries = 0
		retry_on_http_429   = false
{login}	}}

	external_labels = {{
		env  = {_q(context.settings.env)},
		host = {_q(context.name)},
	}}
}}
"""


def _line_rate(context: Context) -> str:
    """All sources pass it. It makes Alloy read slower, it drops nothing."""
    rate = str(context.edge.logs.line_rate)
    return _process("line_rate", [_stage("limit", rate=rate, burst=rate, drop="false")], to="loki.write.hub")


def _block(name: str, values: dict[str, str]) -> str:
    """A block of strings inside an endpoint."""
    width = max(map(len, values))
    return f"\t\t{name} {{\n" + "".join(f"\t\t\t{k.ljust(width)} = {_q(v)}\n" for k, v in values.items()) + "\t\t}\n"


def _rule(target: str, source: list[str] | None = None, regex: str | None = None, **more: str) -> str:
    lines = [f"\t\tsource_labels = {json.dumps(source)}"] if source else []
    lines += [f"\t\ttarget_label  = {_q(target)}"] if target else []
    lines += [f"\t\tregex         = {_q(regex)}"] if regex else []
    lines += [f"\t\t{key.ljust(13)} = {_q(value)}" for key, value in more.items()]
    return "\trule {\n" + "\n".join(lines) + "\n\t}\n"


def _containers(context: Context) -> str:
    edge, prefix = context.edge, context.settings.prefix
    projects = loglines.project_regex(edge, prefix)
    stack = "__meta_docker_container_label_fleetwatch_stack"
    rules = [
        *([_rule("", [_COMPOSE + "project", stack], projects, action="keep")] if projects else []),
        _rule("container", ["__meta_docker_container_name"], "/(.*)"),
        *(_rule(f"compose_{key}", [_COMPOSE + key, stack], names.USERS_LABEL) for key in ("project", "service")),
        *(_rule("image", [_LABEL + k for k in keys], rx, replacement=to) for keys, rx, to in loglines.IMAGE_LABELS),
        _rule("stream", ["__meta_docker_container_log_stream"]),
        _rule("job", replacement="docker"),
    ]
    stages = loglines.container_stages(edge, prefix, context.is_hub, live=True)
    budget = _q(go_duration(context.settings.hub.outage_budget))
    old = _stage("drop", older_than=budget, drop_counter_reason=_q("older_than_outage_budget"))
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

{_process("containers", [old, *map(_of_stage, stages), _metadata()])}"""


def _file(name: str, source: LogFile) -> str:
    label = "file_" + name.replace("-", "_")
    labels = {
        "__path__": source.path,
        "__path_exclude__": loglines.excluded(source),
        "job": source.job or name,
        **dict(sorted(source.labels.items())),
    }
    encoding = f"\tencoding   = {_q(source.encoding)}\n" if source.encoding else ""
    target = ", ".join(f"{key} = {_q(value)}" for key, value in labels.items())
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

{_rule("unit", ["__journal__systemd_unit"])}}}

loki.source.journal "journal" {{
	max_age       = {_q(go_duration(max(43200, budget)))}
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


def _stage(kind: str, **values: str) -> str:
    width = max(map(len, values))
    return f"\tstage.{kind} {{\n" + "".join(f"\t\t{k.ljust(width)} = {v}\n" for k, v in values.items()) + "\t}\n"


def _of_stage(stage: log_stages.Stage) -> str:
    def value(given: log_stages.Value) -> str:
        if isinstance(given, (str, int, float)):
            return json.dumps(given, ensure_ascii=False)
        return "{ " + ", ".join(f"{key} = {_q(one)}" for key, one in given.items()) + " }"

    own = _stage(stage.kind, **{key: value(given) for key, given in stage.values.items()})
    inner = "".join("\n" + indent(_of_stage(one), "\t") for one in stage.stages)
    return own.removesuffix("\t}\n") + inner + "\t}\n"


def _level(*json_keys: str) -> list[str]:
    return [_of_stage(one) for one in levels.stages(json_keys)]


def _metadata() -> str:
    return _stage(
        "structured_metadata", values="{ " + ", ".join(f'{k} = ""' for k in loglines.STRUCTURED_METADATA) + " }"
    )

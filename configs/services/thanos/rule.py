"""Thanos Rule: evaluates rules by Query, sends alerts to Alertmanager, and what it records to Receive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import yaml

from configs import metrics_store, names
from configs.metrics_store import QUERY, RECEIVE, RULE
from configs.render.dump import to_yaml
from configs.services.context import Context
from configs.services.spec import MB, ServiceSpec, restart_if, rule_files, text
from configs.services.thanos import CONFIG, DATA, RULE_REPLICA, part, service

SERVICE = service(RULE, 256 * MB, 0.5)
REMOTE_WRITE = "remote-write.yml"


def specs(context: Context) -> list[ServiceSpec]:
    """The one Rule of a hub with a bucket; of a cluster one on each of two nodes, whose alerts are the same. It
    stores nothing but what Receive has not taken yet."""
    arguments = (
        f"--data-dir={DATA}",
        f"--rule-file={CONFIG}/rules/*.yml",
        f"--query=http://{context.address(QUERY, names.PROMETHEUS_PORT)}",
        *(f"--alertmanagers.url={url}" for url in context.alertmanagers),
        f"--alert.query-url=http://localhost:{context.settings.hub.ports.query}/",
        "--alert.query-template=/graph?g0.expr={{.Expr}}&g0.tab=1",
        f"--remote-write.config-file={CONFIG}/{REMOTE_WRITE}",
        "--eval-interval=15s",
        *((f'--label={RULE_REPLICA}="{context.node}"', f"--alert.label-drop={RULE_REPLICA}") if context.node else ()),
    )
    return part(
        context,
        RULE,
        SERVICE,
        arguments,
        series=600,
        files={REMOTE_WRITE: text(remote_write(context)), **rule_files("rules", tolerant(context.rules))},
        objects=False,
        durable=True,
        after=(RECEIVE, QUERY, "alertmanager"),
        check=("thanos", "tools", "rules-check", f"--rules={CONFIG}/rules/*.yml"),
        reload=restart_if(REMOTE_WRITE),
        published=names.RULE_GRPC_PORT,
    )


def remote_write(context: Context) -> str:
    """Where recorded series go."""
    address, path = metrics_store.writer(context.settings)
    return to_yaml({"remote_write": [{"url": f"http://{address}{path}"}]}, "Thanos Rule, rendered by fleetwatch")


def tolerant(rules: Mapping[str, Callable[[str], str]]) -> dict[str, Callable[[str], str]]:
    """The same files with a strategy in each group: rules are evaluated on what is there while a part of the store
    does not answer. Thanos' default is to fail the group, which would silence every alert while the bucket is down."""

    def changed(render: Callable[[str], str]) -> Callable[[str], str]:
        return lambda site: _tolerant(render(site))

    return {name: changed(render) for name, render in rules.items()}


def _tolerant(file: str) -> str:
    groups = yaml.safe_load(file)["groups"]
    changed = [{"name": group["name"], "partial_response_strategy": "warn", **group} for group in groups]
    return to_yaml({"groups": changed}, "Rules, rendered by fleetwatch")

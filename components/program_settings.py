"""The program's settings: Pulumi's configuration, read, and checked against this machine and the cloud."""

from __future__ import annotations

import os
from pathlib import Path

import pulumi
from pulumi.runtime import config as runtime

from components import cloud_facts, custom_folder, machine_facts
from configs import model_use, sizing
from configs.memory import assistant
from configs.metrics_store import RULES
from configs.settings import Settings, SettingsError, read
from configs.settings.messages import for_stack
from configs.settings.sections import PROJECT, own_sections, parsed
from configs.settings.shown import decrypted
from configs.validation import CloudFacts, validate


def load_settings() -> tuple[Settings, CloudFacts | None]:
    """The stack's settings, and what the cloud has (None: nothing is made there, its API was not used). With any
    problem: all of them in one message, exit code 1, before the first resource."""
    try:
        settings, cloud = _checked(pulumi.get_stack())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for name, edge in settings.edges.items():
        if edge.logs.agent == "promtail":
            pulumi.log.warn(
                f"host {name} ships logs with Promtail, which is out of support since March 2026; "
                "`logs: {agent: alloy}` ships nearly the same with Grafana Alloy, which needs more memory"
            )
    _warn_of_lost_samples(settings)
    memory, fits = assistant(settings)
    if memory:
        (pulumi.log.info if fits else pulumi.log.warn)(memory)
    if settings.hub.nodes:
        pulumi.log.warn("hub.storage.kind: cluster is not complete: what is missing is in docs/growing.md, Three nodes")
    _warn_of_silence(settings)
    for warning in sizing.warnings(settings):
        pulumi.log.warn(warning)
    for use in filter(None, (model_use.language_model(settings), model_use.embeddings(settings))):
        pulumi.log.info(use)
    return settings, cloud


def _warn_of_silence(settings: Settings) -> None:
    """Of a cluster: the third node evaluates no rule about metrics."""
    if settings.hub.nodes and settings.hub.alerts.watchdog is None:
        pulumi.log.warn(
            f"hub.alerts.watchdog: missing, and only {' and '.join(settings.hub.hosts[:RULES])} evaluate rules: while "
            "both are down no alert is sent. Name a receiver outside the hub that notifies when the watchdog stops"
        )


def _warn_of_lost_samples(settings: Settings) -> None:
    """One sentence for all hosts: it is the default."""
    if found := [name for name, edge in settings.edges.items() if edge.metrics.agent == "prometheus"]:
        pulumi.log.warn(
            f"{', '.join(found)}: a Prometheus agent that restarts while the hub is down loses the samples that it has "
            "not sent; `metrics: {agent: vmagent}` keeps them"
        )


def _checked(stack: str) -> tuple[Settings, CloudFacts | None]:
    source = os.environ.get("FLEETWATCH_STACK_FILE") or f"stacks/Pulumi.{stack}.yaml"
    config = runtime.get_config_env()
    encrypted = {key.removeprefix(PROJECT) for key in runtime.get_config_secret_keys_env()}
    sections = {key: parsed(value) for key, value in own_sections(config).items()}
    sections = {key: decrypted(value) if key in encrypted else value for key, value in sections.items()}
    settings, problems = read({"env": stack, **sections}, source)
    cloud = None
    if settings is not None:
        settings = custom_folder.added(settings, Path.cwd())
        cloud = cloud_facts.probe(config, os.environ) if settings.in_cloud else None
        problems += validate(settings, machine=machine_facts.probe(settings), cloud=cloud, encrypted=encrypted)
    if problems or settings is None:
        raise SettingsError(for_stack(problem, stack) for problem in problems)
    return settings, cloud

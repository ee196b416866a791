"""From the engine's configuration to checked settings, with what the local machine has to say about them."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime import config as runtime

from components import cloud_facts, local_facts
from configs import disk
from configs.rules.problems import problems as of_alerts
from configs.settings import Settings, SettingsError, read
from configs.settings.cloud_facts import CloudFacts, Problem, against_cloud
from configs.settings.facts import against
from configs.settings.messages import for_stack
from configs.settings.secrets import secret_paths

_PROJECT = "fleetwatch:"


def checked_or_exit() -> tuple[Settings, CloudFacts | None]:
    """The stack's settings, and what the cloud said (None: no droplets, nobody was asked). With any problem: all of
    them in one message, exit code 1, before the first resource."""
    # What the program makes lives until its end; looking for cycles in it took half the time of 100 hosts.
    gc.disable()
    try:
        settings, cloud = _settings(pulumi.get_stack())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for name, edge in settings.edges.items():
        if edge.logs.agent == "promtail":
            pulumi.log.warn(
                f"host {name} ships logs with Promtail, which is out of support since March 2026; "
                "`logs: {agent: alloy}` ships the same with Grafana Alloy"
            )
    return settings, cloud


def _settings(stack: str) -> tuple[Settings, CloudFacts | None]:
    source = os.environ.get("FLEETWATCH_STACK_FILE") or f"stacks/Pulumi.{stack}.yaml"
    raw = {"env": stack, **_sections(runtime.get_config_env())}
    settings, problems = read(raw, source)
    cloud = None
    if settings is not None:
        problems += [
            f"{problem} ({source})"
            for problem in [
                *_unreachable(settings),
                *_unencrypted(settings),
                *disk.problems(settings),
                *of_alerts(settings),
            ]
        ]
        of_machine = against(settings, local_facts.probe(settings)) if settings.hub.local else []
        of_cloud, cloud = _of_cloud(settings) if settings.droplets else ([], None)
        problems += [f"{problem} ({source})" for problem in _not_of_a_default([*of_machine, *of_cloud], problems)]
    if problems or settings is None:
        raise SettingsError(for_stack(problem, stack) for problem in problems)
    return settings, cloud


def _of_cloud(settings: Settings) -> tuple[list[str], CloudFacts | None]:
    """Problems that the cloud's API tells, and its facts."""
    try:
        facts = cloud_facts.probe()
    except Problem as problem:
        return [str(problem)], None
    return against_cloud(settings, facts), facts


def _sections(config: Mapping[str, str]) -> dict[str, Any]:
    """The program's own keys; structured values arrive as JSON, plain ones as they are."""
    found = {}
    for key, value in config.items():
        if key.startswith(_PROJECT):
            found[key.removeprefix(_PROJECT)] = json.loads(value) if value[:1] in "{[" else value
    return found


def _not_of_a_default(of_machine: list[str], told: list[str]) -> list[str]:
    """Without what is about a mistaken section: there the machine was held against defaults that nobody asked for."""
    mistaken = tuple(problem.partition(":")[0] + "." for problem in told)
    return [problem for problem in of_machine if not problem.startswith(mistaken)]


def _unreachable(settings: Settings) -> list[str]:
    """A hub on this machine listens on its loopback alone, and another Docker Engine cannot reach that."""
    return [
        f"hosts.{name}: expected no host besides `hub`, a hub on this machine takes no pushes of others; "
        "put what is to be collected under hosts.hub"
        for name, host in settings.others.items()
        if host.local is not None and settings.hub.local is not None
    ]


def _unencrypted(settings: Settings) -> list[str]:
    """Secrets in sections of which the engine says that nothing in them is encrypted."""
    encrypted = {key.removeprefix(_PROJECT) for key in runtime.get_config_secret_keys_env()}
    return [
        f"{path}: expected an encrypted value, this one stands in clear; `make secret KEY={path}` sets it anew"
        for path in secret_paths(settings)
        if path.split(".")[0] not in encrypted
    ]

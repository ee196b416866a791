"""Every rule about a stack file that needs more than one key: one module for each group of them.

`validate` is what the program, `make env`, doctor and CI call. It is pure: what this machine and the cloud have is
found elsewhere, and comes in as facts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from configs import custom
from configs.settings import Settings, read
from configs.validation import (
    addresses,
    alerts,
    apps,
    cloud_account,
    cluster,
    disk,
    droplets,
    edges,
    hub,
    local_machine,
    names,
    network,
    receivers,
)
from configs.validation.encryption import unencrypted
from configs.validation.facts import CloudFacts, DockerFacts, MachineFacts

__all__ = ["CloudFacts", "DockerFacts", "MachineFacts", "check_file", "validate"]


def validate(
    settings: Settings,
    *,
    machine: MachineFacts | None,
    cloud: CloudFacts | None,
    encrypted: Collection[str] | None,
) -> list[str]:
    """Every broken rule as one line: path, what is wrong or expected, the way out, and the file.

    Facts that are None were not collected, and the rules that need them are skipped. `encrypted` are the names of the
    sections that are encrypted as a whole. A rule is not checked where only a default stands in for an invalid value.
    """
    form = [
        *hub.problems(settings),
        *cluster.problems(settings),
        *addresses.problems(settings),
        *network.problems(settings),
        *names.problems(settings),
        *droplets.problems(settings),
        *edges.problems(settings),
        *receivers.problems(settings),
        *apps.problems(settings),
    ]
    found = [*disk.problems(settings), *alerts.problems(settings)]
    if encrypted is not None:
        found += unencrypted(settings, encrypted)
    if machine is not None:
        found += local_machine.problems(settings, machine)
    if cloud is not None:
        found += cloud_account.problems(settings, cloud)
    valid = [problem for problem in form if not _misses_invalid(problem, settings.invalid)]
    valid += [problem for problem in found if not _below_invalid(problem, settings.invalid)]
    of_files = list(custom.problems(settings))
    return [*(f"{problem} ({settings.source})" for problem in dict.fromkeys(valid)), *of_files]


def check_file(raw: Mapping[str, Any], source: str) -> tuple[Settings | None, list[str]]:
    """The settings (None if the hub is unusable) and every problem that the file shows by itself."""
    settings, problems = read(raw, source)
    if settings is not None:
        problems += validate(settings, machine=None, cloud=None, encrypted=None)
    return settings, problems


def _misses_invalid(problem: str, invalid: Collection[str]) -> bool:
    """Whether it misses what is there, but invalid: at its place, above or below."""
    path, _, rest = problem.partition(":")
    paths = [path, *(["ssh.key"] if path == "ssh.public_key" else [])]  # the one stands in for the other
    related = (f"{one}.".startswith(f"{p}.") or f"{p}.".startswith(f"{one}.") for one in invalid for p in paths)
    return rest.startswith(" missing") and any(related)


def _below_invalid(problem: str, invalid: Collection[str]) -> bool:
    """Whether it is about something in an invalid section, of which only defaults are known."""
    if _misses_invalid(problem, invalid):
        return True
    return problem.startswith(tuple(f"{path}." for path in invalid))

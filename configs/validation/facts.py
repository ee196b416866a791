"""What was found on this machine and in the cloud account, for rules to compare a stack file with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DockerFacts:
    """What one Docker Engine of this machine answered. Sizes in bytes; None: unknown."""

    version: str | None
    problem: str | None = None  # why it did not answer
    networks: frozenset[str] = frozenset()
    subnets: tuple[str, ...] = ()  # of networks that are not this stack's
    disk_total: int | None = None
    disk_free: int | None = None
    unsuited: str | None = None  # what of it keeps an edge from running: `rootless` or `with userns-remap`


@dataclass(frozen=True)
class MachineFacts:
    """What the machine that runs the program has. `docker`: its Docker Engines by socket, one for each `local` host.
    `taken`: ports of a hub on this machine on which another program listens. `missing_folders`: of log files of its
    `local` hosts. `public_key`: the text of the file beside `ssh.key` (None: there is none, or it is not readable)."""

    docker: Mapping[str, DockerFacts] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()
    missing_folders: frozenset[str] = frozenset()
    public_key: str | None = None


@dataclass(frozen=True)
class CloudFacts:
    """What the account may use: slugs of regions, of sizes and images with the regions that have them, and projects'
    ids by name. And what it has: the names of SSH keys by fingerprint, region and size of droplets by name.
    `problem`: why the cloud's API gave no answer; then nothing else is known."""

    regions: frozenset[str] = frozenset()
    sizes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    images: Mapping[str, frozenset[str]] = field(default_factory=dict)
    projects: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    droplets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    problem: str | None = None

"""All rules, each with its reason (docs/policy.md). Every one is mandatory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy import cloud, containers, images, projects, secrecy
from policy.records import Record, Rule, Violation

RULES: tuple[Rule, ...] = (
    Rule("published-ports", "Nothing is published but Caddy's ports.", containers.ports),
    Rule("container-rights", "A container has no right that its job does not take.", containers.rights),
    Rule("host-mounts", "A container writes nothing on its host, and Docker's socket is named.", containers.mounts),
    Rule("inner-networks", "The assistant's database and cache are reached by it alone.", containers.networks),
    Rule("memory-limit", "Every container has a memory limit.", containers.memory),
    Rule("pinned-images", "Images are pinned by digest or exact tag.", images.pinned),
    Rule("readable-project", "All that an edge's compose.yaml has can be judged by these rules.", projects.readable),
    Rule("no-open-ports", "No database, inner part, Docker or SSH is open to the world.", cloud.open_ports),
    Rule("protected-in-production", "In prod, what bears data is protected.", cloud.protected),
    Rule("backups-in-production", "In prod, every droplet has backups.", cloud.backups),
    Rule("private-bucket", "Buckets are private, and a key is for one bucket.", cloud.private_bucket),
    Rule("private-network", "Every droplet is in a VPC of the stack.", cloud.private_network),
    Rule("no-plain-secrets", "What looks like a secret is marked as one.", secrecy.plain, needs_secrecy=True),
)


def checked(rule: Rule, record: Record, env: str) -> Iterator[Violation]:
    """The violations of one rule by a resource and by the containers that it brings to a host."""
    for one in projects.parts(record):
        yield from (Violation(rule.name, one, message) for message in rule.check(one, env))


def violations(records: Iterable[Record], env: str) -> list[Violation]:
    """The violations of every rule by every record, in the order of the records."""
    return [found for one in records for rule in RULES for found in checked(rule, one, env)]

"""Checks that need to know the cloud: what its API lists, held against what the stack file asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from configs import names
from configs.settings.load import Settings


class Problem(Exception):
    """The cloud could not be asked; the text is a sentence for the user."""


@dataclass(frozen=True)
class CloudFacts:
    """What the account may use: slugs of regions, of sizes and images with the regions that have them, and projects'
    ids by name. And what it has: the names of SSH keys by fingerprint, region and size of droplets by name."""

    regions: frozenset[str]
    sizes: Mapping[str, frozenset[str]]
    images: Mapping[str, frozenset[str]]
    projects: Mapping[str, str]
    keys: Mapping[str, str] = field(default_factory=dict)
    droplets: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def against_cloud(settings: Settings, facts: CloudFacts) -> list[str]:
    """Problems, each with its path in the stack file and what would be valid."""
    problems = []
    project = settings.cloud.project
    if project is not None and project not in facts.projects:
        problems.append(
            f"cloud.project: expected a project of this account ({_listed(facts.projects)}), got {project!r}"
        )
    for path, droplet in settings.droplets.items():
        region = droplet.region or settings.region or ""
        there = facts.droplets.get(f"{names.cloud(settings.prefix, settings.env)}-{path.split('.')[-2]}")
        # What runs goes on, though its size is sold out by now or its image is not offered any more.
        if there == (region, droplet.size):
            continue
        if region not in facts.regions:
            problems.append(f"{path}.region: expected a region ({_listed(facts.regions)}), got {region!r}")
            continue
        images = [("image", droplet.image, facts.images)] if there is None else []
        for key, wanted, known in (("size", droplet.size, facts.sizes), *images):
            if region not in known.get(wanted, ()):
                here = [slug for slug, regions in known.items() if region in regions]
                problems.append(f"{path}.{key}: expected one that {region} has ({_listed(here)}), got {wanted!r}")
    return problems


def _listed(names: object) -> str:
    return ", ".join(sorted(names)) or "none"  # type: ignore[call-overload]

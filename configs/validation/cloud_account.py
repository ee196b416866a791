"""Whether the DigitalOcean account offers what the stack file wants from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from configs import names
from configs.settings import Settings
from configs.validation.facts import CloudFacts


def problems(settings: Settings, facts: CloudFacts) -> Iterator[str]:
    """Each with its path and what would be valid."""
    if facts.problem is not None:
        yield facts.problem
        return
    project = settings.cloud.project
    if project is not None and project not in facts.projects:
        yield f"cloud.project: expected a project of this account ({_listed(facts.projects)}), got {project!r}"
    for path, droplet in settings.droplets.items():
        region = droplet.region or settings.region or ""
        there = facts.droplets.get(f"{names.cloud(settings.prefix, settings.env)}-{path.split('.')[-2]}")
        # A droplet that runs goes on, though its size is sold out by now or its image is not offered any more.
        if there == (region, droplet.size):
            continue
        if region not in facts.regions:
            yield f"{path}.region: expected a region ({_listed(facts.regions)}), got {region!r}"
            continue
        images = [("image", droplet.image, facts.images)] if there is None else []
        for key, wanted, known in (("size", droplet.size, facts.sizes), *images):
            if region not in known.get(wanted, ()):
                here = [slug for slug, regions in known.items() if region in regions]
                yield f"{path}.{key}: expected one that {region} has ({_listed(here)}), got {wanted!r}"


def _listed(slugs: Iterable[str]) -> str:
    return ", ".join(sorted(slugs)) or "none"

"""What DigitalOcean has for a stack file: its regions, sizes, images and projects, and which SSH keys and droplets the
account has already.

Reads only, and makes no resources: once at the beginning of every run that makes droplets, so that a preview reports
what would be refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from components import cloud_api
from configs.validation import CloudFacts

_LISTS = {
    "regions": "/v2/regions",
    "sizes": "/v2/sizes",
    "images": "/v2/images?type=distribution",
    "projects": "/v2/projects",
    "ssh_keys": "/v2/account/keys",
    "droplets": "/v2/droplets",
}


def probe(config: Mapping[str, str], env: Mapping[str, str]) -> CloudFacts:
    """Facts of the account that the provider would use, or the reason why there are none. `config` is the stack's
    configuration in clear text, `env` the environment."""
    try:
        base, token = cloud_api.account(config, env)
        with ThreadPoolExecutor(len(_LISTS)) as pool:
            lists = pool.map(lambda item: cloud_api.listed(base, item[1], item[0], token), _LISTS.items())
            found = dict(zip(_LISTS, lists, strict=True))
    except cloud_api.CloudError as error:
        return CloudFacts(problem=str(error))
    return CloudFacts(
        regions=frozenset(region["slug"] for region in found["regions"] if region.get("available", True)),
        sizes={size["slug"]: frozenset(size["regions"]) for size in found["sizes"] if size.get("available", True)},
        images={image["slug"]: frozenset(image["regions"]) for image in found["images"] if image.get("slug")},
        projects={project["name"]: project["id"] for project in found["projects"]},
        keys={key["fingerprint"]: key["name"] for key in found["ssh_keys"]},
        droplets={one["name"]: (one["region"]["slug"], one["size_slug"]) for one in found["droplets"]},
    )

"""What DigitalOcean says about a stack file: whether it knows the regions, sizes, images and the project in it, and
which SSH keys and droplets the account has already.

Reads only, once at the beginning of every run that makes droplets, so that a preview says what would be refused.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from pulumi.runtime import config as runtime

from configs import cloud_api
from configs.settings.cloud_facts import CloudFacts

_LISTS = {
    "regions": "/v2/regions",
    "sizes": "/v2/sizes",
    "images": "/v2/images?type=distribution",
    "projects": "/v2/projects",
    "ssh_keys": "/v2/account/keys",
    "droplets": "/v2/droplets",
}


def probe() -> CloudFacts:
    """Facts of the account that the provider would use. Raises Problem with a sentence if it cannot be asked."""
    base, token = cloud_api.account(runtime.get_config_env(), os.environ)
    with ThreadPoolExecutor(len(_LISTS)) as pool:
        lists = pool.map(lambda item: cloud_api.listed(base, item[1], item[0], token), _LISTS.items())
        found = dict(zip(_LISTS, lists, strict=True))
    return CloudFacts(
        regions=frozenset(region["slug"] for region in found["regions"] if region.get("available", True)),
        sizes={size["slug"]: frozenset(size["regions"]) for size in found["sizes"] if size.get("available", True)},
        images={image["slug"]: frozenset(image["regions"]) for image in found["images"] if image.get("slug")},
        projects={project["name"]: project["id"] for project in found["projects"]},
        keys={key["fingerprint"]: key["name"] for key in found["ssh_keys"]},
        droplets={one["name"]: (one["region"]["slug"], one["size_slug"]) for one in found["droplets"]},
    )

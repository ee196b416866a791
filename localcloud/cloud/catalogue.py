"""Regions, sizes and images: a small part of what DigitalOcean offers, with its public list prices.

Prices in USD, as on the public price list in 2025; the program's own price table is elsewhere and is what users see.
"""

from __future__ import annotations

from localcloud.cloud.api import Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found
from localcloud.cloud.store import Json

SERVED_IMAGE = "debian-12-x64"
_REGIONS = {"ams3": "Amsterdam 3", "fra1": "Frankfurt 1", "nyc3": "New York 3"}
_FEATURES = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"]
# slug: (memory MB, vCPUs, disk GB, transfer TB, USD a month, USD an hour, what it is called)
_SIZES = {
    "s-1vcpu-512mb-10gb": (512, 1, 10, 0.5, 4.0, 0.00595, "Basic"),
    "s-1vcpu-1gb": (1024, 1, 25, 1.0, 6.0, 0.00893, "Basic"),
    "s-1vcpu-2gb": (2048, 1, 50, 2.0, 12.0, 0.01786, "Basic"),
    "s-2vcpu-2gb": (2048, 2, 60, 3.0, 18.0, 0.02679, "Basic"),
    "s-2vcpu-4gb": (4096, 2, 80, 4.0, 24.0, 0.03571, "Basic"),
    "s-4vcpu-8gb": (8192, 4, 160, 5.0, 48.0, 0.07143, "Basic"),
    "s-8vcpu-16gb": (16384, 8, 320, 6.0, 96.0, 0.14286, "Basic"),
    "s-1vcpu-1gb-amd": (1024, 1, 25, 1.0, 7.0, 0.01042, "Premium AMD"),
    "s-2vcpu-4gb-amd": (4096, 2, 80, 4.0, 28.0, 0.04167, "Premium AMD"),
    "s-4vcpu-8gb-amd": (8192, 4, 160, 5.0, 56.0, 0.08333, "Premium AMD"),
}
# slug: (id, distribution, name, made)
_IMAGES = {
    "debian-12-x64": (170_001_001, "Debian", "12 x64", "2025-09-10T16:00:00Z"),
    "debian-13-x64": (170_001_002, "Debian", "13 x64", "2025-09-10T16:05:00Z"),
    "ubuntu-24-04-x64": (170_001_003, "Ubuntu", "24.04 (LTS) x64", "2025-08-20T16:00:00Z"),
}


def region(slug: str) -> Json:
    """A region as the API shows it; KeyError if there is none of that name."""
    return {
        "name": _REGIONS[slug],
        "slug": slug,
        "features": list(_FEATURES),
        "available": True,
        "sizes": list(_SIZES),
    }


def size(slug: str) -> Json:
    """A droplet size; KeyError if there is none of that name."""
    memory, vcpus, disk, transfer, month, hour, called = _SIZES[slug]
    return {
        "slug": slug,
        "memory": memory,
        "vcpus": vcpus,
        "disk": disk,
        "transfer": transfer,
        "price_monthly": month,
        "price_hourly": hour,
        "regions": list(_REGIONS),
        "available": True,
        "description": called,
        "disk_info": [{"type": "local", "size": {"amount": disk, "unit": "gib"}}],
    }


def image(slug: str) -> Json:
    """An image; KeyError if there is none of that name."""
    number, distribution, name, made = _IMAGES[slug]
    return {
        "id": number,
        "slug": slug,
        "name": name,
        "distribution": distribution,
        "public": True,
        "regions": list(_REGIONS),
        "created_at": made,
        "type": "base",
        "min_disk_size": 7,
        "size_gigabytes": 0.5,
        "description": f"{distribution} {name}",
        "tags": [],
        "status": "available",
        "error_message": "",
    }


def image_slug(wanted: object) -> str | None:
    """The slug that a slug or an id means; None if there is no such image."""
    return next((slug for slug, row in _IMAGES.items() if str(wanted) in {slug, str(row[0])}), None)


def known_region(slug: str) -> bool:
    return slug in _REGIONS


def known_size(slug: str) -> bool:
    return slug in _SIZES


def _regions(cloud: Cloud, request: Request) -> Reply:
    return page(request, "regions", [region(slug) for slug in _REGIONS])


def _sizes(cloud: Cloud, request: Request) -> Reply:
    return page(request, "sizes", [size(slug) for slug in _SIZES])


def _images(cloud: Cloud, request: Request) -> Reply:
    # All of them are distributions and none is private or has a tag.
    empty = request.query.get("private") == "true" or "tag_name" in request.query
    if empty or request.query.get("type", "distribution") != "distribution":
        return page(request, "images", [])
    return page(request, "images", [image(slug) for slug in _IMAGES])


def _image(cloud: Cloud, request: Request, wanted: str) -> Reply:
    slug = image_slug(wanted)
    if slug is None:
        raise not_found()
    return Reply(200, {"image": image(slug)})


ROUTES = [
    Route("GET", "/v2/regions", _regions),
    Route("GET", "/v2/sizes", _sizes),
    Route("GET", "/v2/images", _images),
    Route("GET", "/v2/images/{wanted}", _image),
]

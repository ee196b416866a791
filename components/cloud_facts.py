"""What DigitalOcean says about a stack file: whether it knows the regions, sizes, images and the project in it, and
which SSH keys and droplets the account has already.

Reads only, once at the beginning of every run that makes droplets, so that a preview says what would be refused.
"""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pulumi.runtime import config as runtime

from configs.settings.cloud_facts import CloudFacts, Problem

PUBLIC = "https://api.digitalocean.com"
TIMEOUT = 15  # seconds
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
    known = runtime.get_config_env()
    token = known.get("digitalocean:token") or os.environ.get("DIGITALOCEAN_TOKEN") or ""
    base = known.get("digitalocean:apiEndpoint") or os.environ.get("DIGITALOCEAN_API_URL") or PUBLIC
    if not token:
        raise Problem(
            "digitalocean:token: missing, droplets need an API token; `make secret KEY=digitalocean:token` asks for "
            "it, or give it as the environment variable DIGITALOCEAN_TOKEN"
        )
    with ThreadPoolExecutor(len(_LISTS)) as pool:
        found = dict(
            zip(_LISTS, pool.map(lambda item: _all(base, item[1], item[0], token), _LISTS.items()), strict=True)
        )
    return CloudFacts(
        regions=frozenset(region["slug"] for region in found["regions"] if region.get("available", True)),
        sizes={size["slug"]: frozenset(size["regions"]) for size in found["sizes"] if size.get("available", True)},
        images={image["slug"]: frozenset(image["regions"]) for image in found["images"] if image.get("slug")},
        projects={project["name"]: project["id"] for project in found["projects"]},
        keys={key["fingerprint"]: key["name"] for key in found["ssh_keys"]},
        droplets={one["name"]: (one["region"]["slug"], one["size_slug"]) for one in found["droplets"]},
    )


def _all(base: str, path: str, key: str, token: str) -> list[dict[str, Any]]:
    """Every page of a list."""
    url: str | None = f"{base.rstrip('/')}{path}{'&' if '?' in path else '?'}per_page=200"
    found: list[dict[str, Any]] = []
    while url:
        answer = _get(url, token)
        if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
            raise Problem(
                f"{_where(url)} does not answer as DigitalOcean's API does to {path}; is it the right address?"
            )
        found += answer[key]
        following = (answer.get("links") or {}).get("pages", {}).get("next")
        # Only as far as the address that the token is meant for.
        url = f"{base.rstrip('/')}{path.split('?')[0]}?{urllib.parse.urlsplit(following).query}" if following else None
    return found


def _get(url: str, token: str) -> Any:
    """The JSON there; None for anything else."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    where, path = _where(url), urllib.parse.urlsplit(url).path
    try:
        with _opener(where).open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            raise Problem(
                f"digitalocean:token: {where} refuses it (401); https://cloud.digitalocean.com/account/api/tokens "
                "makes another (read and write), `make secret KEY=digitalocean:token` sets it"
            ) from None
        if error.code == 403:
            raise Problem(
                f"digitalocean:token: {where} does not let it read {path} (403); "
                "https://cloud.digitalocean.com/account/api/tokens makes one with full access"
            ) from None
        if error.code == 429:
            wait = error.headers.get("Retry-After")
            raise Problem(
                f"digitalocean:token: {where} has had too many requests with it (429); try again "
                + (f"in {wait} s" if wait else "later")
            ) from None
        raise Problem(f"{where} answers {error.code} to {path}; try again later") from None
    except json.JSONDecodeError:
        return None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        said = f"no answer within {TIMEOUT} s" if isinstance(reason, TimeoutError) else reason
        raise Problem(f"{where} cannot be reached ({said}); droplets need DigitalOcean's API") from None


def _where(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _opener(where: str) -> urllib.request.OpenerDirector:
    """An API on this machine's loopback is reached directly, whatever http_proxy says."""
    here = where.rpartition(":")[0] in ("127.0.0.1", "localhost")
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))

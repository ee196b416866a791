"""A client of DigitalOcean's API: the program and `make` read an account with it before they change it.

It only reads; it creates no resources. It sends the token to the API's endpoint and to no other address.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

PUBLIC = "https://api.digitalocean.com"
TIMEOUT = 15  # seconds


class CloudError(Exception):
    """The API gave no usable answer. The text is one line for the user."""


def account(config: Mapping[str, str], env: Mapping[str, str]) -> tuple[str, str]:
    """The API's address and the token, as the provider chooses them. Raises CloudError if there is no token."""
    token = config.get("digitalocean:token") or env.get("DIGITALOCEAN_TOKEN") or ""
    if not token:
        raise CloudError(
            "digitalocean:token: missing, droplets and Spaces need an API token; `make secret KEY=digitalocean:token` "
            "sets it, or give it as the environment variable DIGITALOCEAN_TOKEN"
        )
    return config.get("digitalocean:apiEndpoint") or env.get("DIGITALOCEAN_API_URL") or PUBLIC, token


def listed(base: str, path: str, key: str, token: str) -> list[dict[str, Any]]:
    """Every page of a list. Raises CloudError if it cannot be read."""
    url: str | None = f"{base.rstrip('/')}{path}{'&' if '?' in path else '?'}per_page=200"
    found: list[dict[str, Any]] = []
    while url:
        answer = _get(url, token)
        if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
            raise CloudError(
                f"{_where(url)} does not answer {path} as DigitalOcean's API does; check digitalocean:apiEndpoint"
            )
        found += answer[key]
        following = (answer.get("links") or {}).get("pages", {}).get("next")
        # Take only the query of the link: the token must not go to another address.
        url = f"{base.rstrip('/')}{path.split('?')[0]}?{urllib.parse.urlsplit(following).query}" if following else None
    return found


def droplets(config: Mapping[str, str], env: Mapping[str, str]) -> dict[str, list[str]]:
    """Ids of the account's droplets by name; several droplets may have the same name."""
    base, token = account(config, env)
    found: dict[str, list[str]] = {}
    for one in listed(base, "/v2/droplets", "droplets", token):
        found.setdefault(one["name"], []).append(str(one["id"]))
    return found


def _get(url: str, token: str) -> Any:
    """The JSON at a URL; None for an answer that is not JSON. Raises CloudError without a usable answer."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    where, path = _where(url), urllib.parse.urlsplit(url).path
    try:
        with _opener(where).open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            raise CloudError(
                f"digitalocean:token: {where} refuses it (401); make another (read and write) at "
                "https://cloud.digitalocean.com/account/api/tokens, `make secret KEY=digitalocean:token` sets it"
            ) from None
        if error.code == 403:
            raise CloudError(
                f"digitalocean:token: {where} does not let it read {path} (403); make one with full access at "
                "https://cloud.digitalocean.com/account/api/tokens"
            ) from None
        if error.code == 429:
            wait = error.headers.get("Retry-After")
            raise CloudError(
                f"digitalocean:token: {where} received too many requests with it (429); try again "
                + (f"in {wait} s" if wait else "later")
            ) from None
        raise CloudError(f"{where} answers {error.code} to {path}; try again later") from None
    except json.JSONDecodeError:
        return None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        shown = f"no answer within {TIMEOUT} s" if isinstance(reason, TimeoutError) else reason
        raise CloudError(f"{where} cannot be reached ({shown}); droplets need DigitalOcean's API") from None


def _where(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _opener(where: str) -> urllib.request.OpenerDirector:
    """Connects to an API on this machine's loopback directly, also if http_proxy is set."""
    here = where.rpartition(":")[0] in ("127.0.0.1", "localhost")
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if here else []))

"""Access keys for Spaces. The secret is in the answer to the request that makes a key, and in no other.

A key is for all buckets of the account (`fullaccess`, without a bucket) or for one (`readwrite`). Others, such as for
reading alone, are not offered here.
"""

from __future__ import annotations

import secrets
import string

from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found, not_in_rehearsal, unprocessable
from localcloud.cloud.store import Json, now

_PERMISSIONS = ("read", "readwrite", "fullaccess")


def _grants(request: Request) -> list[Json]:
    found: list[Json] = []
    for grant in request.items("grants"):
        if not isinstance(grant, dict) or grant.get("permission") not in _PERMISSIONS:
            raise unprocessable(f"grants: permission must be one of {', '.join(_PERMISSIONS)}")
        found.append({"bucket": str(grant.get("bucket") or ""), "permission": grant["permission"]})
    full = [grant for grant in found if grant["permission"] == "fullaccess"]
    if full and (len(found) > 1 or full[0]["bucket"]):
        raise unprocessable("grants: fullaccess is for all buckets, and is the only grant of its key")
    if not full and any(not grant["bucket"] for grant in found):
        raise unprocessable("grants: read and readwrite need a bucket")
    if not found or len(found) > 1 or found[0]["permission"] == "read":
        raise not_in_rehearsal("a key without a grant, with several, or for reading alone is not offered here")
    return found


def _key(data: Json, access: str) -> Json:
    found: Json | None = data["spaces_keys"].get(access)
    if found is None:
        raise not_found()
    return found


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "keys", data["spaces_keys"].values())


def _create(cloud: Cloud, request: Request) -> Reply:
    name, grants = request.text("name"), _grants(request)
    access = "DO00" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(16))
    secret = secrets.token_urlsafe(32)
    cloud.machines.allow_key(access, secret, _buckets(grants))
    key = {"name": name, "access_key": access, "grants": grants, "created_at": now()}
    with cloud.store.changing() as data:
        data["spaces_keys"][access] = key
    return Reply(201, {"key": {**key, "secret_key": secret}})


def _buckets(grants: list[Json]) -> tuple[str, ...]:
    """Empty: all of them."""
    return tuple(grant["bucket"] for grant in grants if grant["bucket"])


def _change(cloud: Cloud, request: Request, access: str) -> Reply:
    with cloud.store.changing() as data:
        key = _key(data, access)
        if request.items("grants") and _grants(request) != key["grants"]:
            raise not_in_rehearsal("other grants of a key that exists are not offered here")
        key["name"] = request.text("name", key["name"])
        return Reply(200, {"key": dict(key)})


def _delete(cloud: Cloud, request: Request, access: str) -> Reply:
    with cloud.store.reading() as data:
        _key(data, access)
    cloud.machines.refuse_key(access)
    with cloud.store.changing() as data:
        data["spaces_keys"].pop(access, None)
    return NO_CONTENT


ROUTES = [
    Route("GET", "/v2/spaces/keys", _list),
    Route("POST", "/v2/spaces/keys", _create),
    Route("PUT", "/v2/spaces/keys/{access}", _change),
    Route("DELETE", "/v2/spaces/keys/{access}", _delete),
]

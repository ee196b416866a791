"""The account and its SSH keys."""

from __future__ import annotations

import base64
import binascii
import hashlib

from localcloud.cloud.api import NO_CONTENT, Cloud, Reply, Request, Route, page
from localcloud.cloud.errors import not_found, unprocessable
from localcloud.cloud.store import Json, new_number

KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-")
UUID = "5f3d0c8e-4d1b-4c2a-9d55-2f6f2a7b1c00"


def _account(cloud: Cloud, request: Request) -> Reply:
    account = {
        "droplet_limit": 25,
        "floating_ip_limit": 5,
        "email": "rehearsal@fleetwatch.invalid",
        "name": f"Rehearsal cloud {cloud.name}",
        "uuid": UUID,
        "email_verified": True,
        "status": "active",
        "status_message": "",
        "team": {"uuid": UUID, "name": "Rehearsal"},
    }
    return Reply(200, {"account": account})


def find(data: Json, wanted: object) -> Json | None:
    """The key with this id or fingerprint."""
    return next((k for k in data["keys"].values() if str(wanted) in {str(k["id"]), k["fingerprint"]}), None)


def _fingerprint(public_key: str) -> str:
    parts = public_key.split()
    try:
        blob = base64.b64decode(parts[1], validate=True) if parts[0].startswith(KEY_TYPES) else b""
    except (IndexError, binascii.Error):
        blob = b""
    if not blob:
        raise unprocessable("Key invalid, key should be of the format `type key [comment]`")
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, 32, 2))


def _key(data: Json, wanted: str) -> Json:
    key = find(data, wanted)
    if key is None:
        raise not_found()
    return key


def _list(cloud: Cloud, request: Request) -> Reply:
    with cloud.store.reading() as data:
        return page(request, "ssh_keys", data["keys"].values())


def _create(cloud: Cloud, request: Request) -> Reply:
    name, public_key = request.text("name"), request.text("public_key").strip()
    fingerprint = _fingerprint(public_key)
    with cloud.store.changing() as data:
        if find(data, fingerprint):
            raise unprocessable("SSH Key is already in use on your account")
        number = new_number(data, "keys")
        key = {"id": number, "fingerprint": fingerprint, "public_key": public_key, "name": name}
        data["keys"][str(number)] = key
        return Reply(201, {"ssh_key": dict(key)})


def _show(cloud: Cloud, request: Request, wanted: str) -> Reply:
    with cloud.store.reading() as data:
        return Reply(200, {"ssh_key": dict(_key(data, wanted))})


def _rename(cloud: Cloud, request: Request, wanted: str) -> Reply:
    with cloud.store.changing() as data:
        key = _key(data, wanted)
        key["name"] = request.text("name")
        return Reply(200, {"ssh_key": dict(key)})


def _delete(cloud: Cloud, request: Request, wanted: str) -> Reply:
    with cloud.store.changing() as data:
        del data["keys"][str(_key(data, wanted)["id"])]
    return NO_CONTENT


ROUTES = [
    Route("GET", "/v2/account", _account),
    Route("GET", "/v2/account/keys", _list),
    Route("POST", "/v2/account/keys", _create),
    Route("GET", "/v2/account/keys/{wanted}", _show),
    Route("PUT", "/v2/account/keys/{wanted}", _rename),
    Route("DELETE", "/v2/account/keys/{wanted}", _delete),
]

"""The digitalocean stand-in: keys for Spaces (through the API) and buckets (through S3, as in the vendor's plugin).

It differs in this: a refused request for a key is not repeated for five minutes; versions of objects, CORS and
lifecycle rules of a bucket are not covered. As there, a changed name alone changes nothing at the bucket, and requests
are signed for us-east-1 in every region.
"""

from __future__ import annotations

import os

from localcloud.spaces import S3, S3Error
from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_errors import failing, recorded_anyway
from localcloud.standins.plugins.provider import State

ENDPOINT = "https://{{.Region}}.digitaloceanspaces.com"


class SpacesKey:
    table = tables.SPACES_KEY

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        with failing("Error creating Spaces key"):
            made = self._api.post("/v2/spaces/keys", _key(inputs))["key"]
        return made["access_key"], {**_found(made), "secretKey": made["secret_key"]}

    def read(self, resource_id: str, state: State) -> State | None:
        with failing("Error reading Spaces key"):
            keys = self._api.listed("/v2/spaces/keys", "keys")
            return next((_found(key) for key in keys if key["access_key"] == resource_id), None)

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        with failing("Error updating Spaces key"):
            made = self._api.put(f"/v2/spaces/keys/{resource_id}", _key(inputs))["key"]
        return {**_found(made), "secretKey": old.get("secretKey")}

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        with failing("Error deleting Spaces key"):
            self._api.delete(f"/v2/spaces/keys/{resource_id}")


def _key(inputs: State) -> State:
    return {"name": inputs["name"], "grants": inputs.get("grants", [])}


def _found(key: State) -> State:
    return {
        "name": key["name"],
        "accessKey": key["access_key"],
        "createdAt": key["created_at"],
        "grants": [{"bucket": one["bucket"], "permission": one["permission"]} for one in key.get("grants") or ()],
    }


class SpacesBucket:
    table = tables.SPACES_BUCKET

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, urn: str, inputs: State) -> tuple[str, State]:
        name = inputs["name"]
        s3 = self._client(inputs, "creating bucket")
        _attempt(s3, "Error creating Spaces bucket", "PUT", name, headers={"x-amz-acl": inputs["acl"]})
        return name, self.read(name, inputs) or {}

    def read(self, resource_id: str, state: State) -> State | None:
        s3 = self._client(state, "reading bucket")
        try:
            s3.call("HEAD", f"/{resource_id}")
        except S3Error as error:
            if error.status == 404:
                return None
            raise RuntimeError(f'error reading Spaces bucket "{resource_id}": {error}') from error
        host = f"{state['region'].lower()}.digitaloceanspaces.com"
        return {
            "name": state.get("name") or resource_id,
            "region": state["region"].lower(),
            "bucketUrn": f"do:space:{resource_id}",
            "bucketDomainName": f"{resource_id}.{host}",
            "endpoint": host,
        }

    @recorded_anyway
    def update(self, urn: str, resource_id: str, old: State, inputs: State) -> State:
        if inputs["acl"] != old.get("acl"):
            s3 = self._client(inputs, "updating bucket")
            _attempt(
                s3, "Error putting Spaces ACL", "PUT", resource_id, query={"acl": ""},
                headers={"x-amz-acl": inputs["acl"]},
            )  # fmt: skip
        return self.read(resource_id, inputs) or old

    def delete(self, urn: str, resource_id: str, state: State) -> None:
        s3 = self._client(state, "deleting bucket")
        while True:
            try:
                s3.call("DELETE", f"/{resource_id}")
                return
            except S3Error as error:
                if error.code != "BucketNotEmpty" or not state.get("forceDestroy"):
                    raise RuntimeError(f'Error deleting Spaces Bucket: {error} "{resource_id}"') from error
            for key in s3.keys(resource_id):
                _attempt(s3, "Error Spaces Bucket force_destroy error deleting", "DELETE", f"{resource_id}/{key}")

    def _client(self, state: State, what: str) -> S3:
        """Raises RuntimeError without credentials, as the vendor's plugin does only here."""
        given = self._api.spaces
        access = given.get("spacesAccessId") or os.environ.get("SPACES_ACCESS_KEY_ID") or ""
        secret = given.get("spacesSecretKey") or os.environ.get("SPACES_SECRET_ACCESS_KEY") or ""
        if not access or not secret:
            raise RuntimeError(f"Error {what}: Spaces credentials not configured")
        template = given.get("spacesEndpoint") or os.environ.get("SPACES_ENDPOINT_URL") or ENDPOINT
        region = state["region"].lower()
        return S3(template.replace("{{.Region}}", region), "us-east-1", access, secret)


def _attempt(
    s3: S3, what: str, method: str, path: str, query: dict[str, str] | None = None, headers: State | None = None
) -> None:
    try:
        s3.call(method, f"/{path}", query, headers)
    except S3Error as error:
        raise RuntimeError(f"{what}: {error}") from error

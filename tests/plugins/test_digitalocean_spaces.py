"""The digitalocean stand-in's keys and buckets of Spaces: what it requests of the API and over S3, and what it records.

The S3 server here keeps names alone; tests/integration runs the same requests against a real one.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pulumi_digitalocean as do
import pytest

from localcloud.spaces import S3
from localcloud.standins.plugins import digitalocean, random, schema
from localcloud.standins.plugins import digitalocean_tables as tables
from localcloud.standins.plugins.provider import plain_map
from tests.plugins.account import Account, settled
from tests.plugins.calls import Calls, Lines

KEY: dict[str, Any] = {"name": "backup", "grants": [{"bucket": "acme", "permission": "readwrite"}]}
BUCKET: dict[str, Any] = {"name": "acme", "region": "ams3", "acl": "private"}


class Names(ThreadingHTTPServer):
    """Buckets and the keys in them; every request needs the right access key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.buckets: dict[str, set[str]] = {}
        self.asked: list[tuple[str, str]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Names

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, status: int, text: str = "") -> None:
        body = b"" if self.command == "HEAD" else text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path))
        if "Credential=AK/" not in self.headers["Authorization"]:
            return self._answer(403, "<Error><Code>InvalidAccessKeyId</Code></Error>")
        bucket, _, key = self.path.partition("?")[0].lstrip("/").partition("/")
        keys = self.server.buckets.get(bucket)
        if self.command == "PUT" and not key and "?" not in self.path:
            if keys is not None:
                return self._answer(409, "<Error><Code>BucketAlreadyExists</Code><Message>taken</Message></Error>")
            self.server.buckets[bucket] = set()
        elif keys is None:
            return self._answer(404, "<Error><Code>NoSuchBucket</Code></Error>")
        elif self.command == "DELETE" and key:
            keys.discard(key)
        elif self.command == "DELETE":
            if keys:
                return self._answer(409, "<Error><Code>BucketNotEmpty</Code><Message>not empty</Message></Error>")
            del self.server.buckets[bucket]
        listed = "".join(f"<Contents><Key>{one}</Key></Contents>" for one in sorted(keys or ()))
        return self._answer(200, f"<ListBucketResult>{listed}</ListBucketResult>")

    do_PUT = do_DELETE = do_HEAD = do_GET


@pytest.fixture
def server() -> Iterator[Names]:
    made = Names()
    yield made
    made.shutdown()
    made.server_close()


def _calls(server: Names, **config: str) -> Calls:
    log = Lines()
    given = {
        "spacesAccessId": "AK",
        "spacesSecretKey": "s3cret",
        "spacesEndpoint": f"http://127.0.0.1:{server.server_address[1]}",
    }
    return Calls(digitalocean.package(log), log, given | config)


def test_key_keeps_its_secret_through_a_refresh_and_a_new_name(account: Account) -> None:
    made, state = account.calls.create("SpacesKey", KEY)
    assert state["secretKey"].is_secret
    secret = plain_map(state)["secretKey"]
    settled(account, "SpacesKey", made, state, KEY)
    read = account.calls.read("SpacesKey", made, state, KEY)
    assert plain_map(read.properties)["secretKey"] == secret, "the API shows it once"
    assert read.properties["secretKey"].is_secret
    state = account.calls.update("SpacesKey", made, state, {**KEY, "name": "other"})
    assert (plain_map(state)["name"], plain_map(state)["secretKey"]) == ("other", secret)
    account.calls.delete("SpacesKey", made, state)
    assert not account.calls.read("SpacesKey", made, state, KEY).resource_id


def test_bucket_is_made_read_and_removed(server: Names) -> None:
    calls = _calls(server)
    made, state = calls.create("SpacesBucket", BUCKET)
    assert made == "acme"
    assert {k: v for k, v in plain_map(state).items() if k not in BUCKET} == {
        "forceDestroy": False,
        "bucketUrn": "do:space:acme",
        "bucketDomainName": "acme.ams3.digitaloceanspaces.com",
        "endpoint": "ams3.digitaloceanspaces.com",
    }
    assert not calls.diff("SpacesBucket", state, BUCKET).changes
    assert calls.diff("SpacesBucket", state, {**BUCKET, "region": "fra1"}).replaces == ["region"]
    calls.delete("SpacesBucket", made, state)
    assert not calls.read("SpacesBucket", made, state, BUCKET).resource_id


def test_bucket_with_objects_is_removed_only_by_force(server: Names) -> None:
    calls = _calls(server)
    made, state = calls.create("SpacesBucket", BUCKET)
    server.buckets["acme"] |= {"fleetwatch/config", "fleetwatch/data/a b"}
    with pytest.raises(RuntimeError, match=r'^Error deleting Spaces Bucket: BucketNotEmpty: not empty "acme"'):
        calls.delete("SpacesBucket", made, state)
    assert server.buckets["acme"]
    server.buckets["acme"] = {"fleetwatch/config"}
    state = calls.update("SpacesBucket", made, state, {**BUCKET, "forceDestroy": True})
    calls.delete("SpacesBucket", made, state)
    assert server.buckets == {}


def test_name_that_is_taken_and_wrong_credentials_are_quoted(server: Names) -> None:
    server.buckets["acme"] = set()
    with pytest.raises(RuntimeError, match="^Error creating Spaces bucket: BucketAlreadyExists: taken"):
        _calls(server).create("SpacesBucket", BUCKET)
    with pytest.raises(RuntimeError, match="^Error creating Spaces bucket: InvalidAccessKeyId"):
        _calls(server, spacesAccessId="other").create("SpacesBucket", {**BUCKET, "name": "b"})
    with pytest.raises(RuntimeError, match="^Error creating bucket: Spaces credentials not configured"):
        _calls(server, spacesAccessId="").create("SpacesBucket", BUCKET)


@pytest.mark.parametrize(
    ("kind", "inputs", "sentence"),
    [
        ("SpacesBucket", {**BUCKET, "region": "nyc1"}, "SpacesBucket.region: expected one of ams3, blr1,"),
        ("SpacesBucket", {**BUCKET, "versioning": {"enabled": True}}, "SpacesBucket.versioning is not covered"),
        (
            "SpacesKey",
            {"name": "x", "grants": [{"bucket": "b", "permission": "all"}]},
            "expected one of read, readwrite",
        ),
    ],
)
def test_what_is_wrong_or_not_covered_is_refused(
    server: Names, kind: str, inputs: dict[str, Any], sentence: str
) -> None:
    assert sentence in _calls(server).problems(kind, inputs)[0]


@pytest.mark.parametrize(
    ("table", "vendors"),
    [(tables.SPACES_KEY, do.SpacesKey), (tables.SPACES_BUCKET, do.SpacesBucket)],
    ids=["key", "bucket"],
)
def test_properties_are_the_vendors(table: schema.Table, vendors: type) -> None:
    """Each is one of the vendor's SDK, and what the SDK marks as secret is secret here."""
    source = Path(inspect.getfile(vendors)).read_text()
    known = {found for found in vars(vendors) if isinstance(vars(vendors)[found], property)}
    assert {re.sub("([A-Z])", lambda part: f"_{part[0].lower()}", key) for key in table.props} <= known
    marked = re.findall(r'additional_secret_outputs=\["(\w+)"\]', source)
    assert {key for key, prop in table.props.items() if prop.secret} == set(marked)


def test_string_is_random_and_its_own_id() -> None:
    log = Lines()
    calls = Calls(random.package(log), log, {})
    inputs = {"length": 8, "special": False, "upper": False, "keepers": {"region": "ams3"}}
    made, state = calls.create("RandomString", inputs)
    assert re.fullmatch("[a-z0-9]{8}", made)
    assert plain_map(state)["result"] == made
    assert not state["result"].is_secret
    assert calls.diff("RandomString", state, {**inputs, "keepers": {"region": "fra1"}}).replaces == ["keepers"]


def test_signature_is_the_one_of_the_protocols_own_example() -> None:
    """From the documentation of AWS Signature Version 4: GET Bucket Lifecycle."""
    s3 = S3("https://x", "us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    at = datetime(2013, 5, 24, tzinfo=timezone.utc)
    signed = s3.signed("GET", "examplebucket.s3.amazonaws.com", "/", "lifecycle=", {}, b"", at)
    wanted = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    assert signed["authorization"].endswith(f"Signature={wanted}")
    assert "wJalr" not in repr(s3)

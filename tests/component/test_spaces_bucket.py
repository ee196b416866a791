"""The bucket of DigitalOcean Spaces for the hub's backups, and its key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.program import Run, run
from tests.component.test_fleet import fleet

BUCKET = "digitalocean:index/spacesBucket:SpacesBucket"
KEY = "digitalocean:index/spacesKey:SpacesKey"
NAME = "fleetwatch-test-backup-k3m9x2ab"


def _run(monkeypatch: pytest.MonkeyPatch, spaces: Any, **sections: Any) -> Run:
    backup = {"to": {"spaces": spaces}, "password": "restic-s3cret"}
    return run({**fleet(), "hub": {"droplet": {"region": "fra1"}, "backup": backup}, **sections}, monkeypatch)


def test_bucket_and_a_key_for_it_alone_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _run(monkeypatch, "ams3")
    bucket = made.of(BUCKET)["backup-bucket"]
    assert bucket.plain() == {"name": NAME, "region": "ams3", "acl": "private", "forceDestroy": False}
    assert made.of(KEY)["backup-key"].plain()["grants"] == [{"bucket": NAME, "permission": "readwrite"}]
    assert made.of(KEY)["spaces-key"].plain()["grants"] == [{"bucket": "", "permission": "fullaccess"}]
    assert made.exports["bucket"] == (f"https://ams3.digitaloceanspaces.com/{NAME}", False)


def test_only_the_key_for_the_bucket_reaches_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _run(monkeypatch, "ams3")
    secrets = made.commands["hub-backup-secrets"]
    assert "secret-s3cret-backup-key" in secrets.plain()["stdin"]
    sent = "".join(one.plain().get("stdin", "") or "" for one in made.commands.values())
    assert "secret-s3cret-spaces-key" not in sent
    assert (
        f"s3:https://ams3.digitaloceanspaces.com/{NAME}/fleetwatch"
        in made.commands["hub-backup-config"].plain()["stdin"]
    )


def test_keys_are_secret_in_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _run(monkeypatch, "ams3")
    for one in made.of(KEY).values():
        assert set(one.request.additionalSecretOutputs) == {"accessKey", "secretKey"}
    clear = [text for one in made.made for text in one.in_clear()]
    assert not [text for text in clear if "secret-s3cret-" in text or "access-" in text and "key" in text]


@pytest.mark.parametrize(("keep", "env"), [(True, "test"), (False, "test"), (True, "prod")])
def test_bucket_is_kept_unless_the_stack_file_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, keep: bool, env: str
) -> None:
    bucket = _run(monkeypatch, {"region": "ams3", "keep": keep}, env=env).of(BUCKET)["backup-bucket"]
    assert bucket.request.retainOnDelete is keep
    assert bucket.plain()["forceDestroy"] is not keep
    assert bucket.request.protect is (env == "prod")
    assert "pulumi:providers:digitalocean::spaces::" in bucket.request.provider


def test_bucket_that_exists_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _run(monkeypatch, {"region": "ams3", "bucket": "acme-backup"})
    assert not made.of(BUCKET)
    assert list(made.of(KEY)) == ["backup-key"], "no key for all buckets"
    assert made.of(KEY)["backup-key"].plain()["grants"] == [{"bucket": "acme-backup", "permission": "readwrite"}]


def test_hub_elsewhere_may_have_a_bucket_too(monkeypatch: pytest.MonkeyPatch) -> None:
    backup = {"to": {"spaces": "fra1"}, "password": "restic-s3cret"}
    made = run({"hub": {"local": {}, "backup": backup}}, monkeypatch)
    assert made.of(BUCKET)["backup-bucket"].plain()["region"] == "fra1"
    assert made.exports["monthly_usd"] == (5, False)


def test_endpoint_of_the_provider_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ENDPOINT_URL", "http://{{.Region}}.example:7070")
    made = _run(monkeypatch, "sgp1")
    assert made.exports["bucket"] == (f"http://sgp1.example:7070/{NAME}", False)

"""The hub's backup: its settings, its container, and how a backup is chosen for a restore."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from configs import services
from configs.rules import backup as rules
from configs.rules.model import Record
from configs.services import backup
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings, SettingsError, load
from configs.validation import edges
from configs.validation import hub as validation
from tests.fixtures import fleets, rendering
from tests.fixtures.full import SOURCE, in_bucket, small
from tools.backup import repository, restore
from tools.errors import ToolError

BUCKET: dict[str, Any] = {
    "endpoint": "https://fra1.digitaloceanspaces.com/",
    "bucket": "acme",
    "access_key": "k-s3cret",
    "secret_key": "s-s3cret",
}
PATH: dict[str, Any] = {"to": {"path": "/mnt/backup"}, "password": "backup-s3cret"}
S3: dict[str, Any] = {"to": {"s3": BUCKET}, "password": "backup-s3cret"}


def _settings(given: dict[str, Any] | None, **hub: Any) -> Settings:
    return load(small(hub={"local": {}, **({"backup": given} if given else {}), **hub}), SOURCE)


def _specs(given: dict[str, Any] | None, **hub: Any) -> dict[str, ServiceSpec]:
    return {spec.role: spec for spec in services.hub_specs(rendering.context(_settings(given, **hub), "hub"))}


def test_no_backup_changes_no_container() -> None:
    without = _specs(None)
    assert "backup" not in without
    assert not [word for word in without["prometheus"].command if "admin" in word]


def test_prometheus_gives_snapshots_only_with_a_backup() -> None:
    assert "--web.enable-admin-api" in _specs(PATH)["prometheus"].command


@pytest.mark.parametrize(("given", "hub"), [(PATH, {}), (S3, {}), (S3, {"ask": {}})], ids=["path", "s3", "ask"])
def test_container_reads_the_others_and_holds_no_secret_in_its_definition(
    given: dict[str, Any], hub: dict[str, Any]
) -> None:
    spec = _specs(given, **hub)["backup"]
    durable = [one.volumes.items() for one in _specs(given, **hub).values()]
    volumes = {name for one in durable for name, volume in one if volume.durable}
    assert set(spec.reads.values()) == volumes - {"backup", "caddy-config"}
    assert not [source for source in spec.binds if "docker.sock" in source]
    assert "s3cret" not in repr((spec.command, spec.environment, spec.entrypoint, spec.health))
    settings = spec.files["settings"].render(Late())
    assert "s3cret" not in settings


def test_metrics_and_logs_in_a_bucket_are_no_parts() -> None:
    left = ("grafana", "alertmanager", "caddy", "state")
    assert backup.parts(in_bucket(backup=PATH)) == left
    assert set(backup.parts(in_bucket(backup=PATH, ask={}))) == {*left, "ask"}


def test_database_of_the_assistant_is_a_part_of_hubs_that_have_one() -> None:
    assert "ask" not in backup.parts(_settings(PATH))
    parts = backup.parts(_settings(PATH, ask={}))
    assert parts == tuple(backup.PARTS)
    assert _specs(PATH, ask={})["backup"].reads["/data/ask"] == "ask-database"
    order = [spec.role for spec in sorted(_specs(PATH, ask={}).values(), key=lambda spec: len(spec.depends_on))]
    assert order.index("ask-database") < order.index("backup"), "its volume has to exist"
    for settings, wanted in ((_settings(PATH, ask={}), True), (_settings(PATH), False)):
        expected = [rule.expr for rule in rules.group(settings).rules if isinstance(rule, Record)]
        assert any('"ask"' in expr for expr in expected) == wanted, "a part without a backup has an alert"


def test_part_that_was_added_later_may_have_no_backup_yet() -> None:
    found = [_snapshot("metrics", 6)]
    assert list(repository.chosen(found, ["metrics", "ask"], None, ("ask",))) == ["metrics"]
    with pytest.raises(ToolError, match="no backup of ask"):
        repository.chosen(found, ["metrics", "ask"], None)
    (line,) = repository.without(["metrics", "ask"], {"metrics": found[0]})
    assert line == "  ask: there is no backup of it yet"


def test_repository_of_a_bucket() -> None:
    settings = _settings(S3)
    assert settings.hub.backup is not None
    found = backup.repository(settings, settings.hub.backup)
    assert found == "s3:https://fra1.digitaloceanspaces.com/acme/fleetwatch"


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ({}, "expected exactly one destination"),
        ({**PATH["to"], **S3["to"]}, "expected exactly one destination"),
        ({"path": "backup"}, "expected an absolute path"),
        ({"path": "/mnt/../etc"}, "expected an absolute path"),
        ({"s3": {**BUCKET, "bucket": "A"}}, "expected the name of a bucket"),
        ({"spaces": "ams3", **PATH["to"]}, "expected exactly one destination: spaces, s3 or path"),
        ({"spaces": {"region": "ams3", "bucket": "A"}}, "expected the name of a bucket"),
        ({"spaces": {"region": "ams3", "bucket": "acme", "keep": False}}, "expected no `keep: false` beside `bucket`"),
        ({"spaces": "AMS3!"}, "expected a slug"),
    ],
)
def test_destination_is_checked(to: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        _settings({**PATH, "to": to})


def test_bucket_in_the_hubs_own_region_has_to_be_accepted() -> None:
    hub = {**fleets.HUB, "backup": S3}
    (problem,) = validation.problems(load(fleets.fleet(hub), SOURCE))
    assert "own region fra1" in problem
    assert "same_region: true" in problem
    accepted = {**hub, "backup": {**S3, "same_region": True}}
    assert not list(validation.problems(load(fleets.fleet(accepted), SOURCE)))


SPACES: dict[str, Any] = {"to": {"spaces": "ams3"}, "password": "backup-s3cret"}
OWN_REGION = "hub.backup.to.spaces: fra1 is the hub's own region"


@pytest.mark.parametrize(
    ("to", "more", "sections", "message"),
    [
        ("ams3", {}, {}, ""),
        ("fra1", {}, {}, OWN_REGION),
        ("fra1", {"same_region": True}, {}, ""),
        ("nyc1", {}, {}, "hub.backup.to.spaces: expected a region with Spaces (ams3, blr1,"),
        ("ams3", {}, {"env": "e" * 50}, "it would be fleetwatch-eee"),
    ],
)
def test_region_and_name_of_a_bucket_at_spaces_are_checked(
    to: str, more: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    hub = {**fleets.HUB, "backup": {**SPACES, "to": {"spaces": to}, **more}}
    problems = [one for one in validation.problems(load(fleets.fleet(hub, **sections), SOURCE)) if "spaces" in one]
    assert bool(problems) == bool(message)
    assert all(message in one for one in problems)


def test_key_and_address_of_a_bucket_at_spaces_are_in_the_containers_files() -> None:
    spec = _specs(SPACES)["backup"]
    late = Late(bucket="https://ams3.example/acme", bucket_key={"access_key": "AK", "secret_key": "SK-s3cret"})
    settings = spec.files["settings"].render(late)
    assert "REPOSITORY=s3:https://ams3.example/acme/fleetwatch\nREGION=us-east-1\n" in settings
    assert "s3cret" not in settings
    assert spec.secrets["s3"].render(late) == ("[default]\naws_access_key_id = AK\naws_secret_access_key = SK-s3cret\n")
    assert "CAP_DAC_OVERRIDE" not in spec.capabilities


def test_what_is_kept_is_given_to_restic() -> None:
    given = {**PATH, "keep": {"last": 3, "daily": 5, "weekly": 0, "monthly": 2}}
    for settings, kept in ((given, "last 3 daily 5 monthly 2"), (PATH, "last 4 daily 7 weekly 4 monthly 6")):
        words = kept.split()
        line = " ".join(f"--keep-{name} {count}" for name, count in zip(words[::2], words[1::2], strict=True))
        assert f"\nKEEP='{line}'\n" in _specs(settings)["backup"].files["settings"].render(Late())


def _snapshot(part: str, hour: int) -> repository.Snapshot:
    return repository.Snapshot(f"{part}{hour}", part, datetime(2026, 11, 28, hour, tzinfo=timezone.utc))


def test_newest_backup_before_a_time_is_chosen() -> None:
    found = [_snapshot("metrics", 6), _snapshot("logs", 6), _snapshot("metrics", 12)]
    assert repository.chosen(found, ["metrics", "logs"], None)["metrics"].id == "metrics12"
    before = repository.parsed_time("2026-11-28T11:59")
    assert repository.chosen(found, ["metrics"], before)["metrics"].id == "metrics6"
    with pytest.raises(ToolError, match="no backup of grafana"):
        repository.chosen(found, ["grafana"], None)
    with pytest.raises(ToolError, match="the oldest backup is of 2026-11-28T06:00"):
        repository.chosen(found, ["metrics"], repository.parsed_time("2026-11-28T05:00Z"))


def test_wrong_time_and_part_are_refused() -> None:
    with pytest.raises(ToolError, match="AT=yesterday: expected a time"):
        repository.parsed_time("yesterday")
    with pytest.raises(ToolError, match="ONLY=metric: expected some of the parts .*; did you mean metrics"):
        restore.selected("metric")
    assert restore.selected("logs,metrics") == ["metrics", "logs"]
    assert "caddy" not in restore.selected("")


def test_counts_of_a_note() -> None:
    note = "at 1795899755\nsamples of up in 1h: 145\nsamples of up in 1d: 1450\n"
    assert repository.noted_at(note) == "1795899755"
    assert repository.counts(note) == {"samples of up in 1h": 145, "samples of up in 1d": 1450}


@pytest.mark.parametrize(("agent", "honor"), [("vmagent", True), ("vmagent", False), ("prometheus", True)])
def test_timestamps_of_an_app_and_vmagent_are_refused_together(agent: str, honor: bool) -> None:
    app = {"target": "shop:8000", "honor_timestamps": honor}
    host = {"metrics": {"agent": agent}, "apps": {"shop": app}}
    problems = list(edges.problems(load(small(hosts={"hub": host}), SOURCE)))
    assert bool(problems) == (agent == "vmagent" and honor)
    assert all(one.startswith("hosts.hub.apps.shop.honor_timestamps: expected false") for one in problems)

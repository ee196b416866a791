"""Image tags: the newest of a shape, and the message about a tag that its registry does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.fixtures.registry_standin import RegistryStandIn, serving
from tools import image_tags, images, net
from tools.errors import ToolError

TAGS = ["2.11.7-alpine", "2.11.8-alpine", "2.11.9", "2.9.1-alpine", "3.0.0-alpine", "2.11.10-rc.1-alpine", "latest"]


@pytest.fixture
def registry() -> Iterator[RegistryStandIn]:
    with serving(RegistryStandIn({"library/caddy": TAGS})) as made:
        yield made


@pytest.mark.parametrize(
    ("tag", "newest"),
    [("2.11.9-alpine", "2.11.8-alpine"), ("3.1.0-alpine", "3.0.0-alpine"), ("4.0.0-alpine", "3.0.0-alpine")],
)
def test_newest_tag_has_the_same_shape_and_major_version_if_possible(tag: str, newest: str) -> None:
    assert image_tags.newest_like(tag, TAGS) == newest


def test_a_tag_without_a_version_has_no_newest() -> None:
    assert image_tags.newest_like("main", TAGS) is None


def test_a_missing_tag_is_named_with_the_newest_that_exists(registry: RegistryStandIn) -> None:
    ref = f"{registry.host}/library/caddy:2.11.9-alpine"
    assert image_tags.problem("caddy", ref) == (
        f"image caddy: {ref} does not exist in the registry; the newest tag that does: 2.11.8-alpine; "
        "pin it in configs/images.yaml or under fleetwatch:images"
    )


def test_a_missing_repository_has_no_newest_tag(registry: RegistryStandIn) -> None:
    found = image_tags.problem("caddy", f"{registry.host}/library/cadddy:2.11.9-alpine")
    assert found is not None
    assert "nor does a similar tag; name another image" in found


def test_an_existing_tag_is_no_problem(registry: RegistryStandIn) -> None:
    assert image_tags.problem("caddy", f"{registry.host}/library/caddy:2.11.8-alpine") is None


@pytest.mark.parametrize(
    ("ref", "url"),
    [
        ("caddy:2.11.8", "https://registry-1.docker.io/v2/"),
        ("prom/prometheus:v3.15.0", "https://registry-1.docker.io/v2/"),
        ("docker.io/library/caddy:2.11.8", "https://registry-1.docker.io/v2/"),
        ("ghcr.io/google/cadvisor:v0.60.6", "https://ghcr.io/v2/"),
        ("registry:5000/caddy:2.11.8", "https://registry:5000/v2/"),
        ("localhost:5000/caddy:2.11.8", "http://localhost:5000/v2/"),
        ("localhost/caddy:2.11.8", "http://localhost/v2/"),
        ("[::1]:5000/caddy:2.11.8", "http://[::1]:5000/v2/"),
        ("[2001:db8::1]:5000/caddy:2.11.8", "https://[2001:db8::1]:5000/v2/"),
    ],
)
def test_the_first_component_is_a_registry_if_it_has_a_dot_or_a_port_or_is_localhost(ref: str, url: str) -> None:
    assert image_tags.registry_url(ref) == url


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_registry_that_cannot_be_queried_gives_no_verdict(registry: RegistryStandIn, status: int) -> None:
    registry.status = status
    assert image_tags.problem("caddy", f"{registry.host}/library/caddy:2.11.9-alpine") is None


def test_setup_reports_every_missing_tag_and_builds_nothing(
    registry: RegistryStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {key: f"{registry.host}/library/caddy:2.{minor}.99-alpine" for key, minor in (("caddy", 11), ("loki", 9))}
    monkeypatch.setattr(images, "pins", lambda: {**wrong, "prometheus": "docker.io/prom/prometheus:v3.15.0"})
    monkeypatch.setattr(images, "_labels", lambda _refs: {})
    monkeypatch.setattr(images, "assemble", lambda recipe: pytest.fail(f"{recipe.ref} is built"))
    monkeypatch.setattr(net, "reachable", lambda url: registry.host in url)
    monkeypatch.setattr(images, "run", _refused)
    with pytest.raises(ToolError) as refused:
        images.get(["caddy", "loki", "prometheus"])
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["image caddy", "image loki"]


def test_a_pull_that_fails_for_another_reason_falls_back_to_a_build(
    registry: RegistryStandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[str] = []
    monkeypatch.setattr(images, "pins", lambda: {"caddy": f"{registry.host}/library/caddy:2.11.8-alpine"})
    monkeypatch.setattr(images, "_labels", lambda _refs: {})
    monkeypatch.setattr(images, "assemble", lambda recipe: built.append(recipe.ref))
    monkeypatch.setattr(net, "reachable", lambda url: registry.host in url)
    monkeypatch.setattr(images, "run", _refused)
    (image,) = images.get(["caddy"])
    assert [image.ref] == built
    assert "cannot be pulled; assembling it instead" in capsys.readouterr().out


def _refused(argv: Sequence[str], *, what: str) -> None:
    raise ToolError("docker pull failed")

"""The guard rails for mounts, memory and images: what passes, what does not, what an absent property means."""

from __future__ import annotations

from typing import Any

import pytest

from policy import containers, images
from policy.records import Hidden
from tests.fixtures.guarded import container, one, said


def bind(source: Any, target: str = "/x", read_only: bool = True) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, "readOnly": read_only}


SOCKET = "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("role", "mount"),
    [
        ("cadvisor", bind(SOCKET, SOCKET)),
        ("promtail", bind(SOCKET, SOCKET)),
        ("alloy", bind("/run/user/1000/docker.sock", SOCKET)),
        ("cadvisor", bind("/", "/rootfs")),
        ("node-exporter", bind("/", "/host")),
        ("loki", bind("/var/log/nginx")),
        ("loki", {"type": "volume", "source": "fleetwatch-loki", "target": "/loki"}),
        ("loki", bind(Hidden.UNKNOWN)),
        ("promtail", {**bind("/var/log/shop"), "bindOptions": {"propagation": "rslave"}}),
    ],
)
def test_what_may_be_mounted(role: str, mount: dict[str, Any]) -> None:
    assert said(containers.mounts, container(role, mounts=[mount])) == []


@pytest.mark.parametrize("propagation", ["shared", "rshared", "new", Hidden.UNKNOWN])
def test_no_mount_of_a_container_reaches_its_host(propagation: Any) -> None:
    mount = {**bind("/var/log/shop"), "bindOptions": {"propagation": propagation}}
    assert "its own mounts could reach its host" in one(containers.mounts, container("promtail", mounts=[mount]))


@pytest.mark.parametrize("role", ["grafana", "node-exporter", "caddy"])
def test_dockers_socket_is_in_nobody_else(role: str) -> None:
    assert "full control of its host" in one(containers.mounts, container(role, mounts=[bind(SOCKET, SOCKET)]))


def test_dockers_socket_is_known_by_where_it_is_mounted() -> None:
    assert "Docker's socket" in one(containers.mounts, container("loki", mounts=[bind("/opt/engine", SOCKET)]))


@pytest.mark.parametrize("role", ["cadvisor", "promtail", "loki"])
def test_nothing_of_the_host_is_writable(role: str) -> None:
    assert "writable" in one(containers.mounts, container(role, mounts=[bind("/srv/data", read_only=False)]))


def test_dockers_socket_is_not_writable_where_it_is_allowed() -> None:
    assert "writable" in one(containers.mounts, container("cadvisor", mounts=[bind(SOCKET, SOCKET, False)]))


@pytest.mark.parametrize("folder", ["/", "/var", "/var/run", "/run/", "/var/"])
def test_a_folder_with_the_socket_in_it_counts(folder: str) -> None:
    assert "Docker's socket is in it" in one(containers.mounts, container("loki", mounts=[bind(folder)]))


def test_the_older_way_to_mount_counts_too() -> None:
    volumes = [{"hostPath": "/srv", "containerPath": "/srv"}]
    assert "writable" in one(containers.mounts, container(mounts=None, volumes=volumes))
    named = [{"volumeName": "data", "containerPath": "/srv"}]
    assert said(containers.mounts, container(mounts=None, volumes=named)) == []


def test_read_only_that_is_not_said_is_writable() -> None:
    assert "writable" in one(
        containers.mounts, container(mounts=[{"type": "bind", "source": "/srv", "target": "/srv"}])
    )


def test_no_mounts_are_fine() -> None:
    assert said(containers.mounts, container(mounts=None)) == []


# Memory


@pytest.mark.parametrize("memory", [64, 256.0, Hidden.UNKNOWN])
def test_a_memory_limit_passes(memory: Any) -> None:
    assert said(containers.memory, container(memory=memory)) == []


@pytest.mark.parametrize("memory", [0, -1, None, True, "lots"])
def test_no_memory_limit_does_not(memory: Any) -> None:
    assert "no memory limit" in one(containers.memory, container(memory=memory))


# Images


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/prom/prometheus:v3.15.0",
        "caddy:2.11.9-alpine",
        "registry.example:5000/caddy:2.11.9",
        "fleetwatch.local/grafana-stand-in:reader-ae9bfb8c",
        "fleetwatch.local/postgres-exporter:debian-offline-4eb3baa8",
        "registry.example/app:2026-03-14",
        "grafana/grafana@sha256:" + "0a" * 32,
        "grafana/grafana:latest@sha256:" + "0a" * 32,
        "sha256:" + "0a" * 32,
        Hidden.UNKNOWN,
    ],
)
def test_a_pinned_image_passes(image: Any) -> None:
    assert said(images.pinned, container(image=image)) == []


@pytest.mark.parametrize(
    ("image", "part"),
    [
        ("grafana/grafana:latest", "the tag latest"),
        ("grafana/grafana", "has no tag"),
        ("registry.example:5000/grafana", "has no tag"),
        ("postgres:15", "the tag 15"),
        ("caddy:2.11-alpine", "the tag 2.11-alpine"),
        ("grafana/grafana:main", "the tag main"),
        ("grafana/grafana@sha256:0a", "which moves"),
        ("", "names no image"),
        (None, "names no image"),
    ],
)
def test_a_moving_image_does_not(image: str | None, part: str) -> None:
    assert part in one(images.pinned, container(image=image))

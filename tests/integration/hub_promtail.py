"""A real Promtail with the rendered pipeline of a host's containers, which reads files in place of Docker's logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs import names
from configs.services import promtail
from configs.settings import Settings
from tests.fixtures import rendering
from tests.integration.rig import docker

NAMES = ("fleetwatch-caddy", "fleetwatch-grafana", "fleetwatch-loki", "fleetwatch-prometheus", "somebodys-caddy")


@dataclass
class HubPromtail:
    """One file per container, named as it."""

    folder: Path

    def write(self, container: str, lines: Iterable[str]) -> None:
        with (self.folder / f"{container}.log").open("a") as out:
            out.writelines(f"{line}\n" for line in lines)


def start(
    settings: Settings, loki: str, image: str, docker_args: Iterable[str], folder: Path, host: str = "hub"
) -> HubPromtail:
    """Promtail of `host` that pushes to `loki` (a URL). `docker_args`: the network and labels of its container."""
    folder.chmod(0o755)
    rendered: dict[str, Any] = yaml.safe_load(rendering.promtail_config(settings, host))
    (client,) = rendered["clients"]
    client["url"] = loki + names.LOGS_PUSH
    for key in ("basic_auth", "tls_config"):
        client.pop(key, None)
    containers = rendered["scrape_configs"][0]
    del containers["docker_sd_configs"]
    path = {"source_labels": ["__path__"], "regex": "/lines/(.*).log", "target_label": "container"}
    rules = [{"target_label": "job", "replacement": "docker"}, path]
    files = [{"targets": ["localhost"], "labels": {"__path__": f"/lines/{name}.log"}} for name in NAMES]
    rendered["scrape_configs"] = [{**containers, "relabel_configs": rules, "static_configs": files}]
    (folder / promtail.FILE).write_text(yaml.safe_dump(rendered))
    mounts = ("-v", f"{folder}:{promtail.CONFIG}:ro", "-v", f"{folder}:/lines:ro", "-v", promtail.DATA)
    docker("run", "-d", *docker_args, *mounts, image, *promtail.command())
    return HubPromtail(folder)

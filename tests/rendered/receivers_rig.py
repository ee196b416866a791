"""Every kind of receiver at the stand-in for the services, and an Alertmanager with them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

import httpx
import yaml

from configs import names
from configs.services import alertmanager
from configs.services.alertmanager import receivers, templates
from configs.services.alertmanager.kinds import KINDS
from configs.settings import Settings, load
from tests.fixtures.full import raw
from tests.fixtures.receiver_sink import Sink

ALERT = {"alertname": "DiskUsed", "severity": "critical", "host": "web-1", "env": "test"}
ANNOTATIONS = {
    "summary": "/ on web-1 is 95% full",
    "description": "Little is left on it.",
    "dashboard": "https://m.example/d/fleetwatch-hosts?var-host=web-1",
    "runbook": "https://wiki.example.com/runbooks/DiskUsed.md",
}


def loopback_accepted() -> AbstractContextManager[object]:
    """Settings refuse receivers on loopback, which is the container itself: here Alertmanager is a process, not one."""
    return mock.patch("configs.settings.addresses.is_loopback", return_value=False)


def settings_at(sink: Sink) -> Settings:
    """The receivers of the full stack file, all in one, at the sink's addresses."""
    sections = raw()
    given = sections["hub"]["alerts"]["receivers"]
    services = {key: service for receiver in given.values() for key, service in receiver.items()}
    for key, service in services.items():
        if "url" in service:
            service["url"] = f"{sink.url}/{key}/s3cret"
        elif key not in ("email", "pushover"):
            service["api_url"] = f"{sink.url}/{key}" + ("/rest/api/2" if key == "jira" else "")
    services["email"] |= {
        "smarthost": sink.mail, "implicit_tls": True, "ca": sink.ca.read_text(),
        "to": ["ops@example.com", "b@example.com"],
    }  # fmt: skip
    services["webhook"]["token"] = "hook-t0ken"
    alerts = {"receivers": {"team": services}, "default": "team"}
    assert set(services) == set(KINDS), "a kind that the full stack file has not"
    with loopback_accepted():
        return load({"env": "test", "hub": {"local": {}, "alerts": alerts}}, "stacks/Pulumi.test.yaml")


@dataclass
class Running:
    """An Alertmanager with the rendered files of `settings`."""

    url: str
    log: Path
    sink: Sink

    def post(self, **labels: str) -> None:
        ends = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
        alert = {"labels": ALERT | labels, "annotations": ANNOTATIONS, "endsAt": ends}
        assert httpx.post(f"{self.url}/api/v2/alerts", json=[alert], trust_env=False).status_code == 200


def write(folder: Path, settings: Settings, sink: Sink, host: str = "") -> Path:
    """The rendered files below `folder`, with their paths there; without waits. `host`: of a node of a cluster."""
    text = (
        alertmanager.config(settings, host)
        .replace(alertmanager.CONFIG, str(folder))
        .replace(names.SECRETS, str(folder))
    )
    config = yaml.safe_load(text)
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in config["receivers"]:
        for pushover in receiver.get("pushover_configs", []):
            pushover["http_config"] = {"proxy_url": sink.url, "tls_config": {"ca_file": str(sink.ca)}}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    files = alertmanager.secrets(settings) | receivers.cas(settings.hub.alerts)
    own = {f"{alertmanager.CUSTOM}/{name}": text for name, text in settings.custom.templates.items()}
    for name, content in {**files, **own, alertmanager.TEMPLATES: templates.TEMPLATES}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return folder / "alertmanager.yml"


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False

"""The scrape jobs of apps: credentials as files, discovery, labels that no app can take over; services by labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from configs.render import apps
from configs.services import agent, vmagent
from configs.services.context import Context
from configs.services.spec import Late
from configs.settings import Settings, load
from configs.settings.app import App
from tests.fixtures import rendering
from tests.fixtures.full import CERTIFICATE, SECRETS, SOURCE, full, small
from tests.fixtures.relabelling import relabelled


def _jobs(settings: Settings | None = None) -> dict[str, dict[str, Any]]:
    config = yaml.safe_load(agent.config(rendering.context(settings or full(), "hub")))
    return {job["job_name"]: job for job in config["scrape_configs"]}


def _service(settings: Settings, labels: dict[str, str]) -> str | None:
    given = {f"container_label_{key}": value for key, value in labels.items()}
    container = {"name": "shop-web-1a2b", "id": f"/docker/{'4c9e' * 16}", **given}
    found = relabelled(container, _jobs(settings)["cadvisor"]["metric_relabel_configs"])
    assert found is not None
    return found.get("service")


def test_credentials_are_files_and_stand_in_no_configuration() -> None:
    text = agent.config(rendering.context(full(), "hub"))
    assert not [secret for secret in SECRETS.values() if secret in text]
    jobs = _jobs()
    assert jobs["vault"]["authorization"] == {"credentials_file": "/run/secrets/fleetwatch/app-vault-token"}
    assert jobs["push-gateway"]["basic_auth"] == {
        "username": "watch", "password_file": "/run/secrets/fleetwatch/app-push-gateway-password"
    }  # fmt: skip
    assert jobs["scaled"]["tls_config"] == {
        "ca_file": "/etc/prometheus/app-scaled-ca",
        "cert_file": "/etc/prometheus/app-scaled-cert",
        "key_file": "/run/secrets/fleetwatch/app-scaled-key",
        "server_name": "worker",
    }


def test_both_agents_have_the_files_that_their_configuration_names() -> None:
    for kind, service in (("prometheus", agent), ("vmagent", vmagent)):
        settings = load({**rendering_sections(), "metrics": {"agent": kind}}, SOURCE)
        (spec,) = service.specs(rendering.context(settings, "hub"))
        late = Late(passwords={name: "x" for name in spec.secrets})
        text = spec.files[agent.FILE].render(late)
        named = set(re.findall(r"(?<=_file: )\S+", text)) | set(re.findall(r"(?<=credentials_file: )\S+", text))
        there = {f"{spec.config_dir}/{name}" for name in spec.files}
        there |= {f"/run/secrets/fleetwatch/{name}" for name in spec.secrets}
        assert named <= there | {f"{spec.config_dir}/hub-ca.crt"}, named - there
        assert spec.files["app-shop-ca"].render(late) == CERTIFICATE
        assert spec.secrets["app-shop-token"].render(late) == "hunter2"


def rendering_sections() -> dict[str, Any]:
    tls = {"ca": CERTIFICATE, "server_name": "shop"}
    app = {"target": "shop:1", "tls": tls, "bearer_token": "hunter2"}  # pragma: allowlist secret
    return small(hosts={"hub": {"apps": {"shop": app}}})


def test_a_prometheus_agent_takes_any_content_type_and_both_limit_what_they_read() -> None:
    app = full().edges["hub"].apps["shop"]
    assert agent.app_keys(app)["fallback_scrape_protocol"] == "PrometheusText0.0.4"
    assert agent.app_keys(app)["body_size_limit"] == vmagent.app_keys(app)["max_scrape_size"] == "16384KiB"


@pytest.mark.parametrize(("kind", "config"), [("prometheus", agent.config), ("vmagent", vmagent.config)])
def test_targets_and_limits_reach_the_job(kind: str, config: Callable[[Context], str]) -> None:
    given = {"targets": ["a:1", "b:1"], "sample_limit": 77, "label_limit": 7}
    honors = {"honor_timestamps": True} if kind == "prometheus" else {}
    hosts = {"hub": {"metrics": {"agent": kind}, "apps": {"shop": given, "usual": {"target": "c:1", **honors}}}}
    found = yaml.safe_load(config(rendering.context(load(small(hosts=hosts), SOURCE), "hub")))["scrape_configs"]
    jobs = {job["job_name"]: job for job in found}
    (group,) = jobs["shop"]["static_configs"]
    assert group["targets"] == ["a:1", "b:1"]
    assert (jobs["shop"]["sample_limit"], jobs["shop"]["label_limit"]) == (77, 7)
    assert jobs["shop"]["honor_timestamps"] is False
    assert jobs["usual"]["honor_timestamps"] is bool(honors)
    usual = App.model_fields
    assert jobs["usual"]["sample_limit"] == usual["sample_limit"].default
    assert jobs["usual"]["label_limit"] == usual["label_limit"].default


def test_a_name_is_resolved_and_its_targets_have_the_labels_too() -> None:
    job = _jobs()["scaled"]
    assert job["dns_sd_configs"] == [{"names": ["worker"], "type": "A", "port": 8000}]
    assert "static_configs" not in job
    steps = {step["target_label"]: step["replacement"] for step in job["relabel_configs"]}
    assert steps == {"team": "a$$b", "env": "full", "host": "hub"}, "a dollar sign in a replacement is doubled"


def test_metrics_are_kept_and_dropped_by_their_whole_name() -> None:
    keep, drop = _jobs()["push-gateway"]["metric_relabel_configs"][:2]
    assert (keep["action"], keep["regex"]) == ("keep", "(?:job_.+)|(?:a|b)")
    assert (drop["action"], drop["regex"], drop["source_labels"]) == ("drop", "(?:go_.*)", ["__name__"])


def test_honored_labels_never_make_an_app_another_host() -> None:
    job = _jobs()["push-gateway"]
    assert job["honor_labels"] is True
    steps = list(apps.honored({"env": "full", "host": "hub"}))
    assert job["metric_relabel_configs"][-len(steps) :] == steps
    assert relabelled({"host": "hub", "env": "full"}, steps) == {"host": "hub", "env": "full"}
    found = relabelled({"host": "other", "job": "batch"}, steps)
    assert found == {"host": "hub", "env": "full", "job": "batch", "exported_host": "other"}
    assert not any("honor_labels" in job for name, job in _jobs().items() if name != "push-gateway")


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service": "shop", "role": "web"}, "shop/web"),
        ({"service": "shop", "role": "web", "destination": "staging"}, "shop/web/staging"),
        ({"service": "shop-db"}, "shop-db"),
        ({"role": "web"}, None),
        ({"com_docker_swarm_service_name": "shop_web"}, "shop_web"),
        ({"com_docker_swarm_service_name": "shop_web", "service": "own"}, "own"),
        ({"com_hashicorp_nomad_job_name": "shop", "com_hashicorp_nomad_task_name": "web"}, "shop//web"),
        ({"service": "shop", "com_docker_compose_service": "db", "com_docker_compose_project": "x"}, None),
        ({"service": "shop", "fleetwatch_stack": "fleetwatch"}, None),
    ],
)
def test_labels_of_a_deploy_make_a_service(labels: dict[str, str], service: str | None) -> None:
    """Unless Compose's do: two services of a project that have one such label would hide each other's end."""
    assert _service(full(), labels) == service


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"com_example_app": "shop", "com_example_process": "web"}, "shop/web"),
        ({"com_example_app": "shop"}, "shop"),
        ({"com_example_process": "web"}, None),
        ({"com_example_service": "shop-db"}, "shop-db"),
        ({"com_example_service": "shop-db", "com_example_app": "shop"}, "shop"),
        ({"com_example_app": "shop", "com_docker_compose_service": "db", "com_docker_compose_project": "x"}, None),
        ({"service": "shop", "role": "web"}, None),  # one of the default, which the list replaces
    ],
)
def test_other_labels_make_a_service_instead_of_the_default_ones(labels: dict[str, str], service: str | None) -> None:
    chosen = [["com.example.app", "com.example.process"], "com.example.service"]
    assert _service(load(small(hosts={"hub": {"service_labels": chosen}}), SOURCE), labels) == service

"""Labels that metrics and logs share are the same in the agent, in Promtail and in Alloy, and Loki gets no others."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from configs.render import loglines
from configs.services.cadvisor import specs as cadvisor_specs
from configs.services.loki import config as loki_config
from configs.settings import Settings, load
from configs.settings.edge import SERVICE_LABELS
from tests.fixtures import rendering
from tests.fixtures.full import SOURCE, full, full_with_alloy, small

HOST = "hub"
SHARED = {"env", "host", "job", "container", "compose_project", "compose_service"}
# What a line may be found by: the shared ones, and those that the stack file gives to its own files.
STREAM = SHARED | {"log_source"}


def _agent(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(rendering.agent_config(settings, HOST))
    return found


def _metric_labels(settings: Settings) -> set[str]:
    config = _agent(settings)
    (cadvisor,) = [job for job in config["scrape_configs"] if job["job_name"] == "cadvisor"]
    relabelled = {rule["target_label"] for rule in cadvisor["metric_relabel_configs"] if "target_label" in rule}
    (group,) = cadvisor["static_configs"]
    return {"job", *group["labels"], *config["global"]["external_labels"], *relabelled}


def _sources(text: str) -> dict[str, tuple[str, str]]:
    """Of Alloy's relabel rules: target label -> (source label, pattern)."""
    found = {}
    for body in re.findall(r"rule \{\n(.*?)\n\t\}", text, re.DOTALL):
        fields = dict(re.findall(r"(\w+)\s*= (.*)", body))
        if "target_label" in fields:
            found[fields["target_label"].strip('"')] = (
                ";".join(re.findall(r'"(.*?)"', fields.get("source_labels", ""))),
                fields.get("regex", "").strip('"'),
            )
    return found


def _promtail(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(rendering.promtail_config(settings, HOST))
    return found


def _promtail_rules(settings: Settings) -> dict[str, tuple[str, str]]:
    (job,) = [job for job in _promtail(settings)["scrape_configs"] if job["job_name"] == "docker"]
    return {
        rule["target_label"]: (";".join(rule.get("source_labels", [])), rule.get("regex", ""))
        for rule in job["relabel_configs"]
        if "target_label" in rule
    }


def _promtail_labels(settings: Settings) -> set[str]:
    config = _promtail(settings)
    found = set(config["clients"][0]["external_labels"])
    for job in config["scrape_configs"]:
        found |= {rule["target_label"] for rule in job.get("relabel_configs", []) if "target_label" in rule}
        found |= {label for group in job.get("static_configs", []) for label in group["labels"]}
        found |= set(job.get("journal", {}).get("labels", {}))
    return {label for label in found if not label.startswith("__")} - set(loglines.STRUCTURED_METADATA)


def _alloy_labels(settings: Settings) -> set[str]:
    text = rendering.alloy_config(settings, HOST)
    (external,) = re.findall(r"external_labels = \{(.*?)\}", text, re.DOTALL)
    found = set(re.findall(r"(\w+)\s*=", external)) | set(_sources(text))
    for targets in re.findall(r"path_targets = \[\{(.*?)\}\]", text):
        found |= set(re.findall(r"(\w+) = \"", targets))
    for labels in re.findall(r"labels\s+= \{ (.*?) \}", text):
        found |= set(re.findall(r"(\w+) = \"", labels))
    return {label for label in found if not label.startswith("__")} - set(loglines.STRUCTURED_METADATA)


def test_a_containers_metrics_and_lines_have_the_same_labels() -> None:
    assert _metric_labels(full()) >= SHARED
    assert _promtail_labels(full()) >= SHARED
    assert _alloy_labels(full_with_alloy()) >= SHARED


def test_loki_gets_labels_of_the_list_and_no_others() -> None:
    assert _promtail_labels(full()) == STREAM
    assert _alloy_labels(full_with_alloy()) == STREAM
    limits = yaml.safe_load(loki_config(full()))["limits_config"]
    assert limits["discover_service_name"] == [], "Loki would add a label of its own"


def test_promtail_and_alloy_take_each_label_from_the_same_place() -> None:
    ours, theirs = _promtail_rules(full()), _sources(rendering.alloy_config(full_with_alloy(), HOST))
    for label in ("container", "compose_project", "compose_service", "stream", "job"):
        assert ours[label] == theirs[label], label


def test_the_agent_takes_a_containers_labels_from_where_the_log_agents_do() -> None:
    (cadvisor,) = [job for job in _agent(full())["scrape_configs"] if job["job_name"] == "cadvisor"]
    metrics = {
        rule["target_label"]: (";".join(rule["source_labels"]), rule.get("regex", ""))
        for rule in cadvisor["metric_relabel_configs"][:3]
    }
    logs = _promtail_rules(full())
    for label in ("compose_project", "compose_service"):
        sources, regex = logs[label]
        assert metrics[label] == (sources.replace("__meta_docker_", ""), regex)
    assert (metrics["container"], logs["container"]) == (("name", ""), ("__meta_docker_container_name", "/(.*)"))


@pytest.mark.parametrize(
    ("docker", "wanted"),
    [
        ("shop;", "shop"),
        ("fleetwatch;fleetwatch", None),
        ("second;second", None),  # another stack on the same machine
        (";fleetwatch", None),  # the hub's
        (";", None),
    ],
)
def test_only_containers_of_the_user_have_the_labels_of_compose(docker: str, wanted: str | None) -> None:
    """An edge of ours is a Compose project too; boards by project and ContainerDown treat it as no project."""
    (cadvisor,) = [job for job in _agent(full())["scrape_configs"] if job["job_name"] == "cadvisor"]
    metrics = {rule["target_label"]: rule for rule in cadvisor["metric_relabel_configs"] if "target_label" in rule}
    stack = "container_label_fleetwatch_stack"
    for key in ("project", "service"):
        label = f"compose_{key}"
        source = f"container_label_com_docker_compose_{key}"
        assert metrics[label]["source_labels"] == [source, stack]
        for sources, regex in (
            _promtail_rules(full())[label],
            _sources(rendering.alloy_config(full_with_alloy(), HOST))[label],
        ):
            assert sources == f"__meta_docker_{source};__meta_docker_{stack}"
            assert regex == metrics[label]["regex"]
        found = re.fullmatch(metrics[label]["regex"], docker)
        assert (found and found[1]) == wanted


CHOSEN = [["com.example.app", "com.example.process"], "com.example.service"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, [label for labels in SERVICE_LABELS for label in labels]),
        ({"service_labels": CHOSEN}, ["com.example.app", "com.example.process", "com.example.service"]),
    ],
)
def test_cadvisor_keeps_every_container_label_that_the_agent_reads(given: dict[str, Any], named: list[str]) -> None:
    settings = load(small(hosts={HOST: given}), SOURCE)
    (cadvisor,) = [job for job in _agent(settings)["scrape_configs"] if job["job_name"] == "cadvisor"]
    read = {label for rule in cadvisor["metric_relabel_configs"] for label in rule.get("source_labels", [])}
    (spec,) = cadvisor_specs(rendering.context(settings, HOST))
    (flag,) = [word for word in spec.command if word.startswith("--whitelisted_container_labels=")]
    kept = flag.partition("=")[2].split(",")
    assert kept == ["com.docker.compose.project", "com.docker.compose.service", "fleetwatch.stack", *named]
    assert {label for label in read if label.startswith("container_label_")} == {
        "container_label_" + re.sub(r"\W", "_", label) for label in kept
    }


def test_env_and_host_have_the_same_values_everywhere() -> None:
    wanted = {"env": "full", "host": HOST}
    config = _agent(full())
    assert config["global"]["external_labels"] == wanted
    for job in config["scrape_configs"]:
        steps = {step["target_label"]: step["replacement"] for step in job.get("relabel_configs", [])}
        for group in job.get("static_configs", [{"labels": steps}]):
            assert wanted.items() <= group["labels"].items(), job["job_name"]
    assert _promtail(full())["clients"][0]["external_labels"] == wanted
    (external,) = re.findall(r"external_labels = \{(.*?)\}", rendering.alloy_config(full_with_alloy(), HOST), re.DOTALL)
    assert dict(re.findall(r'(\w+)\s*= "(\w+)"', external)) == wanted

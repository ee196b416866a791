"""The policy pack as the engine speaks to it: which values it sees as secrets, and that it changes none.

Needs no Docker, but the pack's own packages.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policy.rules import RULES
from tools import policy_pack

pytestmark = pytest.mark.xdist_group("policy")
URN = "urn:pulumi:live::fleetwatch::command:local:Command::hub-x"
VALUE = "hunter2-s3cret"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": VALUE}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.fixture(scope="module")
def pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """A running pack; as an engine does, it reads its port and ends it."""
    policy_pack.prepare()
    with subprocess.Popen(
        [str(policy_pack.PACK), "127.0.0.1:1"], stdout=subprocess.PIPE, cwd="/", text=True
    ) as running:
        try:
            assert running.stdout is not None
            with grpc.insecure_channel(f"127.0.0.1:{running.stdout.readline().strip()}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            running.kill()


def _request(properties: dict[str, Any]) -> analyzer_pb2.AnalyzeRequest:
    struct = json_format.ParseDict(properties, struct_pb2.Struct())
    kind, name = URN.split("::")[2:]
    return analyzer_pb2.AnalyzeRequest(urn=URN, type=kind, name=name, properties=struct)


def _told(pack: analyzer_pb2_grpc.AnalyzerStub, properties: dict[str, Any]) -> list[str]:
    """In the engine's order: first what would be remediated, then what is wrong."""
    request = _request(properties)
    assert not pack.Remediate(request).remediations, "it only looks"
    found = pack.Analyze(request).diagnostics
    assert {one.enforcementLevel for one in found} <= {analyzer_pb2.MANDATORY}
    return [f"{one.policyName}: {one.message}" for one in found]


@pytest.mark.parametrize(
    "properties",
    [
        {"password": SECRET},
        {"environment": {"PGPASSWORD": SECRET}},
        {"environment": SECRET},
        {"envs": ["A=b", SECRET]},
        {"stdin": {**SECRET, "value": f"postgresql://me:{VALUE}@db/shop"}},
        {"password": UNKNOWN},
        {"environment": {"PGPASSWORD": UNKNOWN}},
        {},
    ],
    ids=str,
)
def test_a_marked_secret_passes(pack: analyzer_pb2_grpc.AnalyzerStub, properties: dict[str, Any]) -> None:
    assert _told(pack, properties) == []


@pytest.mark.parametrize(
    "properties",
    [
        {"password": VALUE},
        {"environment": {"PGPASSWORD": VALUE, "OTHER_PASSWORD": SECRET}},
        {"envs": [SECRET, f"POSTGRES_PASSWORD={VALUE}"]},
        {"stdin": f"postgresql://me:{VALUE}@db/shop", "create": UNKNOWN},
    ],
    ids=str,
)
def test_a_plain_one_does_not_and_is_not_shown(
    pack: analyzer_pb2_grpc.AnalyzerStub, properties: dict[str, Any]
) -> None:
    (told,) = _told(pack, properties)
    assert told.startswith("no-plain-secrets: ")
    assert VALUE not in told


def _project(**service: Any) -> dict[str, Any]:
    """A command's properties with a Compose project of one service."""
    good = {"image": "x:1.2.3", "mem_limit": 1, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
    text = yaml.safe_dump({"services": {"agent": {**good, **service}}})
    stdin = {**SECRET, "value": f"==> agent/secrets/password <==\n{VALUE}\n==> . <==\n"}
    return {"environment": {"FILES": f"==> compose.yaml <==\n{text}", "FILES_AGENT": UNKNOWN}, "stdin": stdin}


def test_the_services_of_an_edge_are_judged(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    assert _told(pack, _project()) == []
    (told,) = _told(pack, _project(privileged=True))
    assert told.startswith("container-rights: ")
    assert "Container hub-x (service agent): privileged is full control of its host" in told
    (told,) = _told(pack, _project(environment={"PGPASSWORD": VALUE}))
    assert told.startswith("no-plain-secrets: ")
    assert VALUE not in told
    (told,) = _told(pack, _project(uts="host"))
    assert told.startswith("readable-project: ")


def test_an_engine_that_does_not_let_it_look_gets_no_pass(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    (told,) = pack.Analyze(_request({"password": SECRET})).diagnostics
    assert "Pulumi did not run no-plain-secrets" in told.message


def test_every_rule_is_in_it_and_mandatory(pack: analyzer_pb2_grpc.AnalyzerStub) -> None:
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    assert [one.name for one in info.policies] == [rule.name for rule in RULES]
    stops = {analyzer_pb2.MANDATORY, analyzer_pb2.REMEDIATE}
    assert {one.enforcementLevel for one in info.policies} == stops, "remediate falls back to mandatory"

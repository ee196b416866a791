"""What looks like a secret is found by its name or its shape, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from policy import secrecy
from policy.records import Hidden, Record

VALUE = "hunter2-s3cret"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n"
LONG = "0123456789abcdef" * 4


def _said(**properties: Any) -> list[str]:
    return list(secrecy.plain(Record("command:local:Command", "hub-x", properties), "dev"))


@pytest.mark.parametrize(
    "properties",
    [
        {"password": VALUE},
        {"adminPassword": VALUE},
        {"ADMIN_TOKEN": VALUE},
        {"environment": {"PGPASSWORD": VALUE, "PATH": "/bin"}},
        {"environment": {"DATABASE_DSN": VALUE}},
        {"apiKey": VALUE},
        {"privateKey": VALUE},
        {"credentials": [VALUE]},
        {"envs": ["GF_LOG=x", f"POSTGRES_PASSWORD={VALUE}"]},
        {"command": ["serve", f"--web.auth-token={VALUE}"]},
        {"labels": [{"label": "registry.password", "value": VALUE}]},
        {"stdin": f"DATA_SOURCE=postgresql://watch:{VALUE}@db/shop\n"},
        {"create": f"curl https://ops:{VALUE}@example.com/"},
        {"stdin": f"==> key <==\n{KEY}"},
        {"userData": f"token: dop_v1_{LONG}"},
        {"userData": "url: https://hooks.slack.com/services/T0/B0/x"},
        {"create": f"gh auth {'ghp_' + LONG[:36]}"},
        {"create": f"grafana {'glsa_' + LONG[:36]}"},
        {"create": "xoxb-123456789012-abcdefghij"},
        {"create": "AKIA" + "ABCDEFGHIJKLMNOP"},
    ],
    ids=lambda properties: next(iter(properties)),
)
def test_a_plain_secret_is_found_and_not_shown(properties: dict[str, Any]) -> None:
    (found,) = _said(**properties)
    assert found.startswith("Command hub-x: ")
    assert next(iter(properties)) in found, "where"
    assert "expected a Pulumi secret; " in found
    for secret in (VALUE, LONG[:36], "b3BlbnNzaC1rZXktdjE", "T0/B0"):
        assert secret not in found


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"password": Hidden.SECRET},
        {"password": Hidden.UNKNOWN},
        {"password": ""},
        {"password": None},
        {"envs": Hidden.SECRET},
        {"environment": {"PGPASSWORD": Hidden.SECRET}},
        {"envs": ["DATA_SOURCE_PASS_FILE=/run/secrets/fleetwatch/password", "POSTGRES_PASSWORD=$(cat /x)"]},
        {"passwordFile": "/run/secrets/fleetwatch/password", "tokenUrl": "https://id.example.com/token"},
        {"passwordLength": "40", "secretName": "fleetwatch"},
        {"host": "ssh://root@203.0.113.9", "stdin": "http://127.0.0.1:9090/@x and a@b.example"},
        {"stdin": "https://user:$PASSWORD@example.com postgresql://{user}:{password}@db/x"},
        {"publicKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ3"], "sshKeys": ["aa:bb"]},
        {"keepers": {"rotation": "2"}, "length": 40, "special": False},
        {"stdin": "admin_password = $__file{/run/secrets/fleetwatch/admin}\n"},
        {"__defaults": ["password"], "networkMode": "bridge"},
        {"labels": [{"label": "fleetwatch.role", "value": "password"}]},
    ],
    ids=str,
)
def test_what_is_none_is_left_alone(properties: dict[str, Any]) -> None:
    assert _said(**properties) == []


@pytest.mark.parametrize(
    ("name", "telling"),
    [
        ("password", True), ("dbPassword", True), ("DB_PASSWD", True), ("clientSecret", True), ("accessToken", True),
        ("routing_key", True), ("X-Auth-Token", True), ("DSN", True), ("PGPASSWORD", True),
        ("passwordFile", False), ("secretId", False), ("key", False), ("publicKey", False), ("compass", False),
        ("tokenize", False), ("", False), ("42", False),
    ],
)  # fmt: skip
def test_which_names_tell(name: str, telling: bool) -> None:
    assert secrecy.is_telling(name) is telling

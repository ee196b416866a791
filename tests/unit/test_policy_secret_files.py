"""Secrets in the files that a command writes are found by folder and by line, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from policy import secrecy
from policy.records import COMMAND, UNKNOWN, Hidden, Record


@pytest.mark.parametrize("line", ["password: abc", "  - auth_token: abc", 'admin_password = "abc"', "'dsn': abc"])
def test_a_line_of_a_file_that_names_a_secret_is_found_and_not_shown(line: str) -> None:
    text = f"==> agent/config/x.yml <==\na: 1\n{line}\n"
    (found,) = secrecy.plain(Record(COMMAND, "web-1-project", {"environment": {"FILES_AGENT": text}}), "dev")
    assert "environment.FILES_AGENT holds a value for " in found
    assert "(file agent/config/x.yml)" in found
    assert "abc" not in found
    hidden = Record(COMMAND, "web-1-project", {"environment": {"FILES_AGENT": Hidden.SECRET}})
    assert list(secrecy.plain(hidden, "dev")) == []


@pytest.mark.parametrize(
    ("properties", "where"),
    [
        ({"stdin": "==> agent/secrets/password <==\nabc\n==> . <==\n"}, "stdin"),
        ({"environment": {"FILES_AGENT": "==> agent/secrets/password <==\nabc\n"}}, "environment.FILES_AGENT"),
        ({"environment": {"SCRIPT": "DIR='/x y/caddy/secrets'\n"}, "stdin": "==> users <==\nabc\n"}, "stdin"),
    ],
    ids=["an edge's stdin", "an edge's environment", "the hub's stdin"],
)
def test_a_secret_file_in_the_clear_is_found_and_not_shown(properties: dict[str, Any], where: str) -> None:
    (found,) = secrecy.plain(Record(COMMAND, "web-1-project", properties), "dev")
    assert f"{where} holds the secret file " in found
    assert "abc" not in found


@pytest.mark.parametrize(
    "properties",
    [
        {"stdin": Hidden.SECRET},
        {"stdin": "==> agent/config/prometheus.yml <==\npassword_file: /run/secrets/x\npassword: $PASSWORD\ntoken:\n"},
        {"environment": {"SCRIPT": "DIR=/srv/secrets/caddy/config\n"}, "stdin": "==> Caddyfile <==\nx\n"},
        {"stdin": "==> agent/config/prometheus.yml <==\njob_name: token-app\ntargets:\n- token-app:8000\n"},
        {"environment": {"FILES": Hidden.UNKNOWN}},
        {"stdin": min(UNKNOWN)},
    ],
    ids=str,
)
def test_other_files_are_not_secret(properties: dict[str, Any]) -> None:
    assert list(secrecy.plain(Record(COMMAND, "web-1-project", properties), "dev")) == []

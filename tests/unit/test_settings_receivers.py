"""Receivers: one mistake is one problem, and what a service needs is checked before Alertmanager sees it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from configs.services import alertmanager
from configs.settings import load, read
from configs.validation import check_file
from tests.fixtures.full import FULL, SOURCE, small

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SERVICES = {
    key: service
    for receiver in FULL["hub"]["alerts"]["receivers"].values()
    for key, service in copy.deepcopy(receiver).items()
}
AT = "hub.alerts.receivers.team"


def _problems(team: dict[str, Any], **alerts: Any) -> list[str]:
    whole = {"receivers": {"team": team}, "default": "team", **alerts}
    return check_file(small(hub={"local": {}, "alerts": whole}), SOURCE)[1]


ONE_MISTAKE: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown kind": ({"telegramm": {}}, ".telegramm: unknown key, expected one of slack, email, "),
    "the name of another program": ({"teams": {"url": "https://x.example/"}}, ".teams: unknown key, expected one of "),
    "nothing": ({}, ": expected at least one of: slack, email, pagerduty, webhook, telegram, "),
    "no mapping": ({"telegram": 5}, ".telegram: expected a mapping, got "),
    "a missing secret": ({"telegram": {"chat_id": 1}}, ".telegram.bot_token: missing, this key is required; `make sec"),
    "a quoted number": (
        {"telegram": {"bot_token": "1:x", "chat_id": "-100"}},
        ".telegram.chat_id: expected the number of a chat, such as -1001234567890",
    ),
    "the name of a channel": (
        {"telegram": {"bot_token": "1:x", "chat_id": "@ops"}},
        ".telegram.chat_id: expected the number of a chat, such as -1001234567890",
    ),
    "an address without https": ({"discord": {"url": "discord.com/api"}}, ".discord.url: expected a URL that begins"),
    "a quoted token": ({"webex": {"room_id": "r", "token": '"x"'}}, ".webex.token: expected a key or token alone"),
    "no topic": (
        {"sns": {"region": "r", "access_key": "x", "secret_key": "x"}},
        ".sns: expected exactly one of: topic_arn, target_arn, phone_number",
    ),
    "a misspelt topic": (
        {"sns": {"region": "r", "access_key": "x", "secret_key": "x", "topic": "arn:x"}},
        ".sns.topic: unknown key, expected one of region, ",
    ),
    "two topics": (
        {"sns": {"region": "r", "access_key": "x", "secret_key": "x", "topic_arn": "a:x", "phone_number": "+49123456"}},
        ".sns: expected exactly one of: topic_arn, target_arn, phone_number, got topic_arn and phone_number",
    ),
    "a user without a password": (
        {"email": {"to": "a@b.example", "sender": "a@b.example", "smarthost": "m:465", "username": "x"}},
        ".email.password: missing, this key is required beside `username`; `make secret",
    ),
    "no addresses": (
        {"email": {"to": [], "sender": "a@b.example", "smarthost": "m:465"}},
        ".email.to: expected one text with e-mail addresses, or a list of them",
    ),
    "a private key": (
        {"webhook": {"url": "https://x.example/", "ca": CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY")}},
        ".webhook.ca: expected certificates as PEM",
    ),
    "version 3 of Jira": (
        {"jira": {**SERVICES["jira"], "api_url": "https://a.example/rest/api/3/"}},
        ".jira.api_url: expected the address of Jira's REST API, version 2",
    ),
    "a password in an address": (
        {"rocketchat": {**SERVICES["rocketchat"], "api_url": "https://u:p@a.example"}},
        ".rocketchat.api_url: expected a URL without a user and a password",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_MISTAKE)
def test_one_mistake_is_one_problem(case: str) -> None:
    team, expected = ONE_MISTAKE[case]
    (problem,) = _problems(team)
    assert problem.startswith(f"{AT}{expected}"), problem


@pytest.mark.parametrize("kind", SERVICES)
def test_unknown_key_of_a_kind_is_one_problem(kind: str) -> None:
    (problem,) = _problems({kind: {**SERVICES[kind], "extra": 1}})
    assert problem.startswith(f"{AT}.{kind}.extra: unknown key, expected one of "), problem


SIBLINGS: dict[str, tuple[dict[str, Any], str]] = {
    "a host": (small(hosts={"web-1": {"serverr": {}}}), "hosts.web-1.serverr: unknown key"),
    "a hub": ({"hub": {"locall": {}}}, "hub.locall: unknown key"),
    "a filter of lines": (
        small(hosts={"hub": {"logs": {"drop": [{"levl": "debug"}]}}}),
        "hosts.hub.logs.drop.0.levl: ",
    ),
    "a backup": (
        small(hub={"local": {}, "backup": {"password": "x", "to": {"s4": {}}}}),
        "hub.backup.to.s4: unknown key",
    ),
}


@pytest.mark.parametrize("case", SIBLINGS)
def test_misspelt_choice_is_one_problem(case: str) -> None:
    sections, expected = SIBLINGS[case]
    (problem,) = read(sections, SOURCE)[1]
    assert problem.startswith(expected), problem


def test_two_mistakes_are_two_problems() -> None:
    found = _problems({"telegramm": {}, "webex": {"token": "x y", "room_id": "r"}})
    assert sorted(problem.partition(":")[0] for problem in found) == [f"{AT}.telegramm", f"{AT}.webex.token"]


def test_recipients_are_a_text_or_a_list() -> None:
    mail = SERVICES["email"]
    settings, problems = check_file(
        small(
            hub={
                "local": {},
                "alerts": {"receivers": {"a": {"email": {**mail, "to": ["a@x.example", "B <b@x.example>"]}}}},
            }
        ),
        SOURCE,
    )
    assert problems == []
    assert settings is not None
    assert settings.hub.alerts.receivers["a"].services["email"].to == "a@x.example, B <b@x.example>"


@pytest.mark.parametrize(
    ("smarthost", "given", "expected"),
    [
        ("smtp.example.com:465", {}, True),
        ("smtp.example.com:587", {}, False),
        ("smtp.example.com:465", {"implicit_tls": False}, False),
        ("smtp.example.com:2465", {"implicit_tls": True}, True),
    ],
)
def test_tls_of_mail_is_by_port_unless_a_key_says_so(smarthost: str, given: dict[str, bool], expected: bool) -> None:
    email = {"to": "a@b.example", "sender": "c@b.example", "smarthost": smarthost, **given}
    alerts = {"receivers": {"team": {"email": email}}, "default": "team"}
    config = yaml.safe_load(alertmanager.config(load(small(hub={"local": {}, "alerts": alerts}), SOURCE)))
    (mail,) = [one for receiver in config["receivers"] for one in receiver.get("email_configs", [])]
    assert mail["force_implicit_tls"] is expected

"""Settings of receivers: one model for each kind of service that Alertmanager notifies.

A key has Alertmanager's own name where there is one; the address of an incoming webhook is always `url`. How a key
becomes configuration stands in configs/services/alertmanager/kinds.py.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from configs.settings.addresses import http_url, http_url_without_user, refuse_hub_loopback
from configs.settings.base import MOST, MailServer, Secret, Strict, none_given, require_one
from configs.settings.certificates import Certificates
from configs.settings.text import Channel, Mailbox, Mailboxes, OneLine, PlainLine, ServiceId


def _secret_url(value: SecretStr) -> SecretStr:
    refuse_hub_loopback(urlsplit(http_url(value.get_secret_value())).hostname or "")
    return value


def _api_url(value: str) -> str:
    refuse_hub_loopback(urlsplit(http_url_without_user(value)).hostname or "")
    return value


def _token(value: SecretStr) -> SecretStr:
    """No secret of these services has other characters, and Alertmanager expands {{ }} in some of them."""
    if not re.fullmatch(r"[A-Za-z0-9._:/+=~@|-]+", value.get_secret_value()):
        raise ValueError(
            "expected a key or token alone: letters, digits and . _ : / + = ~ @ | -, without spaces and quotes"
        )
    return value


def _chat_id(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < abs(value) < 2**63:
        raise ValueError("expected the number of a chat, such as -1001234567890 (that of a group is negative)")
    return value


def _recipients(value: object) -> object:
    """A list of addresses as the one text that Alertmanager takes."""
    if not isinstance(value, list):
        return value
    if not value or not all(isinstance(one, str) for one in value):
        raise ValueError("expected one text with e-mail addresses, or a list of them, such as [ops@example.com]")
    return ", ".join(value)


Token = Annotated[Secret, AfterValidator(_token)]
SecretUrl = Annotated[Secret, AfterValidator(_secret_url)]
ApiUrl = Annotated[str, AfterValidator(_api_url)]
ChatId = Annotated[int, BeforeValidator(_chat_id)]
Recipients = Annotated[Mailboxes, BeforeValidator(_recipients)]


class Slack(Strict):
    """A Slack incoming webhook; also that of a server which takes Slack's form. `ca`: that server's own CA, PEM."""

    url: SecretUrl
    channel: Channel | None = None
    ca: Certificates | None = None


class Email(Strict):
    """Mail through an SMTP server. Port 465 means TLS from the first byte, other ports STARTTLS; `implicit_tls` sets it
    for a server with other ports. `to`: one text with commas between the addresses, or a list. `ca`: the server's own
    CA, PEM."""

    to: Recipients
    sender: Mailbox
    smarthost: MailServer
    username: Annotated[OneLine, Field(min_length=1)] | None = None
    password: Secret | None = None
    require_tls: bool = True
    implicit_tls: bool | None = Field(None, description="with port 465")
    ca: Certificates | None = None

    @model_validator(mode="after")
    def _login(self) -> Email:
        if self.password is not None and self.username is None:
            raise ValueError("username: missing, it is required where `password` is given; add it or remove `password`")
        return self


class PagerDuty(Strict):
    """A PagerDuty service, by its Events API v2 integration key. `api_url`: of the service region EU,
    `https://events.eu.pagerduty.com/v2/enqueue`."""

    routing_key: Secret
    api_url: ApiUrl | None = None


class Webhook(Strict):
    """Alertmanager's JSON, posted to an address (which may itself be secret). `token`: sent as `Authorization: Bearer`.
    `ca`: the server's own CA, PEM."""

    url: SecretUrl
    token: Token | None = None
    ca: Certificates | None = None


class Telegram(Strict):
    """A bot that writes into a chat; `message_thread_id`: into a topic of it."""

    bot_token: Token
    chat_id: ChatId
    message_thread_id: Annotated[int, Field(ge=1, le=MOST)] | None = None
    disable_notifications: bool = False
    api_url: ApiUrl | None = None


class Discord(Strict):
    """A webhook of a Discord channel."""

    url: SecretUrl


class MsTeams(Strict):
    """A Microsoft Teams channel, by the URL of a workflow "Post to a channel when a webhook request is received"."""

    url: SecretUrl


class Opsgenie(Strict):
    """An Opsgenie API integration. `api_url`: of its EU instance, `https://api.eu.opsgenie.com/`. `teams`: who is
    responsible, by name."""

    api_key: Token
    api_url: ApiUrl | None = None
    teams: list[PlainLine] = []


class Pushover(Strict):
    """A Pushover application and the user or group that it notifies. Critical alerts have high priority."""

    user_key: Token
    token: Token
    device: ServiceId | None = None
    sound: ServiceId | None = None


class Sns(Strict):
    """Amazon SNS: exactly one of `topic_arn`, `target_arn` and `phone_number`. The key should be allowed `sns:Publish`
    alone."""

    region: ServiceId
    access_key: Token
    secret_key: Token
    topic_arn: ServiceId | None = None
    target_arn: ServiceId | None = None
    phone_number: ServiceId | None = None
    api_url: ApiUrl | None = None

    @model_validator(mode="after")
    def _one(self) -> Sns:
        keys = ("topic_arn", "target_arn", "phone_number")
        require_one(self, keys, f"expected exactly one of: {', '.join(keys)}")
        return self


class Webex(Strict):
    """A Webex bot that writes into a Webex space, whose ID is `room_id`."""

    token: Token
    room_id: ServiceId
    api_url: ApiUrl | None = None


class VictorOps(Strict):
    """Splunk On-Call, formerly VictorOps: its REST integration."""

    api_key: Token
    routing_key: ServiceId
    api_url: ApiUrl | None = None


class WeChat(Strict):
    """An application of WeChat Work. Without `to_user`, `to_party` and `to_tag` every member of it is notified."""

    api_secret: Token
    corp_id: ServiceId
    agent_id: ServiceId
    to_user: PlainLine | None = None
    to_party: PlainLine | None = None
    to_tag: PlainLine | None = None
    api_url: ApiUrl | None = None


class RocketChat(Strict):
    """A Rocket.Chat server, by a personal access token of a bot user. `ca`: the server's own CA, PEM."""

    api_url: ApiUrl
    token_id: Token
    token: Token
    channel: Channel
    ca: Certificates | None = None


def _jira_api(value: str) -> str:
    if not _api_url(value).rstrip("/").endswith("/rest/api/2"):
        raise ValueError(
            "expected the address of Jira's REST API, version 2 (3 takes no plain text), such as "
            "https://acme.atlassian.net/rest/api/2/"
        )
    return value


class Jira(Strict):
    """Issues in a Jira project. `api_url`: such as `https://acme.atlassian.net/rest/api/2/`. `token` is the API token
    of `user`, in Jira Cloud; without `user` it is a personal access token of Jira Data Center. A resolved alert closes
    its issue only with `resolve_transition`, the name of the transition. `ca`: the server's own CA, PEM."""

    api_url: Annotated[str, AfterValidator(_jira_api)]
    user: ServiceId | None = None
    token: Token
    project: PlainLine
    issue_type: PlainLine
    priority: PlainLine | None = None
    labels: list[ServiceId] = []
    resolve_transition: PlainLine | None = None
    reopen_transition: PlainLine | None = None
    ca: Certificates | None = None


class IncidentIo(Strict):
    """An alert source of incident.io, of the kind "Alertmanager"."""

    url: ApiUrl
    token: Token


class Mattermost(Strict):
    """A Mattermost incoming webhook. `ca`: the server's own CA, PEM."""

    url: SecretUrl
    channel: Channel | None = None
    ca: Certificates | None = None


class Receiver(Strict):
    """Where alerts go; a receiver may notify by several services at once (docs/tasks/receivers.md)."""

    slack: Slack | None = None
    email: Email | None = None
    pagerduty: PagerDuty | None = None
    webhook: Webhook | None = None
    telegram: Telegram | None = None
    discord: Discord | None = None
    msteams: MsTeams | None = None
    opsgenie: Opsgenie | None = None
    pushover: Pushover | None = None
    sns: Sns | None = None
    webex: Webex | None = None
    victorops: VictorOps | None = None
    wechat: WeChat | None = None
    rocketchat: RocketChat | None = None
    jira: Jira | None = None
    incidentio: IncidentIo | None = None
    mattermost: Mattermost | None = None

    @model_validator(mode="after")
    def _some(self) -> Receiver:
        if not self.services:
            raise none_given(f"expected at least one of: {', '.join(type(self).model_fields)}")
        return self

    @property
    def services(self) -> dict[str, Any]:
        """The services that are given, by their keys."""
        return {key: service for key, service in self if service is not None}

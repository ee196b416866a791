"""The kinds of services that a receiver notifies: one table, by the key of a receiver in the stack file.

An entry describes how the keys of its settings model become Alertmanager's configuration. A secret becomes a file,
whose path is in the configuration. Alertmanager 0.34 has no such key for the credentials of SNS alone: they are in a
shared credentials file of AWS, as a profile with the receiver's name (AWS_PROFILES).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from configs.services.alertmanager import templates

HTTP_CA = "http_config.tls_config.ca_file"
AWS_PROFILES = "aws-credentials"
PRIORITIES = {"critical": "P1", "warning": "P3", "info": "P5"}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`section`: Alertmanager's list. `secrets`: a secret's key -> where its file's path goes, dots lead deeper.
    `renamed`: another key -> where its value goes, where that is not the same name at the top. `fixed`: the messages
    and what else does not depend on settings. `ca`: where the path of the server's own CA goes."""

    section: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    ca: str = HTTP_CA


KINDS: dict[str, Kind] = {
    "slack": Kind(
        section="slack_configs",
        secrets={"url": "api_url_file"},
        fixed={
            "title": templates.TITLE,
            "title_link": templates.DASHBOARD,
            "text": templates.BODY,
            "fallback": templates.SHORT,
        },
    ),
    "email": Kind(
        section="email_configs",
        secrets={"password": "auth_password_file"},
        renamed={"sender": "from", "username": "auth_username", "implicit_tls": "force_implicit_tls"},
        fixed={"headers": {"Subject": templates.TITLE}, "text": templates.BODY, "html": ""},
        ca="tls_config.ca_file",
    ),
    "pagerduty": Kind(
        section="pagerduty_configs",
        secrets={"routing_key": "routing_key_file"},
        renamed={"api_url": "url"},
        fixed={
            "description": templates.SHORT,
            "severity": templates.SEVERITY,
            "client": "fleetwatch",
            "client_url": templates.DASHBOARD,
            "details": {"alerts": templates.BODY},
        },
    ),
    "webhook": Kind(
        section="webhook_configs",
        secrets={"url": "url_file", "token": "http_config.authorization.credentials_file"},
    ),
    "telegram": Kind(
        section="telegram_configs",
        secrets={"bot_token": "bot_token_file"},
        # As HTML, a message of more than 4096 characters would be replaced by an error text; plain text is cut.
        fixed={"message": f"{templates.TITLE}\n\n{templates.BRIEF}", "parse_mode": ""},
    ),
    "discord": Kind(
        section="discord_configs",
        secrets={"url": "webhook_url_file"},
        fixed={"title": templates.TITLE, "message": templates.BRIEF},
    ),
    "msteams": Kind(
        section="msteamsv2_configs",
        secrets={"url": "webhook_url_file"},
        fixed={"title": templates.TITLE, "text": templates.MARKDOWN},
    ),
    "opsgenie": Kind(
        section="opsgenie_configs",
        secrets={"api_key": "api_key_file"},
        renamed={"teams": "responders"},
        fixed={
            "message": templates.SHORT,
            "description": templates.BODY,
            "source": templates.DASHBOARD,
            "priority": templates.by_severity(PRIORITIES, "P3"),
            "details": {"dashboard": templates.DASHBOARD, "runbook": templates.RUNBOOK},
        },
    ),
    "pushover": Kind(
        section="pushover_configs",
        secrets={"user_key": "user_key_file", "token": "token_file"},
        fixed={
            "title": templates.TITLE,
            "message": templates.FIRST,
            "url": templates.DASHBOARD,
            "url_title": "Dashboard",
            "priority": templates.by_severity({"critical": "1"}, "0"),
        },
    ),
    "sns": Kind(
        section="sns_configs",
        renamed={"region": "sigv4.region"},
        fixed={"subject": templates.SUBJECT, "message": templates.BRIEF},
    ),
    "webex": Kind(
        section="webex_configs",
        secrets={"token": "http_config.authorization.credentials_file"},
        fixed={"message": f"**{templates.TITLE}**\n\n{templates.MARKDOWN}"},
    ),
    "victorops": Kind(
        section="victorops_configs",
        secrets={"api_key": "api_key_file"},
        fixed={
            # VictorOps takes these three; a resolved alert is RECOVERY by itself.
            "message_type": templates.by_severity({"warning": "WARNING", "info": "INFO"}, "CRITICAL"),
            "entity_display_name": templates.TITLE,
            "state_message": templates.BODY,
            "monitoring_tool": "fleetwatch",
        },
    ),
    "wechat": Kind(
        section="wechat_configs",
        secrets={"api_secret": "api_secret_file"},
        fixed={"message": f"{templates.TITLE}\n\n{templates.BRIEF}"},
    ),
    "rocketchat": Kind(
        section="rocketchat_configs",
        secrets={"token_id": "token_id_file", "token": "token_file"},
        fixed={
            "title": templates.TITLE,
            "title_link": templates.DASHBOARD,
            "text": templates.BRIEF,
        },
    ),
    "jira": Kind(
        section="jira_configs",
        secrets={"token": "http_config.authorization.credentials_file"},
        fixed={"summary": templates.SHORT, "description": templates.BODY},
    ),
    "incidentio": Kind(section="incidentio_configs", secrets={"token": "alert_source_token_file"}),
    "mattermost": Kind(
        section="mattermost_configs",
        secrets={"url": "webhook_url_file"},
        fixed={
            "title": templates.TITLE,
            "title_link": templates.DASHBOARD,
            "text": templates.BRIEF,
            "fallback": templates.SHORT,
            "username": "fleetwatch",
        },
    ),
}

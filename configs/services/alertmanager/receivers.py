"""Alertmanager's `receivers`, and the files that they read: secrets, and CAs of the users' own servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretStr

from configs import names
from configs.services.alertmanager.kinds import AWS_PROFILES, KINDS

if TYPE_CHECKING:
    from configs.settings.alerts import Alerts
    from configs.settings.receivers import Jira, Receiver, Sns, WeChat

CAS = "ca"  # the folder of CAs below the configuration


def receiver(config_dir: str, name: str, given: Receiver) -> dict[str, Any]:
    """One entry of `receivers`."""
    made: dict[str, Any] = {"name": name}
    for key, settings in given.services.items():
        made[KINDS[key].section] = [_service(config_dir, name, key, settings)]
    return made


def secrets(alerts: Alerts) -> dict[str, str]:
    """Secret files by name: `<receiver>-<kind>-<key>`, and the credentials file of AWS if a receiver uses SNS."""
    found = {
        secret_file(name, key, secret): getattr(settings, secret).get_secret_value()
        for name, key, settings in _services(alerts)
        for secret in KINDS[key].secrets
        if getattr(settings, secret) is not None
    }
    profiles = [_profile(name, settings) for name, key, settings in _services(alerts) if key == "sns"]
    return {**found, **({AWS_PROFILES: "\n".join(profiles)} if profiles else {})}


def cas(alerts: Alerts) -> dict[str, str]:
    """CAs of the servers that receivers talk to, by path below the configuration."""
    return {
        ca_file(name, key): settings.ca for name, key, settings in _services(alerts) if getattr(settings, "ca", None)
    }


def secret_file(name: str, kind: str, key: str) -> str:
    """The name of a secret's file."""
    return f"{name}-{kind}-{key.replace('_', '-')}"


def ca_file(name: str, kind: str) -> str:
    """The path of a CA below the configuration."""
    return f"{CAS}/{name}-{kind}.pem"


def _services(alerts: Alerts) -> Iterator[tuple[str, str, Any]]:
    for name, given in sorted(alerts.receivers.items()):
        for key, settings in given.services.items():
            yield name, key, settings


def _service(config_dir: str, name: str, key: str, settings: BaseModel) -> dict[str, Any]:
    kind = KINDS[key]
    made: dict[str, Any] = {"send_resolved": True}
    for setting, value in settings:
        if value is None or value == [] or isinstance(value, SecretStr):
            continue
        if setting == "ca":
            _put(made, kind.ca, f"{config_dir}/{ca_file(name, key)}")
        else:
            _put(made, kind.renamed.get(setting, setting), value)
    for secret, place in kind.secrets.items():
        if getattr(settings, secret) is not None:
            _put(made, place, f"{names.SECRETS}/{secret_file(name, key, secret)}")
    _special(made, name, key, settings)
    return {**made, **kind.fixed}


def _special(made: dict[str, Any], name: str, key: str, settings: Any) -> None:
    """What the table cannot express."""
    if key == "opsgenie" and settings.teams:
        made["responders"] = [{"name": team, "type": "team"} for team in settings.teams]
    elif key == "email":
        made.setdefault("force_implicit_tls", settings.smarthost.endswith(":465"))
    elif key == "sns":
        made["sigv4"]["profile"] = name
    elif key == "victorops":
        # No secret, and Alertmanager has no file for it. The guard rails refuse a plain `routing_key`, because that of
        # PagerDuty is a secret: as a template it is read the same.
        made["routing_key"] = f'{{{{ "{settings.routing_key}" }}}}'
    elif key == "wechat":
        _everyone(made, settings)
    elif key == "jira":
        _jira(made, settings)


def _everyone(made: dict[str, Any], settings: WeChat) -> None:
    recipients = {"to_user": settings.to_user, "to_party": settings.to_party, "to_tag": settings.to_tag}
    given = {key: value for key, value in recipients.items() if value is not None}
    # Alertmanager's defaults of these name templates that give nothing.
    made.update({key: "" for key in recipients} | (given or {"to_user": "@all"}))


def _jira(made: dict[str, Any], settings: Jira) -> None:
    """An API token goes with its user's name; a personal access token alone."""
    made.setdefault("priority", "")  # not every project has the field
    user = made.pop("user", None)
    if user is not None:
        path = made["http_config"].pop("authorization")["credentials_file"]
        made["http_config"]["basic_auth"] = {"username": user, "password_file": path}


def _profile(name: str, sns: Sns) -> str:
    return (
        f"[{name}]\n"
        f"aws_access_key_id = {sns.access_key.get_secret_value()}\n"
        f"aws_secret_access_key = {sns.secret_key.get_secret_value()}\n"
    )


def _put(made: dict[str, Any], place: str, value: Any) -> None:
    """Set what `place`, such as http_config.tls_config.ca_file, leads to."""
    *above, last = place.split(".")
    node = made
    for key in above:
        node = node.setdefault(key, {})
    node[last] = value

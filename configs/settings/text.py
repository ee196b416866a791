"""Texts that end up in a shell, in another program's configuration or in a protocol: each has only characters that
cannot change the meaning of what is around it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from configs.settings.addresses import is_port

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::(?P<port>[0-9]{{1,5}}))?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
# The grammar of github.com/distribution/reference, which Docker uses.
_IMAGE = re.compile(
    rf"(?P<name>(?:{_REGISTRY}/)?{_PART}(?:/{_PART})*)(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
    r"(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)
_MAILBOX = rf"[A-Za-z0-9.!$&'*+/=?^_|~-]+@{_LABEL}(?:\.{_LABEL})+"
_NAMED_MAILBOX = rf"(?:{_MAILBOX}|[A-Za-z0-9][A-Za-z0-9 ._'-]* <{_MAILBOX}>)"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def one_line(value: str) -> str:
    """The value, or ValueError if it has line breaks or other control characters."""
    if _CONTROL.search(value):
        raise ValueError("expected one line of text, without control characters")
    return value


def _image(value: str) -> str:
    found = _IMAGE.fullmatch(value)
    if not found or len(found["name"]) > 255 or not is_port(int(found["port"] or 443)):
        raise ValueError("expected an image reference name[:tag][@digest], such as registry.example.com/caddy:2.11.8")
    if "@sha256:" in value and not re.search(r"@sha256:[0-9a-f]{64}$", value):
        raise ValueError("expected a digest of 64 lower-case hexadecimal digits after @sha256:")
    return value


def _network(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", value):
        raise ValueError("expected a Docker network's name as `docker network ls` shows it: letters, digits and _ . -")
    if value in ("bridge", "default", "host", "none"):
        raise ValueError(
            f"`{value}` is built into Docker, containers find no other there by name; expected a network that was made "
            "with `docker network create`; make one and connect the containers of the apps to it"
        )
    return value


def _mail(value: str) -> str:
    if not re.fullmatch(_MAILBOX, value):
        raise ValueError("expected an e-mail address such as ops@example.com")
    return value


def _mailbox(value: str) -> str:
    if not re.fullmatch(_NAMED_MAILBOX, value):
        raise ValueError("expected an e-mail address such as ops@example.com, or Ops <ops@example.com>")
    return value


def _mailboxes(value: str) -> str:
    if not re.fullmatch(rf"{_NAMED_MAILBOX}(?:, *{_NAMED_MAILBOX})*", value):
        raise ValueError("expected e-mail addresses such as ops@example.com, separated by commas")
    return value


def _channel(value: str) -> str:
    if _CONTROL.search(value) or not re.fullmatch(r"[#@]?[^\s{}#@<>`\"\\]{1,80}", value):
        raise ValueError('expected the name of a Slack channel such as "#ops"')
    return value


def _ini(value: str) -> str:
    """Grafana's ini reader begins a comment at # and ;, expands $ and %, and reads quotes in its own ways."""
    if _CONTROL.search(value) or re.search(r"[;#$%`\"\\{}]", value) or value != value.strip() or not value:
        raise ValueError('expected one line of text without ; # $ % ` " \\ { and }')
    return value


def _client_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~:/@+=-]{1,255}", value):
        raise ValueError("expected a client ID: letters, digits and . _ ~ : / @ + = -")
    return value


def _scopes(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9:._/,-]+( [A-Za-z0-9:._/,-]+)*", value):
        raise ValueError("expected scopes separated by spaces, such as openid profile email")
    return value


def _organization(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
        raise ValueError("expected the name of an organization: letters, digits and _ . -")
    return value


def _mail_domain(value: str) -> str:
    if not re.fullmatch(r"(?i)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", value):
        raise ValueError("expected a domain name such as example.com")
    return value


def _group_label(value: str) -> str:
    if value != "..." and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", value):
        raise ValueError("expected the name of a label, such as host")
    return value


def _service_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,255}|\+[0-9]{5,20}", value):
        raise ValueError("expected letters, digits and . _ : / @ + = -")
    return value


def _plain_line(value: str) -> str:
    """Alertmanager expands {{ }} in most of its texts."""
    if _CONTROL.search(value) or re.search(r"[{}]", value) or value != value.strip() or not value or len(value) > 255:
        raise ValueError("expected one line of text without { and }, at most 255 characters")
    return value


def _folder(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", value):
        raise ValueError("expected a folder beside the stack file, such as shared: letters, digits, and . _ - /")
    return value


def _json_key(value: str) -> str:
    if _CONTROL.search(value) or not re.fullmatch(r'[^"\\]{1,128}', value):
        raise ValueError('expected the key of a JSON object, without " and \\')
    return value


OneLine = Annotated[str, AfterValidator(one_line)]
ImageReference = Annotated[str, AfterValidator(_image)]
NetworkName = Annotated[str, AfterValidator(_network)]
Mail = Annotated[str, AfterValidator(_mail)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Mailboxes = Annotated[str, AfterValidator(_mailboxes)]
Channel = Annotated[str, AfterValidator(_channel)]
IniText = Annotated[str, AfterValidator(_ini)]
ClientId = Annotated[str, AfterValidator(_client_id)]
Scopes = Annotated[str, AfterValidator(_scopes)]
Organization = Annotated[str, AfterValidator(_organization)]
MailDomain = Annotated[str, AfterValidator(_mail_domain)]
GroupLabel = Annotated[str, AfterValidator(_group_label)]
ServiceId = Annotated[str, AfterValidator(_service_id)]
PlainLine = Annotated[str, AfterValidator(_plain_line)]
FolderName = Annotated[str, AfterValidator(_folder)]
JsonKey = Annotated[str, AfterValidator(_json_key)]

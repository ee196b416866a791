"""What every settings model shares: strictness, and the small field types with their checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import NoneType
from typing import Annotated, Any, get_args

import re2
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from configs import names
from configs.settings.addresses import (
    http_url_without_user,
    is_host_port,
    refuse_bad_escape,
    refuse_hub_loopback,
    refuse_loopback,
)
from configs.settings.text import one_line

# In the annotation of a field: messages never show its value, because a secret is easily put there by mistake.
HIDDEN = "hidden in messages"
# The opposite, for a field that stands beside a secret and cannot hold one.
SHOWN = "shown in messages"


MOST = 10**9  # of whole numbers that have no smaller limit: every program counts as far

NONE_GIVEN = "none_given"  # the type of `none_given` in pydantic's list of errors


def none_given(expected: str) -> PydanticCustomError:
    """The error of a model that needs one of several keys and has none. Beside a mistake in a key of the same model it
    is no separate problem: that key was probably meant."""
    return PydanticCustomError(NONE_GIVEN, "{expected}", {"expected": expected})


def require_one(model: BaseModel, keys: Sequence[str], expected: str) -> None:
    """The error of a model that needs exactly one of these keys, if it has none or several."""
    given = [key for key in keys if getattr(model, key) is not None]
    if not given:
        raise none_given(f"{expected}, got none")
    if len(given) > 1:
        raise ValueError(f"{expected}, got {' and '.join(given)}")


class Strict(BaseModel):
    """Unknown keys are errors, values never change after loading, YAML types are not bent into each other."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _not_left_empty(cls, value: Any, info: ValidationInfo) -> Any:
        """`ask:` without a value, or one behind a #, would silently mean that the key is not there."""
        field = cls.model_fields[str(info.field_name)]
        if value is None and NoneType in get_args(field.annotation):
            raise ValueError(f"expected {_optional(field.annotation, str(info.field_name))}")
        return value


def _optional(annotation: Any, key: str) -> str:
    models = [part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    if not models:
        return "a value, got nothing; remove the key, or put the value in quotes if it begins with #"
    try:
        models[0].model_validate({})
    except ValidationError:
        return "a mapping, got nothing; remove the key, or fill it in"
    return f"a mapping, got nothing; write `{key}: {{}}` for its defaults, or remove the key"


def _dns_label(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", value):
        raise ValueError("expected a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters")
    return value


def _host_port(value: str) -> str:
    if not is_host_port(value):
        raise ValueError("expected host:port, such as api:8000 (the name as seen from the edge's Docker networks)")
    host, _, port = value.rpartition(":")
    refuse_loopback(host, f"{names.DOCKER_HOST}:{port}")
    return value


def _mail_server(value: str) -> str:
    if not is_host_port(value):
        raise ValueError("expected host:port of a mail server, such as smtp.example.com:587")
    refuse_hub_loopback(value.rpartition(":")[0])
    return value


def _url_path(value: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*", value):
        raise ValueError("expected the path of a URL that begins with /, without spaces, ? and #")
    refuse_bad_escape(value)
    return value


def _endpoint(value: str) -> str:
    """Grafana's ini reader takes # and ; for the beginning of a comment."""
    if re.search(r"[#;]", http_url_without_user(value)):
        raise ValueError("expected a URL without # and ;")
    return value


_QUIET = re2.Options()
_QUIET.log_errors = False  # the message below replaces them
RESERVED_LABELS = frozenset(
    {"env", "host", "job", "container", "compose_project", "compose_service", "level", "filename"}
)


def _label_name(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", value) or value.startswith("__"):
        raise ValueError("expected a label name: lower-case letters, digits and _")
    if value in RESERVED_LABELS:
        raise ValueError(f"`{value}` is reserved, fleetwatch sets it; choose a different name")
    return value


def _metric_name(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", value):
        raise ValueError("expected the name of a metric: letters, digits, _ and :")
    return value


def _job_name(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", value):
        raise ValueError("expected a job name: letters, digits, and . _ - inside")
    return value


def _container_name(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", value):
        raise ValueError("expected a container's name as `docker ps` shows it: letters, digits, and . _ - inside")
    return value


def as_list(value: Any) -> Any:
    """One text is a list of one."""
    return [value] if isinstance(value, str) else value


def _docker_label(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._/-]{0,127}", value):
        raise ValueError(
            "expected the key of a container's label, such as com.example.service: letters, digits, . _ / -"
        )
    return value


def _re2(value: str) -> str:
    """Checked with RE2, whose syntax the log agents use: Python accepts more than they do."""
    one_line(value)
    try:
        re2.compile(value, _QUIET)
    except re2.error as error:
        raise ValueError(f"expected a regular expression (RE2): {_reason(error)}") from None
    return value


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _secret(value: object) -> object:
    """YAML turns an unquoted number into an int; a secret is always a text."""
    if not isinstance(value, str) or not value:
        raise ValueError("expected a secret text (`make secret KEY=...` sets one without showing it)")
    return one_line(value)


def _private_key(value: object) -> object:
    """The key of a certificate: a secret of several lines."""
    text = value.strip() if isinstance(value, str) else ""
    if not re.match(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s", text) or not text.endswith(" KEY-----"):
        raise ValueError("expected a private key as PEM (`make secret KEY=... <client.key` sets it from a file)")
    if "ENCRYPTED" in text:
        raise ValueError("expected a private key without a passphrase; `openssl pkey` writes one")
    return text + "\n"


DnsLabel = Annotated[str, AfterValidator(_dns_label)]
HostPort = Annotated[str, AfterValidator(_host_port)]
MailServer = Annotated[str, AfterValidator(_mail_server)]
HttpUrl = Annotated[str, AfterValidator(http_url_without_user)]
EndpointUrl = Annotated[str, AfterValidator(_endpoint)]
UrlPath = Annotated[str, AfterValidator(_url_path)]
LabelName = Annotated[str, AfterValidator(_label_name)]
LabelValue = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(one_line)]
MetricName = Annotated[str, AfterValidator(_metric_name)]
JobName = Annotated[str, Field(max_length=100), AfterValidator(_job_name)]
ContainerName = Annotated[str, AfterValidator(_container_name)]
DockerLabel = Annotated[str, AfterValidator(_docker_label)]
Labels = Annotated[list[DockerLabel], Field(min_length=1, max_length=5), BeforeValidator(as_list)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_re2)]
Port = Annotated[int, Field(ge=1, le=65535)]
# Pulumi hands nested secrets over decrypted: SecretStr keeps them out of every repr, and components wrap what they
# take out with Output.secret at once.
Secret = Annotated[SecretStr, BeforeValidator(_secret)]
PrivateKey = Annotated[SecretStr, BeforeValidator(_private_key)]

"""What a comment is made of: the record of one preview, and the changes that are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["added", "changed", "replaced", "removed"]
ACTIONS: tuple[Action, ...] = ("added", "changed", "replaced", "removed")
ContainerAction = Literal["created", "recreated", "updated", "restarted", "reloaded", "removed"]
CONTAINER_ACTIONS: tuple[ContainerAction, ...] = (
    "created", "recreated", "updated", "restarted", "reloaded", "removed",
)  # fmt: skip
COMMAND, CONTAINER = "command:local:Command", "docker:index/container:Container"

# Pulumi's marks (sdk/go/common/resource: SigKey, SecretSig; sdk/go/common/resource/plugin: UnknownStringValue;
# pkg/backend/display/json.go writes "[secret]" for a secret).
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = "[secret]"


@dataclass(frozen=True)
class Violation:
    """One result of a policy. `level` is `mandatory` or `advisory`."""

    policy: str
    resource: str
    message: str
    level: str = "mandatory"


@dataclass(frozen=True)
class HostDrift:
    """What differs on one host from what was deployed, a line each. `reason`: why it could not be compared, or not
    wholly; `reached`: whether the host answered all the same."""

    host: str
    lines: tuple[str, ...] = ()
    reason: str = ""
    reached: bool = True


@dataclass(frozen=True)
class Record:
    """One stack's preview. `problem`: why there is no preview.

    `before` and `after` are the stack's outputs; unknown and secret ones are left out. `policies` None: none were run.
    `drift`: the hosts, if they were compared.
    """

    stack: str
    problem: str | None = None
    steps: Sequence[Mapping[str, Any]] = ()
    summary: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    policies: Sequence[Violation] | None = None
    drift: Sequence[HostDrift] = ()


@dataclass(frozen=True)
class Change:
    """One resource that would change. `host`: a host's name, `cloud`, or `stack`; `why`: the properties that differ.

    `before` and `after` are its inputs without secrets; `kept`: a removal leaves the thing itself where it is.
    """

    action: Action
    type: str
    name: str
    host: str
    why: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    kept: bool = False

    @property
    def kind(self) -> str:
        """`Container` of `docker:index/container:Container`."""
        last = self.type.rpartition(":")[2]
        return f"provider {last}" if self.type.startswith("pulumi:providers:") else last

    @property
    def role(self) -> str:
        """What a container is for, by its label; empty for everything else."""
        for labels in (self.after.get("labels"), self.before.get("labels")):
            for label in labels if isinstance(labels, list) else ():
                if isinstance(label, Mapping) and label.get("label") == "fleetwatch.role":
                    return str(label.get("value"))
        return ""


@dataclass(frozen=True)
class FileChange:
    """A rendered file on a host. `diff` is unified; None: its text is secret, or known only while the update runs."""

    host: str
    path: str
    action: Action
    diff: str | None
    added: int = 0
    removed: int = 0
    why_not: str = ""


@dataclass(frozen=True)
class ContainerChange:
    """What an update does to a container. `why`: what differs, of a reload the files; `perhaps`: only if they differ,
    which cannot be seen; `kept`: it is not managed any more, but stays where it is."""

    host: str
    role: str
    action: ContainerAction
    why: tuple[str, ...] = ()
    perhaps: bool = False
    kept: bool = False


def is_secret(value: object) -> bool:
    """Marked as a secret, by Pulumi's signature or by its display form."""
    if isinstance(value, Mapping):
        return value.get(SIGNATURE) == SECRET_SIGNATURE
    return value == SECRET


def without_secrets(value: Any) -> Any:
    """The same with `[secret]` in place of every secret that Pulumi marks, at any depth."""
    if is_secret(value):
        return SECRET
    if isinstance(value, Mapping):
        return {key: without_secrets(inner) for key, inner in value.items()}
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value

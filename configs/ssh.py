"""The `ssh` command line with which a host is reached, for commands and for Docker alike.

Everything is in the arguments themselves (no configuration file, no known_hosts file), so that any machine that has the
state and the key can go on: a CI runner too. Needs OpenSSH 8.5 or newer (KnownHostsCommand).
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

# Preferred first; a host that has none of these is older than any Docker Engine that is taken here.
ANY_KEY = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"
_OFFERED_AS = {"ssh-rsa": "rsa-sha2-512,rsa-sha2-256"}


@dataclass(frozen=True)
class SshTarget:
    """How this machine reaches a host. `key`: a file of this machine (None: the agent's keys), `timeout` in seconds,
    `jump`: the command line that opens a connection through the jump host."""

    user: str
    address: str
    port: int
    key: str | None
    timeout: int
    jump: Sequence[str] = ()

    @property
    def url(self) -> str:
        """As Docker's clients take it."""
        return f"ssh://{self.user}@{self.address}:{self.port}"

    @property
    def destination(self) -> list[str]:
        return ["-p", str(self.port), f"{self.user}@{self.address}"]


def options(target: SshTarget, host_key: str) -> list[str]:
    """Options that take this host key (`ssh-ed25519 AAAA...`) and no other, and share one connection."""
    kind = host_key.split()[0]
    return [
        *_common(target),
        *_set(
            StrictHostKeyChecking="yes",
            UserKnownHostsFile="/dev/null",
            KnownHostsCommand=f"/bin/echo %H {host_key}",
            HostKeyAlgorithms=_OFFERED_AS.get(kind, kind),
            ControlMaster="auto",
            ControlPath=f"~/.ssh/fleetwatch-{_identity(target, host_key)}",
            ControlPersist="30",
        ),
        *_jump(target),
    ]


def first_contact(target: SshTarget) -> list[str]:
    """A whole command line up to what is to be run; `$KNOWN`, a file, receives the key that the host shows."""
    fixed = [
        *_common(target),
        *_set(HashKnownHosts="no", HostKeyAlgorithms=ANY_KEY, ControlPath="none"),
        *_jump(target),
    ]
    return ["ssh", *fixed, "-o", "StrictHostKeyChecking=accept-new", *target.destination]


def ssh_argv(target: SshTarget, host_key: str) -> list[str]:
    """A whole command line up to what is to be run on the host."""
    return ["ssh", *options(target, host_key), *target.destination]


def jump(target: SshTarget, host_key: str) -> list[str]:
    """The command line that connects through this host, for `SshTarget.jump`: %h and %p are the next host's."""
    argv = [argument.replace("%", "%%") for argument in ["ssh", *options(target, host_key)]]
    return [*argv, "-W", "[%h]:%p", *target.destination]


def remote(argv: Sequence[str]) -> str:
    """The remote command that runs `argv`, quoted for an account's login shell whichever that is: sh, bash, zsh, fish
    or tcsh. In single quotes fish takes \\ and \' for escapes, and tcsh replaces !. tcsh alone takes no newline."""
    return " ".join(map(_quoted, argv))


def fingerprint(public_key: str) -> str:
    """By what DigitalOcean knows a public key (`ssh-ed25519 AAAA...`): MD5 of its second word, in pairs of digits."""
    blob = base64.b64decode(public_key.split()[1])
    return hashlib.md5(blob, usedforsecurity=False).digest().hex(":")


def _quoted(argument: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9@%+:,./_-][A-Za-z0-9@%+:,./_=-]*", argument):
        return argument
    outside = {"'": '"\'"', "\\": "\\\\", "!": "\\!"}
    parts = re.findall(r"[^'\\!]+|['\\!]", argument)
    return "".join(outside.get(part, f"'{part}'") for part in parts) or "''"


def _identity(target: SshTarget, host_key: str) -> str:
    """Who shares a connection. Not ssh's own %C, which ignores the jump host and the pinned key: behind two
    hubs the same private address is two machines, and commands would go to whichever was met first."""
    return hashlib.sha256(repr((target.destination, target.key, host_key, *target.jump)).encode()).hexdigest()[:20]


def _common(target: SshTarget) -> list[str]:
    known = _set(
        BatchMode="yes",
        ConnectTimeout=str(target.timeout),
        ServerAliveInterval="15",
        ServerAliveCountMax="3",
        GlobalKnownHostsFile="/dev/null",
        LogLevel="ERROR",
    )
    # In quotes: ssh divides the values of its options at spaces.
    key = _set(IdentitiesOnly="yes", IdentityFile=f'"{target.key}"') if target.key else []
    # -F: a user's own configuration would lead elsewhere than the stack file says.
    return ["-F", "/dev/null", *known, *key]


def _jump(target: SshTarget) -> list[str]:
    return _set(ProxyCommand=shlex.join(target.jump)) if target.jump else []


def _set(**values: str) -> list[str]:
    return [word for name, value in values.items() for word in ("-o", f"{name}={value}")]

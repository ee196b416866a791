"""Credentials: the generated passwords with which one host pushes to the hub and its agent scrapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_random as random

from configs import names
from configs.settings import Host


@dataclass(frozen=True)
class Settled:
    """What the last complete update left of a host's credential: its `rotation`, and the host's `former` name if that
    update was made under it."""

    rotation: int = 0
    former: str = ""


class Credential:
    """A password of 40 letters and digits, and during a rotation the previous one too.

    `rotation` counts its changes; generations alternate between two resources, so that a change makes one new password
    and keeps the old one. Until the last complete update was made with this rotation and under this name, the previous
    password and the former name are accepted too. No component: each host would have one resource more.

    Secret: `password` and `bcrypt` of the generation now; `files`, every password by its file's name;
    `accepted`, the bcrypt hashes by user name.
    """

    def __init__(
        self,
        name: str,
        rotation: int = 0,
        settled: pulumi.Input[Settled] | None = None,
        parent: pulumi.Resource | None = None,
    ) -> None:
        self._parent = parent
        made = {number: self._generation(name, number) for number in sorted({rotation, max(0, rotation - 1)})}
        self.password: pulumi.Output[str] = made[rotation].result
        self.bcrypt: pulumi.Output[str] = made[rotation].bcrypt_hash
        self.files: Mapping[str, pulumi.Input[str]] = {
            names.password_file(number): password.result for number, password in made.items()
        }
        hashes = pulumi.Output.all(*(password.bcrypt_hash for password in made.values()))
        self.accepted: pulumi.Output[dict[str, str]] = pulumi.Output.all(hashes, settled).apply(
            lambda found: accepted(name, rotation, dict(zip(made, found[0], strict=True)), found[1] or Settled())
        )

    @classmethod
    def for_host(
        cls, name: str, host: Host, done: pulumi.Output[dict[str, Any]], parent: pulumi.Resource
    ) -> Credential:
        """The credential of one host, with what the last complete update left of every host."""
        return cls(name, host.rotation, done.apply(lambda found: settled(name, host, found)), parent)

    def _generation(self, name: str, number: int) -> random.RandomPassword:
        return random.RandomPassword(
            f"{name}-password" + ("-b" if number % 2 else ""),
            length=40,
            special=False,  # it goes into files of several formats
            keepers={"rotation": str(number)} if number > 1 else None,
            opts=pulumi.ResourceOptions(parent=self._parent),
        )


class ScrapeCredential:
    """The password with which a host's agent reads targets that demand one. It goes over the host's bridge in clear, so
    nothing else accepts it. A rotation of the host replaces it at once: both sides are files of one update.

    Secret: `files`, the password by its file's name; `accepted`, its bcrypt hash by user name.
    """

    def __init__(self, name: str, rotation: int, parent: pulumi.Resource) -> None:
        made = random.RandomPassword(
            f"{name}-scrape-password",
            length=40,
            special=False,
            keepers={"rotation": str(rotation)} if rotation else None,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        self.files: Mapping[str, pulumi.Input[str]] = {names.SCRAPE_PASSWORD: made.result}
        self.accepted: pulumi.Output[dict[str, str]] = made.bcrypt_hash.apply(lambda hashed: {names.SCRAPER: hashed})


def settled(name: str, host: Host, done: Mapping[str, Any]) -> Settled:
    """What the last complete update left, from the rotations of all hosts by name. RunError where more than one step
    leads to the wanted rotation: the password that the host has now would be refused before it has the new one."""
    former = host.renamed_from if name not in done and host.renamed_from in done else None
    known = former or name
    last = int(done.get(known) or 0)
    if known in done and host.rotation and host.rotation not in (last, last + 1):
        raise pulumi.RunError(
            f"hosts.{name}.rotation: expected {last} (no change) or {last + 1} (a new password), got {host.rotation}; "
            "each step keeps only the previous password valid until the host uses the new one"
        )
    return Settled(last, former or "")


def accepted(name: str, rotation: int, hashes: Mapping[int, str], before: Settled) -> dict[str, str]:
    """The hashes by user name that the hub accepts of a host."""
    found = {names.user(name, rotation): hashes[rotation]}
    if before.rotation in hashes and before.rotation != rotation:
        found[names.user(name, before.rotation)] = hashes[before.rotation]
    if before.former and before.rotation in hashes:
        found[names.user(before.former, before.rotation)] = hashes[before.rotation]
    return found


def rotations_done(hosts: Mapping[str, Host]) -> pulumi.Output[dict[str, Any]]:
    """The rotation of every host as the last complete update exported it. Reads the stack's own state, and only if a
    password is ever rotated, or a host with a password has a former name."""
    if not any(host.rotation or (host.renamed_from and host.via == "internet") for host in hosts.values()):
        return pulumi.Output.from_input(dict[str, Any]())
    own = pulumi.StackReference(f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")
    return own.get_output("rotations").apply(lambda found: found or {})

"""Credentials: the generated passwords with which one host pushes to the hub and its agent scrapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_random as random

from configs import names


class Credential:
    """A password of 40 letters and digits, and during a rotation the previous one too.

    `rotation` counts its changes; generations alternate between two resources, so that a change makes one new password
    and keeps the old one. `done` is the rotation that the last complete update left everywhere: until it reaches
    `rotation`, the old password is accepted too. No component: each host would have one resource more.

    Secret: `password` and `bcrypt` of the generation now; `files`, every password by its file's name;
    `accepted`, the bcrypt hashes by user name.
    """

    def __init__(
        self,
        name: str,
        rotation: int = 0,
        done: pulumi.Input[int] | None = None,
        parent: pulumi.Resource | None = None,
    ) -> None:
        self._parent = parent
        now = self._generation(name, rotation)
        self.password: pulumi.Output[str] = now.result
        self.bcrypt: pulumi.Output[str] = now.bcrypt_hash
        self.files: Mapping[str, pulumi.Input[str]] = {names.password_file(rotation): now.result}
        user = names.user(name, rotation)
        self.accepted: pulumi.Output[dict[str, str]] = now.bcrypt_hash.apply(lambda hashed: {user: hashed})
        if rotation:
            before = self._generation(name, rotation - 1)
            self.files = {**self.files, names.password_file(rotation - 1): before.result}
            self.accepted = pulumi.Output.all(now.bcrypt_hash, before.bcrypt_hash, done).apply(
                lambda found: _accepted(name, rotation, *found)
            )

    @classmethod
    def for_host(
        cls, name: str, rotation: int, done: pulumi.Output[dict[str, Any]], parent: pulumi.Resource
    ) -> Credential:
        """The credential of one host, with the rotations that the last complete update left."""
        return cls(name, rotation, done.apply(lambda found: _last_rotation(name, rotation, found)), parent)

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


def _last_rotation(name: str, wanted: int, done: Mapping[str, Any]) -> int:
    """The rotation that the last complete update left. RunError where more than one step leads to the wanted one: the
    password that the host has now would be refused before it has the new one."""
    last = int(done.get(name) or 0)
    if name in done and wanted and wanted not in (last, last + 1):
        raise pulumi.RunError(
            f"hosts.{name}.rotation: expected {last} (no change) or {last + 1} (a new password), got {wanted}; "
            "each step keeps only the previous password valid until the host uses the new one"
        )
    return last


def _accepted(name: str, rotation: int, now: str, before: str, done: int | None) -> dict[str, str]:
    both = {names.user(name, rotation): now, names.user(name, rotation - 1): before}
    return both if done != rotation else {names.user(name, rotation): now}


def rotations_done(wanted: Mapping[str, int]) -> pulumi.Output[dict[str, Any]]:
    """The rotation of every host as the last complete update exported it. Reads the stack's own state, and only if any
    password is ever rotated."""
    if not any(wanted.values()):
        return pulumi.Output.from_input(dict[str, Any]())
    own = pulumi.StackReference(f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")
    return own.get_output("rotations").apply(lambda found: found or {})

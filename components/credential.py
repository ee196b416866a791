"""Credential: the generated password with which one host pushes to the hub."""

from __future__ import annotations

import pulumi
import pulumi_random as random


class Credential(pulumi.ComponentResource):
    """A password of 40 letters and digits. Outputs, both secret: `password`, and `bcrypt` for who checks it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fleetwatch:index:Credential", name, None, opts)
        made = random.RandomPassword(
            f"{name}-password",
            length=40,
            special=False,  # it goes into files of several formats
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.password: pulumi.Output[str] = made.result
        self.bcrypt: pulumi.Output[str] = made.bcrypt_hash
        self.register_outputs({})

"""The assistant's generated secrets: passwords of its servers and its first administrator, and a key."""

from __future__ import annotations

import pulumi
import pulumi_random as random

from configs.services import ask
from configs.settings import Settings


def ask_secrets(settings: Settings, parent: pulumi.Resource) -> pulumi.Output[dict[str, str]] | None:
    """Each secret by its file's name; None without the assistant. No component: they are values of the hub."""
    if settings.hub.ask is None:
        return None
    made = {
        # It goes into files of several formats.
        name: random.RandomPassword(name, length=40, special=False, opts=pulumi.ResourceOptions(parent=parent))
        for name in ask.generated(settings)
    }
    return pulumi.Output.secret(pulumi.Output.all(**{name: one.result for name, one in made.items()}))

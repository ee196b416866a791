"""Gets everything that the program needs on this machine, in order, and says what is real and what stands in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tools import engine, images, plugins, pulumi_cli
from tools.paths import only_one
from tools.progress import say


@dataclass(frozen=True)
class ToolChain:
    """What was found or made."""

    engine: str
    pulumi: pulumi_cli.Pulumi
    images: list[images.Image]
    plugins: list[plugins.Plugin]

    @property
    def overrides(self) -> dict[str, str]:
        """For `fleetwatch:images:` in the stack file."""
        return {image.key: image.ref for image in self.images if image.kind != images.VENDOR}


def set_up(keys: Iterable[str] = images.PARTS) -> ToolChain:
    """Engine, CLI, images, plugins. What is there already is left as it is."""
    with only_one("set-up"):
        return ToolChain(engine.find(), pulumi_cli.find(), images.get(keys), plugins.get())


def report(chain: ToolChain) -> None:
    """The table at the end of a set-up."""
    say(f"Docker Engine {chain.engine}")
    say(f"Pulumi {chain.pulumi.version} ({chain.pulumi.origin}: {chain.pulumi.program})")
    say("Provider plugins: " + ", ".join(f"{p.name} {p.version} ({p.kind})" for p in chain.plugins))
    say("Images:")
    say(images.table(chain.images))
    if any(plugin.stands_in for plugin in chain.plugins) or any(i.kind != images.VENDOR for i in chain.images):
        say("The vendors' downloads cannot be reached here for what is marked stand-in or offline build.")

"""Images of a hub elsewhere that are built from the checkout: no registry has them, `up` copies them to the hub.

Their references contain the hash of their contents: every machine with the same checkout derives the same.
"""

from __future__ import annotations

from configs import services
from configs.images import OURS
from configs.settings import Settings
from tools import images
from tools.ask_recipes import ASK_RECIPES
from tools.errors import ToolError
from tools.paths import only_one
from tools.processes import try_output


def references(settings: Settings | None) -> dict[str, str]:
    """By key; none for a hub on this machine, whose images `images.get` names."""
    if settings is None or settings.hub.local is not None:
        return {}
    wanted = OURS.intersection(services.used_images(settings)) - set(settings.images.given())
    return {key: ASK_RECIPES[key]().ref for key in sorted(wanted)}


def build(settings: Settings | None) -> None:
    """Have them in this machine's Docker."""
    wanted = references(settings)
    if not wanted:
        return
    if try_output(["docker", "version"], timeout=20) is None:
        keys = ", ".join(wanted)
        raise ToolError(
            f"The image of {keys} is built by this machine's Docker, which does not answer: start it, or name an image "
            f"of a registry, such as `fleetwatch:images: {{{keys}: registry.example.com/fleetwatch-ask:1.0.0}}`."
        )
    with only_one("set-up"):
        images.get(wanted)

"""`setup` and `images`: get what the program needs on this machine, and list vendor parts, builds and stand-ins."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

from tools import (
    browser,
    docker_compose,
    docker_engine,
    images,
    plugins,
    policy_pack,
    pulumi_cli,
    ssh_program,
    test_programs,
)
from tools.cli import Commands
from tools.paths import only_one
from tools.progress import say


def register(commands: Commands) -> None:
    for parser in (
        commands.add("setup", _setup, "get Docker Engine and Compose, Pulumi CLI, images and plugins, and list them"),
        commands.add("images", _images, "get the images alone, and list them"),
    ):
        parser.add_argument("keys", nargs="*", help="image keys; without any: all that a stack runs by default")
        parser.add_argument("--tests", action="store_true", help="those of the tests as well")


def _setup(options: argparse.Namespace) -> None:
    if options.tests:
        ssh_program.get()
        browser.prepare()
        policy_pack.prepare()
        test_programs.prepare()
    report(set_up(_keys(options)))


def _images(options: argparse.Namespace) -> None:
    with only_one("set-up"):
        say(images.table(images.get(_keys(options))))


def _keys(options: argparse.Namespace) -> list[str]:
    return options.keys or [*images.PARTS, *(images.FOR_TESTS if options.tests else ())]


@dataclass(frozen=True)
class ToolChain:
    """What was found or made."""

    docker_engine: str
    docker_compose: docker_compose.Compose
    pulumi: pulumi_cli.Pulumi
    images: list[images.Image]
    plugins: list[plugins.Plugin]

    @property
    def overrides(self) -> dict[str, str]:
        """For `fleetwatch:images:` in the stack file."""
        return {image.key: image.ref for image in self.images if image.kind != images.VENDOR}


def set_up(keys: Iterable[str] = images.PARTS) -> ToolChain:
    """Docker Engine and Compose, Pulumi CLI, images, plugins. What is there already stays."""
    with only_one("set-up"):
        return ToolChain(
            docker_engine.find(), docker_compose.find(), pulumi_cli.find(), images.get(keys), plugins.get()
        )


def report(chain: ToolChain) -> None:
    """The table at the end of a set-up."""
    say(f"Docker Engine {chain.docker_engine}")
    say(f"Docker Compose {chain.docker_compose.version} ({chain.docker_compose.origin})")
    say(f"Pulumi {chain.pulumi.version} ({chain.pulumi.origin}: {chain.pulumi.program})")
    say("Provider plugins: " + ", ".join(f"{p.name} {p.version} ({p.kind})" for p in chain.plugins))
    say("Images:")
    say(images.table(chain.images))
    if any(plugin.stands_in for plugin in chain.plugins) or any(i.kind != images.VENDOR for i in chain.images):
        say("The vendors' downloads cannot be reached here for what is marked stand-in or offline build.")

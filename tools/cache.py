"""`make clean`: removes the cache with the link to its Docker Compose, and stops the Docker Engine of a set-up."""

from __future__ import annotations

import argparse
import shutil

from tools import docker_compose, docker_engine
from tools.cli import Commands
from tools.paths import cache_dir
from tools.progress import say


def register(commands: Commands) -> None:
    commands.add("clean", _clean, "remove the caches, and stop the Docker Engine if a set-up started one")


def _clean(_options: argparse.Namespace) -> None:
    if docker_engine.stop_own():
        say("Stopped the Docker Engine that a set-up had started (it stays installed).")
    if link := docker_compose.remove_own():
        say(f"Removed {link}, which led to the Docker Compose in the cache.")
    place = cache_dir()
    shutil.rmtree(place)
    say(f"Removed the cache {place}. Images in Docker stay; `docker image prune` removes what no container uses.")

"""Which image each part runs: the pinned one if it can be pulled, else one assembled offline under another name.

A pinned image wins as soon as it is in Docker or its registry answers, so an offline image does not outlive the
outage. Grafana and sql_exporter have no offline build: stand-ins take their places. Alloy has neither and is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import yaml

from configs import services
from configs.images import LOCAL
from tools import image_tags, net
from tools.ask_recipes import ASK_RECIPES
from tools.assemble import RECIPE_LABEL, assemble
from tools.droplet_recipe import DROPLET_RECIPES
from tools.errors import ToolError
from tools.images_for_tests import TEST_RECIPES
from tools.paths import CHECKOUT
from tools.processes import run, try_output
from tools.progress import say, step
from tools.recipes import RECIPES, Recipe

PARTS = services.DEFAULT_IMAGES
FOR_TESTS = ("postgres", "servers", "test-app", "droplet", "engine", "s3")
# Made here on every machine; nobody publishes them.
OURS = {"ask", "python", "test-app", "servers", "engine", "s3", *DROPLET_RECIPES}
DOCKERFILES = {"ask": "ask/Dockerfile"}  # of images of ours, used where their base image can be pulled
_TEST_PINS = {"postgres": "docker.io/library/postgres:15"}
_HINTS = {
    "loki": "first time about 8 minutes",
    "promtail": "first time about 4 minutes",
    "droplet": "first time about 2 minutes",
    "engine": "first time about 5 minutes",
}

VENDOR = "vendor's image"
OFFLINE = "offline build"
STAND_INS = {"grafana": "stand-in, not Grafana", "sql_exporter": "stand-in, not sql_exporter"}


@dataclass(frozen=True)
class Image:
    """What a part runs: `ref` is for `docker run`, `kind` for people."""

    key: str
    ref: str
    kind: str
    differs: str = ""


@cache
def pins() -> dict[str, str]:
    """Image pins by key: configs/images.yaml and those of the tests."""
    loaded = yaml.safe_load((CHECKOUT / "configs" / "images.yaml").read_text())
    return {**{str(key): str(ref) for key, ref in loaded.items()}, **_TEST_PINS}


def _labels(refs: Sequence[str]) -> dict[str, str]:
    """Recipe labels of those images that Docker has, all read at once."""
    named = "{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}"
    listed = set((try_output(["docker", "image", "ls", "--no-trunc", "--digests", "--format", named]) or "").split())
    present = [ref for ref in refs if _listed_as(ref) in listed]
    if not present:
        return {}
    found = json.loads(try_output(["docker", "image", "inspect", *present]) or "[]")
    labels = [item["Config"].get("Labels") or {} for item in found]
    return {ref: own.get(RECIPE_LABEL, "") for ref, own in zip(present, labels, strict=True)}


def _listed_as(ref: str) -> str:
    """How Docker lists it: its own registry is not named, and what is pinned by digest has no tag."""
    name, _, digest = ref.removeprefix("docker.io/").removeprefix("library/").partition("@")
    return f"{name.rpartition(':')[0]}@{digest}" if digest else name


class MissingTag(ToolError):
    """An image reference that does not exist in its registry: a wrong pin, not an outage."""


def _pull(key: str, ref: str, where: str) -> bool:
    """Pull the image; False if its registry is not reachable or does not give it. MissingTag if it has no such tag."""
    if ref.startswith(LOCAL) or not net.reachable(image_tags.registry_url(ref)):
        return False
    try:
        with step(f"{where} {key}: pulling {ref}"):
            run(["docker", "pull", "-q", ref], what=f"docker pull {ref}")
    except ToolError as problem:
        if missing := image_tags.problem(key, ref):
            raise MissingTag(missing) from None
        say(f"  {key}: the registry answers but the image cannot be pulled; assembling it instead. {problem}")
        return False
    return True


def _built(key: str, recipe: Recipe, where: str) -> bool:
    """Build the image from its Dockerfile, under the recipe's reference; False if it has none or its base image cannot
    be had."""
    if key not in DOCKERFILES:
        return False
    base = next(line.split()[1] for line in (CHECKOUT / DOCKERFILES[key]).read_text().splitlines() if "FROM " in line)
    if not net.reachable(image_tags.registry_url(base)):
        return False
    argv = ["docker", "build", "--label", f"{RECIPE_LABEL}={recipe.key()}", "--tag", recipe.ref]
    try:
        with step(f"{where} {key}: building {recipe.ref}"):
            env = {**os.environ, "DOCKER_BUILDKIT": "1"}  # which reads Dockerfile.dockerignore
            run([*argv, "--file", DOCKERFILES[key], "."], what=f"docker build of {key}", cwd=CHECKOUT, env=env)
    except ToolError as problem:
        say(f"  {key}: {DOCKERFILES[key]} cannot be built here; assembling the image instead. {problem}")
        return False
    return True


def _offline(key: str, recipe: Recipe, have: str | None, where: str) -> Image:
    if have != recipe.key() and not _built(key, recipe, where):
        with step(f"{where} {key}: assembling {recipe.ref}", _HINTS.get(key, "")):
            assemble(recipe)
    kind = STAND_INS.get(key) or ("made here" if key in OURS else OFFLINE)
    return Image(key, recipe.ref, kind, recipe.differs)


def get(keys: Iterable[str] = PARTS) -> list[Image]:
    """Make sure that Docker has an image for every key; pulls or assembles what is missing."""
    wanted = list(dict.fromkeys(keys))
    if unknown := [key for key in wanted if key not in pins() and key not in OURS]:
        raise ToolError(f"No image is known as {', '.join(unknown)}; expected some of: {', '.join([*pins(), *OURS])}.")
    makers = {**RECIPES, **ASK_RECIPES, **TEST_RECIPES, **DROPLET_RECIPES}
    recipes = {key: makers[key]() for key in wanted if key in makers}
    have = _labels([pins()[k] for k in wanted if k in pins()] + [r.ref for r in recipes.values()])
    result, missing = [], []
    for number, key in enumerate(wanted, 1):
        where = f"[{number}/{len(wanted)}]"
        pin = pins().get(key)
        try:
            found = pin in have or (pin is not None and _pull(key, pin, where))
        except MissingTag as problem:
            missing.append(str(problem))
            continue
        if pin and found:
            result.append(Image(key, pin, VENDOR))
        elif missing:
            continue  # nothing is built for a run that fails
        elif key in recipes:
            result.append(_offline(key, recipes[key], have.get(recipes[key].ref), where))
        else:
            raise ToolError(
                f"The image {pin} for {key} cannot be pulled here and has no offline build: load it into Docker, name "
                f"another under `fleetwatch:images: {{{key}: ...}}`, add an offline build (RECIPES in "
                "tools/recipes.py), or do not use it (for alloy: `logs.agent: promtail`)."
            )
    if missing:
        raise MissingTag("\n".join(missing))
    return result


def needed_images(keys: Iterable[str] = PARTS) -> dict[str, str]:
    """What belongs under `fleetwatch:images:` on this machine: keys whose pinned image cannot be had."""
    return {image.key: image.ref for image in get(keys) if image.kind != VENDOR}


def table(images: Iterable[Image]) -> str:
    rows = [(image.key, image.ref, f"{image.kind}{f': {image.differs}' if image.differs else ''}") for image in images]
    widths = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    return "\n".join(f"  {key:<{widths[0]}}  {ref:<{widths[1]}}  {kind}" for key, ref, kind in rows)

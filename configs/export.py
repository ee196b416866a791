"""An edge as a folder for people who deploy without the program: Portainer from Git, or plain `docker compose`.

The same project as components/edge.py brings to a host, with two differences: no secret is in it, each has an example
beside the place of the file that is to be filled in, and the user's networks are part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from configs import compose, deployment, names, services
from configs.render.dump import to_yaml
from configs.services.context import Context
from configs.services.spec import Late, ServiceSpec
from configs.settings import Settings

EXAMPLE = ".example"
PLACEHOLDER = "REPLACE-BY-THE-PASSWORD-OF-THIS-HOST"
SCRAPE = "REPLACE-BY-A-PASSWORD-FOR-SCRAPES"
HASH = "REPLACE-BY-ITS-BCRYPT-HASH"
IGNORED = ".gitignore"
_GITIGNORE = f"# Secrets are filled in on the host and never committed.\n*/secrets/*\n!*/secrets/*{EXAMPLE}\n"
_PUSH = """   {placeholder}
     the password with which this host pushes to the hub: `make password HOST={host}`, where the stack file is
"""
_TEXT = Path(__file__).with_name("export_readme.txt")


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How the exported edge reaches the hub: `addresses`, those of its name where no DNS record has it; `ca`, the
    certificate of the hub's own CA."""

    addresses: tuple[str, ...] = ()
    ca: str = ""


def needs(settings: Settings, name: str) -> set[str]:
    """What only a hub that is up knows: `address`, and `ca` if the edge has to trust the hub's own CA."""
    late = {"address"} if _context(settings, name).hub_by_address else set()
    return late | ({"ca"} if settings.hosts[name].via == "internet" and settings.hub.own_ca else set())


def _context(settings: Settings, name: str) -> Context:
    return deployment.context(settings, name, "/exported", names.DOCKER_SOCKET)


def files(settings: Settings, name: str, images: Mapping[str, str], reached: Reached) -> dict[str, str]:
    """The files of the folder by path. `images`: the references by image key."""
    context = _context(settings, name)
    specs = services.edge_specs(context)
    late = Late(
        hub_ca=reached.ca,
        passwords={file: PLACEHOLDER for spec in specs for file in spec.secrets} | {names.SCRAPE_PASSWORD: SCRAPE},
        scraper={names.SCRAPER: HASH},
    )
    secrets = {f"{path}{EXAMPLE}": text for path, text in compose.secrets(specs, late).items()}
    made = {
        compose.FILE: _project(context, specs, images),
        IGNORED: _GITIGNORE,
        **{path: text for spec in specs for path, text in compose.files(spec, late).items()},
        **secrets,
    }
    if context.hub_by_address:
        made[compose.HOSTS] = compose.hosts(reached.addresses, context.gateway)
    made[compose.README] = _readme(context, sorted(secrets))
    return made


def _project(context: Context, specs: list[ServiceSpec], images: Mapping[str, str]) -> str:
    """compose.yaml with the networks of the user, which the program joins after it started an edge."""
    project = yaml.safe_load(compose.compose_yaml(context, compose.containers(context, specs, images)))
    wanted = sorted(context.edge.networks)
    for spec in specs:
        if spec.user_networks:
            joined = project["services"][spec.role]["networks"]
            joined.update({f"user-{number}": None for number in range(1, len(wanted) + 1)})
    for number, network in enumerate(wanted, 1):
        project["networks"][f"user-{number}"] = {"name": network, "external": True}
    return to_yaml(project, f"The edge of {context.name}, exported by fleetwatch; the next export overwrites changes")


def _readme(context: Context, secrets: list[str]) -> str:
    lines = "\n".join(f"  {path.removesuffix(EXAMPLE)}" for path in secrets)
    return _TEXT.read_text().format(
        host=context.name,
        env=context.settings.env,
        prefix=context.settings.prefix,
        secrets=lines,
        push=_PUSH.format(placeholder=PLACEHOLDER, host=context.name) if context.host.via == "internet" else "",
        scrape=SCRAPE,
        scraper=names.SCRAPER,
        hash=HASH,
        example=EXAMPLE,
    )

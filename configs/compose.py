"""An edge as one Compose project: `compose.yaml` from the containers of its specs, and the folder that it stands in.

Paths in `compose.yaml` are relative to its folder, so that the folder can be anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs import names
from configs.render.dump import to_yaml
from configs.services.container import (
    DROPPED_CAPABILITIES,
    LOG_DRIVER,
    LOG_OPTIONS,
    RESTART_POLICY,
    Container,
    Mount,
    container,
    published,
)
from configs.services.context import Context
from configs.services.spec import Late, ServiceSpec

FILE = "compose.yaml"
README = "README"
HOSTS = "hosts"
_TEXT = Path(__file__).with_name("edge_readme.txt")


def containers(context: Context, specs: Sequence[ServiceSpec], images: Mapping[str, str]) -> dict[str, Container]:
    """The containers of an edge's specs by their role. `images`: the references by image key."""
    settings, folder = context.settings, context.project
    return {
        spec.role: container(
            spec, stack=settings.prefix, host=context.name, base=folder, image=images[spec.service.image]
        )
        for spec in specs
    }


def compose_yaml(context: Context, made: Mapping[str, Container], private: str | None = None) -> str:
    """The Compose project of an edge. User networks are no part of it: an edge joins them once its containers run, so
    that a network that is gone stops none of them. `private`: the host's address in its VPC, for ports on that."""
    settings = context.settings
    volumes = sorted({mount.source for one in made.values() for mount in one.mounts if mount.type == "volume"})
    # No host's name: Compose makes a network or volume again whose definition changed, a volume without its data.
    own = {"fleetwatch.stack": settings.prefix}
    networks: dict[str, Any] = {
        "edge": {
            "name": names.edge_network(settings.prefix),
            "driver": "bridge",
            "ipam": {"config": [{"subnet": str(context.edge.subnet), "gateway": context.gateway}]},
            "labels": own,
        }
    }
    if context.is_hub:
        networks["hub"] = {"name": names.hub_network(settings.prefix), "external": True}
    return to_yaml(
        {
            "name": settings.prefix,
            "services": {role: _service(one, context.project, private) for role, one in made.items()},
            "networks": networks,
            "volumes": {volume: {"name": volume, "labels": own} for volume in volumes},
        },
        f"The edge of {context.name}, rendered by fleetwatch; the next update overwrites changes",
    )


def files(spec: ServiceSpec, late: Late) -> dict[str, str]:
    """The files of a role that are not secret, by path in the project's folder."""
    return {f"{spec.role}/config/{name}": file.render(late) for name, file in spec.files.items()}


def hosts(addresses: Sequence[str], gateway: str) -> str:
    """The hosts file of the containers that push: the hub's name and addresses, where no DNS record has them, and the
    host's own. Of several addresses an agent takes the first that accepts its connection. With an address in their
    configuration instead, a hub made again would cost the backlog: another URL is another queue, which begins with the
    present."""
    hub = dict.fromkeys(addresses, names.NO_DOMAIN)
    own = {"127.0.0.1": "localhost", "::1": "localhost", **hub, gateway: names.DOCKER_HOST}
    return "".join(f"{where} {name}\n" for where, name in own.items())


def readme(context: Context) -> str:
    """What the folder is, for the operator who finds it."""
    return _TEXT.read_text().format(host=context.name, env=context.settings.env, prefix=context.settings.prefix)


def secrets(specs: Sequence[ServiceSpec], late: Late) -> dict[str, str]:
    """The secret files of all roles, by path in the project's folder."""
    return {
        f"{spec.role}/secrets/{name}": file.render(late)
        for spec in specs
        for name, file in sorted(spec.secrets.items())
    }


def _service(made: Container, folder: str, private: str | None) -> dict[str, Any]:
    ports = [
        {"target": port.container, "published": str(port.host), "host_ip": address or private, "protocol": "tcp"}
        for port, address in published(made, private=private is not None)
    ]
    service: dict[str, Any] = {
        "container_name": made.name,
        # Prometheus derives the moments of its scrapes from it, so that a new container scrapes at the same ones.
        **({} if made.host_namespaces else {"hostname": made.name}),
        "image": made.image,
        **({"user": made.user} if made.user else {}),
        **({"entrypoint": _literal(made.entrypoint)} if made.entrypoint else {}),
        **({"command": _literal(made.command)} if made.command else {}),
        **({"environment": _literal(made.environment)} if made.environment else {}),
        "restart": RESTART_POLICY,
        "mem_limit": made.memory,
        "memswap_limit": made.memory,  # no swap on top
        "cpus": made.cpus,
        "cap_drop": list(DROPPED_CAPABILITIES),
        **({"cap_add": list(made.capabilities)} if made.capabilities else {}),
        "security_opt": list(made.security_options),
        **({"devices": [f"{device}:{device}:r" for device in made.devices]} if made.devices else {}),
        "read_only": made.read_only,
        **({"tmpfs": [f"{path}:{options}" for path, options in made.tmpfs.items()]} if made.tmpfs else {}),
        "volumes": [_mount(mount, folder) for mount in made.mounts],
        **({"ports": ports} if ports else {}),
    }
    if made.host_namespaces:
        service |= {"network_mode": "host", "pid": "host"}
    else:
        service["networks"] = {
            network.name: {"aliases": list(network.aliases)} if network.aliases else None for network in made.networks
        }
        if made.hosts:
            service["extra_hosts"] = [f"{name}:{address}" for name, address in sorted(made.hosts.items())]
        if made.sysctls:
            service["sysctls"] = dict(made.sysctls)
    return {
        **service,
        "healthcheck": {
            "test": ["CMD", *_literal(made.health.argv)],
            "interval": f"{made.health.interval}s",
            "timeout": f"{made.health.timeout}s",
            "start_period": f"{made.health.start_period}s",
            "retries": made.health.retries,
        },
        "logging": {"driver": LOG_DRIVER, "options": dict(LOG_OPTIONS)},
        "labels": dict(made.labels),
        "stop_grace_period": f"{made.stop_timeout}s",
    }


def _mount(mount: Mount, folder: str) -> dict[str, Any]:
    """In the long form and without `create_host_path`: the majors of Compose disagree on the definition's hash of the
    others, and a switch of majors would make every container again."""
    below = mount.source.removeprefix(f"{folder}/")
    source = f"./{below}" if mount.type == "bind" and below != mount.source else mount.source
    return {
        "type": mount.type,
        "source": source,
        "target": mount.target,
        **({"bind": {"propagation": mount.propagation}} if mount.propagation else {}),
        **({"read_only": True} if mount.read_only else {}),
    }


def _literal(texts: Sequence[str]) -> list[str]:
    """Texts without a variable in them: Compose replaces `$NAME` and takes `$$` for a dollar sign."""
    return [text.replace("$", "$$") for text in texts]

"""A whole stack file as one value: its sections, and values derived from several of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import create_model

from configs import services
from configs.services.context import Context
from configs.services.spec import ScrapeJob
from configs.settings.backup import Spaces
from configs.settings.base import Strict
from configs.settings.custom_files import CustomFiles
from configs.settings.edge import Edge
from configs.settings.fleet import Access, Cloud, Docker, Ssh
from configs.settings.host import Host
from configs.settings.hub import Hub
from configs.settings.places import Droplet
from configs.settings.text import ImageReference

SECTIONS = ("prefix", "env", "hub", "hosts", "metrics", "access", "cloud", "ssh", "docker", "images")


class Images(Strict):
    """Overrides of image pins, by key."""

    def given(self) -> dict[str, str]:
        """The overrides that the stack file sets."""
        return {key: ref for key, ref in self if ref}


IMAGE_KEYS = services.IMAGE_KEYS
if not TYPE_CHECKING:
    Images = create_model(
        "Images", __base__=Images, __doc__=Images.__doc__, **{key: (ImageReference | None, None) for key in IMAGE_KEYS}
    )


def host_path(name: str) -> str:
    """The path in the stack file that places a host: `hub`, or `hosts.<name>`."""
    return "hub" if name == "hub" else f"hosts.{name}"


@dataclass(frozen=True)
class Settings:
    """A whole stack file. `hosts` and `edges` have the same keys, the hosts' names; the hub's host is `hub`.

    `source` is the file's name for messages. `invalid` has the paths of invalid values, each of which was replaced by
    its default (empty for a valid file). `custom`: the files in the stack's folder, which whoever reads the stack file
    adds.
    """

    prefix: str
    env: str
    hub: Hub
    hosts: Mapping[str, Host]
    edges: Mapping[str, Edge]
    images: Images
    access: Access = Access()
    cloud: Cloud = Cloud()
    ssh: Ssh = Ssh()
    docker: Docker = Docker()
    source: str = ""
    invalid: frozenset[str] = frozenset()
    custom: CustomFiles = CustomFiles()

    @property
    def droplets(self) -> Mapping[str, Droplet]:
        """Every droplet by its path in the stack file."""
        found = {f"{host_path(name)}.droplet": host.droplet for name, host in self.hosts.items()}
        return {path: droplet for path, droplet in found.items() if droplet is not None}

    @property
    def spaces(self) -> Spaces | None:
        """Where backups go, if that is DigitalOcean Spaces."""
        return self.hub.backup.to.spaces if self.hub.backup is not None else None

    @property
    def stored_at_spaces(self) -> Spaces | None:
        """Where metrics and logs are or will be, if that is DigitalOcean Spaces."""
        bucket = self.hub.storage.bucket
        return bucket.spaces if bucket is not None else None

    @property
    def in_cloud(self) -> bool:
        """Whether the program makes resources at DigitalOcean, so that it needs an API token."""
        return bool(self.droplets) or self.spaces is not None or self.stored_at_spaces is not None

    @cached_property
    def jobs(self) -> Mapping[str, tuple[ScrapeJob, ...]]:
        """What the agent of each host scrapes of our services. Much derives from it in one run, so it is kept."""
        return {name: services.service_jobs(Context(settings=self, name=name)) for name in self.edges}

    @property
    def others(self) -> Mapping[str, Host]:
        """The hosts besides the hub."""
        return {name: host for name, host in self.hosts.items() if name != "hub"}

    @property
    def region(self) -> str | None:
        """The region of the private network: the hub's, else the first that a droplet names."""
        return next((droplet.region for droplet in self.droplets.values() if droplet.region), None)

    @property
    def protected(self) -> bool:
        """Whether Pulumi refuses to delete what holds data."""
        return self.cloud.protect if self.cloud.protect is not None else self.env == "prod"


class SettingsError(Exception):
    """All problems of a stack file, one line each, as a message for the user."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count > 1 else ''} in the settings, nothing was changed:\n"
            + "\n".join(f"  - {problem}" for problem in self.problems)
        )

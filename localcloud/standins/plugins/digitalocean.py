"""Stand-in for the digitalocean provider: the resources this program uses, through the API (digitalocean_api.py).

What replaces and what is changed in place: digitalocean_tables.py. The sequences of requests are the real provider's,
and so are its weak points: what was deleted by hand has to leave the state by a refresh before it is deleted (404 is an
error for most resources), and a region, size or image that the API does not know shows when the droplet is made.
In four places it is kinder: it does not wait where nothing is to be waited for; it tries again to assign an address to
a droplet that is busy; an address that is assigned to nobody gives an error where the real plugin crashes; and an API
that refuses to delete a droplet is quoted at once.

Limits: explicit names only (no generated ones), no import, no data sources, no other resources or properties.
"""

from __future__ import annotations

from localcloud.standins.plugins import digitalocean_account as account
from localcloud.standins.plugins import digitalocean_addresses as addresses
from localcloud.standins.plugins import digitalocean_network as network
from localcloud.standins.plugins import digitalocean_storage as storage
from localcloud.standins.plugins.digitalocean_api import Api
from localcloud.standins.plugins.digitalocean_droplet import Droplet
from localcloud.standins.plugins.digitalocean_tables import CONFIG
from localcloud.standins.plugins.provider import Package, Resource
from localcloud.standins.plugins.server import Log


def package(log: Log) -> Package:
    api = Api(log)
    kinds: list[Resource] = [
        account.SshKey(api),
        account.Tag(api),
        account.ProjectResources(api),
        account.UptimeCheck(api),
        account.UptimeAlert(api),
        Droplet(api),
        network.Vpc(api),
        network.Firewall(api),
        addresses.ReservedIp(api),
        addresses.ReservedIpAssignment(api),
        addresses.DnsRecord(api),
        storage.Volume(api),
        storage.VolumeAttachment(api),
    ]
    return Package(
        "digitalocean",
        CONFIG,
        {kind.table.token: kind for kind in kinds},
        configure=api.configure,
        cancel=api.cancel,
    )

"""Stand-in for the digitalocean provider: the resources this program uses, through the API (digitalocean_api.py).

digitalocean_tables.py defines which changes replace a resource and which update it. The sequences of requests are those
of the real provider, and so are its weaknesses: a resource that was deleted by hand must leave the state by a refresh
before a delete (404 is an error for most resources), and an unknown region, size or image is an error only when the
droplet is created.
It differs in four places: it does not wait where there is nothing to wait for; it retries the assignment of an address
to a busy droplet; for an address without a droplet it reports an error where the real plugin crashes; and if the API
refuses to delete a droplet, it reports the API's message at once.

Limits: explicit names only (no generated ones), no import, one data source, no other resources or properties.
"""

from __future__ import annotations

from functools import partial

from localcloud.standins.plugins import digitalocean_account as account
from localcloud.standins.plugins import digitalocean_addresses as addresses
from localcloud.standins.plugins import digitalocean_balancer as balancer
from localcloud.standins.plugins import digitalocean_database as database
from localcloud.standins.plugins import digitalocean_network as network
from localcloud.standins.plugins import digitalocean_spaces as spaces
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
        balancer.LoadBalancer(api),
        addresses.ReservedIp(api),
        addresses.ReservedIpAssignment(api),
        addresses.DnsRecord(api),
        storage.Volume(api),
        storage.VolumeAttachment(api),
        spaces.SpacesKey(api),
        spaces.SpacesBucket(api),
        database.DatabaseCluster(api),
        database.DatabaseDb(api),
        database.DatabaseFirewall(api),
    ]
    return Package(
        "digitalocean",
        CONFIG,
        {kind.table.token: kind for kind in kinds},
        configure=api.configure,
        cancel=api.cancel,
        functions={"digitalocean:index/getDatabaseCa:getDatabaseCa": partial(database.ca, api)},
    )

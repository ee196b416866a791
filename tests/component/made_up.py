"""What a provider fills in when the recording engine of program.py makes a resource, and what the machine and the cloud
have before."""

from __future__ import annotations

from typing import Any

from configs.validation import CloudFacts, DockerFacts, MachineFacts


def number(name: str) -> str:
    """An id as droplets have it, the same for the same name."""
    return str(1000 + sum(name.encode()))


NUMBERED = {"digitalocean:index/droplet:Droplet"}
# What a command prints, where its text matters.
ROOT = "-----BEGIN CERTIFICATE-----\nroot\n-----END CERTIFICATE-----\n"
ROOT_KEY = "-----BEGIN EC PRIVATE KEY-----\ns3cret-key\n-----END EC PRIVATE KEY-----\n"  # pragma: allowlist secret
PRINTED = {"authority": ROOT + ROOT_KEY}
# What the cloud fills in.
MADE_UP: dict[str, Any] = {
    "digitalocean:index/droplet:Droplet": lambda name: {
        "ipv4Address": f"198.51.100.{len(name)}", "ipv4AddressPrivate": f"10.77.0.{len(name)}",
        "dropletUrn": f"do:droplet:{number(name)}",
    },
    "digitalocean:index/reservedIp:ReservedIp": lambda _: {
        "ipAddress": "203.0.113.9", "reservedIpUrn": "do:reservedip:9",
    },
    "digitalocean:index/volume:Volume": lambda name: {"volumeUrn": f"do:volume:{name}"},
    "digitalocean:index/vpc:Vpc": lambda _: {"ipRange": "10.77.0.0/20"},
    "digitalocean:index/loadBalancer:LoadBalancer": lambda _: {"ip": "203.0.113.44"},
    "digitalocean:index/spacesKey:SpacesKey": lambda name: {
        "accessKey": f"access-{name}", "secretKey": f"secret-s3cret-{name}", "createdAt": "2026-11-28T12:00:00Z",
    },
    "digitalocean:index/databaseCluster:DatabaseCluster": lambda name: {
        "privateHost": f"private-{name}.db.invalid", "port": 25060, "user": "doadmin", "password": "made-s3cret",
        "clusterUrn": f"do:dbaas:{name}", "host": f"{name}.db.invalid",
    },
    "random:index/randomString:RandomString": lambda _: {"result": "k3m9x2ab"},
    "digitalocean:index/sshKey:SshKey": lambda _: {"fingerprint": "aa:bb"},
}  # fmt: skip

SOCKET = "unix:///var/run/docker.sock"
FACTS = MachineFacts({SOCKET: DockerFacts("20.10", networks=frozenset({"bridge", "shop_default", "dispatch-network"}))})

_FRA = frozenset({"fra1"})
CLOUD = CloudFacts(
    regions=_FRA,
    sizes={size: _FRA for size in ("s-1vcpu-1gb", "s-2vcpu-2gb", "s-2vcpu-4gb", "s-8vcpu-16gb")},
    images={"debian-12-x64": _FRA, "debian-13-x64": _FRA},
    projects={"monitoring": "project-1"},
)

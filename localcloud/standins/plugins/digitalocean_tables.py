"""What the digitalocean stand-in knows of the real provider's resources: names, defaults, what replaces, what is read.

From the schema of pulumi-digitalocean 4.76 (terraform-provider-digitalocean 2.96). Left out, and so refused: what the
program does not use, such as backup policies, IPv6, other DNS records than addresses, Kubernetes, and load balancers of
other kinds than a regional one for TCP.
"""

from __future__ import annotations

import hashlib
from functools import partial

from localcloud.standins.plugins import digitalocean_checks as checks
from localcloud.standins.plugins import schema
from localcloud.standins.plugins.schema import Prop

TIMEOUTS = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"  # Terraform's key for the resource's time-outs
Table = partial(schema.Table, reads_back=True)


once = partial(Prop, replace=True)  # a property that cannot be changed in a thing that exists
out = partial(Prop, output=True)


def name(replace: bool = False) -> Prop:
    return Prop(kind="str", required=True, replace=replace)


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


SPACES_REGIONS = ("ams3", "blr1", "fra1", "lon1", "nyc3", "sfo2", "sfo3", "sgp1", "syd1", "tor1")
REGION = once("str", required=True, keep=str.lower)


SSH_KEY = Table(
    token="digitalocean:index/sshKey:SshKey",
    delete_first=True,
    meta={"__meta": f'{{"{TIMEOUTS}":{{"create":120000000000}}}}'},
    props={
        "name": name(),
        "publicKey": once("str", required=True, alike=str.strip),
        "fingerprint": out("str"),
    },
)

VPC = Table(
    token="digitalocean:index/vpc:Vpc",
    delete_first=True,
    meta={"__meta": f'{{"{TIMEOUTS}":{{"delete":120000000000}}}}'},
    verify=checks.vpc,
    props={
        "name": name(),
        "region": once("str", required=True),
        "description": Prop(kind="str"),
        "ipRange": once("str", computed=True),
        "vpcUrn": out("str"),
        "default": out("bool"),
        "createdAt": out("str"),
    },
)

COUNTS = {
    "totalResourceCount": None,
    "dropletsCount": "droplets",
    "imagesCount": "images",
    "volumesCount": "volumes",
    "volumeSnapshotsCount": "volume_snapshots",
    "databasesCount": "databases",
}
TAG = Table(
    token="digitalocean:index/tag:Tag",
    delete_first=True,
    verify=checks.tags("name"),
    props={"name": name(replace=True), **{key: out("int") for key in COUNTS}},
)

DROPLET = Table(
    token="digitalocean:index/droplet:Droplet",
    delete_first=True,
    meta={
        "__meta": f'{{"{TIMEOUTS}":{{"create":3600000000000,"delete":60000000000,"update":3600000000000}},'
        '"schema_version":"1"}'
    },
    verify=checks.tags("tags"),
    props={
        "image": once("str", required=True),
        "name": name(),
        "region": once("str", computed=True, keep=str.lower),
        "size": Prop(kind="str", required=True, keep=str.lower),
        "vpcUuid": once("str", computed=True),
        "sshKeys": once("set"),
        "userData": once("str", keep=sha1),
        "tags": Prop(kind="set"),
        "backups": Prop(kind="bool", default=False),
        "monitoring": once("bool", default=False),
        "dropletAgent": once("bool"),
        "publicNetworking": once("bool", computed=True),
        "gracefulShutdown": Prop(kind="bool", default=False),
        "resizeDisk": Prop(kind="bool", default=True),
        "ipv6": out("bool"),
        "ipv6Address": out("str"),
        "privateNetworking": out("bool"),
        "volumeIds": out("set"),
        "ipv4Address": out("str"),
        "ipv4AddressPrivate": out("str"),
        "dropletUrn": out("str"),
        "status": out("str"),
        "locked": out("bool"),
        "createdAt": out("str"),
        "disk": out("int"),
        "memory": out("int"),
        "vcpus": out("int"),
        "priceHourly": out("number"),
        "priceMonthly": out("number"),
    },
)

VOLUME = Table(
    token="digitalocean:index/volume:Volume",
    delete_first=True,
    verify=checks.volume,
    props={
        "region": REGION,
        "name": name(replace=True),
        "size": Prop(kind="int", required=True),
        "description": once("str"),
        "initialFilesystemType": once("str", choices=("ext4", "xfs")),
        "initialFilesystemLabel": once("str"),
        "tags": Prop(kind="set"),
        "volumeUrn": out("str"),
        "dropletIds": out("set"),
        "filesystemType": out("str"),
        "filesystemLabel": out("str"),
    },
)

VOLUME_ATTACHMENT = Table(
    token="digitalocean:index/volumeAttachment:VolumeAttachment",
    props={"dropletId": once("int", required=True), "volumeId": once("str", required=True)},
)

RESERVED_IP = Table(
    token="digitalocean:index/reservedIp:ReservedIp",
    props={"region": REGION, "dropletId": Prop(kind="int"), "ipAddress": out("str"), "reservedIpUrn": out("str")},
)

RESERVED_IP_ASSIGNMENT = Table(
    token="digitalocean:index/reservedIpAssignment:ReservedIpAssignment",
    verify=checks.assignment,
    props={"dropletId": once("int", required=True), "ipAddress": once("str", required=True)},
)


def _rules(side: str) -> Prop:
    return Prop(
        kind="set",
        item={
            "protocol": Prop(kind="str", required=True, choices=("tcp", "udp", "icmp")),
            "portRange": Prop(kind="str"),
            f"{side}Addresses": Prop(kind="set"),
            f"{side}DropletIds": Prop(kind="set", item="int"),
            f"{side}LoadBalancerUids": Prop(kind="set"),
            f"{side}Tags": Prop(kind="set"),
        },
    )


FIREWALL = Table(
    token="digitalocean:index/firewall:Firewall",
    delete_first=True,
    verify=checks.firewall,
    props={
        "name": name(),
        "dropletIds": Prop(kind="set", item="int"),
        "inboundRules": _rules("source"),
        "outboundRules": _rules("destination"),
        "tags": Prop(kind="set"),
        "status": out("str"),
        "createdAt": out("str"),
        "pendingChanges": out("list"),
    },
)

_PROTOCOL = Prop(kind="str", required=True, choices=("tcp",))
_PORT = Prop(kind="int", required=True)
LOAD_BALANCER = Table(
    token="digitalocean:index/loadBalancer:LoadBalancer",
    delete_first=True,
    meta={"__meta": '{"schema_version":"1"}'},
    verify=checks.load_balancer,
    props={
        "name": name(),
        "region": REGION,
        "sizeUnit": Prop(kind="int", computed=True),
        "dropletTag": Prop(kind="str", required=True),
        "vpcUuid": once("str", computed=True),
        "projectId": Prop(kind="str", computed=True),
        "enableProxyProtocol": Prop(kind="bool", default=False),
        "forwardingRules": Prop(
            kind="set",
            required=True,
            item={
                "entryProtocol": _PROTOCOL,
                "entryPort": _PORT,
                "targetProtocol": _PROTOCOL,
                "targetPort": _PORT,
                "tlsPassthrough": Prop(kind="bool", default=False),
            },
        ),
        "healthcheck": Prop(
            kind="object",
            required=True,
            item={
                "protocol": Prop(kind="str", required=True, choices=("http", "tcp")),
                "port": _PORT,
                "path": Prop(kind="str"),
                "checkIntervalSeconds": Prop(kind="int", default=10),
                "responseTimeoutSeconds": Prop(kind="int", default=5),
                "unhealthyThreshold": Prop(kind="int", default=3),
                "healthyThreshold": Prop(kind="int", default=5),
            },
        ),
        "algorithm": out("str"),
        "redirectHttpToHttps": out("bool"),
        "enableBackendKeepalive": out("bool"),
        "disableLetsEncryptDnsRecords": out("bool"),
        "httpIdleTimeoutSeconds": out("int"),
        "stickySessions": out("any"),
        "firewall": out("any"),
        "dropletIds": out("set"),
        "ip": out("str"),
        "status": out("str"),
        "loadBalancerUrn": out("str"),
    },
)

DNS_RECORD = Table(
    token="digitalocean:index/dnsRecord:DnsRecord",
    delete_first=True,
    verify=checks.record,
    props={
        "domain": once("str", required=True),
        "type": once("str", required=True, choices=("A", "AAAA")),
        "name": name(),
        "value": Prop(kind="str", required=True),
        "ttl": Prop(kind="int", computed=True),
        "fqdn": out("str"),
        **{key: out("int") for key in ("port", "priority", "weight", "flags")},
        "tag": out("str"),
    },
)

PROJECT_RESOURCES = Table(
    token="digitalocean:index/projectResources:ProjectResources",
    props={"project": once("str", required=True), "resources": Prop(kind="set", required=True)},
)

UPTIME_CHECK = Table(
    token="digitalocean:index/uptimeCheck:UptimeCheck",
    props={
        "name": name(),
        "target": Prop(kind="str", required=True),
        "type": Prop(kind="str", default="https", choices=("ping", "http", "https")),
        "regions": Prop(kind="set"),
        "enabled": Prop(kind="bool", default=True),
    },
)

SLACK = {key: Prop(kind="str", required=True) for key in ("channel", "url")}
UPTIME_ALERT = Table(
    token="digitalocean:index/uptimeAlert:UptimeAlert",
    props={
        "name": name(),
        "checkId": Prop(kind="str", required=True),
        "type": Prop(kind="str", required=True, choices=("latency", "down", "down_global", "ssl_expiry")),
        "notifications": Prop(
            kind="list",
            required=True,
            item={"emails": Prop(kind="list"), "slacks": Prop(kind="list", item=SLACK)},
        ),
        "threshold": Prop(kind="int"),
        "comparison": Prop(kind="str", choices=("greater_than", "less_than")),
        "period": Prop(kind="str", choices=("2m", "3m", "5m", "10m", "15m", "30m", "1h")),
    },
)

SPACES_KEY = Table(
    token="digitalocean:index/spacesKey:SpacesKey",
    delete_first=True,
    props={
        "name": name(),
        "grants": Prop(
            kind="list",
            item={
                "bucket": Prop(kind="str", required=True),
                "permission": Prop(kind="str", required=True, choices=("read", "readwrite", "fullaccess")),
            },
        ),
        "accessKey": out("str"),
        "secretKey": out("str", secret=True),
        "createdAt": out("str"),
    },
)

SPACES_BUCKET = Table(
    token="digitalocean:index/spacesBucket:SpacesBucket",
    delete_first=True,
    props={
        "name": name(),
        "region": once("str", default="nyc3", keep=str.lower, choices=SPACES_REGIONS),
        "acl": Prop(kind="str", default="private"),
        "forceDestroy": Prop(kind="bool", default=False),
        "bucketUrn": out("str"),
        "bucketDomainName": out("str"),
        "endpoint": out("str"),
    },
)

DATABASE_CLUSTER = Table(
    token="digitalocean:index/databaseCluster:DatabaseCluster",
    delete_first=True,
    meta={"__meta": f'{{"{TIMEOUTS}":{{"create":1800000000000}}}}'},
    props={
        "name": name(replace=True),
        "engine": once("str", required=True),
        "version": Prop(kind="str", required=True),
        "size": Prop(kind="str", required=True),
        "region": Prop(kind="str", required=True, keep=str.lower),
        "nodeCount": Prop(kind="int", required=True),
        "privateNetworkUuid": once("str", computed=True),
        "projectId": once("str", computed=True),
        "tags": Prop(kind="set"),
        "storageSizeMib": Prop(kind="str", computed=True),
        **{key: out("str") for key in ("host", "privateHost", "database", "user", "clusterUrn")},
        **{key: out("str", secret=True) for key in ("password", "uri", "privateUri")},
        "port": out("int"),
        "metricsEndpoints": out("list"),
    },
)

DATABASE_DB = Table(
    token="digitalocean:index/databaseDb:DatabaseDb",
    delete_first=True,
    props={"clusterId": once("str", required=True), "name": name(replace=True)},
)

DATABASE_FIREWALL = schema.Table(
    token="digitalocean:index/databaseFirewall:DatabaseFirewall",
    props={
        "clusterId": once("str", required=True),
        "rules": Prop(
            kind="set",
            required=True,
            item={
                "type": Prop(kind="str", required=True, choices=("ip_addr", "droplet", "k8s", "tag", "app")),
                "value": Prop(kind="str", required=True),
            },
        ),
    },
)

CONFIG = Table(
    token="pulumi:providers:digitalocean",
    props={
        "token": Prop(kind="str", secret=True),
        "apiEndpoint": Prop(kind="str"),
        "spacesAccessId": Prop(kind="str"),
        "spacesSecretKey": Prop(kind="str", secret=True),
        "spacesEndpoint": Prop(kind="str"),
        # Numbers, but the SDK hands over a provider's settings as text.
        "httpRetryMax": Prop(kind="any"),
        "httpRetryWaitMin": Prop(kind="any"),
        "httpRetryWaitMax": Prop(kind="any"),
    },
)

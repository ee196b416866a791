"""What the docker stand-in knows of the real provider's resources: names, defaults, what replaces, what is read back.

From the real provider's schema (pulumi-docker 5.x over terraform-provider-docker 4.5): what is not marked `replace`
is changed in place, whether or not Docker does anything with it (a changed health check is recorded and changes
nothing in the running container, with the real provider too).
"""

from __future__ import annotations

from functools import partial

from localcloud.standins.plugins.schema import Prop, Table

LABEL = {"label": Prop(kind="str", required=True), "value": Prop(kind="str", required=True)}
PROPAGATION = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
TIMEOUTS = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"  # Terraform's key for the resource's time-outs
META = f'{{"{TIMEOUTS}":{{"create":1200000000000,"delete":1200000000000,"update":1200000000000}},"schema_version":"2"}}'
PLAIN_META = {"__meta": '{"schema_version":"1"}'}

once = partial(Prop, replace=True)  # a property that cannot be changed in a thing that exists

NETWORK = Table(
    token="docker:index/network:Network",
    delete_first=True,
    meta=PLAIN_META,
    props={
        "name": once("str", required=True),
        "driver": once("str", computed=True),
        "internal": once("bool", computed=True),
        "attachable": once("bool"),
        "ipv6": once("bool"),
        "labels": once("set", item=LABEL),
        "options": once("map", computed=True),
        "ipamDriver": once("str", default="default"),
        "ipamConfigs": once("set", computed=True, item={k: Prop(kind="str") for k in ("subnet", "gateway", "ipRange")}),
        "scope": Prop(kind="str", output=True),
    },
)

VOLUME = Table(
    token="docker:index/volume:Volume",
    delete_first=True,
    meta=PLAIN_META,
    props={
        "name": once("str", required=True),
        "driver": once("str", computed=True),
        "driverOpts": once("map"),
        "labels": once("set", item=LABEL),
        "mountpoint": Prop(kind="str", output=True),
    },
)

MOUNT = {
    "target": Prop(kind="str", required=True),
    "type": Prop(kind="str", required=True, choices=("bind", "volume", "tmpfs")),
    "source": Prop(kind="str"),
    "readOnly": Prop(kind="bool"),
    "bindOptions": Prop(kind="object", item={"propagation": Prop(kind="str", choices=PROPAGATION)}),
    "tmpfsOptions": Prop(kind="object", item={"mode": Prop(kind="int"), "sizeBytes": Prop(kind="int")}),
}
PORT = {
    "internal": Prop(kind="int", required=True),
    "external": Prop(kind="int", computed=True),
    "ip": Prop(kind="str", default="0.0.0.0"),
    "protocol": Prop(kind="str", default="tcp"),
}
HEALTHCHECK = {
    "tests": Prop(kind="list"),
    **{k: Prop(kind="str", default="0s") for k in ("interval", "timeout", "startPeriod", "startInterval")},
    "retries": Prop(kind="int", default=0),
}

CONTAINER = Table(
    token="docker:index/container:Container",
    delete_first=True,
    meta={"__meta": META},
    props={
        "name": once("str", required=True),
        "image": once("str", required=True),
        "command": once("list", computed=True),
        "entrypoints": once("list", computed=True),
        "user": once("str", computed=True),
        "workingDir": once("str", computed=True),
        "hostname": once("str", computed=True),
        "envs": once("set", computed=True),
        "labels": once("set", item=LABEL, computed=True),
        # resources
        "restart": Prop(kind="str", default="no", choices=("no", "on-failure", "always", "unless-stopped")),
        "maxRetryCount": Prop(kind="int"),
        "memory": Prop(kind="int"),
        "memoryReservation": Prop(kind="int", default=0),
        "memorySwap": Prop(kind="int"),
        "cpuShares": Prop(kind="int"),
        "cpuSet": Prop(kind="str"),
        "cpus": once("str"),
        "shmSize": once("int", computed=True),
        "ulimits": once(
            "set",
            item={
                "name": Prop(kind="str", required=True),
                "soft": Prop(kind="int", required=True),
                "hard": Prop(kind="int", required=True),
            },
        ),
        # network
        "ports": once("list", item=PORT, by=("internal", "protocol")),
        "networkMode": once("str", default="bridge"),
        "networksAdvanced": once(
            "set",
            item={
                "name": Prop(kind="str", required=True),
                "aliases": Prop(kind="set"),
                "ipv4Address": Prop(kind="str"),
            },
        ),
        "hosts": once("set", item={"host": Prop(kind="str", required=True), "ip": Prop(kind="str", required=True)}),
        "dns": once("set"),
        # files
        "mounts": once("set", item=MOUNT),
        "volumes": once(
            "set",
            item={
                "containerPath": Prop(kind="str"),
                "hostPath": Prop(kind="str"),
                "volumeName": Prop(kind="str"),
                "readOnly": Prop(kind="bool"),
            },
        ),
        "tmpfs": Prop(kind="map"),
        "readOnly": once("bool", default=False),
        "devices": once(
            "set",
            item={
                "hostPath": Prop(kind="str", required=True),
                "containerPath": Prop(kind="str"),
                "permissions": Prop(kind="str", default="rwm"),
            },
        ),
        # rights
        "capabilities": once("object", as_asked=True, item={"adds": Prop(kind="set"), "drops": Prop(kind="set")}),
        "securityOpts": once("set", computed=True),
        "privileged": once("bool"),
        "pidMode": once("str"),
        "groupAdds": once("set"),
        "sysctls": once("map"),
        # logs
        "logDriver": once("str", computed=True),
        "logOpts": once("map"),
        # life
        "healthcheck": Prop(kind="object", item=HEALTHCHECK, computed=True),
        "init": Prop(kind="bool", computed=True),
        "stopSignal": once("str", computed=True),
        "stopTimeout": once("int", computed=True),
        "destroyGraceSeconds": Prop(kind="int"),
        "start": Prop(kind="bool", default=True),
        "mustRun": Prop(kind="bool", default=True),
        "wait": Prop(kind="bool", default=False),
        "waitTimeout": Prop(kind="int", default=60),
        "rm": Prop(kind="bool", default=False),
        "removeVolumes": Prop(kind="bool", default=True),
        "containerReadRefreshTimeoutMilliseconds": Prop(kind="int", default=15000),
        # outputs
        "bridge": Prop(kind="str", output=True),
        "exitCode": Prop(kind="int", output=True),
        "ipcMode": Prop(kind="str", output=True),
        "runtime": Prop(kind="str", output=True),
        "platform": Prop(kind="str", output=True),
        "networkDatas": Prop(kind="list", output=True, computed=True),
    },
)

CONFIG = Table(token="pulumi:providers:docker", props={"host": Prop(kind="str"), "sshOpts": Prop(kind="any")})

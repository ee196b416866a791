"""The named exceptions: which role may have which right, and why. Whoever adds one writes down the reason here."""

from __future__ import annotations

from dataclasses import dataclass

from configs import names

# What an exception can be about.
CAPABILITY = "capability"
DEVICE = "device"
MOUNT = "mount"
NETWORK = "network"
PID = "pid"
PORT = "port"
SECURITY = "security option"
SOCKET = "Docker socket"
SYSCTL = "kernel setting"

READ_ONLY = "read-only"


@dataclass(frozen=True)
class Allowed:
    """`value` is the one value that is allowed: another one of the same property is not."""

    role: str
    property: str
    value: str
    reason: str


_LOGS_OF_OTHERS = "root without rights may not read log files of other users"
_LOGS_OF_CONTAINERS = "reads the containers' logs through Docker"
_NODES = "the other nodes of a cluster, over the private network"
_DIALS = ("net.ipv4.tcp_syn_retries", "goes on to another node in seconds where one does not answer")

EXCEPTIONS: tuple[Allowed, ...] = (
    Allowed("caddy", PORT, str(names.CADDY_HTTPS_PORT), "people, and pushes over the internet"),
    Allowed("caddy", PORT, str(names.CADDY_HTTP_PORT), "redirects to HTTPS, and ACME"),
    Allowed("caddy", PORT, str(names.CADDY_PUSH_PORT), "pushes over the private network"),
    Allowed("caddy", PORT, str(names.CADDY_QUERY_PORT), "gates, status and a tunnel, on loopback"),
    Allowed("thanos-receive", PORT, str(names.THANOS_GRPC_PORT), _NODES),
    Allowed("thanos-rule", PORT, str(names.THANOS_GRPC_PORT), _NODES),
    Allowed("loki", PORT, str(names.LOKI_GRPC_PORT), _NODES),
    Allowed("loki", PORT, str(names.LOKI_GOSSIP_PORT), _NODES),
    Allowed("alertmanager", PORT, str(names.ALERTMANAGER_PORT), _NODES),
    Allowed("alertmanager", PORT, str(names.ALERTMANAGER_GOSSIP_PORT), _NODES),
    Allowed("agent", SYSCTL, *_DIALS),
    Allowed("promtail", SYSCTL, *_DIALS),
    Allowed("alloy", SYSCTL, *_DIALS),
    Allowed("caddy", CAPABILITY, "CAP_NET_BIND_SERVICE", "listens on 443 and 80 in its container"),
    Allowed("backup", CAPABILITY, "CAP_DAC_READ_SEARCH", "reads the data of services that run as other users"),
    Allowed("backup", CAPABILITY, "CAP_DAC_OVERRIDE", "writes backups into a folder of the host that others own"),
    Allowed("node-exporter", NETWORK, "host", "has to see the host's interfaces"),
    Allowed("node-exporter", PID, "host", "has to see the host's processes and mounts"),
    Allowed("node-exporter", SECURITY, "label=disable", "Docker adds it itself with the host's pid namespace"),
    Allowed("node-exporter", MOUNT, "/", "sizes of all file systems; no rights with which to open the socket in it"),
    Allowed("cadvisor", SOCKET, READ_ONLY, "names and labels of containers"),
    Allowed("cadvisor", MOUNT, "/", "file systems of containers; it has the socket in it anyway"),
    Allowed("cadvisor", DEVICE, "/dev/kmsg:r", "the kernel's log is where a container ran out of memory"),
    Allowed("cadvisor", CAPABILITY, "CAP_DAC_READ_SEARCH", "sizes of the containers' files"),
    Allowed("cadvisor", CAPABILITY, "CAP_SYS_PTRACE", "reads about processes of other users"),
    Allowed("cadvisor", CAPABILITY, "CAP_SYSLOG", "reads the kernel's log"),
    Allowed("promtail", SOCKET, READ_ONLY, _LOGS_OF_CONTAINERS),
    Allowed("promtail", CAPABILITY, "CAP_DAC_READ_SEARCH", _LOGS_OF_OTHERS),
    Allowed("alloy", SOCKET, READ_ONLY, _LOGS_OF_CONTAINERS),
    Allowed("alloy", CAPABILITY, "CAP_DAC_READ_SEARCH", _LOGS_OF_OTHERS),
)

_KNOWN = frozenset((one.role, one.property, one.value) for one in EXCEPTIONS)


def allowed(role: str, property: str, value: str) -> bool:
    """Whether a role has an exception for exactly this."""
    return (role, property, value) in _KNOWN


def named(property: str) -> str:
    """The roles that have an exception of this kind, for messages."""
    found = sorted({f"{one.role} ({one.value})" for one in EXCEPTIONS if one.property == property})
    return ", ".join(found) or "nobody"

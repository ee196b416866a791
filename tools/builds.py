"""What can be built from Go modules, as a table. The module versions are pinned in tools/offline/<folder>/go.mod.

A version written here is only what the program prints as its version; go.mod decides what is compiled, and the
check after a build compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Without these tags Prometheus compiles the SDK of every cloud: far longer, and 1.5 GB of memory per compile.
_PROMETHEUS_TAGS = "remove_all_sd,enable_docker_sd,enable_dns_sd"
_PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
_UI_PLACEHOLDER = (
    "<!doctype html><title>Alertmanager, offline build</title><p>This Alertmanager was built offline from its Go "
    "module, which carries no web page. The API works: silence alerts with amtool or in Grafana.</p>\n"
)


@dataclass(frozen=True)
class Build:
    """One program: `package` as seen from tools/offline/`folder`."""

    folder: str
    package: str
    version: str
    tags: str = ""
    version_variable: str = ""
    version_arguments: tuple[str, ...] = ("--version",)
    hint: str = ""
    copied_module: str = ""  # a module that only builds from a copy, because files are missing in it
    added_files: dict[str, str] = field(default_factory=dict)  # path in that copy -> text (gzipped if it ends so)


# By program: a module without a go.mod, and the language version that its code is written for. Go takes 1.16 for such
# a module, in which the turns of a loop share its variable: `docker image ls` of the containerd image store then names
# one image several times and others not at all.
LANGUAGES = {"dockerd": ("github.com/docker/docker", "go1.23"), "docker-proxy": ("github.com/docker/docker", "go1.23")}

BUILDS: dict[str, Build] = {
    "pulumi": Build(
        folder="pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        version="3.255.0",
        version_variable="github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
        version_arguments=("version",),
        hint="first time about 4 minutes",
    ),
    "pulumi-language-python": Build(
        folder="language",
        package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        version="",  # has no version flag
        version_arguments=("-help",),
        hint="first time about half a minute",
    ),
    "prometheus": Build(
        folder="prometheus",
        package="github.com/prometheus/prometheus/cmd/prometheus",
        version="3.16.0",
        tags=_PROMETHEUS_TAGS,
        version_variable=_PROMETHEUS_VERSION,
        hint="first time about 2 minutes",
    ),
    "promtool": Build(
        folder="prometheus",
        package="github.com/prometheus/prometheus/cmd/promtool",
        version="3.16.0",
        tags=_PROMETHEUS_TAGS,
        version_variable=_PROMETHEUS_VERSION,
        hint="first time about a minute",
    ),
    "vmagent": Build(
        folder="vmagent",
        package="github.com/VictoriaMetrics/VictoriaMetrics/app/vmagent",
        version="v1.151.0",
        version_variable="github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version",
        version_arguments=("-version",),
        hint="first time about a minute",
    ),
    "thanos": Build(
        folder="thanos",
        package="github.com/thanos-io/thanos/cmd/thanos",
        version="0.42.5",
        tags="netgo,slicelabels",  # the vendor's own; without the second Receive fails in its codec
        version_variable=_PROMETHEUS_VERSION,
        hint="first time about 4 minutes",
    ),
    "alertmanager": Build(
        folder="alertmanager",
        package="github.com/prometheus/alertmanager/cmd/alertmanager",
        version="0.34.1",
        version_variable=_PROMETHEUS_VERSION,
        hint="first time about a minute",
        copied_module="github.com/prometheus/alertmanager",
        added_files={"ui/app/dist/index.html.gz": _UI_PLACEHOLDER},
    ),
    "amtool": Build(
        folder="alertmanager",
        package="github.com/prometheus/alertmanager/cmd/amtool",
        version="0.34.1",
        version_variable=_PROMETHEUS_VERSION,
        hint="first time about half a minute",
    ),
    "restic": Build(
        folder="restic",
        package="github.com/restic/restic/cmd/restic",
        version="0.18.1",
        version_variable="main.version",
        version_arguments=("version",),
        hint="first time about a minute and a half",
    ),
    # For the drill of a large restore alone: blocks of random samples.
    "blocks": Build(folder="blocks", package=".", version="1", hint="first time about half a minute"),
    # For the tests alone: an S3 server.
    "versitygw": Build(
        folder="versitygw",
        package="github.com/versity/versitygw/cmd/versitygw",
        version="1.8.0",
        version_variable="main.Version",
        hint="first time about a minute and a half",
    ),
    "node_exporter": Build(
        folder="node-exporter",
        package="github.com/prometheus/node_exporter",
        version="1.12.1",
        version_variable=_PROMETHEUS_VERSION,
    ),
    "memcached_exporter": Build(
        folder="memcached-exporter",
        package="github.com/prometheus/memcached_exporter/cmd/memcached_exporter",
        version="0.16.0",
        version_variable=_PROMETHEUS_VERSION,
    ),
    "caddy": Build(
        folder="caddy",
        package="github.com/caddyserver/caddy/v2/cmd/caddy",
        version="v2.11.8",
        version_variable="github.com/caddyserver/caddy/v2.CustomVersion",
        version_arguments=("version",),
        hint="first time about 2 minutes",
    ),
    "loki": Build(
        folder="loki",
        package="github.com/grafana/loki/v3/cmd/loki",
        version="3.7.8",
        version_variable="github.com/grafana/loki/v3/pkg/util/build.Version",
        hint="first time about 6 minutes",
    ),
    "promtail": Build(
        folder="loki",
        package="./promtail",
        version="3.7.8",
        version_variable="github.com/grafana/loki/v3/pkg/util/build.Version",
        hint="first time about 4 minutes",
    ),
    "cadvisor": Build(
        folder="cadvisor",
        package=".",
        version="0.60.6",
        version_variable="github.com/google/cadvisor/lib/version.Version",
        hint="first time about half a minute",
    ),
    # The plugin behind `docker compose`, for Docker Engines that come without it.
    "docker-compose": Build(
        folder="compose",
        package="github.com/docker/compose/v2/cmd",
        version="v2.40.3",
        version_variable="github.com/docker/compose/v2/internal.Version",
        version_arguments=("version",),
        hint="first time about a minute and a half",
    ),
    # For the tests alone: an engine that keeps its images in containerd, as Docker 29 does by default.
    "dockerd": Build(
        folder="engine",
        package="github.com/docker/docker/cmd/dockerd",
        version="28.5.2",
        version_variable="github.com/docker/docker/dockerversion.Version",
        hint="first time about 4 minutes",
    ),
    "docker-proxy": Build(
        folder="engine",
        package="github.com/docker/docker/cmd/docker-proxy",
        version="28.5.2",
        version_variable="github.com/docker/docker/dockerversion.Version",
        hint="first time a few seconds",
    ),
    # For the tests alone: Alloy itself is no Go module that builds, its configuration language is one.
    "actionlint": Build(
        folder="actionlint",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        version="1.7.12",
        version_variable="github.com/rhysd/actionlint.version",
        hint="first time a few seconds",
    ),
    "alloy-syntax": Build(folder="alloy-syntax", package=".", version="0.1.0"),
}

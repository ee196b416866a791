# Installs with apt, as root, what is missing of Docker Engine and Docker Compose $COMPOSE; what is there stays. Compose is
# Docker's own plugin if apt has it, else a package of the release that is new enough, else Docker's, from Docker's apt
# repository, which is then set up; a missing engine comes from there too. The last line on stderr says why it failed.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
sources=/etc/apt/sources.list.d/fleetwatch-docker.list
keyring=/etc/apt/keyrings/fleetwatch-docker.asc

apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"; }
install_packages() { apt --no-install-recommends install "$@"; }
fail() {
    echo "$*" >&2
    exit 1
}
candidate() { # the version of a package that apt would install
    apt-cache policy "$1" 2> /dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}
new_enough() { # a version of Compose
    [ -n "$1" ] && dpkg --compare-versions "$1" ge "$COMPOSE" 2> /dev/null
}
has_compose() {
    version=$(docker compose version --short 2> /dev/null) && new_enough "${version#v}"
}
compose_package() {
    for package in docker-compose-plugin docker-compose-v2 docker-compose; do
        version=$(candidate "$package")
        if new_enough "${version#*:}"; then
            echo "$package"
            return
        fi
    done
}
docker_repository() {
    # shellcheck source=/dev/null
    . /etc/os-release
    url=https://download.docker.com/linux/$ID
    install_packages ca-certificates curl || return 1
    install -d -m 755 /etc/apt/keyrings
    curl -fsSL --retry 3 --max-time 60 -o "$keyring" "$url/gpg" || return 1
    chmod 644 "$keyring"
    echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $url ${VERSION_CODENAME:-} stable" > "$sources"
    apt update && [ "$(compose_package)" = docker-compose-plugin ]
}

if command -v dockerd > /dev/null && has_compose; then exit 0; fi
apt update
chosen=$(compose_package)
if [ -z "$chosen" ]; then
    echo "fleetwatch: apt has no Docker Compose $COMPOSE or newer, setting up Docker's repository"
    docker_repository || {
        rm -f "$sources" "$keyring" # else every later update of apt would report it
        fail "no package has Docker Compose $COMPOSE or newer, and Docker's repository (download.docker.com) does not serve this system; install both by hand (https://docs.docker.com/engine/install/)"
    }
    chosen=docker-compose-plugin
fi
if command -v dockerd > /dev/null; then
    install_packages "$chosen"
elif [ "$chosen" = docker-compose-plugin ] && [ -n "$(candidate docker-ce)" ]; then
    install_packages docker-ce docker-ce-cli containerd.io "$chosen" iptables apparmor ca-certificates
else
    # The client is a separate package since Debian 13.
    client=$([ -z "$(candidate docker-cli)" ] || echo docker-cli)
    # shellcheck disable=SC2086 # no word if there is none
    install_packages docker.io $client "$chosen" iptables apparmor ca-certificates
fi
has_compose || fail "$chosen was installed, but \`docker compose version --short\` answers '${version:-}'; expected $COMPOSE or newer"

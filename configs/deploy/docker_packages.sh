# Installs with apt, as root, what is missing of Docker Engine and Docker Compose $COMPOSE; what is there stays. A missing
# engine is of the major version $MAJOR from Docker's own apt repository, with the Compose plugin. Where that repository
# does not serve this system, both are the distribution's, and a line "fleetwatch: warning: ..." on stdout names the
# reason. The engine is held: its upgrade restarts every container. Security updates of the system are switched on.
# The last line on stderr says why it failed.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
sources=/etc/apt/sources.list.d/fleetwatch-docker.list
keyring=/etc/apt/keyrings/fleetwatch-docker.asc
preferences=/etc/apt/preferences.d/fleetwatch-docker
updates=/etc/apt/apt.conf.d/52fleetwatch-updates
fingerprint=9DC858229FC7DD38854AE2D88D81803C0EBFCD88 # of the key that signs Docker's packages for Debian and Ubuntu
reason=''

apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"; }
install_packages() { apt --no-install-recommends install "$@"; }
warn() { echo "fleetwatch: warning: $*"; }
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
docker_key() { # the fingerprint of the only key in the file, or how many there are
    home=$(mktemp -d)
    gpg --homedir "$home" --batch --show-keys --with-colons "$keyring" 2> /dev/null | awk -F : '
        $1 == "pub" { keys++ }
        $1 == "fpr" && first == "" { first = $10 }
        END { print keys == 1 ? first : keys + 0 " keys" }
    '
    rm -rf "$home"
}
# From Docker's repository nothing but its own packages, and the engine of one major version.
pin() {
    echo "Package: docker-ce docker-ce-cli
Pin: version 5:$MAJOR.*
Pin-Priority: 900

Package: docker-ce docker-ce-cli
Pin: origin download.docker.com
Pin-Priority: -1"
    # A repository that somebody else set up also has packages that they use.
    [ ! -e "$sources" ] || echo "
Package: containerd.io docker-buildx-plugin docker-ce-rootless-extras docker-compose-plugin
Pin: origin download.docker.com
Pin-Priority: 500

Package: *
Pin: origin download.docker.com
Pin-Priority: -1"
}
add_source() {
    url=https://download.docker.com/linux/$ID
    # Two sources with different keys for one repository are an error of apt.
    if grep -rqsF download.docker.com /etc/apt/sources.list /etc/apt/sources.list.d; then return; fi
    install_packages ca-certificates curl gpg || { reason='curl and gpg could not be installed'; return 1; }
    install -d -m 755 /etc/apt/keyrings
    output=$(curl -fsSL --proto =https --retry 2 --connect-timeout 15 --max-time 60 -o "$keyring" "$url/gpg" 2>&1) ||
        { reason="$url/gpg could not be fetched ($(printf '%s' "$output" | tail -n 1))"; return 1; }
    found=$(docker_key)
    [ "$found" = "$fingerprint" ] ||
        { reason="$url/gpg is not Docker's key (expected the fingerprint $fingerprint, got $found)"; return 1; }
    chmod 644 "$keyring"
    echo "deb [arch=$(dpkg --print-architecture) signed-by=$keyring] $url ${VERSION_CODENAME:-} stable" > "$sources"
}
docker_repository() { # whether apt has the engine and the plugin from it; otherwise $reason
    # shellcheck source=/dev/null
    . /etc/os-release
    add_source || { forget_source; return 1; }
    install -d -m 755 "${preferences%/*}"
    pin > "$preferences"
    output=$(apt update 2>&1) || true
    if [ -n "$(candidate docker-ce)" ] && [ -n "$(candidate docker-compose-plugin)" ]; then return; fi
    majors=$(apt-cache madison docker-ce 2> /dev/null | sed -n 's/^[^|]*| *5:\([0-9]*\)[.].*/\1/p' | sort -nu | tr '\n' ' ')
    failed=$(printf '%s\n' "$output" | grep -E '^(W|E|Err)' | tail -n 1 || true)
    forget_source
    [ -z "$majors" ] || [ -n "$(printf '%s' "$majors" | awk -v major="$MAJOR" '{ for (i = 1; i <= NF; i++) if ($i == major) print $i }')" ] ||
        fail "Docker's repository has no Docker Engine $MAJOR for $ID ${VERSION_CODENAME:-} (it has ${majors% }); set docker.major in the stack file to one of them"
    reason="$url has no packages for $ID ${VERSION_CODENAME:-}${failed:+ ($failed)}"
    return 1
}
forget_source() { rm -f "$sources" "$keyring" "$preferences"; } # else every later update of apt would report it
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]; }
hold() {
    for package in docker-ce docker-ce-cli containerd.io docker.io containerd; do
        if is_installed "$package"; then apt-mark hold "$package"; fi
    done
}
switch_on() {
    # An administrator's own decision stays.
    [ -n "$(apt-config dump APT::Periodic::Unattended-Upgrade 2> /dev/null)" ] ||
        printf 'APT::Periodic::%s "1";\n' Update-Package-Lists Unattended-Upgrade > "$updates"
}
security_updates() {
    install_packages unattended-upgrades || {
        warn "the package unattended-upgrades could not be installed: security updates of the system are not installed by themselves"
        return 0
    }
    switch_on
}

if command -v dockerd > /dev/null && has_compose; then
    hold
    # A droplet's image with Docker: the readiness step calls this script only where something is missing.
    if is_installed unattended-upgrades; then switch_on; fi
    exit 0
fi
apt update
vendor="docker-ce docker-ce-cli containerd.io docker-compose-plugin"
needed="iptables apparmor ca-certificates"
if command -v dockerd > /dev/null; then
    chosen=$(compose_package)
    if [ -z "$chosen" ]; then
        echo "fleetwatch: apt has no Docker Compose $COMPOSE or newer, setting up Docker's repository"
        docker_repository ||
            fail "no package has Docker Compose $COMPOSE or newer, and Docker's own repository cannot be used, because $reason; install it by hand (https://docs.docker.com/compose/install/linux/)"
        chosen=docker-compose-plugin
    fi
    install_packages "$chosen"
elif docker_repository; then
    chosen=docker-compose-plugin
    # shellcheck disable=SC2086 # lists of packages
    install_packages $vendor $needed
else
    chosen=$(compose_package)
    [ -n "$chosen" ] ||
        fail "Docker's own repository cannot be used, because $reason, and no package of the distribution has Docker Compose $COMPOSE or newer; install both by hand (https://docs.docker.com/engine/install/)"
    # The client is a separate package since Debian 13.
    client=$([ -z "$(candidate docker-cli)" ] || echo docker-cli)
    # shellcheck disable=SC2086 # lists of packages, maybe empty
    install_packages docker.io $client "$chosen" $needed
    warn "Docker Engine is the distribution's ($(candidate docker.io)) instead of $MAJOR from Docker's own repository, because $reason"
fi
hold
security_updates
has_compose || fail "$chosen was installed, but \`docker compose version --short\` answers '${version:-}'; expected $COMPOSE or newer"

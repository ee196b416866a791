# Ends once $HOST can run containers: first boot done, Docker and Compose installed and new enough, free disk, the
# networks, folders and ports that the stack file names ($NETWORKS, $FOLDERS, $PORTS: one each line). Fails with what is
# missing before anything of fleetwatch is on the host. Changes: $INSTALL, a script, installs Docker and Compose, $FILES
# is made, a user who may sudo joins the group docker, and a hub with a private address gets $LATE_ADDRESS, a file of
# sysctl. Follows engine.sh.
set -eu
fail() {
    echo "host $HOST: $*" >&2
    exit 1
}
place="hosts.$HOST"
[ "$HOST" != hub ] || place=hub
# $no_root: why this user is not root and cannot become it; $allow: what changes that.
me=$(id -un) sudo='' no_root='' allow="set $place.server.user: root"
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo > /dev/null; then
        no_root='there is no sudo'
    elif output=$(LC_ALL=C sudo -n true 2>&1 < /dev/null); then
        sudo='sudo -n'
    else
        rule="\`$me ALL=(ALL) NOPASSWD: ALL\`"
        case $output in
            *'must have a tty'*) no_root="sudo requires a terminal for $me (\`requiretty\`)" rule="\`Defaults:$me !requiretty\`" ;;
            *'password is required'* | *'authentication is required'*) no_root="sudo wants a password from $me" ;;
            *) no_root="sudo refuses $me ($(printf '%s' "$output" | tail -n 1))" ;;
        esac
        allow="add the line $rule there (\`visudo -f /etc/sudoers.d/$me\`), or $allow"
    fi
fi
report_warnings() { sed -n "s/^fleetwatch: warning: /host $HOST: warning: /p" | sort -u >&2; }

if [ "$BOOTING" = yes ] && command -v cloud-init > /dev/null; then
    # 2 is "done, with something that could be recovered from" (cloud-init 23.4 and later).
    code=0
    timeout "$PATIENCE" cloud-init status --wait > /dev/null || code=$?
    case $code in
        0 | 2) ;;
        124) fail "its first boot (cloud-init) is not done after $PATIENCE s; /var/log/cloud-init-output.log on it shows its progress; run the update again" ;;
        *) fail "its first boot (cloud-init) failed; the end of /var/log/cloud-init-output.log:
$(tail -n 15 /var/log/cloud-init-output.log 2> /dev/null)" ;;
    esac
    BOOT_LOG=${BOOT_LOG:-/var/log/cloud-init-output.log}
    [ ! -r "$BOOT_LOG" ] || report_warnings < "$BOOT_LOG"
fi

engine=https://docs.docker.com/engine/install/
plugin=https://docs.docker.com/compose/install/linux/
install_missing() { # $1: what is expected, $2: its guide
    [ "$BOOTING" != yes ] || fail "expected $1; its first boot was to install it, /var/log/cloud-init-output.log on it shows why it did not"
    [ -n "$INSTALL" ] || fail "expected $1; install it ($2) or set $place.server.install_docker: true"
    [ -z "$no_root" ] || fail "install_docker needs root on it, and $no_root; $allow"
    command -v apt-get > /dev/null || fail "install_docker supports apt only; expected $1; install it by hand ($2)"
    echo "host $HOST: installing Docker and Compose with apt, where missing" >&2
    output=$($sudo sh -c "$INSTALL" 2>&1 < /dev/null) ||
        fail "installing Docker failed: $(printf '%s' "$output" | tail -n 3)"
    printf '%s\n' "$output" | report_warnings
}
older() { # whether version $1 is older than $2
    [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

if ! command -v docker > /dev/null; then
    install_missing "Docker Engine $MINIMUM or newer, it is not installed" "$engine"
    $sudo service docker start > /dev/null 2>&1 || true
fi

since=$(date +%s)
docker='docker'
until version=$($docker version -f '{{.Server.Version}}' 2>&1); do
    case $docker:$version in
        docker:*'ermission denied'*)
            [ -z "$no_root" ] ||
                fail "user $me may not use Docker on it, and $no_root; run \`usermod -aG docker $me\` as root there, or $allow"
            # Docker's own connection runs as this user without sudo. A user who may sudo could do the same.
            output=$($sudo usermod -aG docker "$me" 2>&1) ||
                fail "user $me may not use Docker on it and could not be added to the group docker: $output"
            echo "host $HOST: $me may use sudo and was added to the group docker" >&2
            docker="$sudo docker"
            continue
            ;;
    esac
    passed=$(($(date +%s) - since))
    [ "$passed" -lt 120 ] || fail "Docker does not answer after $passed s: $version"
    sleep 2
done
! older "$version" "$MINIMUM" || fail "expected Docker Engine $MINIMUM or newer, found $version; see $engine"
for reason in "$(unsuited)" "$(foreign)"; do
    [ -z "$reason" ] || fail "$reason"
done
known_bad "$version" | sed "s/^/host $HOST: warning: /" >&2

compose_version() { # whether the plugin is new enough, for this user: later connections do not use sudo
    have=$(docker compose version --short 2> /dev/null) || have=''
    have=${have#v} found=${have:-none}
    if [ -z "$have" ] && command -v docker-compose > /dev/null; then found='the program docker-compose alone, not the plugin'; fi
    [ -n "$have" ] && ! older "$have" "$COMPOSE"
}
compose_version || {
    install_missing "Docker Compose $COMPOSE or newer (\`docker compose version\`), found $found" "$plugin"
    compose_version || fail "expected Docker Compose $COMPOSE or newer after its installation, found $found; \`docker info\` on it shows the path of the plugin that comes first"
}
major=${have%%.*}
[ "$major" -le "$COMPOSE_TESTED" ] 2> /dev/null ||
    echo "host $HOST: Docker Compose $have was not tested; tested are $COMPOSE to $COMPOSE_TESTED.x" >&2

if ! mkdir -p "$FILES" 2> /dev/null || ! [ -w "$FILES" ]; then
    [ -z "$no_root" ] ||
        fail "$me cannot write to $FILES, and $no_root; make it (\`install -d -o $me $FILES\` as root), set $place.server.files to a folder that $me can make, or $allow"
    $sudo install -d -o "$me" "$FILES"
fi

# Docker starts no container with a port on an address that its host does not have yet, and does not try again. At a boot
# an address of a VPN, or of a slow network, may come after Docker; with this setting the port is published before it.
NONLOCAL=${NONLOCAL:-/proc/sys/net/ipv4/ip_nonlocal_bind}
if [ -n "$LATE_ADDRESS" ] && { [ ! -e "$LATE_ADDRESS" ] || [ "$(cat "$NONLOCAL")" != 1 ]; }; then
    # What it was before, of this stack or of another one on this host: leave_host.sh sets it back.
    before=$(sed -n 's/^# before: //p' "$LATE_ADDRESS" "$(dirname "$LATE_ADDRESS")"/60-*.conf 2> /dev/null | head -n 1)
    [ "${before:=$(cat "$NONLOCAL")}" = 0 ] || before=1
    output=$($sudo sh -c "printf '# before: %s\\n%s\\n' '$before' 'net.ipv4.ip_nonlocal_bind = 1' > '$LATE_ADDRESS' && echo 1 > '$NONLOCAL'" 2>&1) ||
        echo "host $HOST: warning: at a boot its private address may come after Docker, which then does not start Caddy (\`docker start $STACK-caddy\` does); $LATE_ADDRESS with \`net.ipv4.ip_nonlocal_bind = 1\` prevents it and could not be written: $(printf '%s' "$output" | tail -n 1)" >&2
fi

ours=$($docker ps -q --filter "label=fleetwatch.stack=$STACK")
root=$($docker info -f '{{.DockerRootDir}}')
unmeasured "$root" | sed "s/^/host $HOST: warning: /" >&2
free=$($sudo df -Pk "$root" 2> /dev/null | awk 'NR == 2 { print int($4 / 1024) }')
# With containers of fleetwatch the images are there, and an update may be what frees a full disk.
[ -n "$ours" ] || [ -z "$free" ] || [ "$free" -ge "$DISK" ] || fail "expected $DISK MB of free disk where Docker keeps its data ($root), $free MB are free; \`docker system df\` on it shows what Docker uses"
there=$($docker network ls --format '{{.Name}}')
known=$(printf '%s\n' "$there" | grep -vxE 'bridge|host|none' | tr '\n' ' ' | sed 's/ $//; s/ /, /g')
# Descriptor 3: what runs in a loop must not read the rest of the list.
while IFS= read -r network <&3; do
    [ -n "$network" ] || continue
    printf '%s\n' "$there" | grep -qxF -e "$network" ||
        fail "hosts.$HOST.networks: expected a Docker network of that host (${known:-none}), got $network; \`docker network create $network\` on it makes it"
done 3<<EOF
$NETWORKS
EOF
while IFS= read -r folder <&3; do
    [ -n "$folder" ] || continue
    $sudo [ -d "$folder" ] || fail "hosts.$HOST.logs: expected the folder $folder on that host, it does not exist"
done 3<<EOF
$FOLDERS
EOF
while IFS= read -r port <&3; do
    [ -n "$port" ] || continue
    [ -z "$ours" ] || break # the hub's own
    if cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | awk -v port="$(printf '%04X' "$port")" '$4 == "0A" && substr($2, length($2) - 3) == port { found = 1 } END { exit !found }'; then
        fail "hub.ports: expected port $port to be free on that host, another program listens on it (\`ss -ltnp\` shows which)"
    fi
done 3<<EOF
$PORTS
EOF
echo "Docker $version, Compose $have"

# Ends once $HOST can take containers: first boot done, Docker there and new enough, room on its disk, the networks,
# folders and ports that the stack file speaks of. Says what is missing before anything of ours is on the host; changes
# nothing but what is asked for: $INSTALL=yes installs Docker, $FILES is made, a sudoer joins the group of Docker.
set -eu
fail() {
    echo "host $HOST: $*" >&2
    exit 1
}
place="hosts.$HOST"
[ "$HOST" != hub ] || place=hub
sudo=''
if [ "$(id -u)" != 0 ] && command -v sudo > /dev/null && sudo -n true 2> /dev/null; then sudo='sudo -n'; fi

if [ "$BOOTING" = yes ] && command -v cloud-init > /dev/null; then
    # 2 is "done, with something that could be recovered from" (cloud-init 23.4 and later).
    code=0
    timeout "$PATIENCE" cloud-init status --wait > /dev/null || code=$?
    case $code in
        0 | 2) ;;
        124) fail "its first boot (cloud-init) is not done after $PATIENCE s; /var/log/cloud-init-output.log there says how far it is; run the update again" ;;
        *) fail "its first boot (cloud-init) failed; the end of /var/log/cloud-init-output.log:
$(tail -n 15 /var/log/cloud-init-output.log 2> /dev/null)" ;;
    esac
fi

if ! command -v docker > /dev/null; then
    [ "$BOOTING" != yes ] || fail "expected Docker after its first boot, there is none; /var/log/cloud-init-output.log there says why"
    [ "$INSTALL" = yes ] || fail "expected Docker Engine $MINIMUM or newer, there is none; install it (https://docs.docker.com/engine/install/) or set $place.server.install_docker: true"
    [ "$(id -u)" = 0 ] || [ -n "$sudo" ] || fail "install_docker needs root or sudo without a password for $(id -un)"
    command -v apt-get > /dev/null || fail "install_docker knows apt only; install Docker by hand (https://docs.docker.com/engine/install/)"
    echo "host $HOST: installing Docker (docker.io) with apt" >&2
    said=$($sudo sh -c 'export DEBIAN_FRONTEND=noninteractive
        apt-get -q -o DPkg::Lock::Timeout=300 update && apt-get -q -y -o DPkg::Lock::Timeout=300 install docker.io iptables' 2>&1) ||
        fail "installing Docker failed: $(printf '%s' "$said" | tail -n 3)"
    $sudo service docker start > /dev/null 2>&1 || true
fi

tries=0
docker='docker'
until version=$($docker version -f '{{.Server.Version}}' 2>&1); do
    case $docker:$version in
        docker:*'ermission denied'*)
            [ -n "$sudo" ] || fail "user $(id -un) may not use Docker there: \`sudo usermod -aG docker $(id -un)\` on it"
            # Docker's own connection runs as this user without sudo; who may sudo could do the same.
            $sudo usermod -aG docker "$(id -un)"
            echo "host $HOST: $(id -un) may use sudo and was added to the group docker" >&2
            docker="$sudo docker"
            continue
            ;;
    esac
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || fail "Docker does not answer after two minutes: $version"
    sleep 2
done
oldest=$(printf '%s\n%s\n' "$MINIMUM" "$version" | sort -V | head -n 1)
[ "$oldest" = "$MINIMUM" ] || fail "expected Docker Engine $MINIMUM or newer, found $version; https://docs.docker.com/engine/install/ says how to update it"

if ! mkdir -p "$FILES" 2> /dev/null || ! [ -w "$FILES" ]; then
    [ -n "$sudo" ] || fail "$(id -un) cannot write to $FILES; make it (\`install -d -o $(id -un) $FILES\` as root) or set $place.server.files"
    $sudo install -d -o "$(id -un)" "$FILES"
fi

ours=$($docker ps -q --filter "label=fleetwatch.stack=$STACK")
root=$($docker info -f '{{.DockerRootDir}}')
free=$($sudo df -Pk "$root" 2> /dev/null | awk 'NR == 2 { print int($4 / 1024) }')
# With containers of ours the images are there, and a disk that fills up must not keep its own remedy away.
[ -n "$ours" ] || [ -z "$free" ] || [ "$free" -ge "$DISK" ] || fail "expected $DISK MB of free disk where Docker keeps its data ($root), $free MB are free; \`docker system df\` there shows what Docker uses"
there=$($docker network ls --format '{{.Name}}')
known=$(printf '%s\n' "$there" | grep -vxE 'bridge|host|none' | tr '\n' ' ' | sed 's/ $//; s/ /, /g')
for network in $NETWORKS; do
    printf '%s\n' "$there" | grep -qxF "$network" ||
        fail "hosts.$HOST.networks: expected a Docker network of that host (${known:-none}), got $network; \`docker network create $network\` there makes it"
done
for folder in $FOLDERS; do
    $sudo [ -d "$folder" ] || fail "hosts.$HOST.logs: expected the folder $folder on that host, it does not exist"
done
for port in $PORTS; do
    [ -z "$ours" ] || break # taken by ourselves
    if cat /proc/net/tcp /proc/net/tcp6 2> /dev/null | awk -v port="$(printf '%04X' "$port")" '$4 == "0A" && substr($2, length($2) - 3) == port { found = 1 } END { exit !found }'; then
        fail "hub.ports: expected port $port to be free there, another program listens on it (\`ss -ltnp\` says which)"
    fi
done
echo "Docker $version"

# Functions for ready.sh and ready_host.sh about an engine that answers. $docker is the docker command, $sudo makes root
# of one.
set -eu
# Prints why the containers of an edge cannot run there as they have to, or nothing.
unsuited() {
    case $($docker info -f '{{json .SecurityOptions}}' 2> /dev/null) in
        *name=rootless*)
            echo "expected a Docker Engine that runs as root, this one is rootless, which sees its own namespace instead of the host; use the system's engine (https://docs.docker.com/engine/install/), a rootless one may run beside it"
            ;;
        *name=userns*)
            echo "expected a Docker Engine without user namespaces (userns-remap), with which Docker refuses containers in the host's network, as the node exporter is; remove \`userns-remap\` from /etc/docker/daemon.json, or use another engine"
            ;;
    esac
}
# Prints what would be measured wrongly, one sentence each line.
unmeasured() {
    disk=$($sudo df -P "$1" 2> /dev/null | awk 'NR == 2 { print $6 }')
    case $disk in
        '' | / | /var | /var/lib | /var/lib/docker) ;;
        *) echo "Docker keeps its data in $1, on the file system $disk: the alert AgentBufferFilling looks at the system's disk instead (VolumeFull covers $disk)" ;;
    esac
    [ -n "$(awk '$5 == "/" && / shared:/' "${MOUNTINFO:-/proc/self/mountinfo}" 2> /dev/null)" ] ||
        echo 'its mounts are private, so the containers see a disk that is mounted later only after a restart, until then with the numbers of the disk below; `mount --make-rshared /` before Docker starts mends it (systemd does that)'
}

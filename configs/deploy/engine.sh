# Functions for ready.sh and ready_host.sh about an engine that answers. $docker is the docker command, $sudo makes root
# of one. $KNOWN_BAD has an engine's first bad version, the first good one and a sentence, one each line. $PLATFORMS are
# the processors that the pinned images exist for; $LOCAL_IMAGES those of the host's images that no registry has, made on
# a machine with the processor $MADE_FOR.
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
# Prints why the images cannot run on the engine's processor, or nothing.
foreign() {
    arch=$($docker version -f '{{.Server.Arch}}' 2> /dev/null) || arch=''
    if [ -n "$arch" ] && [ -n "${LOCAL_IMAGES:-}" ] && [ "$arch" != "$MADE_FOR" ]; then
        echo "its processor is $arch, but images of this stack were made for $MADE_FOR on the machine that runs the program, because it reaches no registry ($(printf '%s\n' "$LOCAL_IMAGES" | head -n 1), ...); run the program where the vendors' images can be pulled, which exist for $PLATFORMS, or use a host with $MADE_FOR"
        return
    fi
    case " $PLATFORMS " in
        *" ${arch:-${PLATFORMS%% *}} "*) ;;
        *) echo "expected a processor of one of $PLATFORMS, for which the pinned images exist, this one is $arch" ;;
    esac
}
# Prints what is known to be bad about version $1 of the engine, one sentence each line.
known_bad() {
    printf '%s\n' "$KNOWN_BAD" | awk -v version="$1" '
        function number(text, part) {
            split(text, part, /[^0-9]+/)
            return (part[1] * 1000 + part[2]) * 1000 + part[3]
        }
        NF && number(version) >= number($1) && number(version) < number($2) {
            sub(/^[^ ]+ [^ ]+ /, "")
            print "Docker Engine " version ": " $0
        }
    '
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

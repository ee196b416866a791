# Functions for what follows. `pull_missing` pulls, all at once, the images that are not on $HOST; one that is there is
# taken as it is. Of each number n in $NUMBERS there are $ROLE_n, $IMAGE_n and $KEY_n, its key under `images`. It fails
# with the reason before anything was changed.
set -eu
fail() {
    echo "host $HOST: $*" >&2
    exit 1
}
of() { eval "printf '%s' \"\${$1_$2}\""; }
pull_missing() {
    images=$(for n in $NUMBERS; do of IMAGE "$n"; echo; done)
    # shellcheck disable=SC2086 # a list of images
    ! docker image inspect $images > /dev/null 2>&1 || return 0
    pulls=$(mktemp -d) failed='' started=''
    for n in $NUMBERS; do
        image=$(of IMAGE "$n")
        ! docker image inspect "$image" > /dev/null 2>&1 || continue
        for before in $NUMBERS; do # two roles may share an image
            [ "$before" != "$n" ] || break
            [ "$(of IMAGE "$before")" != "$image" ] || continue 2
        done
        case $image in
            fleetwatch.local/*)
                echo "no registry has it, because it was made on the machine that runs the program. Copy it: \`docker save $image | ssh <that host> docker load\`" > "$pulls/$n"
                failed="$failed $n"
                continue
                ;;
        esac
        echo "host $HOST: pulling $image" >&2
        docker pull -q "$image" > /dev/null 2> "$pulls/$n" 9>&- &
        started="$started $n:$!"
    done
    for one in $started; do wait "${one#*:}" || failed="$failed ${one%%:*}"; done
    for n in $failed; do
        image=$(of IMAGE "$n")
        case $image in
            fleetwatch.local/*) hint='' ;;
            *) hint=". Check \`images.$(of KEY "$n")\` in the stack file, and on that host \`docker pull $image\` (a private registry needs \`docker login\` there)" ;;
        esac
        echo "host $HOST: the image $image ($(of ROLE "$n")) is not there and could not be pulled: $(tail -n 1 "$pulls/$n")$hint" >&2
    done
    rm -rf "$pulls"
    [ -z "$failed" ] || fail 'nothing was changed, what ran before still runs'
}

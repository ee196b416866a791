# Read by the other scripts of this folder: settings, where things are, restic, and what is noted about a part.
. /etc/backup/settings
STATE=/state
FULL='no space left|quota|InsufficientStorage|StorageFull|not enough space'
export RESTIC_REPOSITORY="$REPOSITORY"
export RESTIC_PASSWORD_FILE=/run/secrets/fleetwatch/password
export AWS_SHARED_CREDENTIALS_FILE=/run/secrets/fleetwatch/s3
export RESTIC_CACHE_DIR="$STATE/cache" RESTIC_PROGRESS_FPS=0.2 TMPDIR="$STATE/tmp" HOME="$STATE/tmp"
[ -z "${REGION:-}" ] || export AWS_DEFAULT_REGION="$REGION"

# A JSON answer's one number, whichever store gave it: [1764362000,"240"].
number() {
    sed -n 's/.*"value":\[[^,]*,"\([^"]*\)"\].*/\1/p' | cut -d . -f 1
}

# How much of a part is there at the time $3 (seconds): samples of `up` of one hour and of one day, or lines of one hour.
# $1: part, $2: the store's address.
count() {
    case $1 in
        metrics)
            for window in 1h 1d; do
                found=$(timeout 60 wget -q -O - --post-data "time=$3&query=sum(count_over_time(up%5B$window%5D))" \
                    "http://$2/api/v1/query" | number)
                echo "samples of up in $window: ${found:-0}"
            done
            ;;
        logs)
            found=$(timeout 60 wget -q -O - --post-data "time=${3}000000000&query=sum(count_over_time(%7Bjob%3D~%22.%2B%22%7D%5B1h%5D))" \
                "http://$2/loki/api/v1/query" | number)
            echo "lines in 1h: ${found:-0}"
            ;;
    esac
}

# What is noted: the store's own count at a time that is over when the copy begins; $3 are the seconds of it.
note() {
    { echo "at $3" && count "$1" "$2" "$3"; } > "$STATE/notes/$1"
}
past() { echo $(($(date +%s) - 5)); }

# Wait until everything that Loki had in memory is in chunks and named in its index; the address is $1. `/flush` only
# begins that. The WAL alone does not keep a line: when Loki reads its WAL it drops the lines of a stream that it had
# flushed, forgotten and begun again, because it counts a stream's lines from one again.
flushed() {
    timeout 600 wget -q -O /dev/null --post-data '' "http://$1/flush" 2> /dev/null
    for _ in $(seq 300); do
        wget -q -O - "http://$1/metrics" 2> /dev/null | awk '
            /^loki_ingester_(flush_queue_length|chunks_flush_requests_total)[ {]/ { left += $2 }
            /^loki_ingester_(chunks_flushed_total|chunks_flush_failures_total)[ {]/ { left -= $2 }
            END { exit left > 0 }' && return
        sleep 1
    done
    echo "Loki has not flushed its lines after 5 minutes; the count noted with this backup may be too high" >&2
}

# The hashes of a folder's files.
sums() {
    (cd "$1" && find . -type f ! -path './.fleetwatch*' ! -path './state/*' -exec sha256sum {} + | sort -k 2)
}

# Why restic failed, as one sentence: $1 is its exit code, $2 the file with its messages.
reason() {
    case $1 in
        10) echo "there is no repository at the destination" && return ;;
        11) echo "another run holds the repository's lock" && return ;;
        12) echo "hub.backup.password is not the password of the repository" && return ;;
    esac
    if grep -qiE "$FULL" "$2"; then
        echo "the destination is full"
    elif grep -qiE 'access.?denied|InvalidAccessKeyId|SignatureDoesNotMatch|forbidden|permission denied' "$2"; then
        echo "the destination refuses access"
    elif grep -qiE 'NoSuchBucket|bucket does not exist' "$2"; then
        echo "there is no such bucket at the destination"
    elif [ "$1" = 143 ] || [ "$1" = 130 ] || [ "$1" = 124 ] ||
        grep -qiE 'signal terminated|context canceled|dial tcp|connection re(fused|set)|no such host|timeout|deadline|unreachable|EOF' "$2"; then
        echo "the destination cannot be reached"
    elif [ "$1" = 3 ]; then
        echo "some files could not be read"
    else
        echo "restic failed, its message is in the container's log"
    fi
}

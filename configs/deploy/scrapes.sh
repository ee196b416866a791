# Functions for project.sh: whether the agent can scrape its targets, in seconds and not at the next interval.
#
# A scrape has its place in the interval by a hash, up to a whole interval after the agent's start. So where the agent is
# new, the jobs $FAST are scraped each $BRIEF seconds until all had their first scrape, on a host that is too busy to answer
# within these each $LONG seconds; then it starts again with its real configuration ($SCRAPES, a file of the project). It
# has no backlog that this could cost. A reload would do for no agent:
# Prometheus marks the series of a shorter interval as gone until the next scrape of the longer one.
# Any other targets of ours are read once from inside the agent's container. Jobs that are not in $OURS are the user's: what
# cannot be scraped there is a warning. Those of $JUDGED are judged by the agent's own scrape, which alone has their
# credentials and reads their answers; trial.sh has the rest of them.
agent="$PREFIX-agent"

# The agent's targets: job, URL, time of the last scrape and its error, with tabs between.
targets() {
    docker exec "$agent" wget -q -O - "http://localhost:$AGENT_PORT/api/v1/targets?state=active" 2> /dev/null | awk '
        function field(name,    found) {
            if (!match(part[i], "\"" name "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
            found = substr(part[i], RSTART + length(name) + 4, RLENGTH - length(name) - 5)
            gsub(/\\"/, "\"", found)
            gsub(/\\[ntr]/, " ", found)
            gsub(/\\u0026/, "\\&", found) # Go writes `&`, `<` and `>` so
            gsub(/\\u003c/, "<", found)
            gsub(/\\u003e/, ">", found)
            return found
        }
        {
            count = split($0, part, /\{"discoveredLabels":/)
            for (i = 2; i <= count; i++)
                print field("scrapePool") "\t" field("scrapeUrl") "\t" field("lastScrape") "\t" field("lastError")
        }
    '
}

# The configuration with the jobs of $FAST at $1 seconds.
briefly() {
    awk -v fast=" $FAST " -v brief="$1" '
        /^- job_name: / { job = $3; gsub(/["\047]/, "", job); quick = index(fast, " " job " ") }
        quick && /^  scrape_interval: / { print "  scrape_interval: " brief "s\n  scrape_timeout: " brief "s"; next }
        quick && /^  scrape_timeout: / { next }
        { print }
    ' "$DIR.scrapes"
}
place_scrapes() { # what comes in on stdin is the agent's configuration from now on
    cat > "$DIR.brief"
    chmod 644 "$DIR.brief"
    mv -f "$DIR.brief" "$DIR/$SCRAPES"
}
restore_scrapes() { # the agent's own configuration, if a run that ends had replaced it
    [ -e "$DIR.scrapes" ] || return 0
    place_scrapes < "$DIR.scrapes"
    rm -f "$DIR.scrapes"
    docker restart "$agent" > /dev/null || true
}

# One line for each target of the jobs $1 that had no scrape without an error since $2, the targets of before. Those of
# the user are content with any scrape. One that was never scraped has the time of year 1 (Prometheus) or 1970 (vmagent).
waiting() {
    targets > "$DIR.targets"
    printf '%s\n' "$2" | awk -F '\t' -v jobs=" $1 " -v ours=" $OURS " '
        FNR == NR { was[$1 "\t" $2] = $3; next }
        index(jobs, " " $1 " ") {
            found[$1] = 1
            if (($3 == was[$1 "\t" $2] || $3 !~ /^2/) || ($4 != "" && index(ours, " " $1 " "))) print $1 "\t" $2 "\t" $4
        }
        END {
            count = split(jobs, job, " ")
            for (i = 1; i <= count; i++) if (!(job[i] in found)) print job[i] "\t\t"
        }
    ' - "$DIR.targets"
}

# Ends with the lines of `waiting` in $1, and with the rule that a firewall of the host needs where one may be the reason.
fail_scrapes() {
    printf '%s\n' "$1" | awk -F '\t' -v host="$HOST" '{
        print "host " host ": job " $1 ": " ($2 == "" ? "the agent does not know it" : $4 != "" ? $4 : $3 != "" ? $3 " (" $2 ")" : "not scraped (" $2 ")")
    }' >&2
    firewall_hint "$1" >&2
    fail "the agent cannot scrape what is named above"
}

# Of lines about the host itself that end in silence: which firewall is there and the rule that lets the containers in.
firewall_hint() {
    port=$(printf '%s\n' "$1" | sed -n -E "/deadline exceeded|timeout|timed out|no answer within|unreachable|no route/s#.*//($GATEWAY|host\.docker\.internal):([0-9]+).*#\2#p" | head -n 1)
    [ -n "$port" ] || return 0
    if grep -qs '^ENABLED=yes' "${ETC:-/etc}/ufw/ufw.conf"; then
        found="ufw is active there and may drop it" rule="ufw allow from $SUBNET to $GATEWAY port $port proto tcp"
    elif command -v firewall-cmd > /dev/null && firewall-cmd --state > /dev/null 2>&1; then
        found="firewalld is active there and may drop it"
        rule="firewall-cmd --permanent --zone=trusted --add-source=$SUBNET && firewall-cmd --reload"
    else
        found="a firewall of the host may drop it" rule="iptables -I INPUT -s $SUBNET -d $GATEWAY -p tcp --dport $port -j ACCEPT"
    fi
    echo "host $HOST: no answer comes from the host's own address $GATEWAY, port $port, to the agent's container: $found. The rule that lets it in: \`$rule\`"
}

# An agent that is not new: until the jobs $LOCKED, which it alone can read, are up by its last scrape.
check_locked() {
    await_scrapes "$LOCKED" ''
    rm -f "$DIR.targets"
    [ -z "$left" ] || fail_scrapes "$left"
}

# A new agent: until every job of $FAST was scraped. Sets $scraped: since when the hub must have a sample of each.
scrape_first() {
    before=$(targets)
    scraped=$(date +%s)
    cp "$DIR/$SCRAPES" "$DIR.scrapes"
    scrape_each "$BRIEF"
    if all_late "$left"; then scrape_each "$LONG"; fi
    restore_scrapes
    [ -z "$left" ] || fail_scrapes "$left"
    warn_of_apps "$FAST"
}
scrape_each() { # $1 seconds; $left has the lines of `waiting` after that
    briefly "$1" | place_scrapes
    docker exec "$agent" sh -c 'kill -HUP 1'
    sleep "$1"
    await_scrapes "$FAST" "$before"
}

# Sets $left to the lines of `waiting` once there are none, or after $SCRAPE_WAIT seconds.
await_scrapes() {
    end=$(($(date +%s) + SCRAPE_WAIT))
    while left=$(waiting "$1" "$2"); [ -n "$left" ] && [ "$(date +%s)" -lt "$end" ]; do sleep 0.5; done
}

# Whether there are lines of `waiting`, and each is about a scrape that took too long or has not begun.
all_late() {
    [ -n "$1" ] && printf '%s\n' "$1" | awk -F '\t' '$3 != "" && $3 !~ /deadline exceeded|[Tt]imeout|timed out/ { exit 1 }'
}

# A warning for each of the apps $1 a target of which had an error in its last scrape. A query may hold a secret.
warn_of_apps() {
    output=$(awk -F '\t' -v jobs=" $1 " -v ours=" $OURS " -v host="$HOST" '
        $4 == "" || !index(jobs, " " $1 " ") || index(ours, " " $1 " ") { next }
        $1 in first { more[$1]++; next }
        {
            gsub(/\?[^" )]*/, "", $2)
            gsub(/\?[^" )]*/, "", $4)
            first[$1] = $4 " (" $2
            job[++count] = $1
        }
        END {
            for (i = 1; i <= count; i++)
                print "host " host ": warning: job " job[i] " cannot be scraped: " first[job[i]] (job[i] in more ? ", and " more[job[i]] " more of its targets" : "") ")"
        }
    ' "$DIR.targets")
    [ -z "$output" ] || { printf '%s\n' "$output"; firewall_hint "$output"; } >&2
    rm -f "$DIR.targets"
}

# An agent that read a new configuration or new credentials: until it has scraped each app of $JUDGED again.
scrape_apps_again() {
    [ -n "$JUDGED" ] || return 0
    before=$(targets)
    await_scrapes "$JUDGED" "$before"
    warn_of_apps "$JUDGED"
}

# Every target of the jobs $1, which are ours, is read once, all by one command in the container: to start one costs more
# than to read.
read_targets() {
    wanted=$(targets | awk -F '\t' -v jobs=" $1 " 'index(jobs, " " $1 " ") { print $1 "\t" $2 }')
    [ -n "$wanted" ] || return 0
    # shellcheck disable=SC2016 # expanded in the container
    unread=$(printf '%s\n' "$wanted" | docker exec -i "$agent" sh -c '
        while IFS="$(printf "\t")" read -r job url; do
            tries=0
            until output=$(timeout "$1" wget -q -O /dev/null "$url" 2>&1 < /dev/null); do
                tries=$((tries + 1))
                [ "$tries" -ge 5 ] || { sleep 1; continue; }
                printf "%s\t%s\t" "$job" "$url"
                printf "%s\n" "${output:-no answer within $1 s}" | tail -n 1
                break
            done
        done' sh "$SLOW_TIMEOUT") || fail "its agent's container cannot run a command (Docker's message above)"
    [ -n "$unread" ] || return 0
    printf '%s\n' "$unread" | awk -F '\t' -v host="$HOST" '{
        sub(/^wget: /, "", $3)
        sub(/\?.*/, "", $2)
        print "host " host ": job " $1 ": " $3 " (" $2 ")"
    }' >&2
    fail 'its agent cannot scrape what is named above'
}

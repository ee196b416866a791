# Functions for project.sh: one scrape of each app whose agent scrapes it rarely, or finds it by a name.
#
# The agent's own next scrape may be minutes away, and nobody else has the credentials. So a second agent runs for some
# seconds: $TRIAL, a line of shell that reads its configuration on stdin, in the network of the agent's container and with
# the agent's files. It sends nothing. $TRIED are the jobs, each as job=seconds, its own timeout. A scrape has its place in
# the interval by a hash and the interval must not be shorter than the timeout, so each job is tried with $TRIAL_BRIEF
# seconds for both, and those that do not answer within them once more with up to $TRIAL_LONG. $TRIAL_START: seconds until
# a new agent knows its targets. What it finds is a warning.
trial="$PREFIX-trial" tried='' trial_until=0

# The agent's configuration with the jobs $1 alone (job=seconds), each with these seconds, at most $2, as interval and timeout.
trial_config() {
    awk -v jobs="$1" -v most="$2" '
        BEGIN {
            count = split(jobs, part, " ")
            for (i = 1; i <= count; i++) { split(part[i], one, "="); limit[one[1]] = one[2] + 0 < most + 0 ? one[2] : most }
        }
        /^[a-z_]+:/ { section = $1; if (section == "scrape_configs:") print; next }
        section != "scrape_configs:" { next }
        /^- job_name: / { job = $3; gsub(/["\047]/, "", job) }
        !(job in limit) { next }
        /^  scrape_interval: / { print "  scrape_interval: " limit[job] "s\n  scrape_timeout: " limit[job] "s"; next }
        /^  scrape_timeout: / { next }
        { print }
    ' "$DIR/$SCRAPES"
}

begin_trial() { # of all apps that need one; other checks may run meanwhile
    [ -n "$TRIED" ] || return 0
    start_trial "$TRIED" "$TRIAL_BRIEF"
}
start_trial() {
    tried=$1 trial_until=$(($(date +%s) + TRIAL_START + 2 * $2))
    touch "$DIR.trial"
    end_trial # one of any earlier update has the name
    trial_config "$1" "$2" > "$DIR.trial"
    (eval "exec $TRIAL") < "$DIR.trial" > /dev/null 2> "$DIR.trial.log" 9>&- & # a subshell: nothing else holds the lock
    trial_pid=$!
}
end_trial() { # also of an update that was killed
    [ -e "$DIR.trial" ] || return 0
    docker rm -f "$trial" > /dev/null 2>&1 || true
    rm -f "$DIR.trial" "$DIR.trial.log" "$DIR.tried"
}

# Ends once each of the jobs $tried has a scrape, when the time is over or the second agent has ended. $DIR.tried then has
# the targets.
await_trial() {
    while :; do
        (AGENT_PORT=$TRIAL_PORT && targets) > "$DIR.tried" || true
        left=$(awk -F '\t' -v jobs="$tried" '
            { if ($3 ~ /^2/) had[$1] = 1; else print $1 }
            END {
                count = split(jobs, part, " ")
                for (i = 1; i <= count; i++) { sub(/=.*/, "", part[i]); if (!(part[i] in had)) print part[i] }
            }
        ' "$DIR.tried")
        if [ -z "$left" ] || [ "$(date +%s)" -ge "$trial_until" ]; then return 0; fi
        kill -0 "$trial_pid" 2> /dev/null || return 0 # it ended by itself
        sleep 0.5
    done
}

# The jobs whose scrape did not end within $TRIAL_BRIEF seconds though their own timeout is longer, as in $TRIED.
tried_longer() {
    awk -F '\t' -v jobs="$TRIED" -v brief="$TRIAL_BRIEF" '
        BEGIN {
            count = split(jobs, part, " ")
            for (i = 1; i <= count; i++) { split(part[i], one, "="); limit[one[1]] = one[2] }
        }
        $4 ~ /deadline exceeded|[Tt]imeout|timed out/ && limit[$1] + 0 > brief + 0 && !seen[$1]++ { print $1 "=" limit[$1] }
    ' "$DIR.tried" | tr '\n' ' '
}

# After begin_trial: a warning for each app that could not be scraped.
report_trial() {
    [ -n "$TRIED" ] || return 0
    jobs=$(printf '%s\n' "$TRIED" | sed 's/=[0-9]*//g')
    await_trial
    if [ ! -s "$DIR.tried" ] && [ "$(docker inspect -f '{{.State.Running}}' "$trial" 2> /dev/null)" != true ]; then
        echo "host $HOST: warning: the apps $jobs were not tried, because a second agent does not run there: $(tail -n 1 "$DIR.trial.log" 2> /dev/null | cut -c 1-300); \`make doctor\` shows those that are down after their next scrape" >&2
        end_trial
        return 0
    fi
    longer=$(tried_longer)
    awk -F '\t' -v jobs=" $longer" '!index(jobs, " " $1 "=")' "$DIR.tried" > "$DIR.targets"
    if [ -n "$longer" ]; then
        start_trial "$longer" "$TRIAL_LONG"
        await_trial
        cat "$DIR.tried" >> "$DIR.targets"
    fi
    end_trial
    for job in $jobs; do
        awk -F '\t' -v job="$job" '$1 == job { found = 1 } END { exit !found }' "$DIR.targets" ||
            echo "host $HOST: warning: job $job cannot be scraped: the agent finds no target of it; expected an address for its name in one of its networks" >&2
    done
    warn_of_apps "$jobs"
}

# A function for project.sh, about mounts of the host's folders in the new compose.yaml.
set -eu
# Docker starts no container with `propagation: rslave` for a folder on a private mount, as on a host without systemd: it is
# taken out for such a folder, which is then mounted as it is at the container's start.
adapt_mounts() {
    awk '
        FNR == NR { # of each mount: its place, and whether it passes on or receives what is mounted there later
            place = $5
            gsub(/\\040/, " ", place)
            passes[place] = / (shared|master):/
            next
        }
        /^ +source: / { source = $0; sub(/^ +source: /, "", source); gsub(/^["\047]|["\047]$/, "", source) }
        /^ +bind:$/ { held = $0; next }
        held != "" && / propagation: rslave$/ {
            place = source
            while (!(place in passes) && place != "/" && place != "") sub(/\/[^\/]*$/, "", place)
            if (place == "") place = "/"
            if (passes[place]) { print held; print }
            held = ""
            next
        }
        held != "" { print held; held = "" }
        { print }
    ' "${MOUNTINFO:-/proc/self/mountinfo}" "$next/compose.yaml" > "$next.compose" && mv "$next.compose" "$next/compose.yaml"
}

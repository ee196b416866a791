# Functions for files.sh and project.sh: the files that come in on stdin, and how they differ from those in $DIR.
#
# stdin: for each file a line "==> relative/name <==" and then its text; "==> . <==" ends it, so that an input cut short
# is not taken for files that are to be removed.
set -eu

# Writes them to $next. $problem is empty afterwards, or why that was impossible. $1 is what has to be run again then.
receive() {
    problem=''
    output=$(mkdir "$next" 2>&1) || {
        problem="the new files cannot be written, nothing was changed: $output"
        return 0
    }
    code=0
    output=$(awk -v dir="$next" '
        /^==> \. <==$/ { whole = 1; next }
        /^==> .+ <==$/ {
            if (file) close(file)
            file = dir "/" substr($0, 5, length($0) - 8)
            folder = file
            sub(/\/[^\/]*$/, "", folder)
            if (!made[folder]++) system("mkdir -p \"" folder "\"")
            printf "" > file
            next
        }
        { print > file; lines++ }
        END { if (!whole) exit 9; print lines + 0 > (dir "/.lines") }
    ' 2>&1) || code=$?
    # Not every awk notices that a disk is full.
    lines=$(cat "$next/.lines" 2> /dev/null || true)
    rm -f "$next/.lines"
    if [ "$code" = 9 ]; then
        problem="the input with the new files was cut short, nothing was changed; run $1 again"
    elif [ "$code" != 0 ] || [ -n "$output" ]; then
        problem="the new files cannot be written to $next, nothing was changed: $output"
    elif [ -z "$lines" ] || [ "$(find "$next" -type f -exec cat {} + | wc -l)" -ne "$lines" ]; then
        problem="the new files cannot be written whole to $next, nothing was changed; is the disk full? (\`df -h $BASE\`)"
    else
        chmod -R u=rwX,go=rX "$next"
    fi
}

# Sets $changed and $removed: paths in $DIR, one each line.
compare_files() {
    changed=$(cd "$next" && find . -type f | sed 's#^\./##' | sort | while IFS= read -r file; do
        cmp -s "$next/$file" "$DIR/$file" || echo "$file"
    done)
    removed=$([ ! -d "$DIR" ] || (cd "$DIR" && find . -type f) | sed 's#^\./##' | sort | while IFS= read -r file; do
        [ -e "$next/$file" ] || echo "$file"
    done)
}

# A line for each of these differences.
report_files() {
    if [ ! -d "$DIR" ]; then
        echo "folder $DIR: gone"
        return 0
    fi
    printf '%s\n' "$changed" | while IFS= read -r file; do
        [ -n "$file" ] || continue
        if [ -e "$DIR/$file" ]; then echo "file $DIR/$file: edited"; else echo "file $DIR/$file: gone"; fi
    done
    printf '%s\n' "$removed" | while IFS= read -r file; do [ -z "$file" ] || echo "file $DIR/$file: not ours"; done
}

#!/bin/sh
# The man pages: dist/man/make.sh HOOKLINE FOLDER [DATE]
# The commands and options are what HOOKLINE's own help says; the keys of the configuration are the rows of the
# table in docs/ that begins "| key | environment |" (a test holds it to the keys that the binary has).
set -eu
hookline=$(realpath "$1")
out=$2
date=${3:-$(date -u '+%B %-d, %Y')}
cd "$(dirname "$0")/../.."
mkdir -p "$out"

functions='
# Nothing in a line of text is a macro or an escape.
function guarded(s) { return s ~ /^[.\x27]/ ? "\\&" s : s }
function verbatim(s) { gsub(/\\/, "\\e", s); return guarded(s) }
# A paragraph, a sentence and at most 80 bytes a line: backticks become bold, links their words.
function prose(s,    n, words, i, line) {
    gsub(/\\/, "\\e", s)
    while (match(s, /\[[^][]+\]\([^()]+\)/)) {
        n = index(substr(s, RSTART), "](")
        s = substr(s, 1, RSTART - 1) substr(s, RSTART + 1, n - 2) substr(s, RSTART + RLENGTH)
    }
    for (n = 0; sub(/`/, n % 2 ? "\\fR" : "\\fB", s); n++) { }
    n = split(s, words, " ")
    for (i = 1; i <= n; i++) {
        if (line != "" && (length(line) + length(words[i]) > 76 || line ~ /[.!?]$/)) {
            print guarded(line)
            line = ""
        }
        line = line (line == "" ? "" : " ") words[i]
    }
    if (line != "") print guarded(line)
}
function option(line,    words) {
    split(substr(line, 1, 26), words, " ")
    print ".It Fl " substr(words[1], 2) (words[2] ? " Ar " words[2] : "")
    prose(substr(line, 27))
}'

# `hookline help COMMAND` as mdoc; the options that all commands have are left to their own section.
command_page() {
    "$hookline" help "$1" | awk -v name="$1" "$functions"'
        function literal(on) {
            if (on != is_literal) print on ? ".Bd -literal -offset indent" : ".Ed"
            is_literal = on
        }
        NR == 1 { print ".Ss " name; sub(/^Usage: /, ""); print ".D1 " verbatim($0); next }
        /^Options:$/ { flush(); literal(0); in_options = 1; next }
        in_options {
            if ($1 ~ /^--(config|rules|help)$/ || $1 == "--data" && name != "template") next
            if (!has_options++) print ".Bl -tag -width Ds"
            option($0)
            next
        }
        $0 == "" { flush(); held = held "\n"; next }
        /^  / {
            flush()
            if (!is_literal) held = ""
            literal(1)
            printf "%s%s\n", held, verbatim(substr($0, 3))
            held = ""
            next
        }
        { literal(0); paragraph = paragraph " " $0 }
        function flush() {
            if (paragraph != "") { print ".Pp"; prose(paragraph); held = "" }
            paragraph = ""
        }
        END { flush(); literal(0); if (has_options) print ".El" }'
}

commands() {
    for name in $("$hookline" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        command_page "$name"
    done
}

common_options() {
    "$hookline" --help | awk "$functions"'/^  --/ { option($0) }'
}

keys() {
    table=$(grep -l '^| key | environment |' docs/*.md | head -n 1)
    awk "$functions"'
        function bare(cell) { gsub(/^ *`?|`? *$/, "", cell); return cell }
        /^\| key \| environment \|/ { is_in = 1; getline; next }
        is_in && !/^\|/ { exit }
        is_in {
            gsub(/\\\|/, "\001")
            split($0, cell, "|")
            for (i in cell) gsub("\001", "|", cell[i])
            print ".It Ic " bare(cell[2]) (bare(cell[3]) ? " Pq Ev " bare(cell[3]) : "")
            said = cell[5]; gsub(/^ *| *$/, "", said)
            prose(said)
            print ".Bd -literal -compact"; print verbatim(bare(cell[4])); print ".Ed"
        }' "$table"
}

# Puts the output of the functions in the place of the lines that name them.
page() {
    while IFS= read -r line; do
        case $line in
        @COMMANDS@) commands ;;
        @OPTIONS@) common_options ;;
        @KEYS@) keys ;;
        *@DATE@*) echo ".Dd $date" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <"dist/man/$1.in" >"$out/$1.part"
    mv "$out/$1.part" "$out/$1"
}

page hookline.1
page hookline.conf.lua.5

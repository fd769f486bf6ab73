#!/bin/sh
# The man pages: dist/man/make.sh HOOKLINE FOLDER [DATE]
# The commands and options are what HOOKLINE's own help says; the keys of the configuration are the rows of the
# tables in docs/configuration.md, with its examples (a test holds it to the keys that the binary has).
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
    awk "$functions"'
        function bare(cell) { gsub(/^ *`?|`? *$/, "", cell); return cell }
        function list(on) {
            if (on != is_list) print on ? ".Bl -tag -width Ds" : ".El"
            is_list = on
        }
        # "`HOOKLINE_DATA`, `--data`" as macros
        function setters(cell,    words, n, i, macros) {
            gsub(/[` ]/, "", cell)
            n = split(cell, words, ",")
            for (i = 1; i <= n; i++)
                macros = macros (i > 1 ? " , " : "") (sub(/^-/, "", words[i]) ? "Fl " : "Ev ") words[i]
            return macros == "" ? "" : " Pq " macros
        }
        /^## / { list(0); is_in = 0; heading = substr($0, 4); example = ""; next }
        /^```lua/ { is_code = 1; next }
        /^```/ { is_code = 0; next }
        is_code { example = example verbatim($0) "\n"; next }
        /^\| key \| environment, flag \|/ {
            print ".Ss " heading
            if (example != "") printf ".Bd -literal -offset indent\n%s.Ed\n", example
            list(1)
            is_in = 1
            getline
            next
        }
        is_in && !/^\|/ { list(0); is_in = 0 }
        is_in {
            gsub(/\\\|/, "\001")
            split($0, cell, "|")
            for (i in cell) gsub("\001", "|", cell[i])
            print ".It Ic " bare(cell[2]) setters(cell[3])
            type = bare(cell[4])
            if (type !~ /^`|^[a-z]*`/) type = toupper(substr(type, 1, 1)) substr(type, 2)
            gsub(/^ *| *$/, "", cell[5])
            gsub(/^ *| *$/, "", cell[6])
            prose(type "; default " cell[5] ".")
            prose(cell[6])
        }
        END { list(0) }' docs/configuration.md
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

"""Reading the documents, and the tables of the code that they are compared with."""
import re

from support.host import ROOT

# What the programs of the documents are run with; Go then asks nobody for modules or for another Go.
PROGRAM_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GO111MODULE": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local"}


def section(text, heading):
    """What stands under a heading, up to the next one of its level or a higher one."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.M)
    assert found, f"no heading {heading}"
    rest = text[found.end():]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.M)
    return rest[:end.start()] if end else rest


def code(text):
    """The words in backticks."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [word.replace("\\|", "|") for word in re.findall(r"`([^`]+)`", text)]


def table(text, heading, raw=False):
    """The rows of the first table under a heading; a cell that is code alone without its backticks."""
    rows = []
    for line in section(text, heading).splitlines():
        if not line.startswith("|"):
            if rows:
                break
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not raw:
            cells = [re.sub(r"^`(.*)`$", r"\1", cell).replace("\\|", "|") if cell.count("`") == 2 else cell for cell in cells]
        rows.append(cells)
    assert len(rows) > 2, f"no table under {heading}"
    return rows[2:]


def tables(text, header):
    """The rows, cells as they stand, of all tables whose first line begins with these cells."""
    rows, is_in = [], False
    for line in text.splitlines():
        is_in = line.startswith("|") and (is_in or line.startswith(header))
        if is_in and not line.startswith((header, "|---")):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    assert rows, f"no table {header}"
    return rows


def configuration_keys():
    """(key, variable, flag, kind) of each row of the table in core/config_keys.c, "" where it has none."""
    text = (ROOT / "core/config_keys.c").read_text()
    found = re.findall(r'\{("[^"]+"|NULL),\s*("[^"]+"|NULL),\s*("[^"]+"|NULL),\s*CONFIG_(\w+),', text)
    assert len(found) > 30
    return [("" if key == "NULL" else key.strip('"'), "HOOKLINE_VAR_*" if kind == "VAR" else "" if variable == "NULL"
             else variable.strip('"'), "" if flag == "NULL" else flag.strip('"'), kind) for key, variable, flag, kind in found if key != variable]


def headed_json(text, heading):
    return re.search(r"```json\n(.*?)```", section(text, heading), re.S)[1]


def fenced(text):
    """(language, text, line) of each fenced block."""
    return [(m[1], m[2], text[:m.start()].count("\n") + 1) for m in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)]


def brace_keys(text, name, opening=None):
    """The keys of a schema in a Lua file: those of `keys = {` behind `name = "NAME"`, at the first depth."""
    if name is not None:
        text = text[text.index(f'schema.new {{\n  name = "{name}"'):]
        text = text[re.search(r"\bkeys = (?:with_step_keys )?\{", text).end():]
    else:
        text = text[text.index(opening) + len(opening):]
    depth, found = 0, []
    for token in re.finditer(r'"[^"\n]*"|\'[^\'\n]*\'|--[^\n]*|[{}]|(\w+) = ', text):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth < 0:
                break
        elif token[1] and depth == 0:
            found.append(token[1])
    return found


def lua_list(text, key):
    found = re.search(rf"\b{key} = \{{(.*?)\}}", text, re.S)
    return set(re.findall(r'"(\w+)"', found[1])) if found else set()

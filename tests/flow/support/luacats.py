"""Annotations of Lua files (LuaCATS), read strictly: what lua-language-server would not understand, or
a name of a type that nothing declares, is an error."""
import re

BUILT_IN = {"string", "number", "integer", "boolean", "table", "any", "nil", "lightuserdata", "self"}
WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_][\w.]*|\[\]|[()<>,:?|\[\]]|\.\.\.)')


class Types:
    """One type expression; `names` are the types that it names, `rest` what stands behind it."""

    def __init__(self, text):
        self.rest, self.names = text, set()
        self.union()

    def peek(self):
        found = WORD.match(self.rest)
        return found.group(1) if found else ""

    def take(self, wanted=None):
        found = WORD.match(self.rest)
        if not found or wanted and found.group(1) != wanted:
            raise SyntaxError(f"wanted {wanted or 'a type'} at {self.rest!r}")
        self.rest = self.rest[found.end():]
        return found.group(1)

    def union(self):
        self.one()
        while self.peek() == "|":
            self.take()
            self.one()

    def one(self):
        word = self.take()
        if word == "(":
            self.union()
            self.take(")")
        elif word == "fun":
            self.function()
            return
        elif word[0] == '"' or re.fullmatch(r"-?\d.*", word):
            pass
        elif re.match(r"[A-Za-z_]", word):
            self.names.add(word)
            if word == "table" and self.rest.startswith("<"):
                self.take("<")
                self.union()
                self.take(",")
                self.union()
                self.take(">")
        else:
            raise SyntaxError(f"{word!r} is no type")
        while self.rest.startswith("[]"):
            self.take("[]")
        if self.rest.startswith("?"):
            self.take("?")

    def function(self):
        self.take("(")
        while self.peek() != ")":
            name = self.take()
            if self.peek() == "?":
                self.take()
            if name != "self":
                self.take(":")
                self.union()
            if self.peek() == ",":
                self.take()
        self.take(")")
        if self.rest.startswith(":"):
            self.take(":")
            self.union()
            while self.rest.startswith(", "):
                self.take(",")
                self.union()


def after(pattern, text):
    found = re.match(pattern, text)
    if not found:
        raise SyntaxError(f"not understood: {text!r}")
    return found, Types(text[found.end():])


class File:
    """classes: name -> {field: its line}; aliases; functions: name -> its parameters."""

    def __init__(self, text):
        self.classes, self.aliases, self.functions, self.named = {}, set(), {}, set()
        params, at = [], None
        for number, line in enumerate(text.splitlines(), 1):
            try:
                at, params = self.line(line, at, params)
            except SyntaxError as e:
                raise SyntaxError(f"line {number}: {e}") from None

    def use(self, types):
        if types.rest and not types.rest[0].isspace():
            raise SyntaxError(f"not understood: {types.rest!r}")
        self.named |= types.names

    def line(self, line, at, params):
        if line.startswith("---@"):
            tag, _, rest = line[4:].partition(" ")
            if tag == "class":
                found = re.fullmatch(r"([\w.]+)(?:: ([\w.]+))?(?:\s.*)?", rest)
                if not found or found.group(1) in self.classes:
                    raise SyntaxError(f"no class, or one that stands twice: {rest!r}")
                self.named |= {found.group(2)} - {None}
                at = self.classes[found.group(1)] = {}
            elif tag == "field":
                found, types = after(r"(\w+\??|\[\"[^\"]+\"\]|\[integer\])\s", rest)
                name = found.group(1).rstrip("?")
                if at is None or name in at:
                    raise SyntaxError(f"a field of no class, or one that stands twice: {rest!r}")
                at[name] = line
                self.use(types)
            elif tag == "alias":
                found = re.match(r"[\w.]+", rest)
                self.aliases.add(found.group())
                if rest[found.end():]:
                    self.use(Types(rest[found.end():]))
            elif tag == "param":
                found, types = after(r"(\w+)\??\s", rest)
                params = params + [found.group(1)]
                self.use(types)
            elif tag in ("return", "type"):
                self.use(Types(rest))
            elif tag != "meta":
                raise SyntaxError(f"no tag of ours: {tag}")
        elif line.startswith("---|"):
            self.use(Types(line[4:]))
        elif not line.startswith("---"):
            found = re.fullmatch(r"function ([\w.]+)\((.*)\) end", line)
            if found:
                named = [p for p in found.group(2).split(", ") if p]
                if named != params:
                    raise SyntaxError(f"{found.group(1)} takes {named}, and {params} are said")
                self.functions[found.group(1)] = params
            at, params = None, []
        return at, params


def undeclared(files):
    """The types that are named and declared by none of the files."""
    declared = set().union(BUILT_IN, *(set(f.classes) | f.aliases for f in files))
    return set().union(*(f.named for f in files)) - declared

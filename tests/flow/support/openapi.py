"""Answers of a host against its own description, core/api/openapi.json: a status, a type or a member that it does not
have is a fault."""
import functools
import json
import pathlib
import re

import jsonschema

DOCUMENT = json.loads((pathlib.Path(__file__).resolve().parents[3] / "core/api/openapi.json").read_text())
SERVER = {400, 408, 413, 414, 417, 431, 501, 505}  # what cannot be read as a request, whatever it asks for
JSON_TYPES = ("application/json", "application/problem+json")


def resolve(node):
    while "$ref" in node:
        place = DOCUMENT
        for name in node["$ref"][2:].split("/"):
            place = place[name]
        node = place
    return node


@functools.lru_cache(None)
def pattern(template):
    parts = [re.escape(part) if i % 2 == 0 else (".+" if part == "path" else "[^/]+")
             for i, part in enumerate(re.split(r"\{(\w+)\}", template))]
    return re.compile("".join(parts))


@functools.lru_cache(4096)
def template_of(path):
    fitting = [t for t in DOCUMENT["paths"] if pattern(t).fullmatch(path)]
    return min(fitting, key=lambda t: t.count("{"), default=None)


def operation(method, path):
    """What is said of a request, or None."""
    template = template_of(path.split("?")[0])
    if template is None:
        return None
    return DOCUMENT["paths"][template].get("get" if method == "HEAD" else method.lower())


@functools.lru_cache(None)
def validator(text):
    schema = json.loads(text)
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def fault(method, path, status, headers, body):
    """What is wrong with an answer, in words, or None. headers: names in lower case."""
    what = f"{method} {path}: {status}"
    said = operation(method, path)
    if said is None or status in SERVER and str(status) not in said["responses"]:
        return None if status in SERVER or status in (401, 404, 405, 429, 503) else f"{what}, and the path is not in openapi.json"
    if str(status) not in said["responses"]:
        return f"{what} is not in openapi.json"
    content = resolve(said["responses"][str(status)]).get("content", {})
    kind = headers.get("content-type", "").split(";")[0]
    if not content or method == "HEAD":
        return f"{what} has a body" if body and not content else None
    if kind not in content and "*/*" not in content:
        return f"{what} is {kind}, not {' or '.join(content)}"
    if kind in JSON_TYPES and kind in content:
        error = jsonschema.exceptions.best_match(
            validator(json.dumps(content[kind]["schema"])).iter_errors(json.loads(body)))
        if error:
            return f"{what}: {error.json_path}: {error.message[:300]}"
    return None

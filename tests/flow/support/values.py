"""Random JSON values, written in many ways, whose numbers keep their text."""
import json
import os
import time

SEED = int(os.environ.get("SEED", str(time.time_ns() % 1000000)))
TEXTS = ["", "a", "Zoë", "日本語", "😀", "\u2028\u2029", "\x00\x1f", "\"\\/", "</script>", "\ud7ff\ue000", "x" * 3000, "\U0010ffff"]
NUMBERS = ["0", "-0", "-0.0", "1", "-1", "1.0", "12500.10", "1e3", "1E+3", "1e-07", "0.1", "9223372036854775807",
           "-9223372036854775808", "9223372036854775808", "123456789012345678901234567890", "2.5e-300", "1.7976931348623157e308",
           "0.30000000000000000001", "100000000000000000000.5"]


class Written(str):
    """A number, as the text that it was written with."""


def value(chance, depth):
    kind = chance.randrange(8 if depth < 5 else 5)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind in (1, 2):
        return Written(chance.choice(NUMBERS) if chance.random() < 0.7 else str(chance.randrange(-10**12, 10**12)))
    if kind in (3, 4):
        return "".join(chance.choice(TEXTS) for _ in range(chance.randrange(4)))
    if kind == 5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {f"k{n} {chance.choice(TEXTS)[:20]}": value(chance, depth + 1) for n in range(chance.randrange(5))}


def text(v, chance):
    """JSON of a value, with numbers as written and any of the escapes that a writer may choose."""
    if isinstance(v, Written):
        return str(v)
    if isinstance(v, str):
        return json.dumps(v, ensure_ascii=chance.random() < 0.5)
    if isinstance(v, list):
        return "[" + " , ".join(text(x, chance) for x in v) + "]"
    if isinstance(v, dict):
        return "{" + ",\t".join(f"{text(k, chance)} : {text(x, chance)}" for k, x in v.items()) + "}"
    return json.dumps(v)


def read(body):
    return json.loads(body, parse_int=Written, parse_float=Written)


def kinds(v):
    """The value with each number told apart from a text of the same characters."""
    if isinstance(v, Written):
        return ("number", str(v))
    if isinstance(v, list):
        return [kinds(x) for x in v]
    if isinstance(v, dict):
        return {k: kinds(x) for k, x in v.items()}
    return v

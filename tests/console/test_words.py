"""What the scripts make of values, asked in the browser: words for times, bodies printed, messages taken apart."""
import json

import pytest

S, MIN, H, D = 1000, 60000, 3600000, 86400000


def ask(console, module, expression):
    """The value of a JavaScript expression in which m is the module."""
    return console.driver.execute_async_script(
        f"const done = arguments[0]; import('/console/js/{module}').then((m) => done({expression}))")


@pytest.mark.parametrize("module,cases", [
    ("format.js", [
        ("m.formatDuration(12.4)", "12 ms"), ("m.formatDuration(3449)", "3.4 s"), (f"m.formatDuration({45 * S})", "45 s"),
        (f"m.formatDuration({59.9 * MIN})", "1 h"), (f"m.formatDuration({130 * MIN})", "2 h 10 min"),
        (f"m.formatDuration({47.8 * H})", "2 d"), (f"m.formatDuration({2 * D + 4 * H})", "2 d 4 h"), ("m.formatDuration(null)", "–"),
        ("m.formatRelative(10000, 10900)", "now"), ("m.formatRelative(10000, 22400)", "12 s ago"),
        (f"m.formatRelative({5 * MIN}, 0)", "in 5 min"), ("m.formatNumber(1234567)", "1.2M"), ("m.formatNumber(999999)", "999,999"),
        ("m.plural(1, 'delivery', 'deliveries')", "1 delivery"), ("m.plural(0, 'run')", "0 runs")]),
    ("parts/body.js", [
        (f"m.prettyJson({json.dumps(json.dumps({'a': [1, {}], 'b': []}))}).map(([, t]) => t).join('')",
         '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'),
        ("m.prettyJson('{\"a\": 12500.50, \"b\": \"1, {2}\", \"c\": -1e+3, \"d\": null}')"
         ".filter(([kind]) => kind !== 'mark')",
         [["key", '"a"'], ["number", "12500.50"], ["key", '"b"'], ["text", '"1, {2}"'], ["key", '"c"'],
          ["number", "-1e+3"], ["key", '"d"'], ["word", "null"]]),
        ("m.prettyJson('{nothing}')", None),
        ("m.prettyXml('<a><b>1</b><c/><d><e>x</e></d></a>')", "<a>\n  <b>1</b>\n  <c/>\n  <d>\n    <e>x</e>\n  </d>\n</a>")]),
    ("live.js", [
        ("m.parseMessage('event: run\\ndata: {}')", {"name": "run", "data": "{}"}),
        ("m.parseMessage(': nothing')", {"name": "message", "data": ""})]),
    ("route.js", [
        ("m.href(['events', 'a/b c'], { since: '2d', until: '' })", "#/events/a%2Fb%20c?since=2d"),
        ("m.parseRoute('#/events/a%2Fb%20c?since=2d')", {"parts": ["events", "a/b c"], "query": {"since": "2d"}})]),
    ("deliveries.js", [
        ("m.isInList({ state: 'held', record: {} }, { state: 'owed' })", True),
        ("m.isInList({ state: 'delivered', record: {} }, { state: 'owed' })", False),
        ("m.isInList({ state: 'held', record: {}, created_at: '2026-11-23T09:15:00Z' }, { since: '2026-11-23T10:00:00+01:00' })", True),
        ("m.whyShort({ reason: null, last_error: '503', waits_for: 'its target' })", "503"),
        ("m.whyShort({ reason: 'x'.repeat(99), last_error: '503' })", "x" * 59 + "…"),
        ("[m.wasUnsent({ error: 'dns' }), m.wasUnsent({ error: 'timeout' })]", [True, False])]),
    ("parts/exchange.js", [
        ("m.curlOf({ method: 'GET', url: \"http://a/it's\", headers: { A: 'b' } })",
         "curl -sS -i -g -X GET 'http://a/it'\\''s' \\\n  -H 'A: b'")]),
])
def test_words(console, module, cases):
    for expression, wanted in cases:
        assert ask(console, module, expression) == wanted, expression

-- Every filter by example. Rows: what stands in {{ }}, what comes out.
local liquid = require "hookline.liquid"

local DATA = [==[{
  "n": -7, "f": 4.5, "s": "Ein Text äöü ß", "e": [], "o": { "a": 1, "b": null },
  "list": [3, 1, null, 2, 1], "words": ["b", "A", "c", "a"], "nested": [1, [2, [3]]],
  "rows": [ { "k": "x", "v": 1.1 }, { "k": "y", "v": 2.2 }, { "k": "x" } ]
}]==]

local ROWS = {
  { "n | abs", "7" }, { "'-1.50' | abs", "1.5" }, { "n | at_least: 2", "2" },
  { "f | at_most: 4", "4" }, { "f | ceil", "5" }, { "-4.5 | floor", "-5" },
  { "4.5 | round", "5" }, { "-4.5 | round", "-5" }, { "2.345 | round: 2", "2.35" },
  { "1234 | round: -2", "1200" }, { "0.1 | plus: 0.2", "0.3" }, { "1 | minus: 0.9", "0.1" },
  { "1.1 | times: 1.1", "1.21" }, { "n | divided_by: 2", "-4" }, { "n | divided_by: 2.0", "-3.5" },
  { "n | modulo: 3", "2" }, { "5.3 | modulo: 0.5", "0.3" }, { "list | sum", "7" },
  { "rows | sum: 'v'", "3.3" }, { "'12abc' | plus: 1", "13" }, { "1e5", false },
  { "10000000000000000.0", "1.0e+16" }, { "0.00001 | plus: 0", "1.0e-05" },
  { "f | to_integer", "4" }, { "'42x' | to_integer", "42" }, { "true | to_integer", "1" },
  { "9007199254740993 | plus: 1", "9007199254740994" },
  { "4611686018427387904 | times: 4", "1.8446744073709552e+19" },
  { "9223372036854775807 | plus: 9", "9.223372036854776e+18" },

  { "s | append: '!'", "Ein Text äöü ß!" }, { "s | prepend: '!'", "!Ein Text äöü ß" },
  { "s | upcase", "EIN TEXT ÄÖÜ SS" },
  { "'ÀÉÎÕÜ ΑΒΓΣ ДЖ' | downcase", "àéîõü αβγσ дж" },
  { "'éCOLE' | capitalize", "École" }, { "s | size", "14" }, { "s | slice: 9, 3", "äöü" },
  { "s | slice: -1", "ß" }, { "list | slice: 1, 2 | join", "1 " },
  { "s | truncate: 8", "Ein T..." }, { "s | truncate: 12, ''", "Ein Text äöü" },
  { "s | truncatewords: 2", "Ein Text..." }, { "s | replace: 'T', 't'", "Ein text äöü ß" },
  { "'aaa' | replace_first: 'a', 'b'", "baa" }, { "'aaa' | replace_last: 'a', 'b'", "aab" },
  { "'a%a' | replace: '%', '%1'", "a%1a" }, { "'abab' | remove: 'b'", "aa" },
  { "'abab' | remove_first: 'b'", "aab" }, { "'abab' | remove_last: 'b'", "aba" },
  { "'  a b ' | strip", "a b" }, { "'  a ' | lstrip", "a " }, { "'  a ' | rstrip", "  a" },
  { "'a,b,,c,,' | split: ',' | join: '|'", "a|b||c" },
  { "'äö' | split: '' | join: '-'", "ä-ö" },
  { "' a  b ' | split: ' ' | join: '-'", "a-b" },
  { "'<a href=\"x\">&amp;</a>' | escape", "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;" },
  { "'<&lt;&x' | escape_once", "&lt;&lt;&amp;x" }, { "\"it's\" | escape", "it&#39;s" },
  { "'a<b>c</b><!-- x -->d<script>e</script>' | strip_html", "acd" },
  { "'a b&c/ä' | url_encode", "a+b%26c%2F%C3%A4" }, { "'a+b%26%C3%A4' | url_decode", "a b&ä" },
  { "'ä?>' | base64_encode", "w6Q/Pg==" }, { "'w6Q/Pg==' | base64_decode", "ä?>" },
  { "'ä?>' | base64_url_safe_encode", "w6Q_Pg==" },
  { "'w6Q_Pg==' | base64_url_safe_decode", "ä?>" },
  { "\"a\nb\r\nc\" | strip_newlines", "abc" }, { "\"a\nb\" | newline_to_br", "a<br />\nb" },

  { "list | sort | join: ','", "1,1,2,3," }, { "words | sort | join", "A a b c" },
  { "words | sort_natural | join", "A a b c" }, { "rows | sort: 'v' | map: 'v' | join: ','",
    "1.1,2.2," },
  { "list | uniq | join: ','", "3,1,,2" }, { "rows | uniq: 'k' | size", "2" },
  { "list | compact | size", "4" }, { "rows | compact: 'v' | size", "2" },
  { "list | reverse | join: ','", "1,2,,1,3" }, { "words | concat: words | size", "8" },
  { "words | first", "b" }, { "words | last", "a" }, { "nested | join: '-'", "1-2-3" },
  { "rows | where: 'k', 'x' | size", "2" }, { "rows | where: 'v' | size", "2" },
  { "rows | reject: 'k', 'x' | map: 'v' | join", "2.2" }, { "rows | has: 'k', 'y'", "true" },
  { "rows | has: 'k', 'z'", "false" }, { "rows | find: 'k', 'y' | json", '{"k":"y","v":2.2}' },
  { "rows | find_index: 'k', 'y'", "1" }, { "rows | find: 'k', 'z'", "" },
  { "nosuch | map: 'x' | size", "0" }, { "o | size", "2" },

  { "nosuch | default: 'x'", "x" }, { "e | default: 'x'", "x" }, { "'' | default: 'x'", "x" },
  { "0 | default: 'x'", "0" }, { "false | default: 'x', allow_false: true", "false" },
  { "o | json", '{"a":1,"b":null}' }, { "s | json", '"Ein Text äöü ß"' },
  { "nosuch | json", "null" },
  { "e | json", "[]" }, { "(1..3) | json", "[1,2,3]" }, { "f | json", "4.5" },
  { "'<a b=\"c\">&\\'</a>' | xml_escape", false },
  { "\"<a b='c'>&</a>\" | xml_escape", "&lt;a b=&apos;c&apos;&gt;&amp;&lt;/a&gt;" },

  { "'2026-11-23T09:15:30.25Z' | date: '%Y-%m-%d %H:%M:%S.%L %Z'",
    "2026-11-23 09:15:30.250 UTC" },
  { "'2026-11-23T09:15:00+05:30' | date: '%H:%M %z %s'", "09:15 +0530 1795405500" },
  { "'2026-11-23' | date: '%A, %-d. %B %y, %j %U %V %u'", "Monday, 23. November 26, 327 47 48 1" },
  { "'March 4, 2016' | date: '%e|%d|%-m|%_m|%b|%^b|%I|%p|%P|%l'",
    " 4|04|3| 3|Mar|MAR|12|AM|am|12" },
  { "'4 Mar 2016 3:05 PM' | date: '%F %T %D %R %%'", "2016-03-04 15:05:00 03/04/16 15:05 %" },
  { "0 | date: '%c'", "Thu Jan  1 00:00:00 1970" }, { "'86400' | date: '%F'", "1970-01-02" },
  { "'now' | date: '%F'", "1970-01-01" }, { "'no date' | date: '%F'", "no date" },
  { "'2026-02-30' | date: '%F'", "2026-02-30" }, { "nosuch | date: '%F'", "" },
  { "'2024-12-30' | date: '%G-W%V'", "2025-W01" }, { "'1969-12-31' | date: '%a %s'", "Wed -86400" },
  { "'2026-01-01' | date: ''", "2026-01-01" }, { "'2026-01-01' | date: '%10Y|%q'",
    "0000002026|%q" },
}

for _, row in ipairs(ROWS) do
  test(row[1], function()
    local text, _, _, _, message = liquid.render_text("{{ " .. row[1] .. " }}", "case",
      support.json(DATA), 0)
    if row[2] then
      support.equal(text or message, row[2])
    else
      support.equal(text, nil)
    end
  end)
end

test("every filter has a row", function()
  local all = {}
  for _, row in ipairs(ROWS) do
    for name in row[1]:gmatch "| ([%l%d_]+)" do
      all[name] = true
    end
  end
  for _, part in ipairs { "text", "number", "list", "other" } do
    for name in pairs(require("hookline.liquid." .. part .. "_filters")) do
      support.equal(all[name], true, name)
    end
  end
end)

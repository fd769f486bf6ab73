// A body, pretty-printed: JSON in colours, numbers as they were written; XML indented; else as it is.
import { html, useMemo, useState } from "../lib.js";
import { visible } from "../format.js";
import { Copy } from "./copy.js";

const LARGE = 200000; // of more a colour for each token is too much for the page

// The tokens of a JSON text, or null where it is none. Not by JSON.parse alone: 12500.50 stays so.
function tokensOf(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return text.match(/"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+|[{}[\],:]/g) || [];
}

function kindOf(token, after) {
  if (token[0] === '"') {
    return after === ":" ? "key" : "text";
  }
  return /^[-\d]/.test(token) ? "number" : /^[a-z]/.test(token) ? "word" : "mark";
}

// [kind, text] in the order in which they stand, line ends and indents among the marks.
export function prettyJson(text) {
  const tokens = tokensOf(text);
  if (!tokens) {
    return null;
  }
  const out = [];
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    if (token === "{" || token === "[") {
      depth++;
      out.push(["mark", next === "}" || next === "]" ? token : token + line()]);
    } else if (token === "}" || token === "]") {
      depth--;
      out.push(["mark", tokens[i - 1] === "{" || tokens[i - 1] === "[" ? token : line() + token]);
    } else if (token === ",") {
      out.push(["mark", `,${line()}`]);
    } else if (token === ":") {
      out.push(["mark", ": "]);
    } else {
      out.push([kindOf(token, next), token]);
    }
  });
  return out;
}

export function prettyXml(text) {
  let depth = 0;
  const pieces = text.replace(/>\s*</g, ">\n<").split("\n");
  return pieces.map((piece) => {
    const isEnd = piece.startsWith("</");
    depth -= isEnd ? 1 : 0;
    const line = "  ".repeat(Math.max(0, depth)) + piece;
    const opens = /^<[^!?/]/.test(piece) && !piece.endsWith("/>") && !piece.includes("</");
    depth += opens ? 1 : 0;
    return line;
  }).join("\n");
}

function prettyForm(text) {
  return [...new URLSearchParams(text)].map(([name, value]) => `${name} = ${value}`).join("\n");
}

function shownOf(text, type) {
  if (text.length > LARGE) {
    return null;
  }
  const json = /^\s*[{["\d\-tfn]/.test(text) ? prettyJson(text) : null;
  if (json) {
    return json.map(([kind, token]) => (kind === "mark" ? token : html`<span class=${`json-${kind}`}>${token}</span>`));
  }
  if (/xml/.test(type) || /^\s*<\?xml/.test(text)) {
    return prettyXml(text);
  }
  return /x-www-form-urlencoded/.test(type) ? prettyForm(text) : null;
}

// label: what it is, for the screen reader and the copy button ("request body").
export function Body({ text, type = "", label = "body", isTruncated = false }) {
  const [isRaw, setRaw] = useState(false);
  const seen = useMemo(() => visible(text || ""), [text]);
  const shown = useMemo(() => shownOf(seen, type), [seen, type]);
  if (!text) {
    return html`<p class="quiet body-none">No ${label}.</p>`;
  }
  return html`
    <div class="body">
      <div class="body-acts">
        ${shown && html`<button type="button" class="button button-small button-quiet" aria-pressed=${isRaw}
          onClick=${() => setRaw(!isRaw)}>As sent</button>`}
        <${Copy} text=${text} what=${label} label="Copy" />
      </div>
      <pre tabindex="0" role="region" aria-label=${label}>${isRaw || !shown ? seen : shown}</pre>
      ${isTruncated && html`<p class="quiet">The answer was longer: what is shown is its beginning.</p>`}
    </div>`;
}

// Any value as JSON.
export function Json({ value, label }) {
  return html`<${Body} text=${JSON.stringify(value)} type="application/json" label=${label} />`;
}

export function Headers({ headers, label }) {
  const names = Object.keys(headers || {});
  if (names.length === 0) {
    return html`<p class="quiet body-none">No ${label}.</p>`;
  }
  return html`
    <dl class="headers" aria-label=${label}>
      ${names.map((name) => html`<div><dt>${name}</dt><dd>${visible([].concat(headers[name]).join(", "))}</dd></div>`)}
    </dl>`;
}

// Why a workflow fires or not: the tree of its conditions, with what was seen and what was wanted.
import { html } from "../lib.js";
import { Badge } from "./badge.js";

const GROUPS = { all: "all of", any: "any of", none: "none of" };

const Verdict = ({ is }) => html`<${Badge} tone=${is ? "good" : "bad"}>${is ? "yes" : "no"}</${Badge}>`;
const shown = (value) => (value === undefined ? "nothing" : JSON.stringify(value));

function Leaf({ leaf }) {
  const wanted = leaf.wanted === undefined || leaf.wanted === null ? "" : ` ${shown(leaf.wanted)}`;
  return html`
    <li class="trace-leaf"><${Verdict} is=${leaf.verdict} /> <span class="mono">${leaf.field} ${leaf.operator}${wanted}</span>
      <span class="quiet"> seen: </span><span class="mono">${shown(leaf.seen)}</span>${
      leaf.note && html`<span class="quiet"> (${leaf.note})</span>`}</li>`;
}

function Node({ node }) {
  const group = Object.keys(GROUPS).find((name) => Array.isArray(node[name]));
  if (!group) {
    return html`<${Leaf} leaf=${node} />`;
  }
  return html`
    <li><${Verdict} is=${node.verdict} /> ${GROUPS[group]}
      <ul>${node[group].map((child) => html`<${Node} node=${child} />`)}</ul></li>`;
}

// explain: a tree as /v1/events/ID/explain and the test of a workflow have it; null: no conditions.
export function Trace({ explain }) {
  return explain && explain.all?.length !== 0
    ? html`<ul class="trace"><${Node} node=${explain} /></ul>`
    : html`<p class="quiet">It has no conditions.</p>`;
}

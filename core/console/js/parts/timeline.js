// What happened, in its order. items: { key, tone, title, at, children, isOpen }: those with children
// can be opened.
import { html } from "../lib.js";
import { Time } from "./time.js";

function Item({ item }) {
  const head = html`<span class="timeline-title">${item.title}</span>${
    item.at && html`<span class="timeline-when"><${Time} at=${item.at} isExact /></span>`}`;
  return html`
    <li class=${`timeline-item tone-${item.tone || "plain"}`}>
      ${item.children
        ? html`<details open=${item.isOpen}><summary>${head}</summary><div class="timeline-body">${item.children}</div></details>`
        : html`<div class="timeline-plain">${head}</div>`}
    </li>`;
}

export function Timeline({ items, label }) {
  return html`<ol class="timeline" aria-label=${label}>${items.map((item) => html`<${Item} key=${item.key} item=${item} />`)}</ol>`;
}

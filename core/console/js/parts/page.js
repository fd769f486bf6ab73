// A page's head, cards, facts.
import { html, useEffect } from "../lib.js";
import { visible } from "../format.js";

export function Page({ title, above, acts, children }) {
  useEffect(() => {
    document.title = `${visible(title)} · hookline`;
  }, [title]);
  return html`
    <div class="page-head">
      <div>
        ${above && html`<p class="page-above">${above}</p>`}
        <h1 tabindex="-1">${visible(title)}</h1>
      </div>
      ${acts && html`<div class="page-acts">${acts}</div>`}
    </div>
    ${children}`;
}

export function Card({ title, acts, children, className = "" }) {
  return html`
    <section class=${`card ${className}`} aria-label=${title}>
      ${title && html`<div class="card-head"><h2>${title}</h2>${acts}</div>`}
      ${children}
    </section>`;
}

// pairs: [name, value]; those without a value are left out.
export function Facts({ pairs }) {
  return html`
    <dl class="facts">${pairs.filter(([, value]) => value != null && value !== "").map(([name, value]) => html`
      <div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function Notice({ tone = "warn", children }) {
  return html`<div class=${`notice notice-${tone}`} role=${tone === "bad" ? "alert" : "note"}>${children}</div>`;
}

// A text with its lines' numbers, read-only; the line of a fault is marked and its message stands under it.
import { html } from "../lib.js";
import { Copy } from "./copy.js";

export function Source({ text, fault, label }) {
  if (text == null) {
    return html`<p class="quiet">The file cannot be read.</p>`;
  }
  const lines = text.replace(/\n$/, "").split("\n");
  return html`
    <div class="body">
      <div class="body-acts"><${Copy} text=${text} what=${label} label="Copy" /></div>
      <pre class="source" tabindex="0" role="region" aria-label=${label}>${lines.map((line, i) => {
        const isFault = fault && fault.line === i + 1;
        return html`<span class=${`source-line ${isFault ? "source-fault" : ""}`}><span class="source-number"
          aria-hidden="true">${i + 1}</span><span>${line || " "}</span></span>${
          isFault && html`<span class="source-line source-message"><span class="source-number"></span><span>${fault.message}</span></span>`}`;
      })}</pre>
    </div>`;
}

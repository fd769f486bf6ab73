// Short messages at the edge: read out by screen readers, gone after a while, closed by hand.
import { html } from "../lib.js";
import { makeStore, useStore } from "../store.js";

const STAYS_MS = { good: 6000, info: 6000, bad: 15000 };
const toasts = makeStore([]);
let last = 0;

const drop = (id) => toasts.set(toasts.get().filter((toast) => toast.id !== id));

// tone: "good", "info", "bad".
export function toast(text, tone = "good") {
  const id = ++last;
  toasts.set([...toasts.get().slice(-3), { id, text, tone }]);
  setTimeout(() => drop(id), STAYS_MS[tone]);
}

function Region({ role, list }) {
  return html`
    <div role=${role} aria-live=${role === "alert" ? "assertive" : "polite"} class="toast-region">
      ${list.map((one) => html`
        <div class=${`toast tone-${one.tone}`} key=${one.id}>
          <span>${one.text}</span>
          <button type="button" class="toast-close" aria-label="Close the message" onClick=${() => drop(one.id)}>×</button>
        </div>`)}
    </div>`;
}

export function Toasts() {
  const list = useStore(toasts);
  return html`
    <div class="toasts">
      <${Region} role="status" list=${list.filter((one) => one.tone !== "bad")} />
      <${Region} role="alert" list=${list.filter((one) => one.tone === "bad")} />
    </div>`;
}

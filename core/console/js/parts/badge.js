// A word with a colour: the state of a delivery, a target, a workflow, an outcome.
import { html } from "../lib.js";

const TONES = {
  delivered: "good", sent: "good", running: "good", closed: "good", active: "good",
  retrying: "warn", half_open: "warn", paused: "warn", suspended: "bad", dry: "info",
  terminated: "bad", invalid: "bad", error: "bad", open: "bad", failed: "bad", broken: "bad",
  pending: "info", held: "held", draining: "warn", "paused and draining": "warn",
};

export function Badge({ tone = "plain", children, title }) {
  return html`<span class=${`badge tone-${tone}`} title=${title}>${children}</span>`;
}

export function State({ state, title }) {
  return html`<${Badge} tone=${TONES[state]} title=${title}>${String(state).replace("_", " ")}</${Badge}>`;
}

// The status code of an answer, or the word of why there was none.
export function Status({ status, error }) {
  if (error || !status) {
    return html`<${Badge} tone="bad">${error || "no answer"}</${Badge}>`;
  }
  return html`<${Badge} tone=${status >= 200 && status < 300 ? "good" : "bad"}>${status}</${Badge}>`;
}

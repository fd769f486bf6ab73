// What the pages say about deliveries in the same words.
import { html } from "./lib.js";
import { formatRelative, visible } from "./format.js";

const WHY_MAX = 60;

export const STATES = [
  "pending", "retrying", "held", "delivered", "terminated", "invalid", "cancelled", "superseded",
];
export const CAN_RESEND = ["retrying", "delivered", "terminated", "cancelled", "superseded"];
export const CAN_CANCEL = ["pending", "retrying", "held"];
// Errors that end an attempt before there is a connection to send anything over.
const UNSENT = ["secret_missing", "oauth", "address_refused", "dns", "connect"];

export const wasUnsent = (attempt) => UNSENT.includes(attempt.error);

// Why a delivery is in its state, as short as a row of a list wants it.
export function whyShort({ reason, waits_for: waitsFor, last_error: lastError }) {
  const why = reason || lastError || waitsFor || "";
  return why.length > WHY_MAX ? `${why.slice(0, WHY_MAX - 1)}…` : why;
}

export const deliveryHref = (id) => `#/deliveries/${encodeURIComponent(id)}`;
export const eventHref = (id) => `#/events/${encodeURIComponent(id)}`;
export const workflowHref = (id) => `#/workflows/${encodeURIComponent(id)}`;

export const DeliveryLink = ({ id }) => html`<a class="mono" href=${deliveryHref(id)}>${id}</a>`;
export const EventLink = ({ id }) => html`<a class="mono" href=${eventHref(id)}>${visible(id)}</a>`;
export const WorkflowLink = ({ id }) => html`<a href=${workflowHref(id)}>${id}</a>`;

const NEXT = {
  held: "It waits. It is sent when what holds it is over.",
  delivered: "Nothing more happens: it has arrived.",
  terminated: "Nothing more is sent, unless somebody resends it.",
  invalid: "It is never sent: its content is not legal. Mend the workflow, then replay the event.",
  cancelled: "Nothing more is sent, unless somebody resends it.",
  superseded: "Nothing more is sent: a newer one of the same record has taken its place.",
};

// What becomes of it now, in one sentence.
export function whatIsNext(delivery, nowMs) {
  const { state, next_attempt_at: next, attempts = [] } = delivery;
  if (state !== "pending" && state !== "retrying") {
    return NEXT[state] || "";
  }
  const number = attempts.length ? attempts[attempts.length - 1].number + 1 : 1;
  const which = state === "pending" && number === 1 ? "The first attempt" : `Attempt ${number}`;
  if (!next || Date.parse(next) <= nowMs + 1500) {
    return `${which} is due now.`;
  }
  return `${which} is due ${formatRelative(Date.parse(next), nowMs)}.`;
}

// Whether a delivery that the stream tells of belongs into a list with these filters.
export function isInList(delivery, filters) {
  const { state, workflow, target, type, record, since, until } = filters;
  const isState = !state || (state === "owed" ? CAN_CANCEL.includes(delivery.state) : delivery.state === state);
  return isState && (!workflow || delivery.workflow === workflow) &&
    (!target || delivery.target === target) && (!type || delivery.record.type === type) &&
    (!record || String(delivery.record.id) === record) && !until &&
    (!since || !/^\d{4}-/.test(since) || Date.parse(delivery.created_at) >= Date.parse(since));
}

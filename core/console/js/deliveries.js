// What the pages say about deliveries in the same words.
import { html } from "./lib.js";
import { formatRelative } from "./format.js";

export const STATES = [
  "pending", "retrying", "held", "delivered", "terminated", "invalid", "cancelled", "superseded",
];
export const CAN_RESEND = ["delivered", "terminated", "cancelled", "superseded"];
export const CAN_CANCEL = ["pending", "retrying", "held"];

export const deliveryHref = (id) => `#/deliveries/${encodeURIComponent(id)}`;
export const eventHref = (id) => `#/events/${encodeURIComponent(id)}`;
export const workflowHref = (id) => `#/workflows/${encodeURIComponent(id)}`;

export const DeliveryLink = ({ id }) => html`<a class="mono" href=${deliveryHref(id)}>${id}</a>`;
export const EventLink = ({ id }) => html`<a class="mono" href=${eventHref(id)}>${id}</a>`;
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
  return (!state || delivery.state === state) && (!workflow || delivery.workflow === workflow) &&
    (!target || delivery.target === target) && (!type || delivery.record.type === type) &&
    (!record || String(delivery.record.id) === record) && !until &&
    (!since || !/^\d{4}-/.test(since) || delivery.created_at >= since);
}

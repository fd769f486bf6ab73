// One delivery: what became of it and why, what happens next, each attempt with its request and answer.
import { html } from "../lib.js";
import { part, post } from "../api.js";
import { CAN_CANCEL, CAN_RESEND, EventLink, wasUnsent, whatIsNext, WorkflowLink } from "../deliveries.js";
import { formatDuration, recordWords } from "../format.js";
import { useLive, usePollEvery } from "../live.js";
import { ActButton, useAct } from "../parts/act.js";
import { State, Status } from "../parts/badge.js";
import { Copy } from "../parts/copy.js";
import { RequestSent, ResponseReceived } from "../parts/exchange.js";
import { Card, Facts, Notice, Page } from "../parts/page.js";
import { Time, useNow } from "../parts/time.js";
import { Timeline } from "../parts/timeline.js";
import { Loaded, useResource } from "../resource.js";
import { href } from "../route.js";

const ENDS = {
  terminated: "Given up", invalid: "Never sent", cancelled: "Cancelled", superseded: "Superseded",
};

// An attempt went well if it is the last of a delivery that arrived; a status alone may be told otherwise.
const isSuccess = (delivery, i) => delivery.state === "delivered" && i === delivery.attempts.length - 1;

function attemptItem(delivery, attempt, i) {
  const { response_received: response, error, detail } = attempt;
  return {
    key: attempt.number,
    tone: isSuccess(delivery, i) ? "good" : "bad",
    at: attempt.at,
    isOpen: i === delivery.attempts.length - 1,
    title: html`Attempt ${attempt.number} <${Status} status=${response?.status} error=${error} />
      <span class="quiet"> ${formatDuration(attempt.elapsed_ms)}</span>${
      detail && html` <span class="quiet">${detail}</span>`}`,
    children: html`<div class="exchanges">
      <${RequestSent} request=${attempt.request_sent} isUnsent=${wasUnsent(attempt)} />
      <${ResponseReceived} response=${response} error=${error} detail=${detail} />
    </div>`,
  };
}

function timelineOf(delivery) {
  const created = { key: "created", tone: "info", at: delivery.created_at, title: "Stored, and owed from here on" };
  const next = CAN_CANCEL.includes(delivery.state) && delivery.next_attempt_at
    ? [{ key: "next", at: delivery.next_attempt_at, title: "Next attempt" }] : [];
  const end = ENDS[delivery.state]
    ? [{ key: "end", tone: "bad", title: `${ENDS[delivery.state]}${delivery.reason ? `: ${delivery.reason}` : ""}` }] : [];
  return [created, ...delivery.attempts.map((attempt, i) => attemptItem(delivery, attempt, i)), ...next, ...end];
}

function Acts({ delivery, onDone }) {
  const [isBusy, run] = useAct();
  const act = async (verb, words) => {
    const after = await run(() => post(`/v1/deliveries/${part(delivery.id)}/${verb}`), words);
    if (after) {
      onDone(after);
    }
  };
  return html`
    <${Copy} text=${delivery.id} label="Copy id" what="the delivery's id" />
    ${CAN_CANCEL.includes(delivery.state) && html`
      <${ActButton} tone="danger" isBusy=${isBusy} onClick=${() => act("cancel", "Cancelled.")}>Cancel</${ActButton}>`}
    <${ActButton} tone="primary" isBusy=${isBusy} disabled=${!CAN_RESEND.includes(delivery.state)}
      onClick=${() => act("resend", "It is sent again, with the same webhook-id.")}>Resend</${ActButton}>`;
}

function Summary({ delivery }) {
  const nowMs = useNow();
  const last = delivery.attempts[delivery.attempts.length - 1];
  return html`
    <p class="next"><${State} state=${delivery.state} /> ${delivery.reason && html`<strong>${delivery.reason}</strong>. `}
      ${delivery.waits_for && `${delivery.waits_for}. `}${whatIsNext(delivery, nowMs)}</p>
    <${Facts} pairs=${[
      ["Workflow", html`<${WorkflowLink} id=${delivery.workflow} />, action ${delivery.action}`],
      ["Event", html`<${EventLink} id=${delivery.event} />`],
      ["Record", html`<a href=${href(["deliveries"], { type: delivery.record.type, record: delivery.record.id })}>${
        recordWords(delivery.record)}</a>`],
      ["Target", html`<a href=${href(["deliveries"], { target: delivery.target })}>${delivery.target}</a>`],
      ["Created", html`<${Time} at=${delivery.created_at} isExact />`],
      ["Given up at the latest", delivery.ends_at && html`<${Time} at=${delivery.ends_at} isExact />`],
      ["Attempts", delivery.attempts.length],
      ["Last answer", last && html`<${Status} status=${last.response_received?.status} error=${last.error} /> ${last.detail}`],
    ]} />`;
}

export function Delivery({ id }) {
  const one = useResource(`/v1/deliveries/${part(id)}`, { every: usePollEvery(3000) });
  useLive("delivery", (delivery) => delivery.id === id && one.reload());
  return html`
    <${Page} title=${id} above=${html`<a href="#/deliveries">Deliveries</a>`}
      acts=${one.data && html`<${Acts} delivery=${one.data} onDone=${(after) => one.set(() => after)} />`}>
      <${Loaded} of=${one}>${(delivery) => html`
        <${Card} className="stack"><${Summary} delivery=${delivery} /></${Card}>
        ${delivery.note && html`<${Notice} tone="info">${delivery.note}.</${Notice}>`}
        <${Card} title="Attempts"><${Timeline} label="Attempts, oldest first" items=${timelineOf(delivery)} /></${Card}>`}
      </${Loaded}>
    </${Page}>`;
}

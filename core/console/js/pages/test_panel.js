// Test URL: what the workflow would do for an event, and, when it is sent, what the receiver answers.
// Nothing is stored.
import { html, useEffect, useState } from "../lib.js";
import { call, get, part, withQuery } from "../api.js";
import { formatDuration, recordWords } from "../format.js";
import { ActButton, useAct } from "../parts/act.js";
import { Badge } from "../parts/badge.js";
import { RequestSent, ResponseReceived } from "../parts/exchange.js";
import { Card, Notice } from "../parts/page.js";
import { toast } from "../parts/toast.js";
import { Trace } from "../parts/trace.js";
import { useResource } from "../resource.js";

const EVENTS = 20;
const TYPED = "";

function sampleOf(workflow) {
  const type = workflow.record || "deal";
  return JSON.stringify({ type: `${type}.updated`, record: { id: 1, name: `A ${type}` }, previous: {} }, null, 2);
}

// The event as it was sent, in lines.
async function textOf(id) {
  const event = await get(withQuery(`/v1/events/${part(id)}`, { sent: "true" }), { isExact: true });
  return event.sent ? JSON.stringify(event.sent, null, 2) : null;
}

// The callback's status code, as the toast says it.
function sayOutcome(request) {
  const { response_received: response, success, error, advice, detail } = request;
  const what = response ? `Callback status code ${response.status}` : `No answer: ${error}`;
  toast(success ? `${what}: success` : `${what}: failure. ${advice || detail || ""}`, success ? "good" : "bad");
}

// What would become of a delivery after such an attempt.
function consequenceOf({ reason, retry_in_ms: wait, fault }) {
  const next = wait != null ? `A host would try again in ${formatDuration(wait)}. ` : reason ? `A host would give up: ${reason}. ` : "";
  return next + (fault ? `A function of the webhook failed, so what holds without it does: ${fault}` : "");
}

function Request({ request }) {
  const isSent = request.success !== undefined && request.success !== null;
  return html`
    <section class="stack" aria-label=${`Webhook ${request.action}`}>
      <h3>Webhook ${request.action} <span class="quiet">${request.target}</span></h3>
      ${request.invalid && html`<${Notice} tone="bad">${request.invalid}</${Notice}>`}
      ${isSent && request.advice && html`<${Notice} tone=${request.success ? "info" : "bad"}>${request.advice}</${Notice}>`}
      ${isSent && consequenceOf(request) && html`<p class="quiet">${consequenceOf(request)}</p>`}
      <div class="exchanges">
        <${RequestSent} request=${request.request_sent} curl=${request.curl} />
        ${isSent && html`<${ResponseReceived} response=${request.response_received} error=${request.error} detail=${request.detail} />`}
      </div>
    </section>`;
}

function Result({ result }) {
  return html`
    <div class="stack" aria-live="polite">
      <h3>${result.would_fire ? html`<${Badge} tone="good">fires</${Badge}>` : html`<${Badge} tone="bad">does not fire</${Badge}>`}
        ${" "}for ${result.event.type} ${result.event.id || ""}</h3>
      ${result.error && html`<${Notice} tone="bad">${result.error}</${Notice}>`}
      <${Trace} explain=${result.trace} />
      ${result.requests.map((request) => html`<${Request} key=${request.action} request=${request} />`)}
    </div>`;
}

function EventPicker({ workflow, picked, onPick }) {
  const list = useResource(workflow.record && withQuery("/v1/events", { type: workflow.record, limit: EVENTS }));
  return html`
    <div class="field"><label for="test-pick">Event</label>
      <select id="test-pick" value=${picked} onChange=${(e) => onPick(e.target.value)}>
        <option value=${TYPED}>Typed below</option>
        ${(list.data?.events || []).map((event) => html`
          <option value=${event.id} selected=${event.id === picked}>${event.id}, ${event.type}, ${recordWords(event.record)}</option>`)}
      </select></div>`;
}

export function TestPanel({ workflow }) {
  const [picked, setPicked] = useState(TYPED);
  const [text, setText] = useState(() => sampleOf(workflow));
  const [result, setResult] = useState(null);
  const [isBusy, run] = useAct();
  useEffect(() => setResult(null), [workflow.id]);
  const pick = async (id) => {
    setPicked(id);
    const found = id === TYPED ? sampleOf(workflow) : await run(() => textOf(id));
    if (found) {
      setText(found);
    }
  };
  const test = async (send) => {
    const answer = await run(() => call("POST", `/v1/workflows/${part(workflow.id)}/test`,
      `{"event":${text},"send":${send}}`, { isExact: true }));
    if (answer) {
      setResult(answer);
      answer.requests.filter((request) => send && request.success !== undefined).forEach(sayOutcome);
    }
  };
  const edit = (event) => {
    setText(event.target.value);
    setPicked(TYPED);
  };
  return html`
    <${Card} title="Test URL" className="test-panel">
      <div class="stack">
        <${EventPicker} workflow=${workflow} picked=${picked} onPick=${pick} />
        <div class="field"><label for="test-event">The event, as it is sent to the host</label>
          <textarea id="test-event" rows="8" spellcheck="false" value=${text} onInput=${edit}></textarea></div>
        <div class="page-acts">
          <${ActButton} isBusy=${isBusy} onClick=${() => test(false)}>Would it fire?</${ActButton}>
          <${ActButton} tone="primary" isBusy=${isBusy} onClick=${() => test(true)}>Test URL</${ActButton}>
          <span class="field-help test-help">“Test URL” sends the webhook to its receiver. Nothing is stored, no once-mark is taken.</span>
        </div>
        ${result && html`<${Result} result=${result} />`}
      </div>
    </${Card}>`;
}

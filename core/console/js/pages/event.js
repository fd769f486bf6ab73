// One event: the tree of what it caused, what was sent with it, why workflows fired or not, replay.
import { html, useState } from "../lib.js";
import { part, post, withQuery } from "../api.js";
import { DeliveryLink, WorkflowLink } from "../deliveries.js";
import { idWords, recordWords } from "../format.js";
import { useLive, usePollEvery } from "../live.js";
import { ActButton, useAct } from "../parts/act.js";
import { Badge, State, Status } from "../parts/badge.js";
import { Json } from "../parts/body.js";
import { Copy } from "../parts/copy.js";
import { Confirm } from "../parts/dialog.js";
import { Card, Facts, Notice, Page } from "../parts/page.js";
import { Time } from "../parts/time.js";
import { toast } from "../parts/toast.js";
import { Trace } from "../parts/trace.js";
import { Loaded, useResource } from "../resource.js";
import { href } from "../route.js";

const DELIVERIES_MOST = 50; // of one run: the rest is in the list of deliveries

function DeliveryLine({ id }) {
  const one = useResource(`/v1/deliveries/${part(id)}`, { every: usePollEvery(4000) });
  useLive("delivery", (delivery) => delivery.id === id && one.reload());
  const last = one.data?.attempts.at(-1);
  return html`
    <li class="tree-line"><${DeliveryLink} id=${id} />
      ${one.data && html`<${State} state=${one.data.state} title=${one.data.reason} />
        ${last && html`<${Status} status=${last.response_received?.status} error=${last.error} />`}
        <span class="quiet">${one.data.target}</span>`}
      ${one.problem && html`<span class="quiet">${one.problem.message}</span>`}
    </li>`;
}

function RunBranch({ run }) {
  const shown = run.deliveries.slice(0, DELIVERIES_MOST);
  return html`
    <li class="tree-run">
      <div class="tree-line"><${WorkflowLink} id=${run.workflow} /> <${State} state=${run.outcome} />
        ${run.replay && html`<${Badge} tone="info">replay</${Badge}>`}
        <span class="quiet">generation ${run.generation}</span>
        ${run.reason && html`<span>${run.reason}</span>`}</div>
      ${shown.length > 0 && html`
        <ul class="tree-deliveries" aria-label=${`Deliveries of ${run.workflow}`}>
          ${shown.map((id) => html`<${DeliveryLine} key=${id} id=${id} />`)}</ul>`}
      ${run.deliveries.length > shown.length && html`<p class="quiet">and ${run.deliveries.length - shown.length} more</p>`}
    </li>`;
}

function Tree({ event }) {
  if (event.runs.length === 0) {
    return html`<p class="quiet">No workflow fired. “Explain” says why not.</p>`;
  }
  return html`<ul class="tree" aria-label="Event, decisions, deliveries">
    ${event.runs.map((run, i) => html`<${RunBranch} key=${i} run=${run} />`)}</ul>`;
}

function Explained({ id }) {
  const explained = useResource(`/v1/events/${part(id)}/explain`);
  return html`
    <${Loaded} of=${explained}>${({ generation, workflows }) => html`
      <p class="quiet">Judged again by the rules of generation ${generation}.</p>
      ${workflows.length === 0 && html`<p>No workflow asks for events of this type.</p>`}
      ${workflows.map((one) => html`
        <div class="stack" key=${one.workflow}>
          <h3><${WorkflowLink} id=${one.workflow} /> ${one.became}</h3>
          ${one.deliveries.length > 0 && html`<p>${one.deliveries.slice(0, DELIVERIES_MOST).map((owed) => html`<${DeliveryLink} key=${owed} id=${owed} /> `)}</p>`}
          <${Trace} explain=${one.explain} />
        </div>`)}`}
    </${Loaded}>`;
}

function repliedWords({ events: [answer] }) {
  const count = answer.deliveries.length;
  const marked = answer.marked?.length ? ` Not again, since they fire once: ${answer.marked.join(", ")}.` : "";
  return `${count ? `${count} new ${count === 1 ? "delivery" : "deliveries"}.` : "Nothing new is owed."}${marked}`;
}

function Replay({ event, onDone, onClose }) {
  const [isBusy, run] = useAct();
  const [workflow, setWorkflow] = useState("");
  const [isForced, setForced] = useState(false);
  const workflows = useResource("/v1/workflows");
  const yes = async () => {
    const query = { workflow, force: isForced ? "true" : "" };
    const answer = await run(() => post(withQuery(`/v1/events/${part(event.id)}/replay`, query)));
    if (answer) {
      toast(repliedWords(answer));
      onDone();
    }
    onClose();
  };
  return html`
    <${Confirm} title="Replay this event" yes="Replay" isBusy=${isBusy} onYes=${yes} onClose=${onClose}>
      <p>The rules in force judge it again. What they owe now goes out as new deliveries.</p>
      <div class="field"><label for="replay-workflow">Workflow</label>
        <select id="replay-workflow" value=${workflow} onChange=${(e) => setWorkflow(e.target.value)}>
          <option value="">All</option>
          ${(workflows.data?.workflows || []).map((one) => html`<option value=${one.id}>${one.id}</option>`)}
        </select></div>
      <div class="field-check"><input id="replay-force" type="checkbox" checked=${isForced}
          onChange=${(e) => setForced(e.target.checked)} />
        <label for="replay-force">Also workflows that fire once and have fired</label></div>
    </${Confirm}>`;
}

export function Event({ id }) {
  const one = useResource(`/v1/events/${part(id)}`, { every: usePollEvery(5000), isExact: true });
  const [isReplaying, setReplaying] = useState(false);
  const [isExplained, setExplained] = useState(false);
  useLive("run", (run) => run.event === id && one.reload());
  const acts = one.data && html`
    <${Copy} text=${id} label="Copy id" what="the event's id" />
    <${ActButton} tone="primary" onClick=${() => setReplaying(true)}>Replay…</${ActButton}>`;
  return html`
    <${Page} title=${id} above=${html`<a href="#/events">Events</a>`} acts=${acts}>
      <${Loaded} of=${one}>${(event) => {
        const record = { type: event.type.split(".")[0], id: event.record?.id };
        return html`
        <${Card}><${Facts} pairs=${[
          ["Type", event.type],
          ["Record", event.record && html`<a href=${href(["events"], { type: record.type, record: idWords(record.id) })}>${
            recordWords(record)}</a>`],
          ["Happened", html`<${Time} at=${event.time} isExact />`],
          ["Received", html`<${Time} at=${event.received_at} isExact />`],
        ]} /></${Card}>
        ${event.note && html`<${Notice} tone="info">${event.note}.</${Notice}>`}
        <${Card} title="What it caused"><${Tree} event=${event} /></${Card}>
        <${Card} title="Why" acts=${!isExplained && html`
          <button type="button" class="button button-small" onClick=${() => setExplained(true)}>Explain</button>`}>
          ${isExplained ? html`<${Explained} id=${id} />`
            : html`<p class="quiet">Each condition, what was seen, what was wanted.</p>`}</${Card}>
        <${Card} title="Record"><${Json} value=${event.record} label="record" /></${Card}>
        ${event.previous && html`<${Card} title="Before the change"><${Json} value=${event.previous} label="previous values" /></${Card}>`}
        ${isReplaying && html`<${Replay} event=${event} onDone=${one.reload} onClose=${() => setReplaying(false)} />`}`;
      }}</${Loaded}>
    </${Page}>`;
}

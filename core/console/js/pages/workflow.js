// One workflow: what it does, what is wrong with its file, start and stop, last runs, its text, Test URL.
import { html, useState } from "../lib.js";
import { part, post, withQuery } from "../api.js";
import { DeliveryLink, EventLink } from "../deliveries.js";
import { useLive, usePollEvery } from "../live.js";
import { ActButton, useAct } from "../parts/act.js";
import { State } from "../parts/badge.js";
import { Source } from "../parts/source.js";
import { Card, Facts, Notice, Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Time } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";
import { href } from "../route.js";
import { TestPanel } from "./test_panel.js";
import { WorkflowState } from "./workflows.js";

const RUNS = 10;
const SHOWN_DELIVERIES = 3;

function Acts({ workflow, onDone }) {
  const [isBusy, run] = useAct();
  const act = async (verb, words) => {
    const after = await run(() => post(`/v1/workflows/${part(workflow.id)}/${verb}`), words);
    if (after) {
      onDone(after);
    }
  };
  const isLoaded = !workflow.error || workflow.error.last_good;
  const isOn = workflow.active && !workflow.suspended;
  return html`
    ${workflow.started_by === "operator" && html`<${ActButton} isBusy=${isBusy}
      onClick=${() => act("follow-file", "It does what its file says.")}>Follow file</${ActButton}>`}
    ${isOn
      ? html`<${ActButton} tone="danger" isBusy=${isBusy} onClick=${() => act("deactivate", "Stopped.")}>Stop</${ActButton}>`
      : html`<${ActButton} tone="primary" isBusy=${isBusy} disabled=${!isLoaded} onClick=${() => act("activate", "Started.")}>Start</${ActButton}>`}`;
}

function Fault({ error }) {
  return html`
    <${Notice} tone="bad"><div>
      <strong>${error.file}:${error.line}</strong>${error.path && html` <span class="mono">${error.path}</span>`}
      <p>${error.message}</p>
      <p>${error.last_good ? "The last good text of the file is in force." : "Nothing of this file is in force."}</p>
    </div></${Notice}>`;
}

const COLUMNS = [
  { title: "Outcome", kind: "short", cell: (run) => html`<${State} state=${run.outcome} />` },
  { title: "Event", kind: "any", cell: (run) => html`<${EventLink} id=${run.event} />${run.replay && " (replay)"}` },
  { title: "Deliveries", kind: "any", narrow: false, cell: (run) => html`${
    run.deliveries.slice(0, SHOWN_DELIVERIES).map((id, i) => html`${i ? ", " : ""}<${DeliveryLink} id=${id} />`)}${
    run.deliveries.length > SHOWN_DELIVERIES ? ` and ${run.deliveries.length - SHOWN_DELIVERIES} more` : ""}` },
  { title: "Why", kind: "any", cell: (run) => run.reason },
];

function Runs({ id }) {
  const list = useResource(withQuery("/v1/runs", { workflow: id, limit: RUNS }), { every: usePollEvery(5000) });
  useLive("run", (run) => run.workflow === id && list.set((page) => ({ ...page, runs: [run, ...page.runs].slice(0, RUNS) })));
  return html`
    <${Card} title="Last runs" acts=${html`<a href=${href(["deliveries"], { workflow: id })}>Its deliveries</a>`}>
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="Last runs, newest first" columns=${COLUMNS} rows=${page.runs}
          rowKey=${(run) => `${run.event} ${run.deliveries[0] || run.replay}`} empty="It has not run yet." />`}</${Loaded}>
    </${Card}>`;
}

function Text({ workflow }) {
  const text = useResource(`/v1/workflows/${part(workflow.id)}/source`, { every: 10000 });
  const [isOlder, setOlder] = useState(false);
  return html`
    <${Card} title="Source" acts=${text.data?.in_force && html`
      <button type="button" class="button button-small" aria-pressed=${isOlder} onClick=${() => setOlder(!isOlder)}>
        The text in force</button>`}>
      <${Loaded} of=${text}>${(data) => html`
        <p class="quiet mono source-file">${data.file}</p>
        <${Source} text=${isOlder && data.in_force ? data.in_force : data.text}
          fault=${isOlder ? null : workflow.error} label="source of the workflow" />`}</${Loaded}>
    </${Card}>`;
}

export function Workflow({ id }) {
  const one = useResource(`/v1/workflows/${part(id)}`, { every: 5000 });
  return html`
    <${Page} title=${one.data?.name || id} above=${html`<a href="#/workflows">Workflows</a>`}
      acts=${one.data && html`<${Acts} workflow=${one.data} onDone=${(after) => one.set(() => after)} />`}>
      <${Loaded} of=${one}>${(workflow) => html`
        ${workflow.error && html`<${Fault} error=${workflow.error} />`}
        ${workflow.suspended && html`<${Notice} tone="bad"><span>Suspended <${Time} at=${workflow.suspended.at} />: ${
          workflow.suspended.reason}</span></${Notice}>`}
        ${workflow.missing_secrets.length > 0 && html`<${Notice} tone="warn"><span>Not set, so its webhooks fail: ${
          workflow.missing_secrets.map((name, i) => html`${i > 0 && ", "}<span class="mono">hookline secrets set ${name}</span>`)}
          , then <span class="mono">hookline reload</span></span></${Notice}>`}
        <${Card} className="stack">
          <p class="next"><${WorkflowState} workflow=${workflow} /> ${workflow.description}</p>
          <${Facts} pairs=${[["Id", workflow.id], ["Record type", workflow.record],
            ["File", html`<span class="mono">${workflow.file}</span>`],
            ["Started or stopped by", workflow.started_by === "operator" ? "an operator" : "its file"]]} />
        </${Card}>
        ${workflow.error && html`<${Text} key="text" workflow=${workflow} />`}
        ${workflow.record && html`<${TestPanel} workflow=${workflow} />`}
        <${Runs} id=${id} />
        ${!workflow.error && html`<${Text} key="text" workflow=${workflow} />`}`}
      </${Loaded}>
    </${Page}>`;
}

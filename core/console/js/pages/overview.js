// How the host is doing: rates, failures, what is owed and since when, by workflow and by target.
import { html } from "../lib.js";
import { withDelivery } from "./deliveries.js";
import { DeliveryLink, EventLink, WorkflowLink } from "../deliveries.js";
import { formatDuration, formatNumber } from "../format.js";
import { useLive, usePollEvery } from "../live.js";
import { Chart } from "../parts/chart.js";
import { State } from "../parts/badge.js";
import { Card, Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Age, Time } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";
import { href } from "../route.js";

const FAILURES = 8;
const MINUTE_S = 60;
const OLD_MS = 15 * 60000; // owed for longer: something is wrong

const last = (numbers) => numbers.at(-1) || 0;

function Tile({ title, note, isBad, children }) {
  return html`
    <div class=${`tile ${isBad ? "tile-bad" : ""}`}><dt>${title}</dt>
      <dd>${children}${note && html`<div class="tile-note">${note}</div>`}</dd></div>`;
}

function Tiles({ data }) {
  const { events, deliveries, owed, oldest_owed_at: oldest } = data;
  const states = deliveries.by_state;
  const failed = last(deliveries.failed_per_minute);
  const isOld = oldest && Date.parse(data.at) - Date.parse(oldest) > OLD_MS;
  return html`
    <dl class="tiles">
      <${Tile} title="Events this minute" note=${html`${formatNumber(events.total)} since the start <${Time} at=${data.started_at} />`}>${
        formatNumber(last(events.per_minute))}</${Tile}>
      <${Tile} title="Delivered this minute">${formatNumber(last(deliveries.delivered_per_minute))}</${Tile}>
      <${Tile} title="Failed this minute" isBad=${failed > 0}>${formatNumber(failed)}</${Tile}>
      <${Tile} title="Owed" note=${`${formatNumber(states.retrying || 0)} retrying, ${formatNumber(states.held || 0)} held`}>${
        formatNumber(owed)}</${Tile}>
      <${Tile} title="Oldest owed" isBad=${isOld}>${oldest ? html`<${Age} at=${oldest} />` : "–"}</${Tile}>
    </dl>`;
}

function Rates({ data }) {
  const { per_minute: events } = data.events;
  const { delivered_per_minute: delivered, failed_per_minute: failed } = data.deliveries;
  const now = Math.floor(Date.parse(data.at) / 1000 / MINUTE_S) * MINUTE_S;
  const times = events.map((_, i) => now - (events.length - 1 - i) * MINUTE_S);
  const started = Date.parse(data.started_at) / 1000 - MINUTE_S;
  const known = (values) => values.map((value, i) => (times[i] < started ? null : value)); // before it nobody counted
  return html`
    <${Card} title="The last hour, by minute" className="rates">
      <${Chart} label="Rates of the last hour" times=${times} lines=${[
        { title: "events", className: "line-events", values: known(events) },
        { title: "delivered", className: "line-delivered", values: known(delivered) },
        { title: "failed attempts", className: "line-failed", values: known(failed) },
      ]} />
    </${Card}>`;
}

const number = (title, value, more) => ({ title, kind: "number", cell: (row) => formatNumber(value(row)), ...more });

const WORKFLOWS = [
  { title: "Workflow", kind: "any", cell: (row) => (row.id === "other" ? "other" : html`<${WorkflowLink} id=${row.id} />`) },
  number("Runs", (row) => row.runs),
  number("Delivered", (row) => row.delivered),
  number("Failed", (row) => row.failed),
  number("Errors", (row) => row.errors, { narrow: false }),
];

const TARGETS = [
  { title: "Target", kind: "any", cell: (row) => html`<a href=${href(["deliveries"], { target: row.target })}>${row.target}</a>` },
  { title: "State", kind: "short", cell: (row) => html`<${State} state=${row.state} />` },
  number("Owed", (row) => row.owed),
  number("Failed", (row) => row.failed),
  { title: "p99", kind: "number", narrow: false, cell: (row) => formatDuration(row.latency_ms?.p99) },
];

const GIVEN_UP = [
  { title: "Delivery", kind: "id", cell: (row) => html`<${DeliveryLink} id=${row.id} />` },
  { title: "Workflow", kind: "any", narrow: false, cell: (row) => html`<${WorkflowLink} id=${row.workflow} />` },
  { title: "Why", kind: "any", cell: (row) => row.reason },
  { title: "Created", kind: "short", narrow: false, cell: (row) => html`<${Time} at=${row.created_at} />` },
];

function Failures() {
  const list = useResource(`/v1/deliveries?state=terminated&limit=${FAILURES}`, { every: usePollEvery(5000) });
  useLive("delivery", (delivery) => list.set((page) => ({
    ...page, deliveries: withDelivery(page.deliveries, delivery, { state: "terminated" }, true).slice(0, FAILURES),
  })));
  return html`
    <${Card} title="Given up" acts=${html`<a href=${href(["deliveries"], { state: "terminated" })}>All of them</a>`}>
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="Deliveries that were given up, the newest first" columns=${GIVEN_UP} rows=${page.deliveries}
          empty="None: nothing was given up." />`}
      </${Loaded}>
    </${Card}>`;
}

const RAISED = [
  { title: "Event", kind: "any", cell: (run) => html`<${EventLink} id=${run.event} />` },
  { title: "Workflow", kind: "any", cell: (run) => html`<${WorkflowLink} id=${run.workflow} />` },
  { title: "Why", kind: "any", cell: (run) => run.reason },
];

function Errors() {
  const list = useResource(`/v1/runs?outcome=error&limit=${FAILURES}`, { every: usePollEvery(5000) });
  useLive("run", (run) => run.outcome === "error" && list.set((page) => ({
    ...page, runs: [run, ...page.runs].slice(0, FAILURES),
  })));
  return html`
    <${Card} title="Last errors of workflows">
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="Runs that ended with an error last" columns=${RAISED} rows=${page.runs}
          rowKey=${(run) => `${run.event} ${run.workflow}`} empty="None: every rule ran to its end." />`}
      </${Loaded}>
    </${Card}>`;
}

function Counted({ data }) {
  return html`
    <${Tiles} data=${data} />
    <${Rates} data=${data} />
    <div class="columns">
      <${Card} title="Targets" acts=${html`<a href="#/targets">All targets</a>`}>
        <${Table} caption="By target, since the start" columns=${TARGETS} rows=${data.targets}
          rowKey=${(row) => row.target} empty="No webhook was owed yet." /></${Card}>
      <${Card} title="Workflows" acts=${html`<a href="#/workflows">All workflows</a>`}>
        <${Table} caption="By workflow, since the start" columns=${WORKFLOWS} rows=${data.workflows}
          empty="No workflow has run yet." /></${Card}>
      <${Failures} /><${Errors} /></div>`;
}

// Of a host that does not count: what it owes now.
function Uncounted() {
  const status = useResource("/v1/status", { every: 2000 });
  return html`
    <${Loaded} of=${status}>${(data) => html`
      <dl class="tiles"><${Tile} title="Status">${data.status}</${Tile}>
        <${Tile} title="Owed">${formatNumber(data.owed)}</${Tile}>
        <${Tile} title="In flight">${formatNumber(data.in_flight)}</${Tile}></dl>`}</${Loaded}>
    <div class="columns"><${Failures} /><${Errors} /></div>`;
}

export function Overview() {
  const overview = useResource("/v1/overview", { every: usePollEvery(2000) });
  useLive("overview", (data) => overview.set(() => data));
  return html`
    <${Page} title="Overview">
      ${overview.problem?.status === 404 ? html`<${Uncounted} />`
        : html`<${Loaded} of=${overview}>${(data) => html`<${Counted} data=${data} />`}</${Loaded}>`}
    </${Page}>`;
}

// Where webhooks go: the breaker, what is owed, how fast it may be and is; pause and resume.
import { html } from "../lib.js";
import { part, post, withQuery } from "../api.js";
import { formatDuration, formatNumber } from "../format.js";
import { useLive, usePollEvery } from "../live.js";
import { ActButton, useAct } from "../parts/act.js";
import { State } from "../parts/badge.js";
import { Filters } from "../parts/filters.js";
import { Page } from "../parts/page.js";
import { Pager, Table } from "../parts/table.js";
import { Time } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";
import { go, href } from "../route.js";

const ROWS = 100;
const FIELDS = [{ name: "target", label: "Target", placeholder: "https://host:443" }];
const STATES = {
  closed: "It lets everything through.",
  open: "It has failed too often: nothing is sent to it for a while.",
  half_open: "One webhook is sent to see whether it answers again.",
  paused: "Nothing is sent to it until it is resumed.",
};

function Act({ row, onDone }) {
  const [isBusy, run] = useAct();
  const isPaused = row.state === "paused";
  const act = async () => {
    const after = await run(() => post(`/v1/targets/${part(row.target)}/${isPaused ? "resume" : "pause"}`),
      isPaused ? `${row.target} goes on.` : `Nothing is sent to ${row.target}.`);
    if (after) {
      onDone(after);
    }
  };
  return html`<${ActButton} tone="small" isBusy=${isBusy} onClick=${act}
    label=${`${isPaused ? "Resume" : "Pause"} ${row.target}`}>${isPaused ? "Resume" : "Pause"}</${ActButton}>`;
}

const columnsOf = (counted, onDone) => [
  { title: "Breaker", kind: "short", cell: (t) => html`<${State} state=${t.state} title=${STATES[t.state]} />` },
  { title: "Target", kind: "any", cell: (t) => html`<a href=${href(["deliveries"], { target: t.target })}>${t.target}</a>
    ${t.last_error && html`<div class="fault">${t.last_error}${t.failing_since && html`, failing since <${Time} at=${t.failing_since} isExact />`}</div>`}
    ${t.state === "paused" && html`<div><a href=${href(["audit"], { act: "target", subject: t.target })}>Who paused it, and when</a></div>`}` },
  { title: "Owed", kind: "number", cell: (t) => formatNumber(t.owed) },
  { title: "In flight", kind: "number", narrow: false, cell: (t) => formatNumber(t.in_flight) },
  { title: "Rate", kind: "number", narrow: false, cell: (t) => t.rate || "no limit" },
  { title: "p50", kind: "number", narrow: false, cell: (t) => formatDuration(counted.get(t.target)?.latency_ms?.p50) },
  { title: "p99", kind: "number", narrow: false, cell: (t) => formatDuration(counted.get(t.target)?.latency_ms?.p99) },
  { title: "Pause", kind: "short", cell: (t) => html`<${Act} row=${t} onDone=${onDone} />` },
];

export function Targets({ route }) {
  const { cursor, target } = route.query;
  const list = useResource(withQuery("/v1/targets", { target, cursor, limit: ROWS }), { every: 4000 });
  const overview = useResource("/v1/overview", { every: usePollEvery(5000) });
  useLive("overview", (data) => overview.set(() => data));
  const counted = new Map((overview.data?.targets || []).map((row) => [row.target, row]));
  const replace = (after) => list.set((page) => ({
    ...page, targets: page.targets.map((row) => (row.target === after.target ? after : row)),
  }));
  return html`
    <${Page} title="Targets">
      <${Filters} fields=${FIELDS} values=${{ target }} onChange=${(next) => go(["targets"], next)} />
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="Targets" columns=${columnsOf(counted, replace)} rows=${page.targets} rowKey=${(t) => t.target}
          empty=${target ? "There is no such target." : "No webhook was ever owed to anybody."} />
        <${Pager} next=${page.next} isFirst=${!cursor} toFirst=${href(["targets"], { target })}
          toNext=${(next) => href(["targets"], { target, cursor: next })} />`}
      </${Loaded}>
    </${Page}>`;
}

// The list of deliveries: filters in the URL, pages by cursor, kept up to date.
import { html, useEffect, useState } from "../lib.js";
import { withQuery } from "../api.js";
import { BulkActs } from "../bulk.js";
import { CAN_CANCEL, DeliveryLink, isInList, STATES, whyShort, WorkflowLink } from "../deliveries.js";
import { recordWords, timeTyped } from "../format.js";
import { useLive, usePollEvery } from "../live.js";
import { State } from "../parts/badge.js";
import { Filters } from "../parts/filters.js";
import { Page } from "../parts/page.js";
import { Pager, Table } from "../parts/table.js";
import { Time } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";
import { go, href } from "../route.js";

const ROWS = 50;
const NAMES = ["state", "workflow", "target", "type", "record", "since", "until"];

const stateOptions = [["owed", "owed: the next three"], ...STATES.map((state) => [state, state])];

function fieldsOf(workflows, targets) {
  return [
    { name: "state", label: "State", options: stateOptions },
    { name: "workflow", label: "Workflow", choices: workflows },
    { name: "target", label: "Target", choices: targets, placeholder: "https://host:443", isMore: true },
    { name: "type", label: "Record type", placeholder: "deal", isMore: true },
    { name: "record", label: "Record", placeholder: "4021", isMore: true },
    { name: "since", label: "Made since", placeholder: "2d, 09:15", read: timeTyped, isMore: true },
    { name: "until", label: "Made until", placeholder: "1h, 11:30", read: timeTyped, isMore: true },
  ];
}

const COLUMNS = [
  { title: "State", kind: "short", cell: (d) => html`<${State} state=${d.state} title=${d.reason} />` },
  { title: "Delivery, record", kind: "id", cell: (d) => html`<${DeliveryLink} id=${d.id} /><div class="cell-more">${recordWords(d.record)}</div>` },
  { title: "Workflow, target", kind: "pair", cell: (d) => html`<${WorkflowLink} id=${d.workflow} /><div class="cell-more">${d.target}</div>` },
  { title: "Why", kind: "any", narrow: false,
    cell: (d) => html`<span class="quiet" title=${d.reason || d.last_error || d.waits_for}>${whyShort(d)}</span>` },
  { title: "Created", kind: "short", narrow: false, cell: (d) => html`<${Time} at=${d.created_at} />` },
  { title: "Next attempt", kind: "short", narrow: false,
    cell: (d) => (CAN_CANCEL.includes(d.state) ? html`<${Time} at=${d.next_attempt_at} />` : "") },
];

// The page's rows with one that the stream tells of: in its place, or new at the top of the first page.
export function withDelivery(rows, delivery, filters, isFirst) {
  const at = rows.findIndex((row) => row.id === delivery.id);
  const belongs = isInList(delivery, filters);
  if (at >= 0) {
    return belongs || !filters.state
      ? rows.map((row, i) => (i === at ? delivery : row))
      : rows.filter((row) => row.id !== delivery.id);
  }
  const isNewest = rows.length === 0 || delivery.id > rows[0].id;
  return isFirst && belongs && isNewest ? [delivery, ...rows].slice(0, ROWS) : rows;
}

function useNames(path, list, name) {
  const { data } = useResource(path);
  return data ? data[list].map((row) => row[name]) : [];
}

export function Deliveries({ route }) {
  const { cursor } = route.query;
  const filters = Object.fromEntries(NAMES.map((name) => [name, route.query[name]]).filter(([, value]) => value));
  const list = useResource(withQuery("/v1/deliveries", { ...filters, cursor, limit: ROWS }),
    { every: usePollEvery(4000) });
  const [isNew, setNew] = useState(new Set());
  const workflows = useNames("/v1/workflows", "workflows", "id");
  const targets = useNames("/v1/targets?limit=200", "targets", "target");
  const { data, set } = list;
  useEffect(() => setNew(new Set()), [cursor, JSON.stringify(filters)]);
  useLive("delivery", (delivery) => {
    set((page) => ({ ...page, deliveries: withDelivery(page.deliveries, delivery, filters, !cursor) }));
    setNew((before) => new Set([...before].slice(-ROWS)).add(delivery.id));
  });
  const change = (next) => go(["deliveries"], next);
  return html`
    <${Page} title="Deliveries" acts=${html`<${BulkActs} filters=${filters} onDone=${list.reload} />`}>
      <${Filters} fields=${fieldsOf(workflows, targets)} values=${filters} onChange=${change} />
      <${Loaded} of=${list}>${() => html`
        <${Table} caption="Deliveries, newest first" columns=${COLUMNS} rows=${data.deliveries}
          rowClass=${(row) => (isNew.has(row.id) ? "is-new" : "")}
          empty=${Object.keys(filters).length ? "No delivery matches these filters." : "No webhook was ever owed."} />
        <${Pager} next=${data.next} isFirst=${!cursor} toFirst=${href(["deliveries"], filters)}
          toNext=${(next) => href(["deliveries"], { ...filters, cursor: next })} />`}
      </${Loaded}>
    </${Page}>`;
}

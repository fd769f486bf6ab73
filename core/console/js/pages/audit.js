// What people did to the host, and from where: filters in the URL, pages by cursor, an export.
import { html } from "../lib.js";
import { withQuery } from "../api.js";
import { deliveryHref, eventHref, workflowHref } from "../deliveries.js";
import { Export } from "../export.js";
import { timeTyped } from "../format.js";
import { Filters } from "../parts/filters.js";
import { Page } from "../parts/page.js";
import { Pager, Table } from "../parts/table.js";
import { Time } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";
import { go, href } from "../route.js";

const ROWS = 50;
const ACTS = [
  "delivery", "delivery.cancel", "delivery.resend", "drain", "event.replay", "pause", "record.erase", "reload", "resume",
  "target", "target.pause", "target.resume", "token", "token.add", "token.revoke",
  "workflow", "workflow.activate", "workflow.deactivate", "workflow.follow-file", "workflow.reset",
];
const FIELDS = [
  { name: "who", label: "Who", placeholder: "admin" },
  { name: "act", label: "What", choices: ACTS, placeholder: "workflow, or reload" },
  { name: "subject", label: "To", placeholder: "an id or a name", isMore: true },
  { name: "since", label: "Since", placeholder: "2d, 09:15", read: timeTyped, isMore: true },
  { name: "until", label: "Until", placeholder: "1h, 11:30", read: timeTyped, isMore: true },
];
const LINKS = {
  delivery: deliveryHref, event: eventHref,
  workflow: (subject) => workflowHref(subject.replace(/ record .*$/, "")), // of a reset: "w record 1"
};

function Subject({ act, subject }) {
  const link = LINKS[act.split(".")[0]];
  return link && subject ? html`<a href=${link(subject)}>${subject}</a>` : subject;
}

const Change = ({ before, after }) => html`${before}${before && after && html` <span aria-label="became">→</span> `}${after}`;

const COLUMNS = [
  { title: "When", kind: "time", cell: (row) => html`<${Time} at=${row.at} isExact />` },
  { title: "Who", kind: "short", cell: (row) => row.who },
  { title: "What", cell: (row) => html`<span class="mono">${row.act}</span>` },
  { title: "To", kind: "any", cell: (row) => html`<${Subject} act=${row.act} subject=${row.subject} />` },
  { title: "Before → after", kind: "any", narrow: false, cell: (row) => html`<${Change} before=${row.before} after=${row.after} />` },
  { title: "From", narrow: false, cell: (row) => row.from },
];

export function Audit({ route }) {
  const { cursor } = route.query;
  const filters = Object.fromEntries(
    FIELDS.map(({ name }) => [name, route.query[name]]).filter(([, value]) => value));
  const list = useResource(withQuery("/v1/audit", { ...filters, cursor, limit: ROWS }), { every: cursor ? 0 : 5000 });
  return html`
    <${Page} title="Audit" acts=${html`<${Export} path="/v1/audit" list="audit" filters=${filters} />`}>
      <${Filters} fields=${FIELDS} values=${filters} onChange=${(next) => go(["audit"], next)} />
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="What was done, newest first" columns=${COLUMNS} rows=${page.audit}
          rowKey=${(row) => `${row.at} ${row.act} ${row.subject}`} empty=${Object.keys(filters).length ? "Nothing that was done matches these filters." : "Nothing was done yet."} />
        <${Pager} next=${page.next} isFirst=${!cursor} toFirst=${href(["audit"], filters)}
          toNext=${(next) => href(["audit"], { ...filters, cursor: next })} />`}
      </${Loaded}>
    </${Page}>`;
}

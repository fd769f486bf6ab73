// The list of events.
import { html } from "../lib.js";
import { withQuery } from "../api.js";
import { EventLink } from "../deliveries.js";
import { recordWords, timeTyped } from "../format.js";
import { useLive, usePollEvery } from "../live.js";
import { Filters } from "../parts/filters.js";
import { Page } from "../parts/page.js";
import { Pager, Table } from "../parts/table.js";
import { Time } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";
import { go, href } from "../route.js";

const ROWS = 50;
const FIELDS = [
  { name: "type", label: "Record type", placeholder: "deal" },
  { name: "record", label: "Record", placeholder: "4021" },
  { name: "since", label: "Since", placeholder: "2d, 09:15", read: timeTyped, isMore: true },
  { name: "until", label: "Until", placeholder: "1h, 11:30", read: timeTyped, isMore: true },
];
const COLUMNS = [
  { title: "Event", kind: "any", cell: (event) => html`<${EventLink} id=${event.id} />` },
  { title: "Type", cell: (event) => event.type },
  { title: "Record", kind: "any", narrow: false, cell: (event) => recordWords(event.record) },
  { title: "Received", kind: "short", cell: (event) => html`<${Time} at=${event.received_at} />` },
  { title: "Happened", kind: "short", narrow: false,
    cell: (event) => event.time && html`<${Time} at=${event.time} />` }, // the stream does not say it
];

export function Events({ route }) {
  const { cursor } = route.query;
  const filters = Object.fromEntries(
    FIELDS.map(({ name }) => [name, route.query[name]]).filter(([, value]) => value));
  const list = useResource(withQuery("/v1/events", { ...filters, cursor, limit: ROWS }),
    { every: usePollEvery(4000) });
  const isWhole = !cursor && Object.keys(filters).length === 0;
  useLive("event", (event) => isWhole && list.set((page) => ({
    ...page, events: [event, ...page.events.filter((one) => one.id !== event.id)].slice(0, ROWS),
  })));
  return html`
    <${Page} title="Events">
      <${Filters} fields=${FIELDS} values=${filters} onChange=${(next) => go(["events"], next)} />
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="Events, newest first" columns=${COLUMNS} rows=${page.events}
          empty=${isWhole ? "No event has come yet." : "No event matches these filters."} />
        <${Pager} next=${page.next} isFirst=${!cursor} toFirst=${href(["events"], filters)}
          toNext=${(next) => href(["events"], { ...filters, cursor: next })} />`}
      </${Loaded}>
    </${Page}>`;
}

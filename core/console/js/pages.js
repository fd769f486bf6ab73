// Which pages there are. { path, title, page, one }: the list at #/PATH, one of them at #/PATH/ID;
// `role`: who sees it in the navigation, where not everybody.
import { html } from "./lib.js";
import { Audit } from "./pages/audit.js";
import { Deliveries } from "./pages/deliveries.js";
import { Delivery } from "./pages/delivery.js";
import { Event } from "./pages/event.js";
import { Events } from "./pages/events.js";
import { Overview } from "./pages/overview.js";
import { Targets } from "./pages/targets.js";
import { Tokens } from "./pages/tokens.js";
import { Workflow } from "./pages/workflow.js";
import { Workflows } from "./pages/workflows.js";
import { Page } from "./parts/page.js";

export const PAGES = [
  { path: "", title: "Overview", page: Overview },
  { path: "deliveries", title: "Deliveries", page: Deliveries, one: Delivery },
  { path: "events", title: "Events", page: Events, one: Event },
  { path: "workflows", title: "Workflows", page: Workflows, one: Workflow },
  { path: "targets", title: "Targets", page: Targets },
  { path: "audit", title: "Audit", page: Audit },
  { path: "tokens", title: "Tokens", page: Tokens, role: "admin" },
];

function Nowhere() {
  return html`<${Page} title="There is no such page"><p><a href="#/">To the overview</a></p></${Page}>`;
}

export function findPage([path = "", id, ...more]) {
  const row = PAGES.find((one) => one.path === path);
  if (!row || more.length || (id !== undefined && !row.one)) {
    return { page: Nowhere };
  }
  return id === undefined ? { page: row.page } : { page: row.one, id };
}

// The list of workflows: what each is doing, and what is wrong with its file.
import { html } from "../lib.js";
import { post } from "../api.js";
import { WorkflowLink } from "../deliveries.js";
import { plural } from "../format.js";
import { ActButton, useAct } from "../parts/act.js";
import { Badge, State } from "../parts/badge.js";
import { Filters } from "../parts/filters.js";
import { Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { toast } from "../parts/toast.js";
import { Loaded, useResource } from "../resource.js";
import { go } from "../route.js";

const MOST = 200; // rows: of more, the filter finds
const FIELDS = [{ name: "find", label: "Find", placeholder: "name, file, type" },
  { name: "state", label: "State", options: ["running", "dry", "stopped", "suspended", "broken", "error"].map((w) => [w, w]) }];

// What it is doing, in one word.
export function workflowState(workflow) {
  if (workflow.suspended) {
    return "suspended";
  }
  if (workflow.error && !workflow.error.last_good) {
    return "broken";
  }
  return workflow.active === "dry" ? "dry" : workflow.active ? "running" : "stopped";
}

export function WorkflowState({ workflow }) {
  return html`
    <${State} state=${workflowState(workflow)} title=${workflow.suspended?.reason} />
    ${workflow.error?.last_good && html` <${Badge} tone="bad" title="An older text is in force.">error</${Badge}>`}`;
}

const baseName = (file) => file.split("/").at(-1);

function Named({ workflow }) {
  const { id, name, error, missing_secrets: missing } = workflow;
  return html`
    <${WorkflowLink} id=${id} />
    ${name !== id && html`<div class="quiet">${name}</div>`}
    ${error && html`<div class="fault">${baseName(error.file)}:${error.line}: ${error.message}</div>`}
    ${missing.length > 0 && html`<div class="fault">not set: ${missing.join(", ")}</div>`}`;
}

const COLUMNS = [
  { title: "State", kind: "short", cell: (w) => html`<${WorkflowState} workflow=${w} />` },
  { title: "Workflow", kind: "any", cell: (w) => html`<${Named} workflow=${w} />` },
  { title: "Record", narrow: false, cell: (w) => w.record },
  { title: "File", narrow: false, cell: (w) => html`<span class="mono" title=${w.file}>${baseName(w.file)}</span>` },
  { title: "Started or stopped by", narrow: false, cell: (w) => (w.started_by === "operator" ? "an operator" : "its file") },
];

function matches(workflow, { find, state }) {
  const text = `${workflow.id} ${workflow.name} ${workflow.file} ${workflow.record}`.toLowerCase();
  const isState = !state || workflowState(workflow) === state || (state === "error" && workflow.error);
  return isState && (!find || text.includes(find.toLowerCase()));
}

function Reload({ onDone }) {
  const [isBusy, run] = useAct();
  const reload = async () => {
    const answer = await run(() => post("/v1/reload"));
    if (answer) {
      const count = answer.errors.length;
      toast(count ? `${plural(count, "error")}: what had a good text keeps it.` : `${plural(answer.workflows, "workflow")} loaded.`,
        count ? "bad" : "good");
      onDone();
    }
  };
  return html`<${ActButton} isBusy=${isBusy} onClick=${reload}>Reload the files</${ActButton}>`;
}

export function Workflows({ route }) {
  const list = useResource("/v1/workflows", { every: 10000 });
  const filters = { find: route.query.find, state: route.query.state };
  return html`
    <${Page} title="Workflows" acts=${html`<${Reload} onDone=${list.reload} />`}>
      <${Filters} fields=${FIELDS} values=${filters} onChange=${(next) => go(["workflows"], next)} />
      <${Loaded} of=${list}>${({ workflows }) => {
        const found = workflows.filter((one) => matches(one, filters));
        return html`
          <${Table} caption="Workflows, by file" columns=${COLUMNS} rows=${found.slice(0, MOST)}
            empty=${workflows.length ? "No workflow matches these filters." : "There is no workflow file yet: hookline new NAME makes one."} />
          ${found.length > MOST && html`<p class="quiet">and ${plural(found.length - MOST, "more", "more")}: filter to find them</p>`}`;
      }}</${Loaded}>
    </${Page}>`;
}

// A list as a file of NDJSON (one JSON object a line), as `hookline audit --all` prints it: every
// page of what matches the filters.
import { html } from "./lib.js";
import { get, withQuery } from "./api.js";
import { plural } from "./format.js";
import { ActButton, useAct } from "./parts/act.js";

const PAGE = 1000;
const MOST = 100000; // at once, the newest: they are in the browser's memory until they are saved
const KEPT_MS = 60000; // after which the browser has long saved it

// The rows as lines, and whether there are more.
async function collectLines(path, list, filters) {
  const lines = [];
  let cursor;
  do {
    const page = await get(withQuery(path, { ...filters, limit: PAGE, cursor }));
    lines.push(...page[list].map((row) => `${JSON.stringify(row)}\n`));
    cursor = page.next;
  } while (cursor && lines.length < MOST);
  return { lines, isPart: Boolean(cursor) };
}

function save(name, lines) {
  const url = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

export function Export({ path, list, filters }) {
  const name = `${list}.ndjson`;
  const [isBusy, run] = useAct();
  const act = () => run(async () => {
    const { lines, isPart } = await collectLines(path, list, filters);
    save(name, lines);
    return `${plural(lines.length, "row")} in ${name}${isPart ? ", the newest: there are more" : ""}.`;
  }, (words) => words);
  // It stays enabled while it is busy, so the focus stays on it.
  return html`<${ActButton} role="read" onClick=${() => isBusy || act()}>${isBusy ? "Exporting…" : "Export"}</${ActButton}>`;
}

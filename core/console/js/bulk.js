// Resend or cancel all deliveries that match the filters: counted first, then one after another.
import { html, useEffect, useRef, useState } from "./lib.js";
import { get, part, post, withQuery } from "./api.js";
import { CAN_CANCEL, CAN_RESEND } from "./deliveries.js";
import { formatNumber, plural } from "./format.js";
import { ActButton } from "./parts/act.js";
import { Dialog } from "./parts/dialog.js";
import { toast } from "./parts/toast.js";

const PAGE = 1000;
const MOST = 20000; // at once: of more the count is said to be a part
const AT_ONCE = 4;
// What is resent without a filter of the state is what failed: what has arrived, or was taken back, goes
// out again only where that is asked for.
const ACTS = {
  resend: { can: CAN_RESEND, unasked: ["retrying", "terminated"], title: "Resend deliveries", yes: "Resend", done: "resent" },
  cancel: { can: CAN_CANCEL, unasked: CAN_CANCEL, title: "Cancel deliveries", yes: "Cancel", done: "cancelled" },
};

// What matches and this can be done to: the ids, oldest first as they would have arrived, how many are of
// each state, and whether there are more.
export async function collect(filters, states, signal) {
  const ids = [];
  const counts = {};
  let cursor;
  do {
    const page = await get(withQuery("/v1/deliveries", { ...filters, limit: PAGE, cursor }), { signal });
    for (const { id, state } of page.deliveries.filter((one) => states.includes(one.state))) {
      ids.push(id);
      counts[state] = (counts[state] || 0) + 1;
    }
    cursor = page.next;
  } while (cursor && ids.length < MOST);
  return { ids: ids.reverse(), counts, isPart: Boolean(cursor) };
}

// Does it to each; onStep({ done, refused, problem }) as it goes. Ends early where `signal` is aborted, and at
// the first problem that is not one delivery's own.
export async function actOnEach(verb, ids, signal, onStep) {
  const step = { done: 0, refused: 0, problem: null };
  const queue = ids.values();
  const work = async () => {
    for (const id of queue) {
      if (signal.aborted || step.problem) {
        return;
      }
      try {
        await post(`/v1/deliveries/${part(id)}/${verb}`);
        step.done++;
      } catch (problem) {
        if (problem.status === 409 || problem.status === 404) {
          step.refused++;
        } else {
          step.problem = problem;
        }
      }
      onStep({ ...step });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return step;
}

function filterWords(filters) {
  const words = Object.entries(filters).map(([name, value]) => `${name} ${value}`);
  return words.length ? words.join(", ") : "all deliveries";
}

// "12 terminated, 3 retrying"
const countWords = (counts) => Object.entries(counts).map(([state, count]) => `${formatNumber(count)} ${state}`).join(", ");

function Progress({ step, total }) {
  const done = step.done + step.refused;
  return html`
    <label for="bulk-progress">${plural(done, "delivery", "deliveries")} of ${formatNumber(total)}</label>
    <progress id="bulk-progress" max=${total} value=${done}></progress>`;
}

// state: { verb, found, step }; found is null while it is counted.
function BulkDialog({ state, filters, onYes, onClose }) {
  const { verb, found, step } = state;
  const act = ACTS[verb];
  const count = found?.ids.length;
  const acts = html`
    <button type="button" class="button" onClick=${onClose}>${step ? "Stop" : "Close"}</button>
    ${!step && html`<button type="button" class=${`button button-${verb === "cancel" ? "danger" : "primary"}`}
      disabled=${!count} onClick=${onYes}>${act.yes}${count ? ` ${formatNumber(count)}` : ""}</button>`}`;
  return html`
    <${Dialog} title=${act.title} onClose=${onClose} isBusy=${Boolean(step)} acts=${acts}>
      <p>Filter: <strong>${filterWords(filters)}</strong></p>
      <div aria-live="polite">
        ${!found && html`<p>Counting…</p>`}
        ${found && !step && html`<p>${plural(count, "delivery", "deliveries")} can be ${act.done}${
          count ? `: ${countWords(found.counts)}` : ""}${found.isPart ? ". There are more: these go first" : ""}. Those in other states are left alone${
          verb === "resend" && !filters.state ? "; to send them again, choose their state above the list" : ""}.</p>`}
        ${step && html`<${Progress} step=${step} total=${count} />`}
      </div>
    </${Dialog}>`;
}

export function BulkActs({ filters, onDone }) {
  const [state, setState] = useState(null);
  const controller = useRef(null);
  const close = () => {
    controller.current?.abort();
    setState(null);
  };
  useEffect(() => () => controller.current?.abort(), []); // the page is left: nobody could stop it
  const begin = async (verb) => {
    controller.current = new AbortController();
    setState({ verb, found: null, step: null });
    try {
      const found = await collect(filters, filters.state ? ACTS[verb].can : ACTS[verb].unasked, controller.current.signal);
      setState((now) => now && { ...now, found });
    } catch (problem) {
      if (problem.name !== "AbortError") {
        toast(problem.message, "bad");
        setState(null);
      }
    }
  };
  const go = async () => {
    const { verb, found } = state;
    const show = (step) => setState((now) => now && { ...now, step });
    show({ done: 0, refused: 0 });
    const step = await actOnEach(verb, found.ids, controller.current.signal, show);
    const left = step.refused ? `, ${formatNumber(step.refused)} refused: in another state by then, or of a dry run` : "";
    const end = step.problem ? ` It ended there: ${step.problem.message}` : "";
    toast(`${plural(step.done, "delivery", "deliveries")} ${ACTS[verb].done}${left}.${end}`, step.problem ? "bad" : "good");
    setState(null);
    onDone();
  };
  return html`
    <${ActButton} onClick=${() => begin("resend")}>Resend all…</${ActButton}>
    <${ActButton} onClick=${() => begin("cancel")}>Cancel all…</${ActButton}>
    ${state && html`<${BulkDialog} state=${state} filters=${filters} onYes=${go} onClose=${close} />`}`;
}

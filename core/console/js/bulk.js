// Resend or cancel all deliveries that match the filters: counted first, then one after another.
import { html, useRef, useState } from "./lib.js";
import { get, part, post, withQuery } from "./api.js";
import { CAN_CANCEL, CAN_RESEND } from "./deliveries.js";
import { plural } from "./format.js";
import { ActButton } from "./parts/act.js";
import { Dialog } from "./parts/dialog.js";
import { toast } from "./parts/toast.js";

const PAGE = 1000;
const MOST = 20000; // at once: of more the count is said to be a part
const AT_ONCE = 4;
const ACTS = {
  resend: { states: CAN_RESEND, title: "Resend deliveries", yes: "Resend", done: "resent" },
  cancel: { states: CAN_CANCEL, title: "Cancel deliveries", yes: "Cancel", done: "cancelled" },
};

// The ids that match and that this can be done to, and whether there are more.
export async function collect(filters, states, signal) {
  const ids = [];
  let cursor;
  do {
    const page = await get(withQuery("/v1/deliveries", { ...filters, limit: PAGE, cursor }), { signal });
    ids.push(...page.deliveries.filter((one) => states.includes(one.state)).map((one) => one.id));
    cursor = page.next;
  } while (cursor && ids.length < MOST);
  return { ids, isPart: Boolean(cursor) };
}

// Does it to each; onStep({ done, refused }) as it goes. Ends early where `signal` is aborted.
export async function actOnEach(verb, ids, signal, onStep) {
  const step = { done: 0, refused: 0 };
  const queue = ids.values();
  const work = async () => {
    for (const id of queue) {
      if (signal.aborted) {
        return;
      }
      try {
        await post(`/v1/deliveries/${part(id)}/${verb}`);
        step.done++;
      } catch (problem) {
        if (problem.status !== 409 && problem.status !== 404) {
          throw problem;
        }
        step.refused++;
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

function Progress({ step, total }) {
  const done = step.done + step.refused;
  return html`
    <label for="bulk-progress">${plural(done, "delivery", "deliveries")} of ${total}</label>
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
      disabled=${!count} onClick=${onYes}>${act.yes}${count ? ` ${count}` : ""}</button>`}`;
  return html`
    <${Dialog} title=${act.title} onClose=${onClose} isBusy=${Boolean(step)} acts=${acts}>
      <p>Filter: <strong>${filterWords(filters)}</strong></p>
      <div aria-live="polite">
        ${!found && html`<p>Counting…</p>`}
        ${found && !step && html`<p>${plural(count, "delivery", "deliveries")} can be ${act.done}${
          found.isPart ? ", and there are more: these go first" : ""}. Those in other states are left alone.</p>`}
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
  const begin = async (verb) => {
    controller.current = new AbortController();
    setState({ verb, found: null, step: null });
    try {
      const found = await collect(filters, ACTS[verb].states, controller.current.signal);
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
    try {
      const step = await actOnEach(verb, found.ids, controller.current.signal, show);
      const left = step.refused ? `, ${plural(step.refused, "was", "were")} in another state by then` : "";
      toast(`${plural(step.done, "delivery", "deliveries")} ${ACTS[verb].done}${left}.`);
    } catch (problem) {
      toast(problem.message, "bad");
    }
    setState(null);
    onDone();
  };
  return html`
    <${ActButton} onClick=${() => begin("resend")}>Resend all…</${ActButton}>
    <${ActButton} onClick=${() => begin("cancel")}>Cancel all…</${ActButton}>
    ${state && html`<${BulkDialog} state=${state} filters=${filters} onYes=${go} onClose=${close} />`}`;
}

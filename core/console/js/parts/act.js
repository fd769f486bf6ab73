// Things that are done by a button: busy while they are, said when they are done, not offered to a
// token that may not.
import { html, useState } from "../lib.js";
import { useCan } from "../session.js";
import { toast } from "./toast.js";

// [isBusy, run]: run(what, words) awaits what(), says words (or what words(answer) gives), and gives
// the answer; a problem is said, and undefined given.
export function useAct() {
  const [isBusy, setBusy] = useState(false);
  const run = async (what, words) => {
    setBusy(true);
    try {
      const answer = await what();
      const said = typeof words === "function" ? words(answer) : words;
      if (said) {
        toast(said);
      }
      return answer === undefined ? null : answer;
    } catch (problem) {
      toast(problem.message, "bad");
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return [isBusy, run];
}

// A button for those who may: `role` is "admin" unless told.
export function ActButton({ role = "admin", tone = "", isBusy, disabled, onClick, children, label }) {
  const can = useCan(role);
  return html`<button type="button" class=${`button ${tone && `button-${tone}`}`} aria-label=${label}
    disabled=${disabled || isBusy || !can} title=${can ? undefined : `This needs a token with the role ${role}.`}
    onClick=${onClick}>${children}</button>`;
}

// What everybody who looks at the console must know: nothing is sent, or it goes elsewhere.
import { html, useEffect, useState } from "./lib.js";
import { post } from "./api.js";
import { ActButton, useAct } from "./parts/act.js";
import { Notice } from "./parts/page.js";
import { session, signOut } from "./session.js";
import { findRole } from "./sign_in.js";
import { useStore } from "./store.js";

const EVERY_MS = 5000;

// /readyz answers 503 where events are not taken, and says the same things then.
function useReadiness() {
  const [ready, setReady] = useState(null);
  useEffect(() => {
    let isGone = false;
    const ask = async () => {
      const said = await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) }).then((r) => r.json()).catch(() => ({ isAway: true }));
      if (!isGone) {
        setReady(said);
      }
    };
    ask();
    const timer = setInterval(() => document.hidden || ask(), EVERY_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, []);
  return [ready, setReady];
}

// The token is of an earlier visit of this tab: what it may do is asked again.
function useRole() {
  const { token, role } = useStore(session);
  useEffect(() => {
    let timer = null;
    const ask = () => findRole(token).then((found) => session.set({ token, role: found, notice: null })).catch((problem) => {
      if (problem.status === 401) {
        signOut("The host does not take this token any more. Sign in again.");
      } else {
        timer = setTimeout(ask, EVERY_MS);
      }
    });
    if (token && !role) {
      ask();
    }
    return () => clearTimeout(timer);
  }, [token, role]);
}

export function Banners() {
  const [ready, setReady] = useReadiness();
  const [isBusy, run] = useAct();
  useRole();
  const resume = async () => {
    if (await run(() => post("/v1/resume"), "Everything goes on.")) {
      setReady((before) => ({ ...before, paused: null, draining: false }));
    }
  };
  if (!ready) {
    return html`<div class="banners"></div>`;
  }
  const isHeld = ready.paused || ready.draining;
  return html`
    <div class="banners">
      ${ready.isAway && html`<${Notice} tone="bad">The host cannot be reached. What is shown is what was last heard.</${Notice}>`}
      ${isHeld && html`<${Notice}>
        <span>${ready.paused ? `Nothing is sent: ${ready.paused}.` : "The host is being drained: it takes no events."}</span>
        <${ActButton} isBusy=${isBusy} onClick=${resume}>Resume</${ActButton}></${Notice}>`}
      ${ready.ready === false && !isHeld && html`<${Notice} tone="bad">Events are refused: ${ready.reason}.</${Notice}>`}
      ${ready.redirect_all && html`<${Notice}>Every webhook goes to ${ready.redirect_all} instead of its target.</${Notice}>`}
      ${ready.suspended?.length > 0 && html`<${Notice} tone="bad"><span>Suspended by the host: ${ready.suspended.map((id, i) =>
        html`${i ? ", " : ""}<a href=${`#/workflows/${encodeURIComponent(id)}`}>${id}</a>`)}.</span></${Notice}>`}
    </div>`;
}

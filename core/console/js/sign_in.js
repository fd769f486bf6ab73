// Sign in with a token, and find out what it may do.
import { html, useEffect, useRef, useState } from "./lib.js";
import { get } from "./api.js";
import { session, signIn } from "./session.js";
import { useStore } from "./store.js";

// The host says no to what a role may not: tokens are for admins, all else that is read for readers.
export async function findRole(token) {
  try {
    await get("/v1/status", { token });
  } catch (problem) {
    if (problem.status === 403) {
      return "ingest";
    }
    throw problem;
  }
  try {
    await get("/v1/tokens", { token });
  } catch (problem) {
    return problem.status === 403 ? "read" : "admin";
  }
  return "admin";
}

function wordsOf(problem) {
  return problem.status === 401 ? "The host does not know this token." : problem.message;
}

export function SignIn() {
  const { notice } = useStore(session);
  const [fault, setFault] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const box = useRef(null);
  useEffect(() => {
    document.title = "Sign in · hookline";
    box.current.focus();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    const token = box.current.value.trim();
    if (!token) {
      setFault("Paste a token first.");
      return;
    }
    setBusy(true);
    try {
      const role = await findRole(token);
      if (role === "ingest") {
        setFault("This token may only send events. The console needs one with the role read or admin.");
        setBusy(false);
      } else {
        signIn(token, role);
      }
    } catch (problem) {
      setFault(wordsOf(problem));
      setBusy(false);
    }
  };
  const said = fault || notice;
  return html`
    <main class="sign-in">
      <h1 class="brand"><img src="/console/icon.svg" alt="" />hookline</h1>
      <form onSubmit=${submit}>
        <div class="field">
          <label for="token">Token</label>
          <input id="token" ref=${box} type="password" autocomplete="off" spellcheck="false"
            aria-describedby="token-help token-fault" aria-invalid=${fault ? "true" : undefined} />
          <p class="field-help" id="token-help">The first one is in <code>DATA/admin.token</code> on the host.
            It is kept for this tab alone.</p>
        </div>
        <div id="token-fault" role="alert">${said && html`<div class="notice notice-bad">${said}</div>`}</div>
        <button type="submit" class="button button-primary" disabled=${isBusy}>Sign in</button>
      </form>
    </main>`;
}

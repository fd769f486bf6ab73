// Who may call the host: a token's secret is shown once, when it is made.
import { html, useState } from "../lib.js";
import { part, post, withQuery } from "../api.js";
import { ActButton, useAct } from "../parts/act.js";
import { Badge } from "../parts/badge.js";
import { Copy } from "../parts/copy.js";
import { Confirm, Dialog } from "../parts/dialog.js";
import { Page } from "../parts/page.js";
import { Pager, Table } from "../parts/table.js";
import { Time, useNow } from "../parts/time.js";
import { Loaded, useResource } from "../resource.js";

const ROWS = 100;
const ROLES = [
  ["ingest", "ingest: may send events"], ["read", "read: may look at everything but tokens"],
  ["admin", "admin: may do everything"],
];

function Field({ name, label, help, ...more }) {
  const id = `token-${name}`;
  return html`
    <div class="field"><label for=${id}>${label}</label>
      <input id=${id} name=${name} type="text" autocomplete="off" spellcheck="false" aria-describedby=${`${id}-help`} ...${more} />
      <p class="field-help" id=${`${id}-help`}>${help}</p></div>`;
}

function Made({ made, onClose }) {
  return html`
    <${Dialog} title=${`The token ${made.name}`} onClose=${onClose} acts=${html`
      <${Copy} text=${made.token} label="Copy the token" what="the token" />
      <button type="button" class="button button-primary" onClick=${onClose}>I have it</button>`}>
      <p>This is shown once. The host keeps only a hash of it.</p>
      <pre class="secret-once" tabindex="0" role="region" aria-label="the token">${made.token}</pre>
    </${Dialog}>`;
}

function Add({ onMade, onClose }) {
  const [isBusy, run] = useAct();
  const submit = async (event) => {
    event.preventDefault();
    const said = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value.trim()));
    const made = await run(() => post("/v1/tokens", said));
    if (made) {
      onMade(made);
    }
  };
  return html`
    <${Dialog} title="Add a token" onClose=${onClose} isBusy=${isBusy} acts=${html`
      <button type="button" class="button" disabled=${isBusy} onClick=${onClose}>Cancel</button>
      <button type="submit" form="token-form" class="button button-primary" disabled=${isBusy}>Add</button>`}>
      <form id="token-form" class="stack" onSubmit=${submit}>
        <${Field} name="name" label="Name" required help="Whom or what it is for; stands in the audit log. Letters, digits, - _ ." />
        <div class="field"><label for="token-role">Role</label>
          <select id="token-role" name="role">${ROLES.map(([role, words]) => html`<option value=${role}>${words}</option>`)}</select></div>
        <${Field} name="expires_in" label="Expires in" help="90d, 12h; empty: never" />
        <${Field} name="rate" label="Limit" help="100/s, 600/m; empty: none" />
      </form>
    </${Dialog}>`;
}

function Revoke({ token, onDone, onClose }) {
  const [isBusy, run] = useAct();
  const yes = async () => {
    if (await run(() => post(`/v1/tokens/${part(token.id)}/revoke`), `${token.name} is good no more.`)) {
      onDone();
    }
    onClose();
  };
  return html`
    <${Confirm} title=${`Revoke ${token.name}?`} yes="Revoke" tone="danger" isBusy=${isBusy} onYes=${yes} onClose=${onClose}>
      <p>Whoever uses it is refused from then on. This cannot be taken back.</p>
    </${Confirm}>`;
}

function TokenState({ token }) {
  const nowMs = useNow();
  if (token.revoked_at) {
    return html`<${Badge} tone="bad">revoked</${Badge}>`;
  }
  const isOver = token.expires_at && Date.parse(token.expires_at) <= nowMs;
  return html`<${Badge} tone=${isOver ? "warn" : "good"}>${isOver ? "expired" : "good"}</${Badge}>`;
}

const columnsOf = (onRevoke) => [
  { title: "State", kind: "short", cell: (t) => html`<${TokenState} token=${t} />` },
  { title: "Name", kind: "any", cell: (t) => t.name },
  { title: "Role", kind: "short", cell: (t) => t.role },
  { title: "Limit", kind: "short", narrow: false, cell: (t) => t.rate || "none" },
  { title: "Last used", kind: "short", narrow: false, cell: (t) => html`<${Time} at=${t.last_used_at} />` },
  { title: "Expires", kind: "short", narrow: false, cell: (t) => (t.expires_at ? html`<${Time} at=${t.expires_at} />` : "never") },
  { title: "Made", kind: "short", narrow: false, cell: (t) => html`<${Time} at=${t.created_at} />` },
  { title: "Revoke", kind: "short", cell: (t) => !t.revoked_at && html`
    <${ActButton} tone="small" label=${`Revoke ${t.name}`} onClick=${() => onRevoke(t)}>Revoke</${ActButton}>` },
];

export function Tokens({ route }) {
  const { cursor } = route.query;
  const list = useResource(withQuery("/v1/tokens", { cursor, limit: ROWS }), { every: 10000 });
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState(null);
  const [revoking, setRevoking] = useState(null);
  const onMade = (token) => {
    setAdding(false);
    setMade(token);
    list.reload();
  };
  return html`
    <${Page} title="Tokens" acts=${html`<${ActButton} tone="primary" onClick=${() => setAdding(true)}>Add a token…</${ActButton}>`}>
      <${Loaded} of=${list}>${(page) => html`
        <${Table} caption="Tokens, newest first" columns=${columnsOf(setRevoking)} rows=${page.tokens}
          empty="There is only the first one, in DATA/admin.token." />
        <${Pager} next=${page.next} isFirst=${!cursor} toFirst="#/tokens" toNext=${(next) => `#/tokens?cursor=${next}`} />`}
      </${Loaded}>
      ${isAdding && html`<${Add} onMade=${onMade} onClose=${() => setAdding(false)} />`}
      ${made && html`<${Made} made=${made} onClose=${() => setMade(null)} />`}
      ${revoking && html`<${Revoke} token=${revoking} onDone=${list.reload} onClose=${() => setRevoking(null)} />`}
    </${Page}>`;
}

// A modal dialog: the browser's own, which keeps the focus inside, closes with Escape, and gives the
// focus back. While `isBusy` it stays. What is outside cannot be reached meanwhile, so messages stand
// in it, too.
import { html, useEffect, useRef } from "../lib.js";
import { Toasts } from "./toast.js";

export function Dialog({ title, onClose, isBusy = false, children, acts }) {
  const box = useRef(null);
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus?.();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    if (!isBusy) {
      onClose();
    }
  };
  return html`
    <dialog ref=${box} class="dialog" aria-labelledby="dialog-title" onCancel=${cancel}>
      <h2 id="dialog-title">${title}</h2>
      <div class="dialog-body">${children}</div>
      <div class="dialog-acts">
        ${acts}
      </div>
      <${Toasts} />
    </dialog>`;
}

// Asks before something is done. onYes may be asynchronous.
export function Confirm({ title, yes, tone = "primary", isBusy, onYes, onClose, children }) {
  return html`
    <${Dialog} title=${title} onClose=${onClose} isBusy=${isBusy} acts=${html`
      <button type="button" class="button" disabled=${isBusy} onClick=${onClose}>Cancel</button>
      <button type="button" class=${`button button-${tone}`} disabled=${isBusy} onClick=${onYes}>${yes}</button>`}>
      ${children}
    </${Dialog}>`;
}

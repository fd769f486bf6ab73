// A button that copies a text.
import { html } from "../lib.js";
import { toast } from "./toast.js";

// The clipboard's own interface is there on https and on this machine alone; else a selection is copied.
async function copy(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // as follows
  }
  const box = document.createElement("textarea");
  box.value = text;
  near.append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  if (!isCopied) {
    throw new Error("it could not be copied");
  }
}

export function Copy({ text, label = "Copy", what = "" }) {
  const act = async (event) => {
    const button = event.currentTarget;
    try {
      await copy(typeof text === "function" ? text() : text, button.parentNode);
      toast(`Copied${what ? ` ${what}` : ""}.`, "info");
    } catch {
      toast("The browser does not let the console copy.", "bad");
    }
    button.focus();
  };
  return html`<button type="button" class="button button-small button-quiet"
    aria-label=${what && label === "Copy" ? `Copy ${what}` : undefined} onClick=${act}>${label}</button>`;
}

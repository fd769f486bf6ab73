// The filter bar over a list. fields: { name, label, options: [[value, words]] | none for a text,
// choices, placeholder, read(text) that gives the value of what is typed, isMore where a small screen shows it on demand }. Selects count at once, texts
// with Enter or when they are left.
import { html, useEffect, useRef, useState } from "../lib.js";

function Field({ field, value, onChange }) {
  const id = `filter-${field.name}`;
  const box = useRef(null);
  useEffect(() => {
    box.current.value = value || "";
  }, [value]);
  const say = (event) => {
    const typed = event.target.value.trim();
    const said = field.read ? field.read(typed) : typed;
    if (said !== (value || "")) {
      onChange(field.name, said);
    }
  };
  return html`
    <div class=${`field ${field.isMore && !value ? "field-more" : ""}`}>
      <label for=${id}>${field.label}</label>
      ${field.options
        ? html`<select id=${id} ref=${box} onChange=${say}>
            <option value="">Any</option>
            ${field.options.map(([word, words]) => html`<option value=${word}>${words}</option>`)}
          </select>`
        : html`<input id=${id} ref=${box} type="text" list=${field.choices && `${id}-choices`}
            placeholder=${field.placeholder || ""} autocomplete="off" spellcheck="false" onChange=${say} />`}
      ${field.choices && html`<datalist id=${`${id}-choices`}>
        ${field.choices.map((choice) => html`<option value=${choice} />`)}</datalist>`}
    </div>`;
}

export function Filters({ fields, values, onChange }) {
  const change = (name, value) => onChange({ ...values, [name]: value });
  const [isOpen, setOpen] = useState(false);
  const hasMore = fields.some((field) => field.isMore);
  const isAny = fields.some((field) => values[field.name]);
  return html`
    <form class=${`filters ${isOpen ? "filters-open" : ""}`} role="search" aria-label="Filter the list" onSubmit=${(event) => event.preventDefault()}>
      ${fields.map((field) => html`
        <${Field} key=${field.name} field=${field} value=${values[field.name]} onChange=${change} />`)}
      ${hasMore && html`<button type="button" class="button filters-toggle" aria-expanded=${isOpen}
        onClick=${() => setOpen(!isOpen)}>${isOpen ? "Fewer filters" : "More filters"}</button>`}
      ${isAny && html`<button type="button" class="button button-quiet" onClick=${() => onChange({})}>Clear</button>`}
    </form>`;
}

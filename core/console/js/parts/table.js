// A table. columns: { title, cell(row), kind: "number", "id", "time" (an exact one), "short" (one line), "any" (may break
// anywhere) or "pair" (the same, of two lines), narrow: false where a small screen leaves it out }.
import { html } from "../lib.js";

const columnClass = (column) =>
  [column.kind && `col-${column.kind}`, column.narrow === false && "col-wide"].filter(Boolean).join(" ");

export function Table({ caption, columns, rows, rowKey = (row) => row.id, rowClass, empty = "Nothing here." }) {
  if (rows.length === 0) {
    return html`<p class="empty">${empty}</p>`;
  }
  return html`
    <div class="table-wrap" role="region" aria-label=${caption} tabindex="0">
      <table>
        <caption class="unseen">${caption}</caption>
        <thead><tr>${columns.map((column) => html`
          <th scope="col" class=${columnClass(column)}>${column.title}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`
          <tr key=${rowKey(row)} class=${rowClass?.(row) || ""}>${columns.map((column) => html`
            <td class=${columnClass(column)}>${column.cell(row)}</td>`)}</tr>`)}</tbody>
      </table>
    </div>`;
}

// Pages of a list, newest first. The cursor is in the route, so "back" is the page before.
export function Pager({ next, isFirst, toFirst, toNext }) {
  if (isFirst && !next) {
    return null;
  }
  return html`
    <nav class="pager" aria-label="Pages of the list">
      ${isFirst ? html`<span></span>` : html`<a class="button" href=${toFirst}>Newest</a>`}
      ${next && html`<a class="button" href=${toNext(next)}>Older</a>`}
    </nav>`;
}

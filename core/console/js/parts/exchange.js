// request_sent and response_received, as the delivery log and the Test URL panel have them.
import { html } from "../lib.js";
import { Status } from "./badge.js";
import { Body, Headers } from "./body.js";
import { Copy } from "./copy.js";

function typeOf(headers) {
  const name = Object.keys(headers || {}).find((one) => one.toLowerCase() === "content-type");
  return name ? String(headers[name]) : "";
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The request as a curl command; secrets are masked in it, as they are on the page.
export function curlOf({ method, url, headers, body }) {
  const lines = [`curl -sS -i -g -X ${method} ${quoted(url)}`,
    ...Object.entries(headers || {}).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)];
  return [...lines, ...(body ? [`--data-binary ${quoted(body)}`] : [])].join(" \\\n  ");
}

// curl: the host's own command for it, where there is one. isUnsent: it never went out.
export function RequestSent({ request, curl, note, isUnsent }) {
  return html`
    <section class="exchange" aria-label="Request sent">
      <div class="exchange-head"><h4>request_sent</h4>
        ${request && html`<${Copy} text=${curl || curlOf(request)} label="Copy as curl" what="the request as a curl command" />`}</div>
      ${request && isUnsent && html`<p class="quiet">Nothing was sent; it would have been:</p>`}
      ${request
        ? html`
          <p class="exchange-line"><strong>${request.method}</strong> <span class="mono">${request.url}</span></p>
          <${Headers} headers=${request.headers} label="request headers" />
          <${Body} text=${request.body} type=${typeOf(request.headers)} label="request body" />`
        : html`<p class="quiet">${note || "It is not kept any more."}</p>`}
    </section>`;
}

export function ResponseReceived({ response, error, detail }) {
  return html`
    <section class="exchange" aria-label="Response received">
      <h4>response_received</h4>
      ${response
        ? html`
          <p class="exchange-line"><${Status} status=${response.status} />${detail && html` <span>${detail}</span>`}</p>
          <${Headers} headers=${response.headers} label="response headers" />
          <${Body} text=${response.body} type=${typeOf(response.headers)} label="response body"
            isTruncated=${response.truncated} />`
        : html`<p class="exchange-line"><${Status} error=${error || "no answer"} /> <span>${detail || ""}</span></p>`}
    </section>`;
}

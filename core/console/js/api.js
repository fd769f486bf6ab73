// The host's API: JSON in and out, the token of the session, problems as exceptions.
import { session, signOut } from "./session.js";

// What the host answers that is not a success: RFC 9457, or that it cannot be reached (status 0).
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export function headers(token = session.get().token) {
  return { Authorization: `Bearer ${token}` };
}

async function problemOf(response) {
  const text = await response.text();
  try {
    return new Problem(response.status, JSON.parse(text).detail || response.statusText);
  } catch {
    return new Problem(response.status, response.statusText || `status ${response.status}`);
  }
}

// Numbers that the browser would round: 9007199254740993 stays so, as a text.
function keepDigits(key, value, context) {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source ? context.source : value;
}

// Numbers as they are written: 12500.50 is written so again, where the browser can do that.
function keepWritten(key, value, context) {
  return typeof value === "number" && context?.source && context.source !== String(value)
    ? JSON.rawJSON(context.source) : value;
}

// The answer's JSON (undefined where it has none). Throws a Problem; one that is 401 ends the session.
// isExact: its numbers are to be shown, not to be counted with.
export async function call(method, path, body, { token, signal, isExact } = {}) {
  const options = { method, headers: headers(token), signal, cache: "no-store" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (fault) {
    if (fault.name === "AbortError") {
      throw fault;
    }
    throw new Problem(0, "The host cannot be reached.");
  }
  if (response.ok) {
    const text = await response.text();
    return text ? JSON.parse(text, isExact && JSON.rawJSON ? keepWritten : keepDigits) : undefined;
  }
  const problem = await problemOf(response);
  if (response.status === 401 && token === undefined) {
    signOut("The host does not take this token any more. Sign in again.");
  }
  throw problem;
}

export const get = (path, options) => call("GET", path, undefined, options);
export const post = (path, body, options) => call("POST", path, body, options);

// "/v1/x?a=b" without the parameters that are empty.
export function withQuery(path, query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

export const part = encodeURIComponent;

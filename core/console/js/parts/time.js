// "5 min ago", the exact time in the title, or beside it where it is what people look for. All of them follow one clock.
import { html, useEffect } from "../lib.js";
import { formatAbsolute, formatDuration, formatRelative } from "../format.js";
import { makeStore, useStore } from "../store.js";

const now = makeStore(Date.now());
let watchers = 0;
let timer = null;

function watch() {
  if (Date.now() - now.get() > 1000) {
    now.set(Date.now()); // nobody has watched for a while
  }
  if (watchers++ === 0) {
    timer = setInterval(() => document.hidden || now.set(Date.now()), 1000);
  }
  return () => {
    if (--watchers === 0) {
      clearInterval(timer);
    }
  };
}

export function useNow() {
  useEffect(watch, []);
  return useStore(now);
}

export function Time({ at, isExact = false }) {
  const nowMs = useNow();
  if (!at) {
    return html`<span class="quiet">–</span>`;
  }
  return html`<time datetime=${at} title=${formatAbsolute(at)}>${formatRelative(Date.parse(at), nowMs)}${
    isExact && html`, <span class="time-exact">${formatAbsolute(at)}</span>`}</time>`;
}

// How long ago, without the "ago".
export function Age({ at }) {
  const nowMs = useNow();
  if (!at) {
    return html`<span>–</span>`;
  }
  const age = Math.max(0, nowMs - Date.parse(at));
  return html`<time datetime=${at} title=${formatAbsolute(at)}>${
    formatDuration(age < 60000 ? Math.round(age / 1000) * 1000 : age)}</time>`;
}

// The host's stream of what happens (GET /v1/live): one for the page, of the topics that somebody
// follows. Where the host has none, or it is broken, pages ask again every few seconds.
import { useEffect, useRef } from "./lib.js";
import { headers, withQuery } from "./api.js";
import { session, signOut } from "./session.js";
import { makeStore, useStore } from "./store.js";

const RETRY_MS = [1000, 2000, 5000, 15000];
const WHILE_LIVE_MS = 15000;
const SILENCE_MS = 40000; // the host says something each 15 s: after this long the connection is broken
const BEHIND_MS = 5000; // for so long after the host has left something out, pages ask
const TOPICS = { delivery: "deliveries", run: "runs", event: "events", overview: "overview" };

export const liveState = makeStore("off"); // "off", "on", "behind" (not all is told), "broken", "missing"
const followers = new Map(Object.keys(TOPICS).map((name) => [name, new Set()]));
let current = null; // { controller, topics }
let failures = 0;
let timer = null;
let behind = null; // a timer: then what is told is whole again

// What one message of the stream says: "event: NAME", "data: JSON".
export function parseMessage(text) {
  const message = { name: "message", data: "" };
  for (const line of text.split("\n")) {
    const [, field, value] = /^([^:]*): ?(.*)$/.exec(line) || [];
    if (field === "event") {
      message.name = value;
    } else if (field === "data") {
      message.data += value;
    }
  }
  return message;
}

function dispatch(text) {
  const { name, data } = parseMessage(text);
  if (name === "skipped") {
    clearTimeout(behind);
    liveState.set("behind");
    behind = setTimeout(() => liveState.get() === "behind" && liveState.set("on"), BEHIND_MS);
  }
  if (data && followers.has(name)) {
    const value = JSON.parse(data);
    followers.get(name).forEach((follower) => follower(value));
  }
}

// Calls onHeard at whatever comes, comments too.
async function read(response, onHeard) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    onHeard();
    const messages = (rest + value).split("\n\n");
    rest = messages.pop();
    messages.forEach(dispatch);
  }
}

function wantedTopics() {
  const names = [...followers.keys()].filter((name) => followers.get(name).size);
  return document.hidden || !session.get().token ? "" : names.map((name) => TOPICS[name]).join(",");
}

function hangUp() {
  current?.controller.abort();
  current = null;
}

async function connect(topics) {
  const mine = { controller: new AbortController(), topics };
  let silence = null;
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => mine.controller.abort("nothing was heard"), SILENCE_MS);
  };
  current = mine;
  listen();
  try {
    const response = await fetch(withQuery("/v1/live", { topics }), {
      headers: headers(), signal: mine.controller.signal, cache: "no-store",
    });
    if (response.status === 401) {
      signOut("The host does not take this token any more. Sign in again.");
    } else if (response.status === 403 || response.status === 404) {
      liveState.set("missing");
      return;
    } else if (response.ok) {
      failures = 0;
      liveState.set("on");
      await read(response, listen);
    }
  } catch (fault) {
    if (fault.name === "AbortError") {
      return;
    }
  } finally {
    clearTimeout(silence);
  }
  if (current === mine) {
    liveState.set("broken");
    current = null;
    plan(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  }
}

function update() {
  timer = null;
  const topics = wantedTopics();
  if (topics === (current?.topics || "")) {
    return;
  }
  hangUp();
  if (topics && liveState.get() !== "missing") {
    connect(topics);
  } else if (!topics && liveState.get() !== "missing") {
    liveState.set("off");
  }
}

// Later, so that a change of pages does not hang up and call again.
function plan(ms = 50) {
  clearTimeout(timer);
  timer = setTimeout(update, ms);
}

document.addEventListener("visibilitychange", () => plan());
let token = session.get().token;
session.follow((value) => {
  if (value.token !== token) {
    token = value.token;
    hangUp();
    liveState.set("off");
    plan();
  }
});

// Calls `follower` with each object of that name ("delivery", "run", "event", "overview").
export function useLive(name, follower) {
  const latest = useRef(follower);
  latest.current = follower;
  useEffect(() => {
    const mine = (value) => latest.current?.(value);
    followers.get(name).add(mine);
    plan();
    return () => {
      followers.get(name).delete(mine);
      plan();
    };
  }, [name]);
}

// How often to ask, in ms: more seldom while the stream tells what happens, which it does not where many
// deliveries share it (a pause, a breaker).
export function usePollEvery(ms) {
  return useStore(liveState) === "on" ? WHILE_LIVE_MS : ms;
}

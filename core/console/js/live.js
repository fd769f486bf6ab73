// The host's stream of what happens (GET /v1/live): one for the page, of the topics that somebody
// follows. Where the host has none, or it is broken, pages ask again every few seconds.
import { useEffect, useRef } from "./lib.js";
import { headers, withQuery } from "./api.js";
import { session, signOut } from "./session.js";
import { makeStore, useStore } from "./store.js";

const RETRY_MS = [1000, 2000, 5000, 15000];
const TOPICS = { delivery: "deliveries", run: "runs", event: "events", overview: "overview" };

export const liveState = makeStore("off"); // "off", "on", "broken", "missing"
const followers = new Map(Object.keys(TOPICS).map((name) => [name, new Set()]));
let current = null; // { controller, topics }
let failures = 0;
let timer = null;

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
  if (data && followers.has(name)) {
    const value = JSON.parse(data);
    followers.get(name).forEach((follower) => follower(value));
  }
}

async function read(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
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
  current = mine;
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
      await read(response);
    }
  } catch (fault) {
    if (fault.name === "AbortError") {
      return;
    }
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

// How often to ask, in ms: seldom while the stream tells what happens.
export function usePollEvery(ms, whileLive = 60000) {
  return useStore(liveState) === "on" ? whileLive : ms;
}

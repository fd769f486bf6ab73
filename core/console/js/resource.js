// What the API answers, followed: loaded, asked again every so often, kept while it is asked.
import { html, useCallback, useEffect, useRef, useState } from "./lib.js";
import { get } from "./api.js";

const NOTHING = { path: null, data: undefined, problem: null };

// { data, problem, isLoading, reload, set }: data is undefined until there is some of this path.
export function useResource(path, { every = 0, isExact = false } = {}) {
  const [kept, setKept] = useState(NOTHING);
  const asked = useRef(null);
  const load = useCallback(async () => {
    asked.current?.abort();
    const controller = new AbortController();
    asked.current = controller;
    try {
      const data = await get(path, { signal: controller.signal, isExact });
      setKept({ path, data, problem: null });
    } catch (problem) {
      if (problem.name !== "AbortError") {
        setKept((before) => ({ path, data: before.path === path ? before.data : undefined, problem }));
      }
    }
  }, [path, isExact]);
  useEffect(() => {
    if (path) {
      load();
    }
    return () => asked.current?.abort();
  }, [path, load]);
  const before = useRef({ path, every });
  useEffect(() => {
    if (path && before.current.path === path && before.current.every !== every) {
      load(); // the stream has begun or ended: what it did not tell of is asked for
    }
    before.current = { path, every };
    const timer = path && every ? setInterval(() => document.hidden || load(), every) : null;
    return () => clearInterval(timer);
  }, [path, every, load]);
  const set = useCallback((change) => {
    setKept((before) => (before.data === undefined ? before : { ...before, data: change(before.data) }));
  }, []);
  const mine = kept.path === path ? kept : NOTHING;
  return { data: mine.data, problem: mine.problem, isLoading: !mine.data && !mine.problem, reload: load, set };
}

// The children, a function of the data, once there is some; before it that it is coming, or why not.
export function Loaded({ of, children }) {
  const { data, problem, reload } = of;
  const fault = problem && html`
    <div class="notice notice-bad" role="alert">
      <p>${problem.message}</p>
      <button type="button" class="button" onClick=${reload}>Try again</button>
    </div>`;
  if (data === undefined) {
    return fault || html`<p class="loading" role="status">Loading…</p>`;
  }
  return html`${fault}${children(data)}`;
}

// The route is the hash: "#/deliveries/dlv_1?state=held", so that links can be shared, filters are in
// them, and the host serves one page.
import { useEffect, useState } from "./lib.js";

export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function href(parts, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const path = `#/${parts.map(encodeURIComponent).join("/")}`;
  return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

export function go(parts, query = {}) {
  location.hash = href(parts, query);
}

export function useRoute() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

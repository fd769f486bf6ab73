// Navigation, the stream's state, the theme, who is signed in.
import { html, useEffect, useState } from "./lib.js";
import { liveState } from "./live.js";
import { PAGES } from "./pages.js";
import { go } from "./route.js";
import { session, signOut, useCan } from "./session.js";
import { useStore } from "./store.js";

const LIVE_WORDS = {
  on: "Live", behind: "Live, not each change", off: "Asks every few seconds", broken: "Connecting again…", missing: "Asks every few seconds",
};
const THEMES = [["auto", "System"], ["light", "Light"], ["dark", "Dark"]];

function NavLink({ row, current }) {
  const may = useCan(row.role || "ingest");
  return (may || !row.role) && html`
    <a href=${`#/${row.path}`} aria-current=${row.path === current ? "page" : undefined}>${row.title}</a>`;
}

function Live() {
  const state = useStore(liveState);
  return html`<span role="status"><span class=${`dot dot-${state}`}></span><span
    class="side-live-words">${LIVE_WORDS[state]}</span></span>`;
}

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem("hookline.theme") || "auto");
  const change = (event) => {
    const next = event.target.value;
    localStorage.setItem("hookline.theme", next);
    if (next === "auto") {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = next;
    }
    dispatchEvent(new Event("themechange"));
    setTheme(next);
  };
  return html`
    <label class="unseen" for="theme">Theme</label>
    <select id="theme" class="side-theme" value=${theme} onChange=${change}>
      ${THEMES.map(([name, words]) => html`
        <option value=${name} selected=${name === theme}>${words}</option>`)}
    </select>`;
}

// From an id that somebody was given (a webhook-id in the receiver's log) to its page.
function Find() {
  const find = (event) => {
    event.preventDefault();
    const box = event.target.elements.find;
    const id = box.value.trim();
    if (id) {
      go([id.startsWith("dlv_") ? "deliveries" : "events", id]);
      box.value = "";
    }
  };
  return html`
    <form class="find" role="search" aria-label="Find by id" onSubmit=${find}>
      <label class="unseen" for="find">Id of a delivery or an event</label>
      <input id="find" name="find" type="search" placeholder="Find an id" autocomplete="off" spellcheck="false" />
    </form>`;
}

export function Side({ current }) {
  useEffect(() => { // on a small screen the navigation is wider than the screen
    document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  const { role } = useStore(session);
  return html`
    <header class="side">
      <div class="side-top"><a class="brand" href="#/"><img src="/console/icon.svg" alt="" />hookline</a></div>
      <${Find} />
      <nav class="nav" aria-label="Pages">
        ${PAGES.map((row) => html`<${NavLink} key=${row.path} row=${row} current=${current} />`)}
      </nav>
      <div class="side-foot">
        <div class="row"><${Live} /></div>
        <div class="row"><${Theme} /></div>
        <div class="row">
          <span class="quiet side-role">${role ? `Role: ${role}` : ""}</span>
          <button type="button" class="button button-small" onClick=${() => signOut()}>Sign out</button>
        </div>
      </div>
    </header>`;
}

// The frame: sign in, navigation, the page of the route.
import { html, render, useEffect, useRef } from "./lib.js";
import { findPage } from "./pages.js";
import { Toasts } from "./parts/toast.js";
import { useRoute } from "./route.js";
import { session } from "./session.js";
import { Side } from "./side.js";
import { SignIn } from "./sign_in.js";
import { useStore } from "./store.js";
import { Banners } from "./banners.js";

// After a change of pages the focus is on the new heading: readers begin there.
function useFocusOnHeading(key) {
  const before = useRef(key);
  useEffect(() => {
    if (before.current !== key) {
      before.current = key;
      scrollTo(0, 0);
      document.querySelector("main h1")?.focus({ preventScroll: true });
    }
  }, [key]);
}

function Frame() {
  const route = useRoute();
  const found = findPage(route.parts);
  const main = useRef(null);
  useFocusOnHeading(route.parts.join("/"));
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`
    <a class="skip button" href="#main" onClick=${skip}>Skip to the content</a>
    <div class="shell">
      <${Side} current=${route.parts[0] || ""} />
      <main class="main" id="main" tabindex="-1" ref=${main}>
        <${Banners} />
        <${found.page} key=${route.parts.join("/")} route=${route} id=${found.id} />
      </main>
    </div>`;
}

function App() {
  const { token } = useStore(session);
  return html`${token ? html`<${Frame} />` : html`<${SignIn} />`}<${Toasts} />`;
}

const place = document.getElementById("app");
place.textContent = "";
render(html`<${App} />`, place);

"""Driving the console as a person would, by names that a screen reader would read."""
import json
import pathlib

from support.waiting import until

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
except ImportError:  # conftest.py skips
    Keys = WebDriverException = None

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"]
WIDE, NARROW = (1280, 900), (360, 740)
GRAVE = ("serious", "critical")

# An element by what it is and what it is called. Only those that can be seen.
FIND = r"""
const [kind, name] = arguments;
const roles = { button: "button", link: "a[href]", heading: "h1,h2,h3", field: "input,select,textarea",
                summary: "summary" };
const nameOf = (e) => (e.getAttribute("aria-label") || (e.labels && e.labels[0] && e.labels[0].textContent) ||
                       e.textContent || "").replace(/\s+/g, " ").trim();
const dialog = document.querySelector("dialog[open]");
const all = [...(dialog || document).querySelectorAll(roles[kind])].filter((e) => e.checkVisibility());
return all.find((e) => nameOf(e) === name) || all.find((e) => nameOf(e).startsWith(name)) || null;
"""


class Browser:
    def __init__(self, folder):
        options = Options()
        options.binary_location = CHROMIUM
        for flag in [*FLAGS, f"--user-data-dir={folder}", f"--window-size={WIDE[0]},{WIDE[1]}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(30)

    def close(self):
        self.driver.quit()


class Console:
    def __init__(self, driver, host, axe, shots, token=None):
        self.driver, self.host, self.axe, self.shots = driver, host, axe, shots
        self.url = f"http://127.0.0.1:{host.port}/"
        self.size(*WIDE)
        if not driver.current_url.startswith(self.url):
            driver.get(self.url)
        self.begin(token)
        driver.get_log("browser")

    # --- the page -----------------------------------------------------------------------------

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def theme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": name}]})

    def faults(self):
        """What the page has logged as errors: exceptions, refused by the policy. A status that is no success is
        logged, too, and belongs to what is tested."""
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] == "SEVERE" and "Failed to load resource" not in line["message"]]

    def open(self, route, heading=None):
        self.driver.execute_script("location.hash = arguments[0]", f"#/{route}")
        if heading:
            self.see_heading(heading)
        return self

    def begin(self, token=None):
        """Loads the page anew, as one who has the token in the tab, and nothing else."""
        self.driver.execute_script(
            "sessionStorage.clear(); localStorage.clear(); location.hash = '';"
            "if (arguments[0]) sessionStorage.setItem('hookline.token', arguments[0])", token)
        self.driver.refresh()
        return self.see("Sign out" if token else "Sign in")

    @property
    def hash(self):
        return self.driver.execute_script("return location.hash")

    @property
    def text(self):
        return self.driver.execute_script("return document.body.innerText") or ""

    # --- looking ------------------------------------------------------------------------------

    def find(self, kind, name):
        """The element, when it is there."""
        return until(lambda: self.driver.execute_script(FIND, kind, name), f"a {kind} {name!r} in: {self.text[:2000]}")

    def see(self, *texts):
        for text in texts:
            try:
                until(lambda: text in self.text, text)
            except AssertionError as late:
                raise AssertionError(f"no {text!r} in: {self.text[:3000]}") from late
        return self

    def see_no(self, text):
        until(lambda: text not in self.text, f"{text!r} is gone")
        return self

    def see_heading(self, text):
        until(lambda: self.driver.execute_script(
            "const h = document.querySelector('h1'); return h && h.innerText.trim()") == text, f"the heading {text}")
        until(lambda: "Loading…" not in self.text, "what is loaded")
        return self

    def focused(self):
        """The name of what has the focus."""
        return self.driver.execute_script(
            "const e = document.activeElement; const l = e.labels && e.labels[0];"
            "return (e.getAttribute('aria-label') || (l && l.textContent) || e.textContent || '').trim()")

    # --- acting -------------------------------------------------------------------------------

    def click(self, kind, name):
        self.again(lambda: self.find(kind, name).click())
        return self

    def again(self, act):
        """Once more where the page was drawn anew between finding and acting."""
        try:
            return act()
        except WebDriverException:
            return act()

    def fill(self, name, text):
        box = self.find("field", name)
        box.clear()
        box.send_keys(text)
        return box

    def choose(self, name, value):
        box = self.find("field", name)
        self.driver.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', { bubbles: true }))",
            box, value)

    def press(self, *keys):
        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()
        return self

    def tab_to(self, name, most=60):
        """Presses Tab until the focus is on what has the name."""
        for _ in range(most):
            if self.focused() == name:
                return self
            self.press("TAB")
        raise AssertionError(f"Tab does not lead to {name!r}")

    # --- judging ------------------------------------------------------------------------------

    def shot(self, name):
        self.driver.save_screenshot(str(pathlib.Path(self.shots) / f"{name}.png"))

    def axe_faults(self):
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(self.axe)
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, { resultTypes: ['violations'] }).then((r) => done(JSON.stringify(r.violations)),"
            " (e) => done(JSON.stringify([{ id: String(e), impact: 'critical', nodes: [] }])))")
        return [f"{v['id']}: {node['html'][:200]} {node.get('failureSummary', '')}" for v in json.loads(found)
                if v["impact"] in GRAVE for node in v["nodes"] or [{"html": ""}]]

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def judge(self, name):
        """Looks at the page in both themes, wide and small: axe finds nothing grave, nothing runs out of it."""
        try:
            for width in (WIDE, NARROW):
                self.size(*width)
                for theme in ("light", "dark"):
                    self.theme(theme)
                    self.shot(f"{name}-{theme}-{width[0]}")
                    faults = self.axe_faults() if (width == WIDE) == (theme == "light") else []
                    assert not faults, "\n".join([f"{name}, {theme}, {width[0]} px:", *faults])
                assert self.overflow() <= 0, f"{name} is wider than {width[0]} px by {self.overflow()}"
        finally:
            self.theme("light")
            self.size(*WIDE)

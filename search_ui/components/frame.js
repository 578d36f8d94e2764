// What stands around every page: light or dark, and the words that Streamlit itself says, in the page's language.
// Streamlit remembers a theme for each path under this name, and looks there when a page is loaded (a test would see it change).
const themeOf = (path) => `stActiveTheme-${path}-v2`;
const THEME = "seekpoint-theme"; // the sign-in page, which is not Streamlit's, looks here
const SAID = ["aria-label", "title", "placeholder"];
// Where words of people stand, which are theirs.
const THEIRS = "[data-testid=stMarkdownContainer], [data-testid=stHeading], [data-testid=stText], [data-testid=stDataFrame], [role=option], script, style";
let watching = false;

const LONGEST = 2000; // of a question; url_state.py cuts there too
const SLOW_MS = 5000; // from here on a server that says nothing is said to be slow
const BOX = ".st-key-ask_bar input";
const APP = "[data-testid=stApp]";
const FORGOTTEN_MS = 60_000; // a run that never came
const TYPED = /^(INPUT|TEXTAREA|SELECT)$/;
let page = null; // the newest data, and where it is shown

// The slash goes to the question from anywhere but a box that is written in; the question mark shows the keys.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  if (event.key === "Enter" && target.matches?.(BOX) && isNew(target.value)) asked();
  if (target.isContentEditable || (TYPED.test(target.tagName) && !/^(checkbox|radio|range)$/.test(target.type))) return;
  if (event.key === "?" && page) {
    event.preventDefault();
    page.find("dialog").showModal();
  }
  const box = document.querySelector(BOX);
  if (event.key !== "/" || !box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

// --- a question is on its way ---

// At once, whatever the server does: what was answered before is dimmed and a bar runs (style.css), until a run of the script ends.
function asked() {
  const app = document.querySelector(APP);
  if (!app || app.dataset.asked) return;
  app.dataset.asked = "1";
  let began = false;
  const slow = setTimeout(() => page?.say(page.data.labels.slow), SLOW_MS);
  const done = () => {
    delete app.dataset.asked;
    runs.disconnect();
    clearTimeout(slow);
    clearTimeout(forgotten);
    page?.say("");
  };
  const runs = new MutationObserver(() => {
    const isRunning = app.dataset.testScriptState === "running";
    if (began && !isRunning) done();
    began ||= isRunning;
  });
  runs.observe(app, { attributeFilter: ["data-test-script-state"] });
  const forgotten = setTimeout(done, FORGOTTEN_MS);
}

// Whether Enter asks something: not what is answered already.
const isNew = (text) => text.trim() !== (new URLSearchParams(location.search).get("q") ?? "");

// A link to the page that is there leads to its beginning.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".st-key-brand a, .st-key-nav a");
  if (!link || link.getAttribute("href") || !document.querySelector(BOX) || !location.search) return;
  asked();
  page?.trigger("go", { href: "/", at: Date.now() });
});

window.addEventListener("seekpoint-asked", asked);

// --- the picture that the player shows becomes the question ---

window.addEventListener("seekpoint-search-frame", async ({ detail: video }) => {
  if (!page || !video.videoWidth) return;
  video.pause();
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const body = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  const answer = await fetch("/picture", { method: "POST", body, headers: { "Content-Type": "image/jpeg" } }).catch(() => null);
  if (!answer?.ok) return page.say(page.data.labels.failed, 6000);
  asked();
  page.trigger("go", { href: `/?picture=${(await answer.json()).name}`, at: Date.now() });
});

// --- the box ---

// What is too long is cut, with a word about it: Streamlit would drop all of it.
document.addEventListener(
  "input",
  (event) => {
    const box = event.target;
    if (!box.matches?.(BOX) || box.value.length <= LONGEST) return;
    event.stopImmediatePropagation();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, box.value.slice(0, LONGEST));
    box.dispatchEvent(new Event("input", { bubbles: true }));
    page?.say(page.data.labels.cut, 6000);
  },
  true,
);

// On the first page one can write at once. Streamlit may draw the box again, which takes the focus away: until somebody does something
// it comes back.
let touched = false;
for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, () => (touched = true), { capture: true, passive: true });
function greet() {
  const box = document.querySelector(".st-key-body_home") && document.querySelector(BOX);
  if (!box) touched = false;
  const idle = !document.activeElement || document.activeElement === document.body;
  if (box && idle && !touched && matchMedia("(hover: hover)").matches) box.focus({ preventScroll: true });
}
// It is disabled as long as the connection is being made.
new MutationObserver(greet).observe(document.documentElement, { subtree: true, childList: true, attributeFilter: ["disabled"] });
// Scripts that the browser keeps may come when all is drawn: nothing changes any more then.
greet();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  if (!data) return;
  const find = (selector) => parentElement.querySelector(selector);
  page = { data, find, trigger: setTriggerValue, say: (text, for_ms) => say(find(".waiting"), text, for_ms) };
  const select = find("select");
  find("label span").textContent = data.labels.theme;
  select.title = data.labels.theme;
  const shown = [...select.options].map((option) => option.text).join();
  if (shown !== Object.values(data.labels.themes).join()) {
    select.replaceChildren(...Object.entries(data.labels.themes).map(([value, text]) => new Option(text, value)));
  }
  select.value = localStorage.getItem(THEME) ?? "System";
  select.onchange = () => choose(select.value, data.paths);
  showKeys(find, data);
  const account = find(".account");
  account.hidden = !data.account;
  if (data.account) Object.assign(account, { href: data.account.href, title: data.labels.account });
  if (data.account) account.querySelector("span").textContent = data.account.name;
  paint(parentElement);
  if (!watching && data.words.length) translate(data.words);
}

function say(place, text, for_ms) {
  if (place.textContent !== text) place.textContent = text;
  if (for_ms) setTimeout(() => place.textContent === text && (place.textContent = ""), for_ms);
}

function showKeys(find, { labels, keys }) {
  const button = find(".keys");
  button.title = labels.keys;
  button.setAttribute("aria-label", labels.keys);
  button.onclick = () => find("dialog").showModal();
  find("h2").textContent = labels.keys;
  find("dialog").setAttribute("aria-label", labels.keys);
  find(".close").setAttribute("aria-label", labels.close);
  const list = find("dl");
  if (list.children.length === 2 * keys.length) return;
  list.replaceChildren(
    ...keys.flatMap(([names, text]) => {
      const [term, what] = [document.createElement("dt"), document.createElement("dd")];
      for (const name of names.split(" ")) term.append(Object.assign(document.createElement("kbd"), { textContent: name }));
      what.textContent = text;
      return [term, what];
    }),
  );
}

// The colours of the theme for what stands outside of components.
function paint(element) {
  const style = getComputedStyle(element.host ?? element);
  for (const name of ["background-color", "secondary-background-color", "text-color", "border-color", "primary-color"]) {
    const value = style.getPropertyValue(`--st-${name}`);
    if (value) document.documentElement.style.setProperty(`--sp-${name}`, value);
  }
}

function choose(theme, paths) {
  localStorage.setItem(THEME, theme);
  for (const path of paths) localStorage.setItem(themeOf(path), JSON.stringify(theme));
  location.reload();
}

// Words of Streamlit's own elements (calendars, lists, hints): it says them in English only.
function translate(words) {
  watching = true;
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const known = words.map(([english, other]) => [new RegExp(`^${english.split("{}").map(escape).join("(.+)")}$`), other]);
  const said = (text) => {
    for (const [pattern, other] of known) {
      const found = pattern.exec(text.trim());
      if (found) return found.slice(1).reduce((so_far, value) => so_far.replace("{}", () => value), other);
    }
    return text;
  };
  const change = (text, put) => {
    const other = text && /[a-z]{2}/i.test(text) ? said(text) : text;
    if (other !== text) put(other);
  };
  const look = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const around = node.parentElement;
      if (!around?.closest(THEIRS)) change(node.nodeValue, (other) => (node.nodeValue = other));
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      for (const name of SAID) change(node.getAttribute(name), (other) => node.setAttribute(name, other));
      node.childNodes.forEach(look);
    }
  };
  look(document.body);
  new MutationObserver((changes) => {
    for (const { target, type, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(look);
      else if (type === "characterData") look(target);
      else for (const name of SAID) change(target.getAttribute(name), (other) => target.setAttribute(name, other));
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: SAID });
}

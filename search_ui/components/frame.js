// What stands around every page: light or dark, and the words that Streamlit itself says, in the page's language.
// Streamlit remembers a theme for each path under this name, and looks there when a page is loaded (a test would see it change).
const themeOf = (path) => `stActiveTheme-${path}-v2`;
const THEME = "seekpoint-theme"; // the sign-in page, which is not Streamlit's, looks here
const SAID = ["aria-label", "title", "placeholder"];
// Where words of people stand, which are theirs.
const THEIRS = "[data-testid=stMarkdownContainer], [data-testid=stHeading], [data-testid=stText], [data-testid=stDataFrame], [role=option], script, style";
let watching = false;

// On a telephone the menu lies over the page: who has chosen wants to see what was chosen.
const NARROW = "(max-width: 768px)";
const CHANGING_MS = 1500;
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-testid=stSidebarNavLink]") || !matchMedia(NARROW).matches) return;
  // Streamlit opens it once more while it changes the page.
  const until = performance.now() + CHANGING_MS;
  const close = () => {
    document.querySelector("[data-testid=stSidebarCollapseButton] [aria-expanded=true]")?.click();
    if (performance.now() < until) setTimeout(close, 100);
  };
  setTimeout(close, 100);
});

// The slash goes to the question from anywhere but a box that is written in.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
  const box = document.querySelector(".st-key-ask_bar input");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  const select = parentElement.querySelector("select");
  parentElement.querySelector("span").textContent = data.labels.theme;
  select.title = data.labels.theme;
  const shown = [...select.options].map((option) => option.text).join();
  if (shown !== Object.values(data.labels.themes).join()) {
    select.replaceChildren(...Object.entries(data.labels.themes).map(([value, text]) => new Option(text, value)));
  }
  select.value = localStorage.getItem(THEME) ?? "System";
  select.onchange = () => choose(select.value, data.paths);
  if (!watching && data.words.length) translate(data.words);
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
      if (!node.parentElement?.closest(THEIRS)) change(node.nodeValue, (other) => (node.nodeValue = other));
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

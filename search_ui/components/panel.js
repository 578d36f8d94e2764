// Lines of one video beside the player, in time with it: what is said and shown, its chapters, or the answers to a question about it.
// It and the player talk by events on the window, which player.js lists. Texts only ever become textContent.
const panels = new WeakMap();
const LEFT_ALONE_MS = 4000; // after scrolling by hand the list stays where it is for so long
const KINDS = ["speech", "screen", "sound", "event"];

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  let panel = panels.get(parentElement);
  if (!panel || panel.closed) {
    panel = new Panel(parentElement);
    panels.set(parentElement, panel);
  }
  panel.update(data);
  return () => panel.close();
}

class Panel {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.rows = [];
    this.all = [];
    this.hiddenKinds = new Set();
    this.now_s = -1;
    this.abort = new AbortController();
    const on = (target, type, handler) => target.addEventListener(type, handler, { signal: this.abort.signal, passive: true });
    on(this.find(".find"), "input", () => this.filter());
    for (const type of ["wheel", "touchmove", "pointerdown"]) on(this.find(".rows"), type, () => (this.touched = performance.now()));
    on(window, "seekpoint-time", (e) => this.at(e.detail));
    // In a tab that was hidden nothing could scroll.
    this.resized = new ResizeObserver(() => this.scroll());
    this.resized.observe(this.find(".rows"));
  }

  close() {
    setTimeout(() => {
      if (this.find(".rows")?.isConnected) return;
      this.closed = true;
      this.abort.abort();
      this.resized.disconnect();
    }, 0);
  }

  // data: { source: "lines" | "chapters" | "rows", video_id, version?, rows?, labels }
  update(data) {
    const other = !this.data || ["video_id", "source", "version"].some((name) => this.data[name] !== data[name]);
    this.data = data;
    this.find(".find").placeholder = data.labels.find ?? "";
    this.find(".find").setAttribute("aria-label", data.labels.find ?? "");
    this.find(".kinds").setAttribute("aria-label", data.labels.shown ?? "");
    this.find(".rows").setAttribute("aria-label", data.labels.list);
    this.find(".rows").classList.toggle("pictures", data.source !== "lines");
    this.find(".rows").classList.toggle("transcript", data.source === "lines");
    if (data.source === "rows") this.showAll(data.rows);
    else if (other) this.fetch();
  }

  async fetch() {
    const { source, video_id } = this.data;
    this.showAll([]);
    this.find(".count").textContent = "";
    let found = null;
    try {
      const answer = await fetch(`/${source}/${video_id}`);
      if (answer.ok) found = await answer.json();
    } catch {
      // The server is gone: said by the page itself.
    }
    if (!found || this.data.video_id !== video_id) return;
    this.showAll(source === "lines" ? linesOf(found) : found.chapters);
  }

  showAll(rows) {
    this.all = rows;
    // Named sounds come every few seconds: beside words they are there for whoever wants them.
    if (rows.some((row) => ["speech", "screen"].includes(row.kind))) this.hiddenKinds = new Set(["sound"]);
    this.find(".tools").hidden = this.data.source !== "lines" || !rows.length;
    this.showKinds();
    this.filter();
    window.dispatchEvent(new CustomEvent("seekpoint-where"));
  }

  showKinds() {
    const there = KINDS.filter((kind) => this.all.some((row) => row.kind === kind));
    this.find(".kinds").replaceChildren(
      ...(there.length < 2 ? [] : there).map((kind) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = this.data.labels.kinds[kind];
        button.setAttribute("aria-pressed", String(!this.hiddenKinds.has(kind)));
        button.addEventListener("click", () => {
          if (!this.hiddenKinds.delete(kind)) this.hiddenKinds.add(kind);
          button.setAttribute("aria-pressed", String(!this.hiddenKinds.has(kind)));
          this.filter();
        });
        return button;
      }),
    );
  }

  filter() {
    const wanted = this.data.source === "lines" ? fold(this.find(".find").value.trim()) : "";
    this.rows = this.all.filter((row) => !this.hiddenKinds.has(row.kind) && (!wanted || fold(row.text).includes(wanted)));
    this.find(".rows").replaceChildren(...this.rows.map((row) => this.item(row, wanted)));
    const { labels } = this.data;
    const found = labels.found?.replace("{n}", this.rows.length) ?? "";
    this.find(".count").textContent = !this.all.length ? labels.empty : wanted ? found : "";
    this.current = [];
    this.mark();
  }

  item(row, wanted) {
    const item = document.createElement("li");
    const button = make("button", row.kind ?? "");
    button.type = "button";
    if (row.picture) {
      const picture = make("img");
      Object.assign(picture, { loading: "lazy", alt: "", src: row.picture });
      button.append(picture);
    }
    const time = make("time", "", row.end_s && this.data.source !== "lines" ? `${brief(row.start_s)} – ${brief(row.end_s)}` : brief(row.start_s));
    const text = make("span", "text");
    if (this.data.source === "lines") {
      text.append(...marked(row.text, wanted));
      button.append(time, text);
    } else {
      const name = make("span", "name");
      name.append(...(row.parts ?? [[row.name, false]]).map(([part, asked]) => (asked ? make("mark", "", part) : part)));
      text.append(name, time);
      if (row.note) text.append(make("small", "", row.note));
      button.append(text);
    }
    button.addEventListener("click", () => {
      this.touched = -LEFT_ALONE_MS;
      window.dispatchEvent(new CustomEvent("seekpoint-seek", { detail: { video_id: this.data.video_id, time_s: row.start_s } }));
    });
    item.append(button);
    return item;
  }

  // --- in time with the player ---

  at({ video_id, time_s }) {
    if (video_id !== this.data.video_id) return;
    this.now_s = time_s;
    this.mark();
  }

  // Rows that hold now; where none does, the last one that began.
  mark() {
    const now_s = this.now_s + 0.05;
    let holding = this.rows.flatMap((row, n) => (row.start_s <= now_s && row.end_s > now_s ? [n] : []));
    if (!holding.length && this.data.source === "lines") {
      const last = this.rows.findLastIndex((row) => row.start_s <= now_s);
      holding = last < 0 ? [] : [last];
    }
    if (String(holding) === String(this.current)) return;
    const { children } = this.find(".rows");
    for (const n of this.current) children[n]?.firstChild.removeAttribute("aria-current");
    for (const n of holding) children[n].firstChild.setAttribute("aria-current", "true");
    this.current = holding;
    this.scroll();
  }

  scroll() {
    if (performance.now() - (this.touched ?? -LEFT_ALONE_MS) < LEFT_ALONE_MS) return;
    const list = this.find(".rows");
    const item = list.children[this.current?.at(-1)];
    if (!item || !list.clientHeight) return;
    // Only the list scrolls, never the page.
    list.scrollTop = item.offsetTop - list.clientHeight / 2 + item.clientHeight / 2;
  }
}

function linesOf(found) {
  const rows = KINDS.flatMap((kind) => (found[kind] ?? []).map(([start_s, end_s, text]) => ({ kind, start_s, end_s, text })));
  return rows.sort((a, b) => a.start_s - b.start_s);
}

function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

// Letters without accents in lower case, one for one, so that places in the text stay the same.
function fold(text) {
  return Array.from(text, (letter) => letter.normalize("NFD")[0].toLowerCase()[0]).join("");
}

function marked(text, wanted) {
  if (!wanted) return [text];
  const letters = Array.from(text), folded = Array.from(fold(text)), size = Array.from(wanted).length;
  const pieces = [];
  let from = 0;
  for (let n = 0; n + size <= folded.length; n++) {
    if (folded.slice(n, n + size).join("") !== wanted) continue;
    pieces.push(letters.slice(from, n).join(""), make("mark", "", letters.slice(n, n + size).join("")));
    from = n + size;
    n = from - 1;
  }
  return [...pieces, letters.slice(from).join("")];
}

function brief(seconds) {
  const s = Math.floor(seconds + 1e-6), pad = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(s / 3600), minutes = Math.floor(s / 60) % 60;
  return hours ? `${hours}:${pad(minutes)}:${pad(s % 60)}` : `${minutes}:${pad(s % 60)}`;
}

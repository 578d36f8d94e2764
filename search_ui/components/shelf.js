// The videos of the library as a grid. Which there are comes at once as numbers; what stands on a card comes when it is in view, and only those
// cards are in the page: thousands are as quick as ten.
const shelves = new WeakMap();
const KEPT = "seekpoint-shelf"; // how the list was narrowed and where one was, as long as the tab is open
const MARGIN_ROWS = 2;
const BATCH = 60;
const TYPED_MS = 200;
const AT_WORK_MS = 3000; // videos that are being read are looked at again
const AGAIN_MS = 2000; // a list that did not come is asked for again
const MONTH_PX = 30;
const HEADER_PX = 72;
const ORDERS = ["added", "recorded", "title", "length", "size"];
const STATES = ["", "work", "problem"];
const USUAL = { find: "", collection: "", state: "", sort: "added", order: "falling", top: 0 };
const TURN = { falling: "M12 20l-6-6h4V4h4v10h4z", rising: "M12 4l6 6h-4v10h-4V10H6z" };

// The list that came with the document, once, if it is the one that is asked for.
function inDocument(asked, version) {
  const list = document.getElementById("first-shelf");
  list?.remove();
  return list?.dataset.asked === String(asked) && list.dataset.version === version ? JSON.parse(list.textContent) : null;
}

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  let shelf = shelves.get(parentElement);
  if (!shelf) shelves.set(parentElement, (shelf = new Shelf(parentElement)));
  shelf.update(component);
}

class Shelf {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.list = this.find("ul");
    this.floor = this.find(".floor");
    this.view = { ...USUAL, ...kept() };
    [this.ids, this.rows, this.cards, this.chosen, this.wanted] = [[], new Map(), new Map(), new Set(), new Set()];
    this.preview = new Preview();
    const main = scroller(this.floor);
    main.addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(this.floor);
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.floor.isConnected && this.choose([], true));
    this.controls();
  }

  update({ data, setTriggerValue }) {
    const isNew = data.version !== this.data?.version || data.language !== this.data?.language;
    this.data = data;
    this.trigger = setTriggerValue;
    this.words();
    if (isNew) this.load(this.view.top);
  }

  // --- what narrows and orders it ---

  controls() {
    const change = (changed) => {
      Object.assign(this.view, changed);
      this.load(0);
    };
    for (const name of ["collection", "state", "sort"]) this.find(`.${name}`).onchange = ({ target }) => change({ [name]: target.value });
    this.find(".turn").onclick = () => change({ order: this.view.order === "falling" ? "rising" : "falling" });
    this.find(".find").oninput = ({ target }) => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => change({ find: target.value }), TYPED_MS);
    };
    this.find(".all").onclick = () => this.choose(this.ids);
    this.find(".everything").onclick = () => {
      change({ find: "", collection: "", state: "" });
      this.words();
      this.find(".find").value = "";
    };
    this.find(".none").onclick = () => this.choose([], true);
    this.find(".watch").onclick = () => this.open(this.rows.get([...this.chosen][0])?.href);
    this.find(".retry").onclick = () => this.act("retry");
    this.find(".remove").onclick = () => this.act("remove");
    this.find(".drop").onclick = () => this.act("drop");
  }

  words() {
    const { labels, collections, can_edit } = this.data;
    if (this.view.collection && !collections.includes(this.view.collection)) this.view.collection = "";
    const find = this.find(".find");
    find.placeholder = labels.find;
    find.setAttribute("aria-label", labels.find);
    if (document.activeElement !== this.list.getRootNode().host) find.value = this.view.find;
    this.find(".bar").setAttribute("aria-label", labels.list);
    fill(this.find(".collection"), labels.collection, [["", labels.everywhere], ...collections.map((name) => [name, name])], this.view.collection);
    this.find(".collection").hidden = collections.length < 2;
    fill(this.find(".sort"), labels.sort, ORDERS.map((name) => [name, labels.orders[name]]), this.view.sort);
    this.find(".all").textContent = labels.all;
    this.find(".all").hidden = !can_edit;
    for (const name of ["watch", "retry", "remove", "drop", "none"]) this.find(`.${name}`).textContent = labels[name];
    this.find(".actions").setAttribute("aria-label", labels.actions);
    this.find(".nothing p").textContent = labels.nothing;
    this.find(".everything").textContent = labels.everything;
    this.list.setAttribute("aria-label", labels.list);
    this.find(".months").setAttribute("aria-label", labels.months);
    this.turned();
  }

  turned() {
    const button = this.find(".turn");
    const svg = icon("more");
    svg.firstChild.setAttribute("d", TURN[this.view.order]);
    button.replaceChildren(svg);
    button.title = this.data.labels[this.view.order];
    button.setAttribute("aria-label", this.data.labels[this.view.order]);
  }

  // --- which there are ---

  async load(top) {
    const { find, collection, state, sort, order } = this.view;
    const asked = new URLSearchParams({ find, collection, state, sort, order });
    const loading = (this.loading = Symbol("load"));
    this.turned();
    const found =
      inDocument(asked, this.data.version) ??
      (await fetch(`/shelf?${asked}`)
        .then((answer) => (answer.ok ? answer.json() : null))
        .catch(() => null));
    if (loading !== this.loading) return;
    if (!found) {
      setTimeout(() => loading === this.loading && this.floor.isConnected && this.load(top), AGAIN_MS);
      return;
    }
    const { labels } = this.data;
    const rows = new Map(Object.entries(found.rows).map(([id, row]) => [Number(id), row]));
    this.leaveOnly(rows, found.ids);
    this.ids = found.ids;
    this.months = found.months;
    this.place = new Map(found.ids.map((id, place) => [id, place]));
    this.rows = rows;
    this.wanted.clear();
    this.chosen = new Set([...this.chosen].filter((id) => this.place.has(id)));
    const count = found.ids.length === 1 ? labels.one : labels.count;
    this.find(".count").textContent = count.replace("{n}", found.ids.length).replace("{length}", found.length);
    const states = STATES.filter((name) => !name || found.counts[name] || name === state);
    fill(this.find(".state"), labels.state, states.map((name) => [name, `${labels.states[name || "all"]} (${found.counts[name]})`]), state);
    this.find(".state").hidden = states.length < 2;
    this.find(".nothing").hidden = found.ids.length > 0 || !(find || collection || state);
    this.measure();
    this.scrub();
    this.bar();
    if (this.floor.isConnected) {
      const main = scroller(this.floor);
      if (top) main.scrollTop = top;
      else if (main.scrollTop > this.floor.offsetTop) main.scrollTop = Math.max(0, this.floor.offsetTop - 120);
    }
    this.draw();
    requestAnimationFrame(() => window.dispatchEvent(new CustomEvent("seekpoint-drawn")));
  }

  // The cards that say what they would say again: one that goes while it is pressed loses the click.
  leaveOnly(rows, ids) {
    const { language } = this.data;
    const isSame = language === this.language && ids.join() === this.ids.join();
    this.language = language;
    for (const [id, card] of this.cards) {
      if (isSame && rows.has(id) && JSON.stringify(rows.get(id)) === JSON.stringify(this.rows.get(id))) continue;
      card.remove();
      this.cards.delete(id);
    }
  }

  measure() {
    const width = this.floor.clientWidth;
    if (!width) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = rem;
    const least = (width < 520 ? 8.9 : 15) * rem;
    this.columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    this.across = (width + gap) / this.columns;
    this.down = ((this.across - gap) * 9) / 16 + 4.9 * rem;
    this.wide = this.across - gap;
    const rows = Math.ceil(this.ids.length / this.columns);
    this.floor.style.height = `${rows * this.down}px`;
    for (const [id, card] of this.cards) this.put(card, this.place?.get(id) ?? 0);
    this.soon();
  }

  put(card, place) {
    card.style.width = `${this.wide}px`;
    card.style.transform = `translate(${(place % this.columns) * this.across}px, ${Math.floor(place / this.columns) * this.down}px)`;
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  // --- what is in view ---

  draw() {
    if (!this.floor.isConnected || !this.down) return;
    const main = scroller(this.floor);
    const above = this.floor.getBoundingClientRect().top - main.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-above / this.down) - MARGIN_ROWS) * this.columns;
    const last = Math.min(this.ids.length, (Math.ceil((main.clientHeight - above) / this.down) + MARGIN_ROWS) * this.columns);
    const seen = new Set(this.ids.slice(first, last));
    for (const [id, card] of this.cards) {
      if (seen.has(id) || card.contains(card.getRootNode().activeElement)) continue;
      card.remove();
      this.cards.delete(id);
    }
    for (let place = first; place < last; place++) {
      const id = this.ids[place];
      if (this.cards.has(id)) continue;
      const card = this.card(id, place);
      this.cards.set(id, card);
      const next = this.ids.slice(place + 1, last).find((one) => this.cards.has(one));
      this.list.insertBefore(card, next === undefined ? null : this.cards.get(next));
    }
    this.fetch([...seen].filter((id) => !this.rows.has(id) && !this.wanted.has(id)));
    this.keep(main.scrollTop);
    this.marked((Math.max(0, Math.floor((HEADER_PX - above) / this.down)) + 1) * this.columns - 1);
  }

  async fetch(ids) {
    if (!ids.length) return this.again();
    const loading = this.loading;
    for (let from = 0; from < ids.length; from += BATCH) {
      const batch = ids.slice(from, from + BATCH);
      for (const id of batch) this.wanted.add(id);
      const found = await fetch(`/shelf/rows?ids=${batch.join()}`)
        .then((answer) => (answer.ok ? answer.json() : {}))
        .catch(() => ({}));
      if (loading !== this.loading) return;
      for (const id of batch) {
        this.wanted.delete(id);
        if (found[id]) this.fillCard(id, found[id]);
      }
    }
    this.bar();
    this.again();
  }

  // Videos that are being read change.
  again() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => {
      if (!this.floor.isConnected) return;
      const moving = [...this.cards.keys()].filter((id) => ["pending", "ingesting"].includes(this.rows.get(id)?.state));
      if (moving.length) this.fetch(moving.slice(0, BATCH));
    }, AT_WORK_MS);
  }

  card(id, place) {
    const item = make("li", "card");
    item.setAttribute("aria-posinset", place + 1);
    item.setAttribute("aria-setsize", this.ids.length);
    item.append(make("div", "picture"), make("div", "text"));
    this.put(item, place);
    if (this.rows.has(id)) this.filled(item, id);
    return item;
  }

  fillCard(id, row) {
    const same = JSON.stringify(row) === JSON.stringify(this.rows.get(id));
    this.rows.set(id, row);
    const card = this.cards.get(id);
    if (card && (!same || card.children[0].className === "picture")) this.filled(card, id);
  }

  filled(item, id) {
    const row = this.rows.get(id);
    const { labels } = this.data;
    const frame = picture({ picture: row.picture, span: row.length });
    const link = make("a", "open");
    link.href = row.href;
    const lines = make("div", "text");
    const state = make("span", `is ${row.state}`, labels.is[row.state]);
    if (row.problem) state.title = row.problem;
    const meta = make("span", "meta");
    if (row.state === "ready") state.title = state.textContent;
    meta.append(state, ["", row.collection, day(row.date)].filter((text, i) => text || (!i && row.state !== "ready")).join(" · "));
    const title = make("span", "title", row.title);
    title.title = [row.title, row.second].filter(Boolean).join("\n");
    lines.append(title, meta);
    link.append(frame, lines);
    link.setAttribute("aria-label", [row.title, row.length, labels.is[row.state], row.collection, day(row.date), row.problem].filter(Boolean).join(", "));
    link.addEventListener("click", (event) => {
      if (event.shiftKey && this.data.can_edit) {
        event.preventDefault();
        this.upTo(id, true);
      } else if (!(event.ctrlKey || event.metaKey || event.altKey || event.button)) {
        event.preventDefault();
        this.open(row.href);
      }
    });
    item.replaceChildren(link, ...(this.data.can_edit ? [this.box(id, row)] : []));
    item.classList.toggle("chosen", this.chosen.has(id));
    if (row.preview && ["ready", "partly", "failed"].includes(row.state)) this.plays(item, link, frame, row.preview);
  }

  plays(item, link, frame, moment) {
    const still = () => matchMedia(STILL).matches;
    item.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && pointer.moved && !still() && !this.preview.isOn(frame)) this.preview.play(frame, moment);
    });
    item.addEventListener("pointerleave", () => this.preview.stop(frame));
    link.addEventListener("focus", () => link.matches(":focus-visible") && !still() && this.preview.play(frame, moment));
    link.addEventListener("blur", () => this.preview.stop(frame));
    frame.querySelector(".scrub").addEventListener("pointermove", (event) => {
      const box = frame.getBoundingClientRect();
      this.preview.scrub((event.clientX - box.left) / box.width);
    });
  }

  open(href) {
    if (!href) return;
    this.preview.stop();
    visit(href);
  }

  // --- several at once ---

  box(id, row) {
    const label = make("label", "choose");
    const box = make("input");
    box.type = "checkbox";
    box.checked = this.chosen.has(id);
    label.title = this.data.labels.choose;
    box.setAttribute("aria-label", `${this.data.labels.choose}: ${row.title}`);
    box.addEventListener("click", (event) => {
      if (event.shiftKey && this.last !== undefined) this.upTo(id, box.checked);
      else this.choose([id], !box.checked);
      this.last = id;
    });
    label.append(box);
    return label;
  }

  upTo(id, on) {
    const ends = [this.place.get(this.last) ?? this.place.get(id), this.place.get(id)].sort((a, b) => a - b);
    this.choose(this.ids.slice(ends[0], ends[1] + 1), !on);
    this.last = id;
    getSelection()?.removeAllRanges();
  }

  choose(ids, off = false) {
    if (off && !ids.length) this.chosen.clear();
    for (const id of ids) this.chosen[off ? "delete" : "add"](id);
    for (const [id, card] of this.cards) {
      const on = this.chosen.has(id);
      card.classList.toggle("chosen", on);
      const box = card.querySelector("input");
      if (box) box.checked = on;
    }
    this.bar();
  }

  bar() {
    const { labels, can_edit } = this.data;
    const bar = this.find(".actions");
    const dropped = can_edit && this.view.collection && !this.chosen.size;
    bar.hidden = !this.chosen.size && !dropped;
    const one = this.chosen.size === 1 ? this.rows.get([...this.chosen][0]) : null;
    const text = one ? [one.title, one.size, one.path, one.problem].filter(Boolean).join(" · ") : labels.chosen.replace("{n}", this.chosen.size);
    this.find(".actions p").textContent = dropped ? this.view.collection : text;
    this.find(".actions p").title = text;
    this.find(".watch").hidden = !one;
    for (const name of ["retry", "remove", "none"]) this.find(`.${name}`).hidden = !this.chosen.size;
    this.find(".drop").hidden = !dropped;
  }

  act(what) {
    this.trigger("act", { what, ids: [...this.chosen], collection: this.view.collection, at: Date.now() });
  }

  // --- by date ---

  scrub() {
    const nav = this.find(".months");
    const months = (this.months ?? []).filter(([month]) => month);
    nav.hidden = months.length < 2;
    this.floor.classList.toggle("dated", !nav.hidden);
    if (nav.hidden) return nav.replaceChildren();
    const most = Math.max(3, Math.floor((scroller(this.floor).clientHeight - 180) / MONTH_PX));
    const years = months.filter(([month], i) => !i || month.slice(0, 4) !== months[i - 1][0].slice(0, 4));
    const shown = months.length <= most ? months : years.length <= most ? years : years.filter((_, i) => i % Math.ceil(years.length / most) === 0);
    const language = document.documentElement.lang || "en";
    const named = new Intl.DateTimeFormat(language, { month: "short", timeZone: "UTC" });
    nav.replaceChildren(
      ...shown.map(([month, place], i) => {
        const year = month.slice(0, 4);
        const isYear = shown !== months || !i || shown[i - 1][0].slice(0, 4) !== year;
        const button = make("button", isYear ? "year" : "", isYear ? year : named.format(new Date(`${month}-15T00:00Z`)));
        button.type = "button";
        button.title = shown === months ? `${named.format(new Date(`${month}-15T00:00Z`))} ${year}` : year;
        button.setAttribute("aria-label", button.title);
        button.dataset.place = place;
        button.onclick = () => this.go(place);
        return button;
      }),
    );
    nav.onpointermove = (event) => {
      if (!(event.buttons & 1)) return;
      const button = nav.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest?.(".months button");
      if (button) this.go(Number(button.dataset.place), "instant");
    };
  }

  go(place, behavior = "smooth") {
    const main = scroller(this.floor);
    const top = this.floor.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    main.scrollTo({ top: top + Math.floor(place / this.columns) * this.down - HEADER_PX, behavior: still ? "instant" : behavior });
  }

  marked(at) {
    let current = null;
    for (const button of this.find(".months").children) {
      button.removeAttribute("aria-current");
      if (Number(button.dataset.place) <= at) current = button;
    }
    current?.setAttribute("aria-current", "true");
  }

  keep(top) {
    this.view.top = top;
    sessionStorage.setItem(KEPT, JSON.stringify(this.view));
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function fill(select, label, options, value) {
  select.title = label;
  select.setAttribute("aria-label", label);
  const shown = JSON.stringify(options);
  if (select.dataset.shown !== shown) select.replaceChildren(...options.map(([name, text]) => new Option(text, name)));
  select.dataset.shown = shown;
  select.value = value;
}

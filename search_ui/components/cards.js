// Moments (or videos) as cards: each is a real link, so it opens in a new tab too; a plain click is answered without loading the page.
// Under the pointer, and with the focus, a card plays its moment.
const lists = new WeakMap();
const ANSWERED_MS = 4000;
const STILL_PX = 12;
const SAID_MS = 3000;
const FEW = 3; // cards that have room to be larger
const AT_ONCE = 24; // cards drawn, and as many again when the last of them is near
const VIEW = "seekpoint-view"; // how the cards are shown: {group, size}, written by toolbar.js
const PLACES = "seekpoint-place"; // where one was in a list, by its search
const FOCUSABLE = "a, button, input";
const ACTIONS = ["pointerdown", "keydown", "wheel", "touchstart"];
let pressed = null;
let unanswered = 0;
// A card that is drawn anew between press and release of the button gets no click from the browser.
window.addEventListener("pointerup", (event) => {
  const { link, open, x, y } = pressed ?? {};
  pressed = null;
  if (link && !link.isConnected && Math.hypot(event.clientX - x, event.clientY - y) < STILL_PX) open();
});

window.addEventListener("pointercancel", () => (pressed = null));

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  let list = lists.get(parentElement);
  if (!list) lists.set(parentElement, (list = new List(parentElement, data)));
  list.update(component);
}

class List {
  constructor(root, data) {
    this.find = (selector) => root.querySelector(selector);
    this.list = this.find("ul");
    this.chosen = new Set(data.chosen ?? []);
    this.pressed = new Map();
    this.said = new Map();
    this.shown = AT_ONCE;
    this.weaker = false;
    this.preview = new Preview();
    this.menu = new Menu(this.find(".menu"));
    this.find(".weaker").addEventListener("click", () => this.showWeaker());
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.goOn(), { rootMargin: "600px" }).observe(this.find(".end"));
    window.addEventListener("seekpoint-view", () => this.list.isConnected && this.draw());
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    const isNew = data.search !== this.data?.search || data.narrow !== this.data.narrow;
    this.data = data;
    if (isNew) [this.shown, this.weaker] = [AT_ONCE, false];
    if (isNew) this.said.clear();
    // What was pressed a moment ago is known here before the server knows it.
    const kept = new Set(data.chosen ?? []);
    for (const [key, { on, at }] of this.pressed) {
      if (Date.now() - at > ANSWERED_MS) this.pressed.delete(key);
      else kept[on ? "add" : "delete"](key);
    }
    this.chosen = kept;
    for (const element of this.list.querySelectorAll(".card")) {
      const box = element.querySelector(".choose input");
      if (box) box.checked = kept.has(element.dataset.key);
    }
    this.list.className = `cards${data.narrow ? " narrow" : ""}${data.dim ? " dim" : ""}`;
    this.list.setAttribute("aria-label", data.labels.list);
    const place = data.narrow || !isNew ? null : placeIn(data.search);
    if (place) [this.shown, this.weaker] = [place.shown, place.weaker];
    this.draw();
    this.markCurrent();
    if (place) this.goBack(place);
    if (!data.narrow) requestAnimationFrame(() => window.dispatchEvent(new CustomEvent("seekpoint-drawn")));
  }

  // --- what is shown ---

  draw() {
    const { data } = this;
    const { group = "video", size = 17 } = view();
    this.list.style.setProperty("--card", `${size}rem`);
    const weaker = data.cards.filter((card) => card.weaker);
    const all = this.weaker ? data.cards : data.cards.filter((card) => !card.weaker);
    const grouped = group === "video" && !data.narrow ? byVideo(all) : all.map((card) => [card]);
    const drawn = grouped.slice(0, this.shown);
    this.list.classList.toggle("few", grouped.length <= FEW && !data.narrow);
    const texts = drawn.map((cards) => JSON.stringify(cards.map(({ current, made, ...card }) => card)));
    const labels = JSON.stringify(data.labels);
    if (labels !== this.labels) this.texts = [];
    this.labels = labels;
    // Those in front that are the same stay: a list that goes on moves nothing.
    const same = texts.findIndex((text, i) => text !== this.texts[i]);
    const kept = same < 0 ? Math.min(texts.length, this.texts.length) : same;
    if (kept !== this.texts.length || kept !== texts.length) {
      this.preview.stop();
      const focused = this.focused();
      while (this.list.children.length > kept) this.list.lastChild.remove();
      this.list.append(...drawn.slice(kept).map((cards) => this.card(cards)));
      this.texts = texts;
      if (focused && !focused.element.isConnected) this.focus(focused);
    }
    this.rest = grouped.length - drawn.length;
    const button = this.find(".weaker");
    button.hidden = this.weaker || !weaker.length || this.rest > 0;
    button.textContent = data.labels.weaker?.replace("{n}", weaker.length) ?? "";
  }

  goOn() {
    if (!this.data || !this.list.isConnected) return;
    if (this.rest > 0) {
      this.shown += AT_ONCE;
      this.draw();
    } else if (this.data.has_more && this.asked !== this.data.cards.length && (this.weaker || this.find(".weaker").hidden)) {
      this.asked = this.data.cards.length;
      this.trigger("more", Date.now());
    }
  }

  showWeaker() {
    const first = this.list.children.length;
    this.weaker = true;
    this.shown += AT_ONCE;
    this.draw();
    this.list.children[first]?.querySelector("a.open").focus({ preventScroll: true });
  }

  markCurrent() {
    const current = this.data.cards.find((card) => card.current)?.key;
    let marked = null;
    for (const element of this.list.querySelectorAll(".card")) {
      if (element.dataset.key === current) (marked = element).setAttribute("aria-current", "true");
      else element.removeAttribute("aria-current");
    }
    if (this.data.narrow && marked && current !== this.current) scrollInto(marked);
    this.current = current;
  }

  goBack(place) {
    const main = scroller(this.list);
    const put = () => (main.scrollTop = place.top);
    put();
    // Once more when what stands above has its height.
    requestAnimationFrame(() => requestAnimationFrame(put));
    this.focus({ key: place.key, at: 0 });
  }

  // What has the focus: of which card, and which of those in it that can have it.
  focused() {
    const element = this.list.getRootNode().activeElement;
    const card = this.list.contains(element) ? element.closest(".card") : null;
    return card && { element, key: card.dataset.key, at: [...card.querySelectorAll(FOCUSABLE)].indexOf(element) };
  }

  focus({ key, at }) {
    const card = [...this.list.querySelectorAll(".card")].find((card) => card.dataset.key === key);
    card?.querySelectorAll(FOCUSABLE)[at]?.focus({ preventScroll: true });
  }

  // --- a card ---

  card(cards) {
    const [best] = cards;
    const { labels } = this.data;
    const item = make("li");
    const article = make("article", "card");
    article.dataset.key = best.key;
    const link = make("a", "open");
    const frame = picture(best);
    link.href = best.href;
    link.setAttribute("aria-label", told(best, labels));
    this.opens(link, best);
    link.append(frame, ...(best.strip && matchMedia(STILL).matches ? [strip(best)] : []), text(best, labels));
    article.append(link);
    if (best.like) article.append(this.chooser(best), this.opener(best));
    if (cards.length > 1) article.append(this.others(cards, frame));
    this.plays(article, link, frame, best);
    item.append(article);
    return item;
  }

  opens(link, card) {
    const open = () => this.answer(card);
    const plain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);
    link.addEventListener("pointerdown", (event) => {
      pressed = plain(event) ? { link, open, x: event.clientX, y: event.clientY } : null;
    });
    link.addEventListener("click", (event) => {
      if (!plain(event)) return;
      event.preventDefault();
      open();
    });
  }

  // A player that is on the page goes there at once; Python hears of it too, and changes the address and the rest. Where the address
  // does not follow (the connection is down, or what was clicked has just left the page) the link is followed as any link.
  answer(card) {
    const byKeyboard = Boolean(this.list.querySelector("a:focus-visible"));
    this.preview.stop();
    if (!this.data.narrow) keepPlace(this.data.search, { key: card.key, top: scroller(this.list).scrollTop, shown: this.shown, weaker: this.weaker });
    window.dispatchEvent(new CustomEvent("seekpoint-asked"));
    if (card.place) window.dispatchEvent(new CustomEvent("seekpoint-open", { detail: card.place }));
    this.trigger("open", { href: card.href, at: Date.now() });
    if (!this.data.narrow) focusPlayer(byKeyboard);
    followUnlessAnswered(card.href);
  }

  plays(article, link, frame, card) {
    if (!card.preview) return;
    const still = () => matchMedia(STILL).matches;
    // Only a pointer that moves: cards may come to lie under one that rests.
    article.addEventListener("pointermove", (event) => {
      const plays = event.pointerType === "mouse" && pointer.moved && !still();
      if (plays && !this.preview.isOn(frame)) this.preview.play(frame, card.preview);
    });
    article.addEventListener("pointerleave", () => this.preview.stop(frame));
    link.addEventListener("focus", () => link.matches(":focus-visible") && !still() && this.preview.play(frame, card.preview));
    link.addEventListener("blur", () => this.preview.stop(frame));
    frame.querySelector(".scrub").addEventListener("pointermove", (event) => {
      const box = frame.getBoundingClientRect();
      this.preview.scrub((event.clientX - box.left) / box.width);
    });
  }

  others(cards, frame) {
    const { labels } = this.data;
    const [best] = cards;
    const box = make("div", "others");
    const line = make("div", "line");
    for (const card of [...cards].sort((a, b) => a.place.start_s - b.place.start_s)) {
      const { start_s, end_s } = card.place;
      const spot = make("a", card === best ? "best" : "");
      spot.href = card.href;
      spot.title = card.span;
      spot.setAttribute("aria-label", told(card, labels));
      const share = (time_s) => Math.min(1, time_s / Math.max(card.duration_s, 0.001)) * 100;
      spot.style.left = `min(${share(start_s)}%, calc(100% - 10px))`;
      spot.style.width = `${share(end_s ?? start_s) - share(start_s)}%`;
      this.opens(spot, card);
      spot.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !matchMedia(STILL).matches && this.preview.play(frame, card.preview));
      line.append(spot);
    }
    const count = make("span", "", `+${cards.length - 1}`);
    count.title = labels.others.replace("{n}", cards.length - 1);
    box.append(count, line);
    return box;
  }

  chooser(card) {
    const label = make("label", "choose");
    const box = make("input");
    box.type = "checkbox";
    box.checked = this.chosen.has(card.key);
    label.title = this.data.labels.choose;
    box.setAttribute("aria-label", `${this.data.labels.choose}: ${card.title}, ${card.span}`);
    box.addEventListener("change", () => this.choose(card, box.checked));
    label.append(box);
    return label;
  }

  choose(card, on) {
    this.chosen[on ? "add" : "delete"](card.key);
    this.pressed.set(card.key, { on, at: Date.now() });
    this.trigger("keep", { key: card.key, on, at: Date.now() });
    this.say(this.data.labels[on ? "kept" : "taken"]);
  }

  opener(card) {
    const { labels } = this.data;
    const button = make("button", "more");
    button.type = "button";
    button.title = labels.menu;
    button.append(icon("more"));
    button.setAttribute("aria-label", `${labels.menu}: ${card.title}, ${card.span}`);
    button.setAttribute("aria-haspopup", "menu");
    button.addEventListener("click", () => this.menu.open(button, this.sure(card), this.actions(card, button)));
    return button;
  }

  sure(card) {
    const { labels } = this.data;
    return `${labels.likelihoods[card.likelihood]} · ${labels.sure.replace("{n}", card.right_of_100)}`;
  }

  // What the menu of a card offers: name, icon, text, and what it does or where it leads.
  actions(card, button) {
    const { labels } = this.data;
    const box = button.closest(".card").querySelector(".choose input");
    return [
      ["like", labels.like, () => this.like(card)],
      ["choose", labels.choose, () => box.click(), box.checked],
      ...(this.data.can_say ? this.words(card) : []),
      ["copy", labels.copy, () => this.copy(card)],
      ["tab", labels.tab, card.href],
    ];
  }

  // What people say of an answer is kept as ground truth.
  words(card) {
    const said = this.said.get(card.key) ?? this.data.said?.[card.key];
    const say = (good) => () => {
      const now = said === good ? null : good;
      this.said.set(card.key, now);
      this.trigger("say", { key: card.key, good: now, at: Date.now() });
      this.say(this.data.labels.thanks);
    };
    return [
      ["up", this.data.labels.up, say(true), said === true],
      ["down", this.data.labels.down, say(false), said === false],
    ];
  }

  like(card) {
    window.dispatchEvent(new CustomEvent("seekpoint-asked"));
    this.trigger("like", { like: card.like, at: Date.now() });
  }

  async copy(card) {
    const link = new URL(card.href, location.origin).href;
    try {
      await navigator.clipboard.writeText(link);
      this.say(this.data.labels.copied);
    } catch {
      this.say(link); // it may be copied by hand
    }
  }

  say(what) {
    const place = this.find(".said");
    place.textContent = what;
    place.classList.remove("over");
    clearTimeout(this.saying);
    this.saying = setTimeout(() => place.classList.add("over"), SAID_MS);
  }
}

class Menu {
  constructor(box) {
    this.box = box;
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      this.button?.setAttribute("aria-expanded", "false");
    });
    document.addEventListener("scroll", () => box.matches(":popover-open") && box.hidePopover(), { capture: true, passive: true });
  }

  open(button, heading, actions) {
    this.button = button;
    this.box.replaceChildren(make("p", "", heading), ...actions.map((action) => this.item(...action)));
    this.box.querySelector("p").setAttribute("role", "presentation");
    this.box.setAttribute("aria-label", button.getAttribute("aria-label"));
    this.box.showPopover();
    button.setAttribute("aria-expanded", "true");
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    this.box.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    this.box.style.top = `${at.bottom + height + 8 < innerHeight ? at.bottom + 4 : Math.max(8, at.top - height - 4)}px`;
    this.items()[0].focus();
  }

  items() {
    return [...this.box.querySelectorAll("[role^=menuitem]")];
  }

  item(name, label, does, checked) {
    const isLink = typeof does === "string";
    const item = make(isLink ? "a" : "button", `act ${name}-it`);
    item.append(icon(name), label);
    item.setAttribute("role", checked === undefined ? "menuitem" : "menuitemcheckbox");
    if (checked !== undefined) item.setAttribute("aria-checked", String(checked));
    if (isLink) Object.assign(item, { href: does, target: "_blank" });
    else item.type = "button";
    item.addEventListener("click", () => {
      this.box.hidePopover();
      this.button.focus({ preventScroll: true });
      if (!isLink) does();
    });
    return item;
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") this.box.hidePopover();
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const items = this.items();
    const at = items.indexOf(event.target.closest("[role^=menuitem]"));
    items[(at + step + items.length) % items.length].focus();
  }
}

// --- pieces of a card ---

function strip(card) {
  const image = make("img", "strip");
  Object.assign(image, { alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.remove());
  image.src = card.strip;
  return image;
}

function text(card, labels) {
  const box = make("div", "text");
  const first = make("span", "first");
  first.append(make("span", "title", card.title));
  if (card.likelihood) {
    const likelihood = make("span", `likelihood ${card.likelihood}`);
    likelihood.append(make("span", "", labels.likelihoods[card.likelihood]));
    likelihood.title = labels.sure.replace("{n}", card.right_of_100);
    first.append(likelihood);
  }
  box.append(first);
  if (card.second) box.append(make("span", "second", card.second));
  box.append(make("span", "meta", meta(card, labels).join(" · ")));
  if (card.why?.length) box.append(reasons(card.why));
  return box;
}

function reasons(why) {
  const list = make("ul", "why");
  for (const { kind, label, parts } of why) {
    const line = make("li", parts.length ? "said-so" : "");
    const name = make("b");
    name.title = label;
    name.append(icon(kind), make("span", "", label));
    line.append(name);
    if (parts.length) {
      const said = make("q");
      for (const [piece, marked] of parts) said.append(marked ? make("mark", "", piece) : piece);
      line.append(said);
    }
    list.append(line);
  }
  return list;
}

function meta(card, labels) {
  return [card.collection, day(card.date), card.offline ? labels.offline : ""].filter(Boolean);
}

function told(card, labels) {
  const why = (card.why ?? []).map(({ label, parts }) => [label, ...parts.map(([piece]) => piece)].join(" ").trim());
  const likelihood = card.likelihood ? [labels.likelihoods[card.likelihood]] : [];
  return [`${card.title}, ${card.span}`, ...likelihood, ...(card.second ? [card.second] : []), meta(card, labels).join(", "), ...why].filter(Boolean).join(". ");
}

function byVideo(cards) {
  const groups = new Map();
  for (const card of cards) groups.set(card.video, [...(groups.get(card.video) ?? []), card]);
  return [...groups.values()];
}

// --- the list and the page ---

function view() {
  try {
    return JSON.parse(localStorage.getItem(VIEW)) ?? {};
  } catch {
    return {};
  }
}

function keepPlace(search, place) {
  sessionStorage.setItem(PLACES, JSON.stringify({ search, ...place }));
}

// Streamlit may draw a list more than once on the way back: it finds its place each time, until somebody does something else.
function placeIn(search) {
  const kept = JSON.parse(sessionStorage.getItem(PLACES) ?? "null");
  if (kept?.search !== search) return null;
  for (const kind of ACTIONS) window.addEventListener(kind, forgetPlace, { capture: true, passive: true });
  return kept;
}

function forgetPlace() {
  sessionStorage.removeItem(PLACES);
  for (const kind of ACTIONS) window.removeEventListener(kind, forgetPlace, { capture: true });
}

// Whoever opens a moment goes on at the player.
function focusPlayer(byKeyboard) {
  const until = performance.now() + ANSWERED_MS;
  const look = () => {
    const button = playButton(document);
    if (button) button.focus({ preventScroll: true, focusVisible: byKeyboard });
    else if (performance.now() < until) setTimeout(look, 50);
  };
  setTimeout(look, 50);
}

function playButton(root) {
  for (const host of root.querySelectorAll("[class*=st-key-body_watch] *")) {
    const button = host.shadowRoot?.querySelector(".player .play");
    if (button) return button;
  }
  return null;
}

// Within the list beside the player, if that is what scrolls: never the page.
function scrollInto(card) {
  const box = card.getRootNode().host?.closest(".st-key-more_moments");
  if (!box || box.scrollHeight <= box.clientHeight) return;
  const [at, around] = [card.getBoundingClientRect(), box.getBoundingClientRect()];
  if (at.top < around.top || at.bottom > around.bottom) box.scrollTop += at.top - around.top - (around.height - at.height) / 2;
}

function followUnlessAnswered(href) {
  clearInterval(unanswered);
  const before = location.href;
  const wanted = new URL(href, location.origin);
  const names = ["v", "t", "e"];
  const here = new URLSearchParams(location.search);
  if (names.every((name) => here.get(name) === wanted.searchParams.get(name))) return;
  const until = performance.now() + ANSWERED_MS;
  unanswered = setInterval(() => {
    const answered = location.href !== before;
    if (!answered && performance.now() < until) return;
    clearInterval(unanswered);
    if (!answered) location.assign(wanted);
  }, 50);
}

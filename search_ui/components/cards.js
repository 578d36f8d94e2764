// Moments (or videos) as cards: each is a real link, so it opens in a new tab too; a plain click is answered without loading the page.
// Under the pointer, and with the focus, a card plays its moment.
const lists = new WeakMap();
const ANSWERED_MS = 4000;
const STILL_PX = 12;
const BACK_MS = 20_000; // a list that comes back is drawn by then, perhaps more than once
const AT_ONCE = 24; // cards drawn, and as many again when the last of them is near
const HESITATION_MS = 60; // a pointer that only passes plays nothing
const SHORTEST_PREVIEW_S = 1;
const VIEW = "seekpoint-view"; // how the cards are shown: {group, size}, written by toolbar.js
const PLACES = "seekpoint-place"; // where one was in a list, by its search
const STILL = "(hover: none), (prefers-reduced-motion: reduce)";
const ICONS = {
  picture: "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm1 12h14l-4.5-6-3.5 4.5-2.5-3z",
  speech: "M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zm5-3a5 5 0 0 1-10 0H5a7 7 0 0 0 6 6.9V21h2v-3.1A7 7 0 0 0 19 11z",
  screen: "M5 4h14v4h-2V6h-4v12h2v2H9v-2h2V6H7v2H5z",
  sound: "M4 9v6h4l5 5V4L8 9zm11.5-.8v7.6a4 4 0 0 0 0-7.6zm0-4.2v2.1a6 6 0 0 1 0 11.8V20a8 8 0 0 0 0-16z",
  event: "M12 2l2.4 6.6L21 11l-6.6 2.4L12 20l-2.4-6.6L3 11l6.6-2.4z",
  title: "M4 4h9l7 7v9H4zm2 2v12h12v-6h-6V6z",
  more: "M12 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  like: "M11 4a7 7 0 0 1 5.6 11.2l4.1 4.1-1.4 1.4-4.1-4.1A7 7 0 1 1 11 4zm0 2a5 5 0 1 0 0 10 5 5 0 0 0 0-10z",
  choose: "M9 16.2l-3.5-3.5L4 14.1 9 19 20 8l-1.4-1.4z",
  copy: "M10.6 13.4a1 1 0 0 1-1.4 1.4 5 5 0 0 1 0-7l3-3a5 5 0 0 1 7 7l-1.4 1.4-1.4-1.4 1.4-1.4a3 3 0 0 0-4.2-4.2l-3 3a3 3 0 0 0 0 4.2zm2.8-2.8a1 1 0 0 1 1.4-1.4 5 5 0 0 1 0 7l-3 3a5 5 0 0 1-7-7l1.4-1.4 1.4 1.4-1.4 1.4a3 3 0 0 0 4.2 4.2l3-3a3 3 0 0 0 0-4.2z",
  tab: "M14 3h7v7h-2V6.4l-9.3 9.3-1.4-1.4L17.6 5H14zM5 5h5v2H5v12h12v-5h2v5a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z",
};
let pressed = null;
let unanswered = 0;
const pointer = { x: -1, y: -1, moved: false };

// Browsers tell of a pointer that rests too, when something comes to lie under it.
window.addEventListener(
  "pointermove",
  ({ clientX, clientY }) => {
    pointer.moved = clientX !== pointer.x || clientY !== pointer.y;
    [pointer.x, pointer.y] = [clientX, clientY];
  },
  { capture: true, passive: true },
);

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
    this.shown = AT_ONCE;
    this.weaker = false;
    this.preview = new Preview();
    this.menu = new Menu(this.find(".menu"));
    this.find(".weaker").addEventListener("click", () => this.showWeaker());
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.goOn(), { rootMargin: "600px" }).observe(this.find(".end"));
    window.addEventListener("seekpoint-view", () => this.list.isConnected && this.draw());
  }

  update({ data, setTriggerValue, setStateValue }) {
    this.trigger = setTriggerValue;
    this.state = setStateValue;
    const isNew = data.search !== this.data?.search || data.narrow !== this.data.narrow;
    this.data = data;
    if (isNew) [this.shown, this.weaker] = [AT_ONCE, false];
    this.chosen = new Set([...this.chosen].filter((key) => data.cards.some((card) => card.key === key)));
    this.list.className = `cards${data.narrow ? " narrow" : ""}${data.dim ? " dim" : ""}`;
    this.list.setAttribute("aria-label", data.labels.list);
    const place = data.narrow || !isNew ? null : placeIn(data.search);
    if (place) [this.shown, this.weaker] = [place.shown, place.weaker];
    this.draw();
    this.markCurrent();
    if (place) this.goBack(place);
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
    const texts = drawn.map((cards) => JSON.stringify(cards.map(({ current, made, ...card }) => card)));
    const labels = JSON.stringify(data.labels);
    if (labels !== this.labels) this.texts = [];
    this.labels = labels;
    // Those in front that are the same stay: a list that goes on moves nothing.
    const same = texts.findIndex((text, i) => text !== this.texts[i]);
    const kept = same < 0 ? Math.min(texts.length, this.texts.length) : same;
    if (kept !== this.texts.length || kept !== texts.length) {
      this.preview.stop();
      while (this.list.children.length > kept) this.list.lastChild.remove();
      this.list.append(...drawn.slice(kept).map((cards) => this.card(cards)));
      this.texts = texts;
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
    const link = [...this.list.querySelectorAll(".card")].find((card) => card.dataset.key === place.key)?.querySelector("a.open");
    link?.focus({ preventScroll: true });
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
    if (on) this.chosen.add(card.key);
    else this.chosen.delete(card.key);
    this.state("chosen", [...this.chosen]);
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
    return `${labels.likelihoods[card.likelihood]} · ${labels.sure.replace("{percent}", card.percent)}`;
  }

  // What the menu of a card offers: name, icon, text, and what it does or where it leads.
  actions(card, button) {
    const { labels } = this.data;
    const box = button.closest(".card").querySelector(".choose input");
    return [
      ["like", labels.like, () => this.like(card)],
      ["choose", labels.choose, () => box.click(), box.checked],
      ["copy", labels.copy, () => this.copy(card)],
      ["tab", labels.tab, card.href],
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
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (place.textContent = ""), 3000);
  }
}

// One at a time: the file itself, by ranges, without sound.
class Preview {
  play(frame, moment) {
    if (this.frame === frame && this.moment === moment) return;
    this.stop();
    [this.frame, this.moment] = [frame, moment];
    this.timer = setTimeout(() => this.begin(), HESITATION_MS);
  }

  isOn(frame) {
    return this.frame === frame;
  }

  begin() {
    const { frame, moment } = this;
    this.end_s = Math.max(moment.end_s ?? 0, moment.start_s + SHORTEST_PREVIEW_S);
    const video = make("video", frame.querySelector("img.shown")?.classList.contains("fills") ? "fills" : "");
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", tabIndex: -1 });
    video.setAttribute("aria-hidden", "true");
    video.disableRemotePlayback = true;
    const first = () => {
      video.classList.add("moving");
      frame.classList.add("playing");
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(first);
    else video.addEventListener("playing", first, { once: true });
    video.src = `${moment.src}#t=${moment.start_s.toFixed(3)}`;
    frame.querySelector(".scrub").before(video);
    this.video = video;
    video.play().catch(() => {}); // it was taken away before it came, or cannot be played: the still stays
    this.tick();
  }

  tick() {
    const { video, moment, end_s } = this;
    if (!video) return;
    if (video.currentTime >= end_s || video.ended) {
      video.currentTime = moment.start_s;
      if (video.paused) video.play().catch(() => {});
    }
    const share = (video.currentTime - moment.start_s) / (end_s - moment.start_s);
    this.frame.querySelector(".scrub i").style.width = `${Math.min(1, Math.max(0, share)) * 100}%`;
    this.next = requestAnimationFrame(() => this.tick());
  }

  scrub(share) {
    if (!this.video || this.video.seeking) return;
    this.video.currentTime = this.moment.start_s + Math.min(0.99, Math.max(0, share)) * (this.end_s - this.moment.start_s);
  }

  stop(frame = this.frame) {
    if (!frame || frame !== this.frame) return;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.next);
    frame.classList.remove("playing");
    if (this.video) {
      this.video.pause();
      this.video.removeAttribute("src");
      this.video.load(); // lets go of the connection
      this.video.remove();
    }
    this.video = this.frame = this.moment = null;
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

function picture(card) {
  const frame = make("div", "picture");
  if (card.picture) frame.append(...images(card, frame));
  frame.append(make("span", "span", card.span));
  const scrub = make("div", "scrub");
  scrub.append(make("i"));
  frame.append(scrub);
  return frame;
}

// The frame itself. As long as it is not made the stored picture nearest to it stands there: a browser asks a server for six things
// at a time, and those that wait for a decoder would hold up all others.
function images(card, frame) {
  const shown = make("img", "shown fills");
  Object.assign(shown, { alt: "", loading: "lazy", decoding: "async" });
  shown.addEventListener("load", () => fit(shown, frame));
  shown.addEventListener("error", () => shown.remove());
  if (card.sizes) Object.assign(shown, { srcset: card.sizes, sizes: "auto, 300px" });
  if (card.made || card.sizes || !card.small) shown.src = card.picture;
  else {
    shown.src = card.small;
    stills.add(shown, card.picture);
  }
  return [shown];
}

// A picture of another shape is shown whole, before a blurred copy of itself.
function fit(shown, frame) {
  const fills = Math.abs(shown.naturalWidth / shown.naturalHeight / (16 / 9) - 1) < 0.12;
  shown.classList.toggle("fills", fills);
  frame.querySelector(".behind")?.remove();
  if (fills) return;
  const behind = make("img", "behind");
  Object.assign(behind, { alt: "", src: shown.currentSrc });
  shown.before(behind);
}

// Stills that have to be made first, those in view, two at a time.
const stills = {
  waiting: [],
  loading: 0,
  wanted: new WeakMap(),
  add(image, src) {
    this.wanted.set(image, src);
    this.watch ??= new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        if (!isIntersecting) continue;
        this.watch.unobserve(target);
        this.waiting.push(target);
      }
      this.next();
    });
    this.watch.observe(image);
  },
  next() {
    while (this.loading < 2 && this.waiting.length) {
      const image = this.waiting.shift();
      if (!image.isConnected) continue;
      const better = new Image();
      this.loading++;
      better.onload = better.onerror = (event) => {
        this.loading--;
        if (event.type === "load") image.src = better.src;
        this.next();
      };
      better.src = this.wanted.get(image);
    }
  },
};

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
    likelihood.title = labels.sure.replace("{percent}", card.percent);
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
  const day = card.date ? new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(card.date)) : "";
  return [card.collection, day, card.offline ? labels.offline : ""].filter(Boolean);
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

// Streamlit may draw a list more than once on the way back: it finds its place each time.
function placeIn(search) {
  const kept = JSON.parse(sessionStorage.getItem(PLACES) ?? "null");
  if (kept?.search !== search) return null;
  setTimeout(() => sessionStorage.getItem(PLACES) === JSON.stringify(kept) && sessionStorage.removeItem(PLACES), BACK_MS);
  return kept;
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

function scroller(element) {
  return element.getRootNode().host?.closest("[data-testid=stMain]") ?? document.querySelector("[data-testid=stMain]") ?? document.scrollingElement;
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

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.event);
  svg.append(path);
  return svg;
}

function make(tag, className = "", content = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content) element.textContent = content;
  return element;
}

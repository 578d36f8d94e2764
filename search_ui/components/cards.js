// Moments (or videos) as cards: each is a real link, so it opens in a new tab too; a plain click is answered without loading the page.
const lists = new WeakMap();
const ANSWERED_MS = 4000;
const STILL_PX = 12;
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
  const { parentElement, data, setTriggerValue, setStateValue } = component;
  if (!data) return;
  const list = parentElement.querySelector("ul");
  const known = lists.get(parentElement) ?? { chosen: new Set(data.chosen ?? []) };
  lists.set(parentElement, known);
  known.trigger = setTriggerValue;
  known.state = setStateValue;
  known.chosen = new Set([...known.chosen].filter((key) => data.cards.some((card) => card.key === key)));
  list.className = `cards${data.narrow ? " narrow" : ""}${data.dim ? " dim" : ""}`;
  list.setAttribute("aria-label", data.labels.list);
  const drawn = JSON.stringify([data.cards.map(({ current, ...card }) => card), data.labels]);
  if (drawn !== known.drawn) {
    known.drawn = drawn;
    list.replaceChildren(...data.cards.map((card) => draw(card, data.labels, known)));
  }
  data.cards.forEach((card, i) => {
    const element = list.children[i].firstChild;
    if (card.current) element.setAttribute("aria-current", "true");
    else element.removeAttribute("aria-current");
  });
}

function draw(card, labels, known) {
  const item = make("li");
  const article = make("article", "card");
  item.append(article);
  const link = make("a", "open");
  link.href = card.href;
  const reasons = (card.why ?? []).map(({ label, parts }) => [label, ...parts.map(([piece]) => piece)].join(" ").trim());
  link.setAttribute("aria-label", [`${card.title}, ${card.span}`, card.meta, ...reasons].join(". "));
  const open = () => answer(card, known);
  const plain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);
  link.addEventListener("pointerdown", (event) => {
    pressed = plain(event) ? { link, open, x: event.clientX, y: event.clientY } : null;
  });
  link.addEventListener("click", (event) => {
    if (!plain(event)) return;
    event.preventDefault();
    open();
  });
  link.append(picture(card), text(card));
  article.append(link);
  if (labels.choose) article.append(tools(card, labels, known));
  return item;
}

// A player that is on the page goes there at once; Python hears of it too, and changes the address and the rest. Where the address
// does not follow (the connection is down, or what was clicked has just left the page) the link is followed as any link.
function answer(card, known) {
  if (card.place) window.dispatchEvent(new CustomEvent("seekpoint-open", { detail: card.place }));
  known.trigger("open", { href: card.href, at: Date.now() });
  followUnlessAnswered(card.href);
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

function picture(card) {
  const frame = make("div", "picture");
  if (card.picture) {
    const image = make("img");
    image.src = card.picture;
    image.alt = "";
    image.loading = "lazy";
    image.decoding = "async";
    image.addEventListener("error", () => image.remove());
    frame.append(image);
  }
  frame.append(make("span", "span", card.span));
  return frame;
}

function text(card) {
  const box = make("div", "text");
  box.append(make("span", "title", card.title), make("span", "meta", card.meta));
  if (card.why?.length) {
    const why = make("ul", "why");
    for (const reason of card.why) {
      const line = make("li");
      line.append(make("b", "", reason.label));
      for (const [piece, marked] of reason.parts) line.append(marked ? make("mark", "", piece) : piece);
      why.append(line);
    }
    box.append(why);
  }
  return box;
}

function tools(card, labels, known) {
  const bar = make("div", "tools");
  const label = make("label");
  const box = make("input");
  box.type = "checkbox";
  box.checked = known.chosen.has(card.key);
  box.setAttribute("aria-label", `${labels.choose}: ${card.title}, ${card.span}`);
  box.addEventListener("change", () => {
    if (box.checked) known.chosen.add(card.key);
    else known.chosen.delete(card.key);
    known.state("chosen", [...known.chosen]);
  });
  label.append(box, labels.choose);
  const like = make("button", "like", labels.like);
  like.type = "button";
  like.setAttribute("aria-label", `${labels.like}: ${card.title}, ${card.span}`);
  like.addEventListener("click", () => known.trigger("like", { like: card.like, at: Date.now() }));
  bar.append(label, like);
  return bar;
}

function make(tag, className = "", content = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content) element.textContent = content;
  return element;
}

// Kept moments in the order of whoever keeps them: dragged, or moved by their buttons, and played one after another.
const trays = new WeakMap();
const PATHS = { up: "M12 6l7 7-1.400 1.400L13 9.800V20h-2V9.800l-4.600 4.600L5 13z", down: "M12 18l-7-7 1.400-1.400 4.600 4.600V4h2v10.200l4.600-4.600L19 11z", remove: "M18.300 5.700l-1.400-1.400L12 9.200 7.100 4.300 5.700 5.700l4.900 4.900-4.900 4.900 1.400 1.400L12 12l4.900 4.900 1.400-1.400-4.900-4.900z" };
const EARLY_S = 0.04; // a browser tells of the time four times a second only

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  let tray = trays.get(parentElement);
  if (!tray) trays.set(parentElement, (tray = new Tray(parentElement)));
  tray.update(component);
}

class Tray {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.video = this.find("video");
    this.list = this.find("ol");
    this.find(".all").onclick = () => this.show(0, true);
    this.find(".next").onclick = () => this.show(this.at + 1, true);
    this.find(".previous").onclick = () => this.show(this.at - 1, true);
    this.video.addEventListener("error", () => this.current && this.say(this.data.labels.failed));
    this.video.addEventListener("play", () => this.watch());
    this.video.addEventListener("ended", () => this.ended());
    this.at = 0;
  }

  get current() {
    return this.moments?.[this.at];
  }

  update({ data, setTriggerValue }) {
    const before = this.current?.id;
    this.data = data;
    this.trigger = setTriggerValue;
    this.moments = data.moments;
    const { labels } = data;
    this.find(".all").textContent = labels.all;
    for (const name of ["previous", "next"]) {
      this.find(`.${name}`).title = labels[name];
      this.find(`.${name}`).setAttribute("aria-label", labels[name]);
    }
    this.list.setAttribute("aria-label", labels.list);
    this.draw();
    const kept = this.moments.findIndex((moment) => moment.id === before);
    if (kept >= 0) this.mark(kept);
    else this.show(0, false);
  }

  // --- playing ---

  show(number, plays) {
    const moment = this.moments[number];
    if (!moment) return;
    this.mark(number);
    this.say("");
    this.video.poster = moment.poster;
    this.video.src = `${moment.src}#t=${moment.start_s.toFixed(3)}`;
    if (plays) this.video.play().catch(() => {});
  }

  mark(number) {
    this.at = number;
    const { current } = this;
    this.find(".now").textContent = current ? `${current.title} · ${current.span}` : "";
    this.find(".previous").disabled = number <= 0;
    this.find(".next").disabled = number >= this.moments.length - 1;
    [...this.list.children].forEach((item, i) => (i === number ? item.setAttribute("aria-current", "true") : item.removeAttribute("aria-current")));
  }

  // At every picture: a moment ends where it ends.
  watch() {
    const look = () => {
      const { current, video } = this;
      if (!current || video.paused) return;
      if (video.currentTime >= current.end_s - EARLY_S && !video.seeking) return this.ended();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }

  ended() {
    if (this.at + 1 < this.moments.length) this.show(this.at + 1, true);
    else this.video.pause();
  }

  say(text) {
    this.find(".said").textContent = text;
  }

  // --- the list ---

  draw() {
    const shown = JSON.stringify([this.moments, this.data.labels]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.list.replaceChildren(...this.moments.map((moment, number) => this.item(moment, number)));
  }

  item(moment, number) {
    const { labels } = this.data;
    const item = make("li");
    item.dataset.id = moment.id;
    item.draggable = true;
    const play = make("button", "play");
    play.type = "button";
    play.append(Object.assign(make("img"), { src: moment.picture, alt: "", loading: "lazy", draggable: false }), make("span", "span", moment.span));
    play.setAttribute("aria-label", `${labels.play}: ${moment.title}, ${moment.span}`);
    play.onclick = () => this.show(this.moments.indexOf(moment), true);
    const text = make("div", "text");
    const link = make("a", "title", moment.title);
    link.href = moment.href;
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      visit(moment.href);
    };
    text.append(link, make("span", "meta", [moment.question && `“${moment.question}”`, moment.collection].filter(Boolean).join(" · ")));
    const moves = make("div", "moves");
    moves.append(
      this.button("up", moment, number === 0, () => this.move(number, number - 1)),
      this.button("down", moment, number === this.moments.length - 1, () => this.move(number, number + 1)),
      this.button("remove", moment, false, () => this.trigger("remove", { id: moment.id, at: Date.now() })),
    );
    item.append(play, text, moves);
    this.drags(item, number);
    return item;
  }

  button(name, moment, disabled, does) {
    const button = make("button", name);
    button.type = "button";
    button.disabled = disabled;
    button.title = this.data.labels[name];
    button.setAttribute("aria-label", `${this.data.labels[name]}: ${moment.title}, ${moment.span}`);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", PATHS[name]);
    svg.append(path);
    button.append(svg);
    button.onclick = does;
    return button;
  }

  drags(item, number) {
    item.addEventListener("dragstart", (event) => {
      this.dragged = number;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
      item.classList.add("dragged");
    });
    item.addEventListener("dragend", () => item.classList.remove("dragged"));
    item.addEventListener("dragover", (event) => {
      if (this.dragged === undefined) return;
      event.preventDefault();
      item.classList.add("over");
    });
    item.addEventListener("dragleave", () => item.classList.remove("over"));
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      item.classList.remove("over");
      if (this.dragged !== undefined) this.move(this.dragged, number);
      this.dragged = undefined;
    });
  }

  move(from, to) {
    if (from === to || !this.moments[to]) return;
    const { current } = this;
    const moments = [...this.moments];
    const [moved] = moments.splice(from, 1);
    moments.splice(to, 0, moved);
    this.moments = moments;
    this.draw();
    this.mark(moments.indexOf(current));
    this.list.children[to].querySelector(to < from ? ".up:enabled, .down" : ".down:enabled, .up").focus({ preventScroll: true });
    this.trigger("order", { ids: moments.map((moment) => moment.id), at: Date.now() });
  }
}

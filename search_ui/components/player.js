// A player that is at the asked moment after every click. It seeks when (source, start, click) changes and at no other update;
// text of videos and people only ever becomes textContent.
const players = new WeakMap();
const FRAME_SLACK_S = 0.001; // a frame's own time, rounded, may lie just before the frame: aim inside it

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  let player = players.get(parentElement);
  if (!player || player.closed) {
    player = new Player(parentElement);
    players.set(parentElement, player);
  }
  player.update(component);
  return () => player.close();
}

class Player {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.video = this.find("video");
    this.seen = "";
    this.source = "";
    this.inSpan = false;
    this.closed = false;
    this.abort = new AbortController();
    this.listen();
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.find(".timeline"));
    const tick = () => {
      if (this.closed) return;
      this.onFrame();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  close() {
    // Streamlit may run this before every update: the player itself goes only when its element has left the page.
    setTimeout(() => {
      if (this.video.isConnected) return;
      this.closed = true;
      this.abort.abort();
      this.resized.disconnect();
      this.video.removeAttribute("src");
      this.video.load();
    }, 0);
  }

  on(target, type, handler) {
    target.addEventListener(type, handler, { signal: this.abort.signal });
  }

  listen() {
    const video = this.video;
    this.on(video, "click", () => this.toggle());
    this.on(video, "play", () => this.showPlaying());
    this.on(video, "pause", () => this.showPlaying());
    this.on(video, "error", () => this.say(this.data?.labels.error ?? ""));
    this.on(video, "loadedmetadata", () => this.draw());
    this.on(video, "seeking", () => this.find(".boxes").replaceChildren());
    this.on(this.find(".play"), "click", () => this.toggle());
    this.on(this.find(".back"), "click", () => this.step(-1));
    this.on(this.find(".forward"), "click", () => this.step(1));
    this.on(this.find(".span"), "click", () => this.playSpan());
    this.on(this.find(".loop"), "click", () => this.setLoop(!this.loop));
    this.on(this.find(".next"), "click", () => this.trigger("next", Date.now()));
    this.on(this.find(".search-frame"), "click", () => window.dispatchEvent(new CustomEvent("seekpoint-search-frame", { detail: this.video })));
    this.on(this.find(".speed"), "change", (e) => (video.playbackRate = Number(e.target.value)));
    this.on(this.find(".mute"), "click", () => this.mute());
    this.on(this.find(".link"), "click", () => this.copyLink());
    this.on(this.find(".full"), "click", () => this.fullscreen());
    this.on(this.find(".where"), "submit", (e) => this.askWhere(e));
    const timeline = this.find(".timeline");
    this.on(timeline, "pointerdown", (e) => this.drag(e));
    this.on(timeline, "pointermove", (e) => this.hover(e));
    this.on(timeline, "pointerleave", () => (this.find(".tip").hidden = true));
    this.on(timeline, "keydown", (e) => this.timelineKey(e));
    this.on(document, "keydown", (e) => this.key(e));
    this.on(window, "seekpoint-open", (e) => this.open(e.detail));
  }

  // --- what Python says ---

  update({ data, setTriggerValue }) {
    this.data = data;
    this.trigger = setTriggerValue;
    this.label(data.labels);
    this.find(".screen").style.aspectRatio = `${data.width || 16} / ${data.height || 9}`;
    this.find(".clip").href = data.clip;
    this.find(".next").disabled = !data.has_next;
    this.find(".where").hidden = !data.can_locate;
    this.veil(data.wait);
    this.showTranscript(data.transcript ?? []);
    this.showLegend();
    this.load(data);
    this.draw();
    this.showBoxes();
  }

  load(data) {
    if (!data.src) {
      this.video.removeAttribute("src");
      this.video.load();
      this.source = this.seen = "";
      return;
    }
    const wanted = `${data.src}|${data.start_s}|${data.click}`;
    if (wanted === this.seen) return;
    this.seen = wanted;
    const ahead = this.ahead;
    this.ahead = null;
    // The click was answered before Python heard of it: to seek once more would show the start twice.
    if (ahead && ahead.src === data.src && ahead.start_s === data.start_s) return;
    this.show(data.src);
  }

  open(place) {
    this.ahead = place;
    this.data = { ...this.data, ...place, duration_s: Math.max(this.data.duration_s, place.end_s) };
    this.show(place.src);
  }

  show(src) {
    if (this.source !== src) {
      this.source = src;
      this.video.src = src;
    }
    this.playSpan();
  }

  playSpan() {
    this.inSpan = true;
    this.seek(this.data.start_s, true);
    this.video.play().catch((error) => {
      // Without a click on this page first, browsers do not start sound: the frame stands, ready to be played.
      if (error.name === "NotAllowedError") this.say(this.data.labels.press_play);
    });
  }

  seek(time_s, keepSpan = false) {
    this.video.currentTime = Math.min(Math.max(0, time_s), this.data.duration_s) + FRAME_SLACK_S;
    if (!keepSpan) this.inSpan = time_s >= this.data.start_s && time_s < this.data.end_s && this.inSpan;
    this.say("");
  }

  onFrame() {
    const { video, data } = this;
    if (!data) return;
    if (this.inSpan && !video.paused && !video.seeking && video.currentTime >= data.end_s) {
      if (this.loop) this.seek(data.start_s, true);
      else {
        video.pause();
        this.inSpan = false;
      }
    }
    this.showTime();
  }

  // --- controls ---

  toggle() {
    if (!this.video.paused) this.video.pause();
    else this.video.play().catch(() => this.say(this.data.labels.error));
  }

  setLoop(on) {
    this.loop = on;
    this.find(".loop").setAttribute("aria-pressed", String(on));
    if (on) this.playSpan();
  }

  mute() {
    this.video.muted = !this.video.muted;
    this.find(".mute").setAttribute("aria-pressed", String(this.video.muted));
  }

  step(count) {
    const rate = this.data.fps || 25;
    this.video.pause();
    this.inSpan = false;
    // To the middle of the frame: its edges are where rounding decides which picture is shown.
    const frame = Math.floor(this.video.currentTime * rate + 0.01) + count;
    this.video.currentTime = Math.max(0, (frame + 0.5) / rate);
  }

  jump(by_s) {
    this.seek(this.video.currentTime + by_s);
  }

  speed(factor) {
    const rate = Math.min(4, Math.max(0.25, this.video.playbackRate * factor));
    this.video.playbackRate = rate;
    const select = this.find(".speed");
    select.value = String(rate);
    if (this.video.paused) this.toggle();
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.find(".screen").requestFullscreen();
  }

  async copyLink() {
    const link = new URL(this.data.link, document.baseURI);
    link.protocol = location.protocol;
    link.host = location.host;
    try {
      await navigator.clipboard.writeText(link.href);
    } catch {
      const field = document.createElement("textarea");
      field.value = link.href;
      this.root.appendChild(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    this.say(this.data.labels.copied);
  }

  askWhere(event) {
    event.preventDefault();
    const phrase = this.find(".where input").value.trim();
    if (!phrase) return;
    this.video.pause();
    this.say(this.data.labels.looking);
    this.trigger("where", { phrase, time_s: this.video.currentTime, at: Date.now() });
  }

  key(event) {
    const at = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (at.closest?.("input, textarea, select, [contenteditable=true], [role=combobox], [role=dialog]")) return;
    if (event.key === " " && at.closest?.("button, a, summary")) return;
    const actions = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      j: () => this.jump(-10),
      l: () => this.jump(10),
      ArrowLeft: () => this.jump(event.shiftKey ? -1 : -5),
      ArrowRight: () => this.jump(event.shiftKey ? 1 : 5),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      "<": () => this.speed(0.5),
      ">": () => this.speed(2),
      n: () => this.data.has_next && this.trigger("next", Date.now()),
      o: () => this.setLoop(!this.loop),
      m: () => this.mute(),
      f: () => this.fullscreen(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  timelineKey(event) {
    const to = { Home: 0, End: this.data.duration_s }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.seek(to);
  }

  // --- timeline ---

  timeAt(event) {
    const box = this.find(".timeline").getBoundingClientRect();
    return (Math.min(Math.max(0, event.clientX - box.left), box.width) / box.width) * this.data.duration_s;
  }

  drag(event) {
    const timeline = this.find(".timeline");
    timeline.setPointerCapture(event.pointerId);
    this.seek(this.timeAt(event));
    const move = (e) => this.seek(this.timeAt(e));
    timeline.addEventListener("pointermove", move);
    const end = () => timeline.removeEventListener("pointermove", move);
    timeline.addEventListener("pointerup", end, { once: true });
    timeline.addEventListener("pointercancel", end, { once: true });
  }

  hover(event) {
    const time_s = this.timeAt(event);
    const tip = this.find(".tip");
    const spoken = (this.data.events ?? []).find((it) => time_s >= it.start_s && time_s < it.end_s);
    tip.textContent = clock(time_s) + (spoken ? `  ${spoken.text}` : "");
    tip.hidden = false;
    const box = this.find(".timeline").getBoundingClientRect();
    const x = event.clientX - box.left;
    tip.style.left = `${Math.min(Math.max(0, x - tip.offsetWidth / 2), box.width - tip.offsetWidth)}px`;
  }

  draw() {
    const { data } = this;
    const canvas = this.find("canvas");
    const box = canvas.getBoundingClientRect();
    if (!data || !box.width) return;
    const scale = devicePixelRatio || 1;
    canvas.width = box.width * scale;
    canvas.height = box.height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this.find(".player"));
    const color = (name) => style.getPropertyValue(name).trim();
    const x = (time_s) => (time_s / Math.max(data.duration_s, 0.001)) * box.width;
    const ribbon = 8;
    const floor = box.height - (data.events?.length ? ribbon + 2 : 0);
    pen.globalAlpha = 0.35;
    pen.fillStyle = color("--ink");
    for (const cut_s of data.cuts_s ?? []) pen.fillRect(x(cut_s), 0, 0.6, 6);
    for (const moment of data.moments ?? []) {
      pen.globalAlpha = moment.current ? 0.55 : 0.22;
      pen.fillStyle = color("--accent");
      pen.fillRect(x(moment.start_s), 0, Math.max(3, x(moment.end_s) - x(moment.start_s)), floor);
    }
    const { times_s = [], values = [] } = data.curve ?? {};
    if (times_s.length) {
      const y = (value) => floor - 3 - value * (floor - 12);
      pen.beginPath();
      pen.moveTo(x(times_s[0]), y(values[0]));
      for (let i = 1; i < times_s.length; i++) pen.lineTo(x(times_s[i]), y(values[i]));
      pen.globalAlpha = 0.95;
      pen.lineWidth = 1.5;
      pen.strokeStyle = color("--accent");
      pen.stroke();
      pen.lineTo(x(times_s[times_s.length - 1]), floor);
      pen.lineTo(x(times_s[0]), floor);
      pen.globalAlpha = 0.12;
      pen.fill();
    }
    pen.globalAlpha = 0.9;
    pen.fillStyle = "#d08700";
    for (const it of data.events ?? []) pen.fillRect(x(it.start_s), box.height - ribbon, Math.max(2, x(it.end_s) - x(it.start_s) - 1), ribbon);
  }

  // --- what is shown ---

  label(labels) {
    const set = (selector, text, hint = text) => {
      const element = this.find(selector);
      if (text !== null && element.textContent !== text) element.textContent = text;
      element.title = hint;
      element.setAttribute("aria-label", hint);
    };
    this.find(".player").setAttribute("aria-label", labels.player);
    set(".back", null, `${labels.back} (,)`);
    set(".forward", null, `${labels.forward} (.)`);
    set(".span", labels.span, labels.span_hint);
    set(".loop", labels.loop, `${labels.loop} (o)`);
    set(".next", labels.next, `${labels.next} (n)`);
    set(".search-frame", labels.search_frame, labels.search_frame_hint);
    set(".mute", labels.mute, `${labels.mute} (m)`);
    set(".link", labels.link);
    set(".clip", labels.clip, labels.clip_hint);
    set(".full", null, `${labels.full} (f)`);
    set(".where button", labels.where);
    this.find(".where input").placeholder = labels.where_hint;
    this.find(".where input").setAttribute("aria-label", labels.where_hint);
    this.find(".timeline").setAttribute("aria-label", labels.timeline);
    this.find(".keys summary").textContent = labels.keys;
    this.find(".keys p").textContent = labels.keys_text;
    const select = this.find(".speed");
    select.setAttribute("aria-label", labels.speed);
    if (!select.options.length) {
      for (const rate of [0.25, 0.5, 1, 1.5, 2, 4]) select.add(new Option(`${rate}×`, String(rate), rate === 1, rate === 1));
    }
    this.showPlaying();
  }

  showPlaying() {
    const { labels } = this.data ?? {};
    if (!labels) return;
    const button = this.find(".play");
    this.find(".player").classList.toggle("playing", !this.video.paused);
    const name = this.video.paused ? labels.play : labels.pause;
    button.title = `${name} (k)`;
    button.setAttribute("aria-label", name);
    if (!this.video.paused) this.say("");
  }

  showTime() {
    const now_s = this.video.currentTime;
    const text = `${clock(now_s)} / ${clock(this.data.duration_s)}`;
    const place = this.find(".time");
    if (place.textContent !== text) {
      place.textContent = text;
      const timeline = this.find(".timeline");
      timeline.setAttribute("aria-valuemax", String(Math.round(this.data.duration_s)));
      timeline.setAttribute("aria-valuenow", String(Math.round(now_s)));
      timeline.setAttribute("aria-valuetext", clock(now_s));
      this.markTranscript(now_s);
    }
    this.find(".playhead").style.left = `${(now_s / Math.max(this.data.duration_s, 0.001)) * 100}%`;
  }

  showTranscript(lines) {
    const list = this.find(".transcript");
    const key = JSON.stringify(lines);
    if (this.transcriptKey === key) return;
    this.transcriptKey = key;
    list.hidden = !lines.length;
    list.setAttribute("aria-label", this.data.labels.transcript);
    list.replaceChildren(
      ...lines.map((line) => {
        const button = document.createElement("button");
        button.type = "button";
        const time = document.createElement("time");
        time.textContent = clock(line.start_s);
        const text = document.createElement("span");
        text.textContent = line.text;
        button.append(time, text);
        button.addEventListener("click", () => this.seek(line.start_s));
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
    this.current = -1;
  }

  markTranscript(now_s) {
    const lines = this.data.transcript ?? [];
    const index = lines.findLastIndex((line) => line.start_s <= now_s + 0.05);
    if (index === this.current) return;
    const list = this.find(".transcript");
    list.children[this.current]?.firstChild.removeAttribute("aria-current");
    this.current = index;
    const item = list.children[index];
    if (!item) return;
    item.firstChild.setAttribute("aria-current", "true");
    // Only the list scrolls, never the page.
    list.scrollTop = item.offsetTop - list.clientHeight / 2 + item.clientHeight / 2;
  }

  showLegend() {
    const { labels, curve, moments, events } = this.data;
    const legend = this.find(".legend");
    const parts = [];
    if (curve?.times_s?.length) parts.push(["var(--accent)", labels.legend_curve, 0.5]);
    if (moments?.length) parts.push(["var(--accent)", labels.legend_moments, 0.3]);
    if (events?.length) parts.push(["#d08700", labels.legend_events, 1]);
    legend.replaceChildren(
      ...parts.map(([color, text, alpha]) => {
        const item = document.createElement("span");
        const mark = document.createElement("i");
        mark.style.background = color;
        mark.style.opacity = alpha;
        item.append(mark, text);
        return item;
      }),
    );
  }

  showBoxes() {
    const { boxes } = this.data;
    const svg = this.find(".boxes");
    if (!boxes || boxes.at === this.boxesAt) return;
    this.boxesAt = boxes.at;
    svg.setAttribute("viewBox", `0 0 ${this.data.width || 16} ${this.data.height || 9}`);
    svg.setAttribute("preserveAspectRatio", "xMidYMid meet");
    svg.replaceChildren(
      ...boxes.boxes.map(([left, top, right, bottom]) => {
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        rect.setAttribute("x", left * this.data.width);
        rect.setAttribute("y", top * this.data.height);
        rect.setAttribute("width", (right - left) * this.data.width);
        rect.setAttribute("height", (bottom - top) * this.data.height);
        return rect;
      }),
    );
    this.say(boxes.text);
  }

  veil(wait) {
    const veil = this.find(".veil");
    veil.hidden = !wait;
    if (!wait) return;
    this.find(".veil-text").textContent = wait.text;
    const bar = this.find("progress");
    bar.hidden = wait.fraction === null;
    bar.value = wait.fraction ?? 0;
  }

  say(text) {
    this.find(".status").textContent = text;
  }
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const pad = (n) => String(n).padStart(2, "0");
  const [s, tenth] = [Math.floor(whole / 10), whole % 10];
  const hours = Math.floor(s / 3600);
  const rest = `${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}.${tenth}`;
  return hours ? `${hours}:${rest}` : rest;
}

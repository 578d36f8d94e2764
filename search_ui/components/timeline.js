// The time line: a ruler, the chapters and a lane for each kind of evidence, of the whole video or of the stretch that is zoomed to.
// All of it is drawn on one canvas; what can be taken hold of (playhead, handles of the clip, the overview) are elements above it.
const KINDS = ["picture", "speech", "screen", "sound", "event"];
const RULER_PX = 16, CHAPTERS_PX = 20, PICTURE_PX = 40, LANE_PX = 19, GAP_PX = 3, OVERVIEW_MIN = 0.001;
const TILES_A_ROW = 10, TILES_A_SHEET = 100; // as indexer/media/output/sprites.py cuts them
const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const SHORTEST_VIEW_S = 1, HATCH_PX = 6;
const REST_MS = 140; // a pointer that rests this long wants to see the picture there
const OWN_SCROLL_MS = 500; // a scroll that began elsewhere goes on there

class Timeline {
  // host: { seek(time_s), now(), playing(), setClip(start_s, end_s), clip() }
  constructor(find, on, host) {
    Object.assign(this, { find, on, host });
    this.data = null;
    this.lines = {};
    this.chapters = [];
    this.view = { from_s: 0, to_s: 1 };
    this.sheets = new Map();
    this.pointers = new Map();
    this.listen();
    this.resized = new ResizeObserver(() => this.redraw());
    this.resized.observe(find(".track"));
  }

  close() {
    this.resized.disconnect();
    clearTimeout(this.rest);
  }

  listen() {
    const track = this.find(".track");
    this.on(track, "pointerdown", (e) => this.press(e));
    this.on(track, "pointermove", (e) => this.move(e));
    for (const type of ["pointerup", "pointercancel"]) this.on(track, type, (e) => this.release(e));
    this.on(track, "pointerleave", () => this.hideTip());
    this.on(track, "keydown", (e) => this.key(e));
    this.on(this.find(".field"), "wheel", (e) => this.wheel(e), { passive: false });
    this.on(window, "wheel", (e) => this.elsewhere(e), { passive: true, capture: true });
    this.on(this.find(".zoom-in"), "click", () => this.zoomBy(0.5));
    this.on(this.find(".zoom-out"), "click", () => this.zoomBy(2));
    this.on(this.find(".overview"), "pointerdown", (e) => this.panByHand(e));
    for (const edge of ["start", "end"]) {
      const handle = this.find(`.handle.${edge}`);
      this.on(handle, "pointerdown", (e) => this.dragHandle(e, edge));
      this.on(handle, "pointermove", (e) => this.showTip(e));
      this.on(handle, "pointerleave", () => this.hideTip());
      this.on(handle, "keydown", (e) => this.handleKey(e, edge));
    }
  }

  // --- what is shown ---

  set(data) {
    const other = this.data?.video_id !== data.video_id;
    this.data = data;
    if (other) {
      this.lines = {};
      this.chapters = [];
      this.sheets.clear();
      this.view = { from_s: 0, to_s: this.duration_s };
    }
    this.lay();
  }

  setLines(lines) {
    this.lines = lines;
    this.redraw();
  }

  setChapters(chapters) {
    this.chapters = chapters;
    this.redraw();
  }

  get duration_s() {
    return Math.max(this.data?.duration_s ?? 0, 0.001);
  }

  // Which lanes there are is known from the start, so nothing moves when their lines arrive.
  lay() {
    const { data } = this;
    let top = RULER_PX;
    this.bands = [];
    const add = (kind, height) => {
      this.bands.push({ kind, top, height });
      top += height + GAP_PX;
    };
    if (data.has_chapters) add("chapters", CHAPTERS_PX);
    for (const kind of KINDS) if (data.kinds.includes(kind) || data.lanes[kind]) add(kind, kind === "picture" ? PICTURE_PX : LANE_PX);
    this.height = top + 2;
    this.find(".player").style.setProperty("--height", `${this.height}px`);
    this.find(".names").replaceChildren(
      ...this.bands.map(({ kind, top, height }) => {
        const name = document.createElement("span");
        name.textContent = data.labels.lanes[kind];
        name.title = name.textContent;
        name.style.top = `${top + height / 2}px`;
        name.classList.toggle("answers", data.answering.includes(kind));
        return name;
      }),
    );
    this.redraw();
  }

  redraw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  x(time_s) {
    return ((time_s - this.view.from_s) / (this.view.to_s - this.view.from_s)) * this.width;
  }

  get width() {
    return this.find(".track").clientWidth;
  }

  draw() {
    const { data } = this;
    if (!data || !this.bands || !this.width) return;
    const canvas = this.find("canvas");
    const scale = devicePixelRatio || 1;
    canvas.width = this.width * scale;
    canvas.height = this.height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this.find(".player"));
    this.color = (name) => style.getPropertyValue(name).trim();
    pen.font = `11px ${style.fontFamily}`;
    pen.textBaseline = "middle";
    this.drawRuler(pen);
    this.drawMoments(pen);
    for (const band of this.bands) {
      band.written = 0;
      if (band.kind === "chapters") this.drawChapters(pen, band);
      else {
        if (band.kind === "picture") {
          this.drawShots(pen, band);
          this.drawFilled(pen, band);
        } else this.drawLines(pen, band, this.lines[band.kind] ?? [], 0.32);
        this.drawAnswers(pen, band);
      }
    }
    this.place();
  }

  drawRuler(pen) {
    const span_s = this.view.to_s - this.view.from_s;
    const step_s = STEPS_S.find((step) => (step / span_s) * this.width >= 64) ?? STEPS_S.at(-1);
    pen.fillStyle = this.color("--ink");
    for (let n = Math.ceil(this.view.from_s / step_s - 1e-9); n * step_s <= this.view.to_s; n++) {
      const x = this.x(n * step_s);
      pen.globalAlpha = 0.25;
      pen.fillRect(x, 0, 1, 5);
      pen.globalAlpha = 0.7;
      const text = shortClock(n * step_s, step_s < 1);
      if (x + pen.measureText(text).width + 4 < this.width) pen.fillText(text, x + 4, RULER_PX / 2 + 1);
    }
  }

  drawMoments(pen) {
    pen.fillStyle = this.color("--accent");
    for (const moment of this.data.moments) {
      pen.globalAlpha = moment.current ? 0.22 : 0.13;
      const left = this.x(moment.start_s);
      pen.fillRect(left, RULER_PX - 2, Math.max(3, this.x(moment.end_s) - left), this.height);
    }
  }

  drawChapters(pen, band) {
    const now_s = this.host.now();
    this.chapters.forEach((chapter, number) => {
      const current = now_s >= chapter.start_s && now_s < chapter.end_s;
      pen.fillStyle = this.color("--ink");
      this.block(pen, band, chapter.start_s, chapter.end_s, current ? 0.24 : number % 2 ? 0.09 : 0.13, chapter.name, 0.95);
    });
  }

  drawShots(pen, band) {
    const cuts = this.lines.cuts_s ?? this.data.cuts_s ?? [];
    const starts = [0, ...cuts.filter((cut_s) => cut_s > 0.001), this.duration_s];
    pen.fillStyle = this.color("--ink");
    const alone = !this.data.lanes.picture;
    for (let n = 0; n + 1 < starts.length; n++) {
      if (starts[n + 1] < this.view.from_s || starts[n] > this.view.to_s) continue;
      this.block(pen, band, starts[n], starts[n + 1], alone ? 0.16 : 0.08);
    }
  }

  // Hatched: what stands for the pictures around it.
  drawFilled(pen, band) {
    pen.save();
    pen.strokeStyle = this.color("--ink");
    pen.globalAlpha = 0.28;
    for (const [start_s, end_s] of this.lines.filled_s ?? []) {
      const left = Math.max(0, this.x(start_s)), right = Math.min(this.width, this.x(end_s));
      if (right <= left) continue;
      pen.save();
      pen.beginPath();
      pen.rect(left, band.top, right - left, band.height);
      pen.clip();
      pen.beginPath();
      for (let x = left - band.height; x < right; x += HATCH_PX) {
        pen.moveTo(x, band.top + band.height);
        pen.lineTo(x + band.height, band.top);
      }
      pen.stroke();
      pen.restore();
    }
    pen.restore();
  }

  drawLines(pen, band, lines, alpha) {
    pen.fillStyle = this.color(`--${band.kind}`);
    for (const [start_s, end_s, text] of together(lines)) {
      if (end_s < this.view.from_s || start_s > this.view.to_s) continue;
      this.block(pen, band, start_s, end_s, alpha, text, 0.9);
    }
  }

  drawAnswers(pen, band) {
    const lane = this.data.lanes[band.kind];
    if (!lane) return;
    pen.fillStyle = this.color(`--${band.kind}`);
    for (const [start_s, end_s, strength] of lane.spans) this.block(pen, band, start_s, end_s, 0.35 + 0.5 * strength);
    if (lane.times_s.length) this.drawCurve(pen, band, lane);
  }

  drawCurve(pen, band, { times_s, values }) {
    const floor = band.top + band.height;
    const y = (value) => floor - 1 - value * (band.height - 4);
    pen.save();
    pen.beginPath();
    pen.rect(0, band.top, this.width, band.height);
    pen.clip();
    pen.beginPath();
    times_s.forEach((time_s, n) => pen[n ? "lineTo" : "moveTo"](this.x(time_s), y(values[n])));
    pen.strokeStyle = this.color(`--${band.kind}`);
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.stroke();
    pen.lineTo(this.x(times_s.at(-1)), floor);
    pen.lineTo(this.x(times_s[0]), floor);
    pen.globalAlpha = 0.2;
    pen.fill();
    pen.restore();
  }

  // A stretch of a lane, with as much of its text as has room.
  block(pen, band, start_s, end_s, alpha, text = "", textAlpha = 1) {
    const left = Math.max(-4, this.x(start_s)), right = Math.min(this.width + 4, this.x(end_s));
    const width = Math.max(1.5, right - left - 1);
    pen.globalAlpha = alpha;
    pen.beginPath();
    pen.roundRect(left, band.top, width, band.height, Math.min(4, width / 2));
    pen.fill();
    if (width < 30 || !text || (width < 70 && pen.measureText(text).width > width - 9)) return;
    // Lines that hold at the same time would be written over each other.
    if (left < (band.written ?? 0)) return;
    band.written = Math.max(0, left) + Math.min(width, pen.measureText(text.slice(0, 200)).width + 10);
    const fill = pen.fillStyle;
    pen.save();
    pen.beginPath();
    pen.rect(Math.max(0, left), band.top, width - 4, band.height);
    pen.clip();
    pen.globalAlpha = textAlpha;
    pen.fillStyle = this.color("--ink");
    pen.fillText(text.slice(0, 200), Math.max(0, left) + 5, band.top + band.height / 2 + 0.5);
    pen.restore();
    pen.fillStyle = fill;
  }

  // Playhead, clip and overview: elements, which move many times a second.
  place() {
    if (!this.data) return;
    const put = (selector, x, inside) => {
      const element = this.find(selector);
      element.hidden = !inside;
      element.style.left = `${x}px`;
    };
    const inView = (time_s) => time_s >= this.view.from_s - 1e-6 && time_s <= this.view.to_s + 1e-6;
    const now_s = this.host.now(), clip = this.host.clip();
    put(".playhead", this.x(now_s), inView(now_s));
    put(".handle.start", this.x(clip.start_s), inView(clip.start_s));
    put(".handle.end", this.x(clip.end_s), inView(clip.end_s));
    const range = this.find(".clip-range");
    const left = Math.max(0, this.x(clip.start_s)), right = Math.min(this.width, this.x(clip.end_s));
    range.hidden = right <= left;
    range.style.left = `${left}px`;
    range.style.width = `${Math.max(0, right - left)}px`;
    const shown = this.find(".shown");
    shown.style.left = `${(this.view.from_s / this.duration_s) * 100}%`;
    shown.style.width = `${((this.view.to_s - this.view.from_s) / this.duration_s) * 100}%`;
    for (const [edge, time_s] of [["start", clip.start_s], ["end", clip.end_s]]) {
      const handle = this.find(`.handle.${edge}`);
      handle.setAttribute("aria-valuemax", String(Math.round(this.duration_s)));
      handle.setAttribute("aria-valuenow", time_s.toFixed(2));
      handle.setAttribute("aria-valuetext", exactClock(time_s));
    }
    this.markChapter(now_s);
  }

  markChapter(now_s) {
    const number = this.chapters.findLastIndex((chapter) => chapter.start_s <= now_s + 0.05);
    if (number === this.chapter) return;
    this.chapter = number;
    this.redraw();
  }

  // --- zoom and pan ---

  get zoomed() {
    return this.view.to_s - this.view.from_s < this.duration_s * (1 - OVERVIEW_MIN);
  }

  show(from_s, span_s) {
    const span = Math.min(Math.max(span_s, Math.min(SHORTEST_VIEW_S, this.duration_s)), this.duration_s);
    const from = Math.min(Math.max(0, from_s), this.duration_s - span);
    this.view = { from_s: from, to_s: from + span };
    this.redraw();
  }

  zoomAt(time_s, factor) {
    const { from_s, to_s } = this.view;
    const span_s = Math.min(Math.max((to_s - from_s) * factor, Math.min(SHORTEST_VIEW_S, this.duration_s)), this.duration_s);
    const share = (time_s - from_s) / (to_s - from_s);
    this.show(time_s - share * span_s, span_s);
  }

  // By keys and buttons: about the playhead where it can be seen, else about the middle.
  zoomBy(factor) {
    const now_s = this.host.now();
    const { from_s, to_s } = this.view;
    this.zoomAt(now_s >= from_s && now_s <= to_s ? now_s : (from_s + to_s) / 2, factor);
  }

  panBy(share) {
    const span_s = this.view.to_s - this.view.from_s;
    this.show(this.view.from_s + share * span_s, span_s);
  }

  showAll() {
    this.show(0, this.duration_s);
  }

  // To the clip, with as much again on both sides.
  showClip() {
    const { start_s, end_s } = this.host.clip();
    const length_s = Math.max(end_s - start_s, 1);
    this.show(start_s - length_s, 3 * length_s);
  }

  // A page forward when it plays out of the stretch that is shown.
  follow(now_s) {
    if (this.zoomed && this.host.playing() && !this.pointers.size && (now_s > this.view.to_s || now_s < this.view.from_s)) {
      const span_s = this.view.to_s - this.view.from_s;
      this.show(now_s - 0.05 * span_s, span_s);
    }
  }

  elsewhere(event) {
    if (!event.composedPath().includes(this.find(".field"))) this.scrolledElsewhere = event.timeStamp;
  }

  wheel(event) {
    if (event.timeStamp - (this.scrolledElsewhere ?? -1e9) < OWN_SCROLL_MS) {
      this.scrolledElsewhere = event.timeStamp;
      return;
    }
    const pixels = event.deltaMode === 1 ? 18 : 1;
    const dx = event.deltaX * pixels, dy = event.deltaY * pixels;
    const pans = event.shiftKey || Math.abs(dx) > Math.abs(dy);
    // With all of it in view there is nothing to pan or to zoom out to: the page scrolls.
    if (!this.zoomed && (pans || dy > 0)) return;
    event.preventDefault();
    if (pans) this.panBy((Math.abs(dx) > Math.abs(dy) ? dx : dy) / this.width);
    else this.zoomAt(this.timeAt(event), Math.exp(Math.max(-120, Math.min(120, dy)) * (event.ctrlKey ? 0.01 : 0.0025)));
  }

  panByHand(event) {
    const overview = this.find(".overview");
    const box = overview.getBoundingClientRect();
    const span_s = this.view.to_s - this.view.from_s;
    const at_s = (e) => ((e.clientX - box.left) / box.width) * this.duration_s;
    const inside = at_s(event) >= this.view.from_s && at_s(event) <= this.view.to_s;
    const hold_s = inside ? at_s(event) - this.view.from_s : span_s / 2;
    this.held(overview, event, (e) => this.show(at_s(e) - hold_s, span_s));
  }

  // Calls back for this press and each move until it ends.
  held(element, event, moved, ended = () => {}) {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    moved(event);
    const done = () => {
      element.removeEventListener("pointermove", moved);
      element.removeEventListener("pointerup", done);
      element.removeEventListener("pointercancel", done);
      ended();
    };
    element.addEventListener("pointermove", moved);
    element.addEventListener("pointerup", done);
    element.addEventListener("pointercancel", done);
  }

  // --- the pointer on the track: one seeks, two pinch ---

  timeAt(event) {
    const box = this.find(".track").getBoundingClientRect();
    const share = Math.min(Math.max(0, event.clientX - box.left), box.width) / box.width;
    return this.view.from_s + share * (this.view.to_s - this.view.from_s);
  }

  press(event) {
    if (event.button) return;
    this.find(".track").setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event.clientX);
    if (this.pointers.size === 2) this.pinch = { ...this.pinchOf(), view: { ...this.view } };
    else if (this.pointers.size === 1) this.host.seek(this.timeAt(event));
  }

  move(event) {
    if (this.pointers.has(event.pointerId)) {
      this.pointers.set(event.pointerId, event.clientX);
      if (this.pinch) return this.pinched();
      this.host.seek(this.timeAt(event));
    }
    this.showTip(event);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.pinch = null;
    if (event.pointerType === "touch") this.hideTip();
  }

  pinchOf() {
    const [a, b] = [...this.pointers.values()];
    const left = this.find(".track").getBoundingClientRect().left;
    return { middle_px: (a + b) / 2 - left, apart_px: Math.max(10, Math.abs(a - b)) };
  }

  pinched() {
    if (this.pointers.size < 2) return;
    const now = this.pinchOf(), { view, middle_px, apart_px } = this.pinch;
    const before_s = view.to_s - view.from_s;
    const span_s = Math.min(this.duration_s, Math.max(SHORTEST_VIEW_S, (before_s * apart_px) / now.apart_px));
    const held_s = view.from_s + (middle_px / this.width) * before_s;
    this.show(held_s - (now.middle_px / this.width) * span_s, span_s);
  }

  key(event) {
    const actions = {
      Home: () => this.host.seek(0),
      End: () => this.host.seek(this.duration_s),
      PageUp: () => this.panBy(-0.5),
      PageDown: () => this.panBy(0.5),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  // --- the clip ---

  dragHandle(event, edge) {
    const handle = this.find(`.handle.${edge}`);
    handle.focus({ preventScroll: true });
    const moved = (e) => {
      const time_s = this.timeAt(e);
      this.moveEdge(edge, time_s);
      this.showTip(e);
    };
    this.held(handle, event, moved, () => this.hideTip());
  }

  moveEdge(edge, time_s) {
    const { start_s, end_s } = this.host.clip();
    if (edge === "start") this.host.setClip(time_s, end_s, "start");
    else this.host.setClip(start_s, time_s, "end");
  }

  handleKey(event, edge) {
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!sign) return;
    event.preventDefault();
    const frame_s = 1 / (this.data.fps || 25);
    const clip = this.host.clip();
    this.moveEdge(edge, (edge === "start" ? clip.start_s : clip.end_s) + sign * (event.shiftKey ? 1 : frame_s));
  }

  // --- the picture at the pointer ---

  showTip(event) {
    const time_s = this.timeAt(event);
    const tip = this.find(".tip");
    this.find(".tip-time").textContent = clock(time_s);
    this.find(".tip-words").textContent = this.wordsAt(event, time_s);
    tip.hidden = false;
    this.tipAt = { time_s, clientX: event.clientX };
    this.showPicture();
    this.placeTip();
  }

  placeTip() {
    const tip = this.find(".tip"), box = this.find(".track").getBoundingClientRect();
    const x = this.tipAt.clientX - box.left;
    tip.style.left = `${Math.min(Math.max(0, x - tip.offsetWidth / 2), Math.max(0, box.width - tip.offsetWidth))}px`;
  }

  hideTip() {
    clearTimeout(this.rest);
    this.find(".tip").hidden = true;
    this.tipAt = null;
  }

  // What holds at that time in the lane under the pointer; elsewhere the chapter.
  wordsAt(event, time_s) {
    const y = event.clientY - this.find(".track").getBoundingClientRect().top;
    const band = this.bands.find(({ top, height }) => y >= top && y < top + height);
    if (band && band.kind !== "picture" && band.kind !== "chapters") {
      const lines = (this.lines[band.kind] ?? []).filter(([start_s, end_s]) => time_s >= start_s && time_s < end_s);
      return lines.map(([, , text]) => text).join(" · ").slice(0, 300);
    }
    const isFilled = band?.kind === "picture" && this.lines.filled_s?.some(([start_s, end_s]) => time_s >= start_s && time_s < end_s);
    if (isFilled) return this.data.labels.filled;
    return this.chapters.find(({ start_s, end_s }) => time_s >= start_s && time_s < end_s)?.name ?? "";
  }

  showPicture() {
    const { sprites } = this.data, picture = this.find(".tip-picture");
    picture.hidden = !sprites;
    if (!sprites) return;
    const tile = Math.min(sprites.tiles - 1, Math.floor(this.tipAt.time_s / sprites.interval_s));
    const number = Math.floor(tile / TILES_A_SHEET), sheet = this.sheets.get(number);
    const [width, height] = this.tileSize();
    picture.style.width = `${width}px`;
    picture.style.height = `${height}px`;
    clearTimeout(this.rest);
    if (sheet?.complete && sheet.naturalWidth) {
      const rows = Math.ceil(Math.min(TILES_A_SHEET, sprites.tiles - number * TILES_A_SHEET) / TILES_A_ROW);
      const column = tile % TILES_A_ROW, row = Math.floor((tile % TILES_A_SHEET) / TILES_A_ROW);
      picture.style.backgroundImage = `url(${sheet.src})`;
      picture.style.backgroundSize = `${TILES_A_ROW * width}px ${rows * height}px`;
      picture.style.backgroundPosition = `${-column * width}px ${-row * height}px`;
      picture.dataset.tile = String(tile);
      return;
    }
    delete picture.dataset.tile;
    picture.style.backgroundImage = "none";
    this.rest = setTimeout(() => this.fetchSheet(number, picture), REST_MS);
  }

  // Making a sheet takes seconds, once: meanwhile the stored picture that is nearest.
  fetchSheet(number, picture) {
    if (!this.tipAt) return;
    if (!this.sheets.has(number)) {
      const sheet = new Image();
      this.sheets.set(number, sheet);
      sheet.onload = () => this.tipAt && this.showPicture();
      sheet.src = `/sprites/${this.data.video_id}/${number}`;
    }
    if (!this.data.poster) return;
    picture.style.backgroundImage = `url(/thumbnail/${this.data.video_id}/${Math.round(this.tipAt.time_s * 1000)})`;
    picture.style.backgroundSize = "cover";
    picture.style.backgroundPosition = "center";
  }

  tileSize() {
    const { width, height } = this.data;
    const scale = Math.min(192 / width, 108 / height);
    return [Math.max(2, Math.round(width * scale)), Math.max(2, Math.round(height * scale))];
  }
}

// Lines that come and go together are one.
function together(lines) {
  const joined = [];
  for (const [start_s, end_s, text] of lines) {
    const last = joined.at(-1);
    if (last && Math.abs(last[0] - start_s) < 0.3 && Math.abs(last[1] - end_s) < 0.3) last[2] += ` · ${text}`;
    else joined.push([start_s, end_s, text]);
  }
  return joined;
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  return `${wholeClock(Math.floor(whole / 10))}.${whole % 10}`;
}

function exactClock(seconds) {
  const ms = Math.max(0, Math.round(seconds * 1000));
  return `${wholeClock(Math.floor(ms / 1000), 1)}.${String(ms % 1000).padStart(3, "0")}`;
}

function shortClock(seconds, tenths) {
  return tenths ? clock(seconds).replace(/^0(?=\d)/, "") : wholeClock(Math.round(seconds), 1);
}

function wholeClock(s, digits = 2) {
  const pad = (n, size = 2) => String(n).padStart(size, "0");
  const hours = Math.floor(s / 3600);
  const rest = `${pad(Math.floor(s / 60) % 60, hours ? 2 : digits)}:${pad(s % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

// Seconds of `723.4`, `12:03.4` or `1:02:03`; NaN for anything else.
function readClock(text) {
  const found = /^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:[.,]\d*)?)$/.exec(text.trim());
  if (!found) return NaN;
  const [, hours = 0, minutes = 0, seconds] = found;
  const second_s = Number(seconds.replace(",", "."));
  return (found[2] && second_s >= 60) || minutes >= 60 ? NaN : hours * 3600 + minutes * 60 + second_s;
}

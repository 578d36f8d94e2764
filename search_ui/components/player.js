// A player that is at the asked moment after every click. It seeks when (source, start, click) changes and at no other update;
// text of videos and people only ever becomes textContent.
//
// Events on the window join it to the lists beside it (panel.js):
//   seekpoint-open {src, start_s, end_s}               a card was clicked; the player is there before Python hears of it
//   seekpoint-seek {video_id, time_s}                a line was clicked
//   seekpoint-time {video_id, time_s}                where the player is, ten times a second at most
//   seekpoint-where                                  somebody wants to know that now
const players = new WeakMap();
const FRAME_SLACK_S = 0.001; // a frame's own time, rounded, may lie just before the frame: aim inside it
const ASK_AGAIN_MS = 1000; // while a copy for browsers is made
const SAME_SHAPE = 0.02;
const PINNED_SHARE = 0.3; // of the height of a telephone
const VOLUME_KEY = "seekpoint-volume";

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
    const on = (...args) => this.on(...args);
    this.editor = new ClipEditor(this.find, on, {
      root,
      now: () => this.video.currentTime,
      data: () => this.data,
      say: (text) => this.say(text),
      changed: (clip, edge) => this.clipChanged(clip, edge),
      keep: (clip) => this.keep(clip),
    });
    this.timeline = new Timeline(this.find, on, {
      seek: (time_s) => this.seek(time_s),
      now: () => this.video.currentTime,
      playing: () => !this.video.paused,
      clip: () => this.editor.clip,
      setClip: (...args) => this.editor.set(...args),
    });
    this.listen();
    on(document, "scroll", () => this.pin(), { capture: true, passive: true });
    this.restoreVolume();
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
      this.timeline.close();
      clearTimeout(this.asking);
      this.video.removeAttribute("src");
      this.video.load();
    }, 0);
  }

  on(target, type, handler, options = {}) {
    target.addEventListener(type, handler, { signal: this.abort.signal, ...options });
  }

  listen() {
    const video = this.video;
    this.on(video, "click", () => this.toggle());
    this.on(video, "play", () => this.showPlaying());
    this.on(video, "pause", () => this.showPlaying());
    this.on(video, "loadedmetadata", () => this.fit());
    this.on(video, "error", () => video.getAttribute("src") && this.failed());
    this.on(video, "loadeddata", () => this.data?.state === "ready" && this.veil(null));
    this.on(video, "seeking", () => this.find(".boxes").replaceChildren());
    this.on(video, "volumechange", () => this.showVolume());
    this.on(this.find(".play"), "click", () => this.toggle());
    this.on(this.find(".back"), "click", () => this.step(-1));
    this.on(this.find(".forward"), "click", () => this.step(1));
    this.on(this.find(".span"), "click", () => this.playSpan());
    this.on(this.find(".loop"), "click", () => this.setLoop(!this.loop));
    this.on(this.find(".next"), "click", () => this.trigger("next", Date.now()));
    this.on(this.find(".search-frame"), "click", () => window.dispatchEvent(new CustomEvent("seekpoint-search-frame", { detail: this.video })));
    this.on(this.find(".speed"), "change", (e) => (video.playbackRate = Number(e.target.value)));
    this.on(this.find(".mute"), "click", () => this.mute());
    this.on(this.find(".volume"), "input", (e) => this.setVolume(Number(e.target.value)));
    this.on(this.find(".full"), "click", () => this.fullscreen());
    this.on(this.find(".where"), "submit", (e) => this.askWhere(e));
    this.on(document, "keydown", (e) => this.key(e));
    this.on(window, "seekpoint-open", (e) => this.open(e.detail));
    this.on(window, "seekpoint-seek", (e) => e.detail.video_id === this.data?.video_id && this.seek(e.detail.time_s));
    this.on(window, "seekpoint-where", () => (this.told = ""));
  }

  // --- what Python says ---

  update({ data, setTriggerValue }) {
    this.data = data;
    this.trigger = setTriggerValue;
    this.label(data.labels);
    this.find(".screen").style.setProperty("--shape", String((data.width || 16) / (data.height || 9)));
    this.fit();
    this.find(".next").disabled = !data.has_next;
    this.find(".where").hidden = !data.can_locate;
    this.find(".sound").hidden = !data.has_sound;
    this.editor.open(data);
    this.timeline.set(data);
    this.showAbout();
    this.fetchLines();
    this.awaitCopy();
    this.load(data);
    this.showBoxes();
  }

  // Sizes in a file are whole numbers of pixels, and those of a copy are even.
  fit() {
    const { videoWidth, videoHeight } = this.video;
    const shape = (this.data?.width || 16) / (this.data?.height || 9);
    this.video.classList.toggle("fills", videoHeight > 0 && Math.abs(videoWidth / videoHeight / shape - 1) < SAME_SHAPE);
  }

  async fetchLines() {
    const { video_id, has_chapters, chapters_version } = this.data;
    const wanted = `${video_id}.${chapters_version}`; // their names may change
    if (this.linesOf === wanted) return;
    this.linesOf = wanted;
    const get = async (what) => {
      const answer = await fetch(`/${what}/${video_id}`);
      return answer.ok ? answer.json() : null;
    };
    const still = () => !this.closed && this.data.video_id === video_id;
    try {
      const lines = await get("lines");
      if (lines && still()) this.timeline.setLines(lines);
      const chapters = has_chapters ? await get("chapters") : null;
      if (chapters && still()) this.timeline.setChapters(chapters.chapters);
    } catch {
      // The server is gone, or the page is: the video plays on without its lines.
    }
  }

  load(data) {
    this.poster();
    if (!data.src) {
      if (this.source) {
        this.video.removeAttribute("src");
        this.video.load();
      }
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
    // Of another video that cannot be played yet, Python says what to do.
    if (place.src !== this.data.src && !this.data.src) return;
    this.ahead = place;
    const video_id = Number(place.src.split("/").at(-1));
    this.data = { ...this.data, ...place, video_id, duration_s: Math.max(this.data.duration_s, place.end_s) };
    this.editor.open(this.data);
    this.show(place.src);
  }

  show(src) {
    if (this.source !== src) {
      this.source = src;
      this.video.src = src;
    }
    this.playSpan();
  }

  poster() {
    const { poster } = this.data;
    if (poster) this.video.poster = poster;
    else this.video.removeAttribute("poster");
  }

  playSpan() {
    if (!this.source) return;
    this.inSpan = true;
    this.seek(this.editor.clip.start_s, true);
    this.video.play().catch((error) => {
      // Without a click on this page first, browsers do not start sound: the frame stands, ready to be played.
      if (error.name === "NotAllowedError") this.say(this.data.labels.press_play, true);
    });
  }

  seek(time_s, keepSpan = false) {
    const { start_s, end_s } = this.editor.clip;
    this.video.currentTime = Math.min(Math.max(0, time_s), this.data.duration_s) + FRAME_SLACK_S;
    if (!keepSpan) this.inSpan = time_s >= start_s && time_s < end_s && this.inSpan;
    this.say("");
  }

  // The picture shows what the edge of the clip will be: its first frame, or its last.
  clipChanged({ start_s, end_s }, edge) {
    this.video.pause();
    const frame_s = 1 / (this.data.fps || 25);
    this.seek(edge === "start" ? start_s : Math.max(start_s, end_s - frame_s / 2), true);
    this.showAbout();
    this.timeline.place();
  }

  onFrame() {
    const { video, data } = this;
    if (!data) return;
    const { start_s, end_s } = this.editor.clip;
    if (this.inSpan && !video.paused && !video.seeking && video.currentTime >= end_s) {
      if (this.loop) this.seek(start_s, true);
      else {
        video.pause();
        this.inSpan = false;
      }
    }
    this.showTime();
  }

  // Why it cannot be played, over the picture: the server knows of files that are gone or have changed.
  async failed() {
    const { source } = this;
    const answer = await fetch(source, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    const reason = answer && !answer.ok && answer.headers.get("content-type")?.startsWith("text/plain") ? await answer.text() : "";
    if (!this.closed && source === this.source && this.video.error) this.veil({ text: reason || this.data.labels.error, fraction: null });
  }

  // --- a copy that browsers can play ---

  awaitCopy() {
    clearTimeout(this.asking);
    const waits = this.data.state === "wait";
    this.veil(this.data.state === "ready" ? null : { text: this.data.labels[this.data.state], fraction: waits ? 0 : null });
    if (waits) this.askForCopy(this.data.video_id);
  }

  async askForCopy(video_id) {
    let found = null;
    try {
      const answer = await fetch(`/playback/${video_id}`);
      if (answer.ok) found = await answer.json();
    } catch {
      // Asked again below: the server may be starting again.
    }
    if (this.closed || this.data.video_id !== video_id) return;
    if (found?.state === "ready") {
      this.veil(null);
      this.data = { ...this.data, state: "ready", src: `/stream/${video_id}` };
      this.load(this.data);
      return;
    }
    if (found?.problem) {
      this.veil({ text: found.problem, fraction: null });
      return;
    }
    if (found) this.veil({ text: this.data.labels.wait.replace("{percent}", Math.round(found.fraction * 100)), fraction: found.fraction });
    this.asking = setTimeout(() => this.askForCopy(video_id), ASK_AGAIN_MS);
  }

  // --- controls ---

  toggle() {
    if (!this.source) return;
    if (this.video.error) {
      this.video.load(); // it may be there again
      this.playSpan();
    } else if (!this.video.paused) this.video.pause();
    else this.video.play().catch(() => this.failed());
  }

  setLoop(on) {
    this.loop = on;
    this.find(".loop").setAttribute("aria-pressed", String(on));
    if (on) this.playSpan();
  }

  mute() {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && !this.video.volume) this.setVolume(0.5);
  }

  setVolume(volume) {
    this.video.volume = volume;
    this.video.muted = volume === 0;
    try {
      localStorage.setItem(VOLUME_KEY, String(volume));
    } catch {
      // A browser that keeps nothing: the volume holds for this page.
    }
  }

  restoreVolume() {
    let kept = null;
    try {
      kept = localStorage.getItem(VOLUME_KEY);
    } catch {
      return;
    }
    const volume = Number(kept);
    if (kept !== null && volume > 0 && volume <= 1) this.video.volume = volume;
    this.showVolume(); // a second player of the same element changes nothing, and hears of no change
  }

  showVolume() {
    const { muted, volume } = this.video;
    this.find(".player").classList.toggle("muted", muted);
    this.find(".mute").setAttribute("aria-pressed", String(muted));
    this.find(".volume").value = String(muted ? 0 : volume);
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
    if (event.key.startsWith("Arrow") && at.closest?.("[role=tab], [role=radio], [role=menuitem]")) return;
    if (event.key === " " && at.closest?.("button, a, summary")) return;
    const now_s = this.video.currentTime, { start_s, end_s } = this.editor.clip;
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
      "[": () => this.editor.set(now_s, end_s, "start"),
      "]": () => this.editor.set(start_s, now_s, "end"),
      "+": () => this.timeline.zoomBy(0.5),
      "=": () => this.timeline.zoomBy(0.5),
      "-": () => this.timeline.zoomBy(2),
      0: () => this.timeline.showAll(),
      z: () => this.timeline.showClip(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
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
    set(".search-frame", null, labels.search_frame);
    set(".mute", null, `${labels.mute} (m)`);
    set(".volume", null, labels.volume);
    set(".link", labels.link);
    set(".clip", labels.clip, labels.clip_hint);
    set(".full", null, `${labels.full} (f)`);
    set(".where button", labels.where);
    set(".zoom-in", null, `${labels.zoom_in} (+)`);
    set(".zoom-out", null, `${labels.zoom_out} (-)`);
    set(".set-start", null, `${labels.set_start} ([)`);
    set(".set-end", null, `${labels.set_end} (])`);
    set(".from", null, labels.clip_start);
    set(".to", null, labels.clip_end);
    set(".handle.start", null, labels.clip_start);
    set(".handle.end", null, labels.clip_end);
    set(".reset", labels.reset);
    set(".keep", labels.keep, labels.keep_hint);
    this.find(".more summary").textContent = labels.export;
    this.find(".cut").setAttribute("aria-label", labels.cut);
    this.find(".cut-name").textContent = labels.cut;
    this.find(".where input").placeholder = labels.where_hint;
    this.find(".where input").setAttribute("aria-label", labels.where_hint);
    this.find(".track").setAttribute("aria-label", labels.timeline);
    this.find(".keys summary").textContent = labels.keys;
    this.find(".keys p").textContent = labels.keys_text;
    const select = this.find(".speed");
    select.setAttribute("aria-label", labels.speed);
    if (!select.options.length) {
      for (const rate of [0.25, 0.5, 1, 1.5, 2, 4]) select.add(new Option(`${rate}×`, String(rate), rate === 1, rate === 1));
    }
    this.showPlaying();
  }

  // Below the player, on a telephone, its picture stays at the top.
  pin() {
    const screen = this.find(".screen"), player = this.find(".player");
    const wanted = matchMedia("(max-width: 640px)").matches && player.getBoundingClientRect().bottom < PINNED_SHARE * innerHeight;
    if (screen.classList.contains("pinned") === wanted) return;
    player.style.minHeight = wanted ? `${player.offsetHeight}px` : "";
    screen.classList.toggle("pinned", wanted);
  }

  keep({ start_s, end_s }) {
    this.trigger("keep", { start_s, end_s, at: Date.now() });
    this.say(this.data.labels.kept);
  }

  showAbout() {
    const { about, labels } = this.data;
    const { start_s, end_s } = this.editor.clip;
    const make = (name, text = "", tag = "span") => {
      const element = document.createElement(tag);
      element.className = name;
      element.textContent = text;
      return element;
    };
    const why = about.why.map(({ label, parts }) => {
      const chip = make("why");
      chip.append(make("", label, "b"));
      if (parts.length) chip.append(" ", ...parts.map(([text, asked]) => (asked ? make("", text, "mark") : text)));
      return chip;
    });
    const path = make("path", about.path, "button");
    path.type = "button";
    path.title = labels.copy_path;
    path.addEventListener("click", async () => {
      await copy(about.path, this.root);
      this.say(labels.path_copied);
    });
    const facts = about.facts.map((fact) => make("fact", fact));
    this.find(".about").replaceChildren(make("when", `${clock(start_s)} – ${clock(end_s)}`), ...why, ...facts, ...(about.path ? [path] : []));
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
    const told = `${this.data.video_id} ${text}`;
    if (this.told !== told) {
      this.told = told;
      this.find(".time").textContent = text;
      const track = this.find(".track");
      track.setAttribute("aria-valuemax", String(Math.round(this.data.duration_s)));
      track.setAttribute("aria-valuenow", String(Math.round(now_s)));
      track.setAttribute("aria-valuetext", clock(now_s));
      window.dispatchEvent(new CustomEvent("seekpoint-time", { detail: { video_id: this.data.video_id, time_s: now_s } }));
    }
    if (this.shown_s === now_s) return;
    this.shown_s = now_s;
    this.timeline.follow(now_s);
    this.timeline.place();
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
    this.find(".veil-text").textContent = wait.text.replace("{percent}", "0");
    const bar = this.find("progress");
    bar.hidden = wait.fraction === null;
    bar.value = wait.fraction ?? 0;
  }

  // For some seconds; what stays so (`lasting`) is said as long as it is so.
  say(text, lasting = false) {
    const status = this.find(".status");
    if (!text && !status.textContent) return;
    status.classList.toggle("lasting", lasting);
    status.style.animation = "none";
    status.textContent = text;
    void status.offsetWidth; // it begins again
    status.style.animation = "";
  }
}

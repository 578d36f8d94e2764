// The part of the video that is cut out: its times to type, and what can be made of it.
const LONGEST_CLIP_S = 600; // as search_ui/routes/media.py cuts them
const EXPORTS = ["m4a", "srt", "csv", "edl", "m3u8"];

class ClipEditor {
  // host: { now(), data(), changed(clip, edge), keep(clip), say(text), root }
  constructor(find, on, host) {
    Object.assign(this, { find, on, host });
    this.clip = { start_s: 0, end_s: 0 };
    this.on(find(".from"), "change", () => this.typed("start"));
    this.on(find(".to"), "change", () => this.typed("end"));
    this.on(find(".set-start"), "click", () => this.set(host.now(), this.clip.end_s, "start"));
    this.on(find(".set-end"), "click", () => this.set(this.clip.start_s, host.now(), "end"));
    this.on(find(".reset"), "click", () => this.reset());
    this.on(find(".link"), "click", () => this.copyLink());
    this.on(find(".keep"), "click", () => this.host.keep(this.clip));
    this.on(find(".clip"), "click", (e) => this.find(".clip").getAttribute("aria-disabled") && e.preventDefault());
    const more = find(".more");
    this.on(find(".menu"), "click", () => (more.open = false));
    this.on(more, "keydown", (e) => {
      if (e.key !== "Escape" || !more.open) return;
      e.preventDefault();
      more.open = false;
      find(".more summary").focus();
    });
    this.on(document, "pointerdown", (e) => e.composedPath().includes(more) || (more.open = false));
  }

  // Another moment is another clip; the same one keeps what was changed by hand.
  open(found) {
    const same = this.found && ["video_id", "start_s", "end_s"].every((name) => this.found[name] === found[name]);
    this.found = found;
    if (!same) this.clip = { start_s: found.start_s, end_s: found.end_s };
    this.show();
  }

  // The edge that is moved pushes the other one before it.
  set(start_s, end_s, edge) {
    const { duration_s, fps } = this.host.data();
    const frame_s = Math.min(1 / (fps || 25), duration_s);
    let [start, end] = [start_s, end_s].map((time_s) => Math.min(Math.max(0, time_s), duration_s));
    if (edge === "start") {
      start = Math.min(start, duration_s - frame_s);
      end = Math.max(end, start + frame_s);
    } else {
      end = Math.max(end, frame_s);
      start = Math.min(start, end - frame_s);
    }
    this.clip = { start_s: toMs(start), end_s: toMs(end) };
    this.show();
    this.host.changed(this.clip, edge);
  }

  reset() {
    this.clip = { start_s: this.found.start_s, end_s: this.found.end_s };
    this.show();
    this.host.changed(this.clip, "start");
  }

  typed(edge) {
    const input = this.find(edge === "start" ? ".from" : ".to");
    const time_s = readClock(input.value);
    const good = Number.isFinite(time_s) && time_s <= this.host.data().duration_s + 0.0005;
    input.setAttribute("aria-invalid", String(!good));
    if (!good) return this.host.say(this.host.data().labels.bad_time);
    this.host.say("");
    if (edge === "start") this.set(time_s, this.clip.end_s, edge);
    else this.set(this.clip.start_s, time_s, edge);
  }

  show() {
    const { start_s, end_s } = this.clip, { labels } = this.host.data();
    for (const [selector, time_s] of [[".from", start_s], [".to", end_s]]) {
      const input = this.find(selector);
      input.value = exactClock(time_s);
      input.setAttribute("aria-invalid", "false");
    }
    const length_s = end_s - start_s;
    this.find(".length").textContent = `${length_s.toFixed(length_s < 100 ? 2 : 0)} s`;
    this.find(".reset").hidden = start_s === this.found.start_s && end_s === this.found.end_s;
    const part = `${this.found.video_id}/${Math.round(start_s * 1000)}/${Math.round(end_s * 1000)}`;
    const clip = this.find(".clip"), tooLong = length_s > LONGEST_CLIP_S;
    clip.href = `/clip/${part}`;
    clip.title = tooLong ? labels.too_long : labels.clip_hint;
    if (tooLong) clip.setAttribute("aria-disabled", "true");
    else clip.removeAttribute("aria-disabled");
    this.showMenu(part);
  }

  showMenu(part) {
    const { labels, kinds, has_sound } = this.host.data();
    const there = { srt: kinds.includes("speech"), m4a: has_sound };
    const places = { srt: `/subtitles/${part}`, m4a: `/clip/${part}/sound` };
    const names = EXPORTS.filter((suffix) => there[suffix] ?? true);
    this.find(".menu").replaceChildren(
      ...names.map((suffix) => {
        const link = document.createElement("a");
        link.href = places[suffix] ?? `/export/${part}/${suffix}`;
        link.download = "";
        link.textContent = labels.exports[suffix];
        return link;
      }),
    );
  }

  link() {
    const link = new URL(this.host.data().link, document.baseURI);
    link.protocol = location.protocol;
    link.host = location.host;
    link.searchParams.set("t", plain(this.clip.start_s));
    link.searchParams.set("e", plain(this.clip.end_s));
    return link.href;
  }

  async copyLink() {
    await copy(this.link(), this.host.root);
    this.host.say(this.host.data().labels.copied);
  }
}

// As links write seconds: at most three decimals, no zeros at the end.
function plain(seconds) {
  return String(toMs(seconds));
}

function toMs(seconds) {
  return Math.round(seconds * 1000) / 1000;
}

async function copy(text, root) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    root.appendChild(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

// What cards of moments (cards.js) and of videos (shelf.js) have in common: the picture, and the moment that plays there under the pointer.
const HESITATION_MS = 60; // a pointer that only passes plays nothing
const SHORTEST_PREVIEW_S = 1;
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
  up: "M2 21h4V9H2zm20-11a2 2 0 0 0-2-2h-6.3l1-4.6V3a1.5 1.5 0 0 0-.5-1L13 1 6.6 7.4A2 2 0 0 0 6 9v10a2 2 0 0 0 2 2h9a2 2 0 0 0 1.8-1.2l3-7.1a2 2 0 0 0 .2-.7z",
  down: "M22 3h-4v12h4zM2 14a2 2 0 0 0 2 2h6.3l-1 4.6v.4a1.5 1.5 0 0 0 .5 1L11 23l6.4-6.4A2 2 0 0 0 18 15V5a2 2 0 0 0-2-2H7a2 2 0 0 0-1.8 1.2l-3 7.1a2 2 0 0 0-.2.7z",
  copy: "M10.6 13.4a1 1 0 0 1-1.4 1.4 5 5 0 0 1 0-7l3-3a5 5 0 0 1 7 7l-1.4 1.4-1.4-1.4 1.4-1.4a3 3 0 0 0-4.2-4.2l-3 3a3 3 0 0 0 0 4.2zm2.8-2.8a1 1 0 0 1 1.4-1.4 5 5 0 0 1 0 7l-3 3a5 5 0 0 1-7-7l1.4-1.4 1.4 1.4-1.4 1.4a3 3 0 0 0 4.2 4.2l3-3a3 3 0 0 0 0-4.2z",
  tab: "M14 3h7v7h-2V6.4l-9.3 9.3-1.4-1.4L17.6 5H14zM5 5h5v2H5v12h12v-5h2v5a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z",
};
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

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.event);
  svg.append(path);
  return svg;
}


function scroller(element) {
  return element.getRootNode().host?.closest("[data-testid=stMain]") ?? document.querySelector("[data-testid=stMain]") ?? document.scrollingElement;
}

function day(date) {
  const language = document.documentElement.lang || "en";
  return date ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(date)) : "";
}

// The page of a shared link: the moments one after another. It knows nothing but them.
const { moments, labels } = JSON.parse(document.getElementById("data").textContent);
const here = location.pathname.replace(/\/$/, "");
const root = document.getElementById("moments");
const make = (tag, content = "") => Object.assign(document.createElement(tag), { textContent: content });
const video = Object.assign(make("video"), { controls: true, playsInline: true, preload: "none" });
const said = make("p");
said.setAttribute("role", "status");
const list = make("ol");
list.setAttribute("aria-label", labels.list);
let at = -1;

function show(number, plays) {
  if (number >= moments.length) return;
  at = number;
  said.textContent = "";
  video.poster = `${here}/still/${number}`;
  video.src = `${here}/clip/${number}`;
  if (plays) video.play().catch(() => {});
  [...list.children].forEach((item, i) => item.toggleAttribute("aria-current", i === number));
}

video.addEventListener("ended", () => show(at + 1, true));
video.addEventListener("error", () => (said.textContent = labels.failed));
list.append(
  ...moments.map((moment, number) => {
    const item = make("li");
    const button = make("button");
    button.type = "button";
    const picture = Object.assign(make("img"), { src: `${here}/still/${number}`, alt: "", loading: "lazy" });
    const text = make("span");
    text.append(make("b", moment.title), make("small", [moment.span, moment.question].filter(Boolean).join(" · ")));
    button.append(picture, text);
    button.onclick = () => show(number, true);
    item.append(button);
    return item;
  }),
);
root.append(video, said, list);
show(0, false);

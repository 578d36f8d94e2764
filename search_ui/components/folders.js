// Folders of the server that may be added: a click goes into one, the path of the one that is open stands in the box.
const TYPED_MS = 300;
const browsers = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  let browser = browsers.get(parentElement);
  if (!browser) browsers.set(parentElement, (browser = new Folders(parentElement)));
  browser.update(component);
}

class Folders {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.find("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const path = this.find(".path").value.trim();
      if (path) this.trigger("add", { path, again: this.find(".again input").checked, at: Date.now() });
    });
    this.find(".start").onclick = () => this.open("");
    this.find(".above").onclick = () => this.open(this.here?.above ?? "");
    this.find(".path").addEventListener("change", ({ target }) => this.open(target.value.trim()));
    this.find(".path").addEventListener("input", ({ target }) => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.open(target.value.trim(), true), TYPED_MS);
    });
  }

  update({ data, setTriggerValue }) {
    const isNew = data.collection !== this.data?.collection;
    this.data = data;
    this.trigger = setTriggerValue;
    const { labels } = data;
    this.find(".path").setAttribute("aria-label", labels.path);
    for (const name of ["add", "start"]) this.find(`.${name}`).textContent = labels[name];
    this.find(".above").textContent = "↑";
    this.find(".above").title = labels.above;
    this.find(".above").setAttribute("aria-label", labels.above);
    this.find(".again span").textContent = labels.again;
    this.find(".again").hidden = !data.may_watch;
    this.find("ul").setAttribute("aria-label", labels.list);
    if (isNew) this.open("");
  }

  // `typed`: it is being written, and may be the beginning of a path only.
  async open(path, typed = false) {
    clearTimeout(this.typing);
    const { labels, collection } = this.data;
    const opening = (this.opening = Symbol("open"));
    const answer = await fetch(`/folders?${new URLSearchParams({ collection, path })}`).catch(() => null);
    if (opening !== this.opening) return;
    if (!answer?.ok) return this.say(typed ? "" : labels.gone);
    this.here = await answer.json();
    const { folders, above, videos, more } = this.here;
    if (!typed && (path || this.here.path)) this.find(".path").value = this.here.path;
    this.find(".above").hidden = above === null;
    this.find(".start").hidden = !this.here.path;
    this.find(".here").textContent = this.here.path ? labels.videos.replace("{n}", videos) : "";
    this.find("ul").replaceChildren(...folders.map((folder) => this.row(folder)));
    this.say(more ? labels.more : folders.length || videos ? "" : labels.none);
  }

  row({ path, name, videos }) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.append(Object.assign(document.createElement("span"), { textContent: name, className: "names" }));
    if (videos) button.append(Object.assign(document.createElement("small"), { textContent: videos }));
    button.setAttribute("aria-label", videos ? `${name}, ${this.data.labels.videos.replace("{n}", videos)}` : name);
    button.onclick = () => this.open(path);
    item.append(button);
    return item;
  }

  say(text) {
    this.find(".said").textContent = text;
  }
}

// What narrows the answers, and what could: links, so that they open in a new tab too; a plain click is answered without loading the page.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  if (!data) return;
  const nav = parentElement.querySelector("nav");
  nav.setAttribute("aria-label", data.labels.list);
  const go = (href) => {
    window.dispatchEvent(new CustomEvent("seekpoint-asked"));
    setTriggerValue("go", { href, at: Date.now() });
  };
  const lists = data.groups.map(({ label, chips }) => row(chips.map((chip) => draw(chip, go)), label));
  if (data.active.length) lists.unshift(row(data.active.map((chip) => draw(chip, go, data.labels.remove)), ""));
  nav.replaceChildren(...lists);
}

function row(chips, label) {
  const list = document.createElement("ul");
  if (label) {
    const name = document.createElement("li");
    name.className = "name";
    name.textContent = label;
    list.append(name);
  }
  list.append(...chips);
  return list;
}

function draw(chip, go, remove) {
  const link = document.createElement("a");
  link.href = chip.href;
  if (chip.picture) {
    const image = document.createElement("img");
    Object.assign(image, { src: chip.picture, alt: "" });
    link.append(image);
  }
  const text = document.createElement("span");
  text.textContent = link.title = chip.label;
  link.append(text);
  if (remove) {
    link.className = "active";
    link.setAttribute("aria-label", remove.replace("{}", chip.label));
  } else {
    const count = document.createElement("small");
    count.textContent = chip.count;
    link.append(count);
  }
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    go(chip.href);
  });
  const item = document.createElement("li");
  item.append(link);
  return item;
}

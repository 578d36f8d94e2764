// How the cards are shown: one for each video or every moment, and how large. This browser remembers it; cards.js draws it.
const VIEW = "seekpoint-view";
const USUAL = { group: "video", size: 17 };

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  const find = (selector) => parentElement.querySelector(selector);
  const buttons = [...parentElement.querySelectorAll("[role=radio]")];
  find("h2").textContent = data.title;
  find(".count").textContent = data.count;
  find(".views").hidden = !data.has_views;
  find(".switch").setAttribute("aria-label", data.labels.views);
  const size = find("input");
  size.title = data.labels.size;
  size.setAttribute("aria-label", data.labels.size);
  const show = () => {
    const view = remembered();
    size.value = view.size;
    for (const button of buttons) {
      const on = button.dataset.group === view.group;
      button.textContent = data.labels[button.dataset.group];
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  };
  const change = (changed) => {
    localStorage.setItem(VIEW, JSON.stringify({ ...remembered(), ...changed }));
    show();
    window.dispatchEvent(new CustomEvent("seekpoint-view"));
  };
  for (const button of buttons) {
    button.onclick = () => change({ group: button.dataset.group });
    button.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      const other = buttons.find((one) => one !== button);
      other.focus();
      other.click();
    };
  }
  size.oninput = () => change({ size: Number(size.value) });
  show();
}

function remembered() {
  try {
    return { ...USUAL, ...JSON.parse(localStorage.getItem(VIEW)) };
  } catch {
    return USUAL;
  }
}

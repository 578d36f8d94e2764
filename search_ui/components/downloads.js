// The files are made in the browser from what the page holds: no process of the server has to keep them.
export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  const box = parentElement.querySelector(".downloads");
  box.replaceChildren(
    ...data.files.map((file) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = file.label;
      button.addEventListener("click", () => save(file));
      return button;
    })
  );
}

function save({ name, type, text }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

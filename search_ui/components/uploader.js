// Files go straight to our own route, one after the other, streamed: Streamlit's uploader would hold them in memory.
const boxes = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  if (!data) return;
  const known = boxes.get(parentElement) ?? {};
  known.data = data;
  known.trigger = component.setTriggerValue;
  parentElement.querySelector("label span").textContent = data.labels.drop;
  parentElement.querySelector("input").accept = data.accept;
  parentElement.querySelector("input").multiple = data.multiple;
  if (boxes.has(parentElement)) return;
  boxes.set(parentElement, known);
  const drop = parentElement.querySelector(".drop");
  const input = parentElement.querySelector("input");
  const list = parentElement.querySelector(".files");
  let line = Promise.resolve();
  const take = (files) => {
    for (const file of files) {
      const row = show(list, file.name);
      line = line.then(() => send(file, row, known));
    }
  };
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
}

function show(list, name) {
  const row = document.createElement("li");
  const title = document.createElement("span");
  title.className = "name";
  title.textContent = name;
  const state = document.createElement("span");
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  row.append(title, state, bar);
  list.prepend(row);
  return { row, state, bar };
}

function send(file, { row, state, bar }, known) {
  const { url, limit_bytes, labels } = known.data;
  return new Promise((resolve) => {
    const fail = (text) => {
      bar.remove();
      const problem = document.createElement("span");
      problem.className = "bad";
      problem.textContent = text;
      row.append(problem);
      resolve();
    };
    if (file.size > limit_bytes) return fail(labels.too_large);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.upload.addEventListener("progress", (event) => (bar.value = event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status !== 201) return fail(request.responseText || labels.failed);
      bar.remove();
      state.textContent = labels.done;
      known.trigger("uploaded", { name: JSON.parse(request.responseText).name, at: Date.now() });
      resolve();
    });
    request.addEventListener("error", () => fail(labels.failed));
    request.send(file);
  });
}

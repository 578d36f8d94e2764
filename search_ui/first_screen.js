// What stands in the document until Streamlit has drawn the page goes as soon as that is so, or as soon as something else is shown.
(() => {
  const first = document.getElementById("first-screen");
  const BOX = ".st-key-ask_bar input";
  const OTHER = "[data-testid=stAlert], [role=dialog]"; // a word about an error
  const EVERY_MS = 250;
  const DRAWN_MS = 1500;
  const FEW = 3; // as in components/cards.js
  const LONGEST_REST_MS = 6000; // of a page that was at work and did not draw its cards
  let [began, rests_ms] = [false, 0];

  const leave = () => {
    if (!first.isConnected) return;
    clearInterval(looking);
    removeEventListener("seekpoint-drawn", drawn);
    removeEventListener("popstate", leave);
    const list = first.querySelector("#first-shelf");
    if (list) document.body.append(list); // components/shelf.js takes it
    const box = first.querySelector("input");
    const typed = { text: box?.value, from: box?.selectionStart, to: box?.selectionEnd, isAsked: Boolean(first.dataset.asks), hasFocus: box && document.activeElement === box };
    first.remove();
    if (typed.text && typed.text !== box.defaultValue) hand(typed);
  };

  // Cards may be there before the box: each comes with a script of its own.
  const drawn = () => {
    if (first.querySelector("form") && !document.querySelector(BOX)) setTimeout(drawn, 30);
    else leave();
  };

  // What was typed meanwhile goes into the page's own box, and is asked if Enter was pressed.
  const hand = ({ text, from, to, isAsked, hasFocus }) => {
    const box = document.querySelector(BOX);
    if (!box) return location.assign(`/?q=${encodeURIComponent(text)}`);
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    if (hasFocus || isAsked) box.focus({ preventScroll: true });
    box.setSelectionRange(from, to);
    if (isAsked) box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true }));
  };

  const look = () => {
    const app = document.querySelector("[data-testid=stApp]");
    const isRunning = app?.dataset.testScriptState === "running";
    const says = document.querySelector(OTHER);
    began ||= isRunning || Boolean(says || document.querySelector(BOX)); // a short run is not seen
    rests_ms = began && !isRunning ? rests_ms + EVERY_MS : 0;
    if (first.dataset.page !== "answers") return (says || rests_ms > LONGEST_REST_MS) && leave();
    // Beside such a word there may be answers, which are drawn a moment after the page is done.
    const most_ms = first.querySelector(".first-none") ? EVERY_MS : says ? DRAWN_MS : LONGEST_REST_MS;
    if (rests_ms > most_ms) leave();
  };
  const looking = setInterval(look, EVERY_MS);

  const days = new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "medium", timeZone: "UTC" });
  for (const about of first.querySelectorAll("[data-date]:not([data-date=''])")) about.dataset.words += ` · ${days.format(new Date(about.dataset.date))}`;

  addEventListener("seekpoint-drawn", drawn);
  addEventListener("popstate", leave);
  document.addEventListener("click", ({ target }) => target.closest?.(".st-key-nav, .st-key-brand") && leave(), true);
  first.querySelector("form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target.q.value.trim()) first.dataset.asks = "1";
  });

  try {
    // As components/shelf.js keeps how its list was left, and components/toolbar.js how large cards are.
    const { find, collection, state, sort = "added", order, top } = JSON.parse(sessionStorage.getItem("seekpoint-shelf")) ?? {};
    if (first.dataset.page === "library" && (find || collection || state || top || sort !== "added" || order === "rising")) leave();
    const { size, group = "video" } = JSON.parse(localStorage.getItem("seekpoint-view")) ?? {};
    if (size) first.style.setProperty("--card", `${Number(size)}rem`);
    first.dataset.group = group;
    const answers = first.querySelector(".first-answers");
    answers?.classList.toggle("few", answers.dataset[group] <= FEW);
    const place = JSON.parse(sessionStorage.getItem("seekpoint-place")) ?? {};
    if (place.search === (first.dataset.search || first.dataset.page)) leave();
  } catch {
    leave();
  }
})();

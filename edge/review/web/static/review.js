"use strict";
// What all pages share: the line that tells of new items, zoom, keys of an item's page, and the
// part of the challenge page that goes on by itself. Every page works without it.

const POLL_MS = 5000;
const PART_MS = 1000;
const by = (selector) => document.querySelector(selector);

// A request that nobody's finger made: it must not keep a session alive.
async function poll(path) {
  const headers = { "Stampgate-Part": "1", "Stampgate-Poll": "1" };
  const answer = await fetch(path, { headers, cache: "no-store" });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer;
}

function isTyping(event) {
  const tag = event.target.tagName;
  const text = tag === "INPUT" && !["checkbox", "submit"].includes(event.target.type);
  return text || tag === "SELECT" || tag === "TEXTAREA";
}

function plainKey(event) {
  return !(event.ctrlKey || event.altKey || event.metaKey || isTyping(event));
}

// ---- new items: a line says so, nothing moves ----

function tellNew(line) {
  const ask = async () => {
    if (document.hidden) return;
    try {
      const { new: count } = await (await poll(line.dataset.new)).json();
      if (!count) return;
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = `${count >= 999 ? "999 or more" : count} new: show`;
      line.replaceChildren(link);
    } catch (error) {
      line.textContent = `no news: ${error.message}`;
      clearInterval(timer);
    }
  };
  const timer = setInterval(ask, POLL_MS);
}

// ---- an item's page ----

function setZoom(factor) {
  const stage = by(".stage");
  stage.classList.remove("zoom-2", "zoom-4");
  if (factor > 1) stage.classList.add(`zoom-${factor}`);
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === factor));
  }
}

function prepareStage() {
  const zooms = [1, 2, 4];
  let factor = 1;
  const zoom = (value) => { factor = value; setZoom(value); };
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
  }
  const boxes = by("[data-boxes]");
  boxes?.addEventListener("click", () => {
    const hidden = by(".stage").classList.toggle("no-boxes");
    boxes.setAttribute("aria-pressed", String(!hidden));
  });
  document.addEventListener("keydown", (event) => {
    if (!plainKey(event)) return;
    const at = zooms.indexOf(factor);
    if (event.key === "+") zoom(zooms[Math.min(at + 1, 2)]);
    else if (event.key === "-") zoom(zooms[Math.max(at - 1, 0)]);
    else if (event.key === "0") zoom(1);
    else if (event.key === "ArrowLeft" && event.target !== by(".stage")) by('a[rel="prev"]')?.click();
    else if (event.key === "ArrowRight" && event.target !== by(".stage")) by('a[rel="next"]')?.click();
    else by(`[data-judge] [data-key="${CSS.escape(event.key)}"]`)?.click();
  });
}

// ---- a part that goes on by itself ----

function follow(place) {
  const ask = async () => {
    const shown = place.querySelector("#challenge");
    const waits = shown.dataset.mine === "True";
    try {
      const text = await (await poll(place.dataset.part)).text();
      const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("challenge");
      if (!fresh) return;
      const same = fresh.dataset.step === shown.dataset.step
        && fresh.dataset.mine === shown.dataset.mine
        && fresh.querySelector("h2 ~ dl")?.textContent === shown.querySelector("h2 ~ dl")?.textContent;
      if (!same) shown.replaceWith(document.adoptNode(fresh));
    } catch (error) {
      if (!waits) clearInterval(timer);
    }
  };
  const timer = setInterval(ask, PART_MS);
}

// Where there is room, what a telephone folds away is open.
for (const details of document.querySelectorAll("details[data-wide]")) {
  if (matchMedia("(min-width: 900px)").matches) details.open = true;
}
document.querySelectorAll("[data-new]").forEach(tellNew);
document.querySelectorAll("[data-part]").forEach(follow);
if (by(".stage")) prepareStage();

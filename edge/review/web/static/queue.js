"use strict";
// The queue: one key judges the item that is shown, and the next one is there at once. A judgement
// that the box did not take brings its item back, and says why.

const cards = document.getElementById("cards");
const form = document.getElementById("judge");
const said = document.getElementById("said");
const undoButton = document.getElementById("undo");
const reason = document.getElementById("reason");
const empty = document.getElementById("empty");
const KEYS = { g: "good", b: "bad", u: "unsure" };
const done = []; // judgements of this page: their ids, the newest last
const later = []; // cards that were left for later
const sent = new Set(); // items whose judgement is on its way: they must not come again
let turn = Promise.resolve(); // requests go one after the other

const first = () => cards.querySelector("article");
const held = () => [
  ...[...cards.querySelectorAll("article"), ...later].map((card) => card.dataset.item),
  ...sent,
];

function show() {
  const card = first();
  form.hidden = !card;
  empty.hidden = Boolean(card);
  undoButton.disabled = done.length === 0;
  form.elements.item.value = card ? card.dataset.item : "";
  form.elements.seen.value = card ? card.dataset.seen : "";
  if (card && document.activeElement !== reason) card.focus({ preventScroll: true });
}

async function post(path, fields) {
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, ...fields });
  const answer = await fetch(path, { method: "POST", body, headers: { "Stampgate-Part": "1" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim() || `the box answers ${answer.status}`);
  return new DOMParser().parseFromString(text, "text/html");
}

function take(part, inFront) {
  const bound = part.getElementById("bound");
  document.getElementById("bound").textContent = bound.textContent;
  const known = new Set(held());
  for (const card of part.querySelectorAll("article")) {
    if (known.has(card.dataset.item)) continue;
    const adopted = document.adoptNode(card);
    if (inFront) cards.querySelector("#bound").after(adopted);
    else cards.append(adopted);
  }
  return bound.dataset.judged;
}

function judge(judgement) {
  const card = first();
  if (!card) return;
  const words = reason.value;
  reason.value = "";
  card.remove();
  sent.add(card.dataset.item);
  show();
  said.className = "said";
  turn = turn.then(async () => {
    try {
      const id = take(await post("/queue/judge", {
        item: card.dataset.item,
        seen: card.dataset.seen,
        judgement,
        reason: words,
        kinds: form.elements.kinds.value,
        held: held().join(","),
      }), false);
      done.push(id);
      said.textContent = `Item ${card.dataset.item}: ${judgement}`;
      said.dataset.count = String(done.length);
    } catch (error) {
      cards.querySelector("#bound").after(card);
      said.className = "said bad";
      said.textContent = `Item ${card.dataset.item} was not judged: ${error.message}`;
    }
    sent.delete(card.dataset.item);
    show();
  });
}

function undo() {
  turn = turn.then(async () => {
    const id = done.at(-1);
    if (!id) return;
    try {
      take(await post("/queue/undo", { id }), true);
      done.pop();
      said.className = "said";
      said.textContent = `Item ${first().dataset.item}: taken back`;
      said.dataset.count = String(done.length);
    } catch (error) {
      said.className = "said bad";
      said.textContent = `Not taken back: ${error.message}`;
    }
    show();
  });
}

function leave() {
  const card = first();
  if (!card || cards.querySelectorAll("article").length < 2) return;
  card.remove();
  later.push(card);
  show();
}

function back() {
  const card = later.pop();
  if (card) cards.querySelector("#bound").after(card);
  show();
}

function toggleHelp() {
  const keys = document.getElementById("keys");
  keys.hidden = !keys.hidden;
  document.getElementById("help").setAttribute("aria-expanded", String(!keys.hidden));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.name === "judgement") judge(event.submitter.value);
});
undoButton.addEventListener("click", undo);
document.getElementById("help").addEventListener("click", toggleHelp);
reason.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  event.preventDefault();
  if (event.key === "Escape") reason.value = "";
  reason.blur();
  show();
});
document.addEventListener("keydown", (event) => {
  if (!plainKey(event) || event.repeat) return;
  const key = event.key.toLowerCase();
  if (KEYS[key]) judge(KEYS[key]);
  else if (key === "z") undo();
  else if (key === "arrowright") leave();
  else if (key === "arrowleft") back();
  else if (key === "?") toggleHelp();
  else if (key === "r") reason.focus();
  else return;
  event.preventDefault();
});
show();

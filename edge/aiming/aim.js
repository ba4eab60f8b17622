"use strict";
// The aim page: shows the newest picture with its figures, and edits the region on it.
// Coordinates are camera pixels throughout; the overlay's viewBox is the camera's picture.

const SVG = "http://www.w3.org/2000/svg";
const POLL_MS = 200;
const GONE_MS = 3000;
const MOST_CORNERS = 32;
const part = (id) => document.getElementById(id);
const overlay = part("overlay");

let key = document.querySelector('meta[name="stampgate-key"]').content;
let shown = 0; // number of the view that is shown
let view = null;
let heardMs = 0;
let colours = { found: "#328cff", ignored: "#969696" };
let region = []; // corners [x, y] as drawn
let saved = []; // as in the file
let fileSum = "";
let past = []; // regions before, for undo
let drawing = false;
let pull = null; // what the pointer moves
let typing = false;

// ---- the server ----

async function ask(path, options = {}) {
  const answer = await fetch(path, {
    ...options,
    headers: { "Stampgate-Key": key, ...(options.headers || {}) },
    cache: "no-store",
  });
  if (answer.ok) return answer;
  let why = `the box answers ${answer.status}`;
  try {
    why = (await answer.json()).error || why;
  } catch { /* no JSON: the status says enough */ }
  throw new Error(why);
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json();
}

async function openByLink() {
  if (key && key !== "{key}") return;
  key = sessionStorage.getItem("stampgate-key") || "";
  const token = location.hash.slice(1);
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  key = (await post("open", { token })).key;
  sessionStorage.setItem("stampgate-key", key);
}

async function poll() {
  try {
    const answer = await ask(`state?after=${shown}`);
    heardMs = performance.now();
    if (answer.status === 200) {
      const next = await answer.json();
      if (next.width) await showPicture(next.number);
      view = next;
      shown = next.number;
      show();
    }
    badge(view && view.trouble ? "trouble" : view ? "live" : "waiting for a picture");
  } catch (error) {
    const silent = performance.now() - heardMs > GONE_MS;
    if (silent) badge("no answer", error instanceof TypeError ?
      "the box does not answer: is aim still running, and the way to it (ssh -L) open?" :
      error.message);
  }
  setTimeout(poll, POLL_MS);
}

function badge(text, why = "") {
  const state = part("state");
  state.textContent = text;
  state.className = "badge " + (text === "live" ? "live" : text === "no answer" ? "lost" : "");
  document.body.classList.toggle("stale", text === "no answer");
  const trouble = part("trouble");
  trouble.textContent = why || (view ? view.trouble : "");
  trouble.hidden = !trouble.textContent;
}

let pictureUrl = "";
async function showPicture(number) {
  const blob = await (await ask(`picture?number=${number}`)).blob();
  const url = URL.createObjectURL(blob);
  const picture = part("picture");
  picture.src = url;
  await picture.decode();
  if (pictureUrl) URL.revokeObjectURL(pictureUrl);
  pictureUrl = url;
}

// ---- figures ----

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

function show() {
  const f = view.figures;
  part("focus").textContent = f ? f.focus.toFixed(0) : "-";
  part("best").textContent = f ? view.best.toFixed(0) : "-";
  const share = f && view.best > 0 ? f.focus / view.best : 0;
  part("share").style.width = `${100 * Math.min(1, share)}%`;
  part("share").className = share >= 0.95 ? "top" : "";
  if (f) {
    part("mean").textContent = `${f.mean.toFixed(0)} of 255`;
    part("dark").textContent = percent(f.dark);
    part("bright").textContent = percent(f.bright);
    histogram(f.histogram);
  }
  const moved = f && f.shake_px !== undefined;
  part("shake").textContent = !moved ? "-" :
    f.shake_px !== null ? `${f.shake_px.toFixed(1)} px from picture to picture` : "another scene than before";
  for (const name of ["focus", "brightness", "shake"]) {
    const words = view.failing[name];
    part(`fails-${name}`).textContent = words ? `check FAILS: ${words}` : "";
    part(`fails-${name}`).hidden = !words;
  }
  showMarks();
  part("about").textContent = view.width ?
    `${view.name}: ${view.width} x ${view.height}; figures are of the camera's own pixels` +
    (saved.length ? ", in the saved region" : "") : "";
  drawOverlay();
}

function histogram(shares) {
  const most = Math.max(0.02, ...shares);
  const bars = shares.map((share, i) => {
    const clipped = (i === 0 || i === shares.length - 1) && share > 0.05;
    const height = share ? Math.max(1, 78 * share / most) : 0;
    return make("rect", {
      x: 10 * i + 0.5, y: 80 - height, width: 9, height, class: clipped ? "clipped" : "",
    });
  });
  part("histogram").replaceChildren(...bars);
}

function showMarks() {
  const verdict = part("verdict");
  const said = view.verdict;
  verdict.textContent = said ? `${said.kind.toUpperCase()}: ${said.reason}` : "no model";
  verdict.className = `verdict ${said ? said.kind : ""}`;
  const rows = view.marks.map((mark) => {
    const row = document.createElement("tr");
    if (!mark.counts) row.className = "near";
    const name = mark.counts ? mark.label : `${mark.label} (near miss)`;
    const seen = mark.network_px.toFixed(0) + (mark.size ? ` ${mark.size}` : "");
    const cells = [name, mark.score.toFixed(2), seen, mark.camera_px.toFixed(0)];
    for (const text of cells) row.appendChild(document.createElement("td")).textContent = text;
    return row;
  });
  part("marks").replaceChildren(...rows);
}

function showModel(model) {
  part("model").textContent = !model ? "No model: marks are not looked for." :
    `Counts from ${model.min_score.toFixed(2)} on. Longer sides, as the network of ` +
    `${model.input.join(" x ")} sees them; the model was trained and assessed on marks of: ` +
    `${model.sizes}. ` +
    (model.second_px ? `Its second look brings a likely mark to ${model.second_px} px. ` : "") +
    `Proof: ${model.proof}.` + (model.unsigned ? ` Careful: ${model.unsigned}.` : "");
}

// ---- the overlay ----

function make(name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  return node;
}

function pixel() { // camera pixels to one of the screen
  const width = overlay.getBoundingClientRect().width;
  return view && width ? view.width / width : 1;
}

function drawOverlay() {
  if (!view || !view.width || pull) return;
  overlay.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`);
  const focused = document.activeElement && document.activeElement.dataset ?
    document.activeElement.dataset.corner : undefined;
  const marks = [...view.marks].reverse(); // the best last, above the others
  overlay.replaceChildren(...drawnRegion(), ...marks.flatMap(drawnMark), ...handles());
  if (focused !== undefined) {
    const again = overlay.querySelector(`[data-corner="${focused}"]`);
    if (again) again.focus({ preventScroll: true });
  }
}

function drawnMark(mark) {
  const [x0, y0, x1, y1] = mark.box;
  const one = pixel();
  const box = { x: x0, y: y0, width: x1 - x0, height: y1 - y0, fill: "none",
    "pointer-events": "none", "vector-effect": "non-scaling-stroke" };
  const parts = [];
  if (!mark.counts) parts.push(make("rect", { ...box, stroke: "#202020", "stroke-width": 2 }));
  parts.push(make("rect", { ...box,
    stroke: mark.counts ? colours.found : colours.ignored, "stroke-width": mark.counts ? 3 : 2,
    ...(mark.counts ? {} : { "stroke-dasharray": "6 6" }) }));
  const size = (overlay.clientWidth < 600 ? 11 : 14) * one;
  const words = mark.counts ? `${mark.label} ${mark.score.toFixed(2)}` :
    `near miss ${mark.score.toFixed(2)}`;
  const [above, below] = [y0 - 0.4 * size, y1 + 1.1 * size];
  const isAbove = mark.counts ? above > size : below > view.height - 0.3 * size;
  const text = make("text", {
    x: Math.max(0, Math.min(x0, view.width - 0.65 * size * words.length)),
    y: isAbove ? above : Math.min(below, view.height - 0.3 * size),
    fill: mark.counts ? colours.found : "#d8d8d8", "stroke-width": 3 * one,
    "pointer-events": "none",
  });
  text.style.fontSize = `${size}px`;
  text.textContent = words;
  return [...parts, text];
}

const points = () => region.map((corner) => corner.join(",")).join(" ");

function drawnRegion() {
  if (!region.length) return [];
  const whole = `M0 0H${view.width}V${view.height}H0Z`;
  const line = { "vector-effect": "non-scaling-stroke", fill: "none", "pointer-events": "none" };
  return [
    make("path", { d: `${whole}M${region.map((c) => c.join(" ")).join("L")}Z`, fill: "#000",
      "fill-opacity": 0.45, "fill-rule": "evenodd", "pointer-events": "none" }),
    make("polygon", { points: points(), ...line, stroke: "#202020", "stroke-width": 4 }),
    make("polygon", { points: points(), ...line, stroke: "#ffd400", "stroke-width": 2 }),
  ];
}

function handles() {
  const one = pixel();
  const between = region.length < MOST_CORNERS ? region.map(([x, y], i) => {
    const [nextX, nextY] = region[(i + 1) % region.length];
    const group = handleAt((x + nextX) / 2, (y + nextY) / 2, 5 * one, one, "#ffffff");
    group.addEventListener("pointerdown", (event) => {
      remember();
      region.splice(i + 1, 0, [Math.round((x + nextX) / 2), Math.round((y + nextY) / 2)]);
      begin(event, { corner: i + 1 });
    });
    return group;
  }) : [];
  const corners = region.map(([x, y], i) => {
    const group = handleAt(x, y, 8 * one, one, "#ffd400");
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", `corner ${i + 1} at ${x} ${y}`);
    group.dataset.corner = String(i);
    group.addEventListener("pointerdown", (event) => {
      remember();
      begin(event, { corner: i });
    });
    group.addEventListener("keydown", (event) => moveByKey(event, i));
    return group;
  });
  return [...between, ...corners];
}

function handleAt(x, y, radius, one, colour) {
  const group = make("g", { class: "handle" });
  group.append(
    make("circle", { cx: x, cy: y, r: Math.max(radius, 16 * one), fill: "transparent" }),
    make("circle", { cx: x, cy: y, r: radius, fill: colour, stroke: "#202020", class: "dot",
      "stroke-width": 2, "vector-effect": "non-scaling-stroke" }),
  );
  return group;
}

// ---- editing the region ----

function remember() {
  past.push(region.map((corner) => [...corner]));
  if (past.length > 100) past.shift();
}

function inside(x, y) {
  const clamp = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
  return [clamp(x, view.width), clamp(y, view.height)];
}

function at(event) {
  const rect = overlay.getBoundingClientRect();
  return inside((event.clientX - rect.left) * view.width / rect.width,
    (event.clientY - rect.top) * view.height / rect.height);
}

function begin(event, what) {
  event.preventDefault();
  event.stopPropagation();
  pull = { ...what, id: event.pointerId };
  overlay.setPointerCapture(event.pointerId);
  redraw();
}

function redraw() {
  const held = pull;
  pull = null;
  drawOverlay();
  pull = held;
  if (!typing) part("corners").value = region.map((c) => c.join(" ")).join(", ");
  part("undo").disabled = !past.length;
  const same = JSON.stringify(region) === JSON.stringify(saved);
  part("save").disabled = same;
  part("unsaved").hidden = same;
}

overlay.addEventListener("pointerdown", (event) => {
  if (!drawing || !view || !view.width) return;
  const start = at(event);
  remember();
  region = [];
  begin(event, { start });
});

overlay.addEventListener("pointermove", (event) => {
  if (!pull || event.pointerId !== pull.id) return;
  const [x, y] = at(event);
  if (pull.start) {
    const [left, top] = pull.start;
    const [x0, x1] = [Math.min(left, x), Math.max(left, x)];
    const [y0, y1] = [Math.min(top, y), Math.max(top, y)];
    region = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  } else {
    region[pull.corner] = [x, y];
  }
  redraw();
});

function release(event) {
  if (!pull || event.pointerId !== pull.id) return;
  const { corner, start } = pull;
  pull = null;
  if (start) {
    const tiny = !region.length || region[2][0] - region[0][0] < 16 ||
      region[2][1] - region[0][1] < 16;
    if (tiny) region = past.pop();
    else draw(false);
  }
  redraw();
  const handle = overlay.querySelector(`[data-corner="${corner}"]`);
  if (handle) handle.focus({ preventScroll: true });
}
overlay.addEventListener("pointerup", release);
overlay.addEventListener("pointercancel", release);

function draw(on) {
  drawing = on;
  part("draw").setAttribute("aria-pressed", String(on));
  overlay.classList.toggle("drawing", on);
}

function moveByKey(event, i) {
  const step = event.shiftKey ? 10 : 1;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step],
    ArrowDown: [0, step] };
  const [x, y] = region[i];
  let focus = i;
  if (moves[event.key]) {
    remember();
    region[i] = inside(x + moves[event.key][0], y + moves[event.key][1]);
  } else if ((event.key === "Insert" || event.key === "+") && region.length < MOST_CORNERS) {
    remember();
    const [nextX, nextY] = region[(i + 1) % region.length];
    region.splice(i + 1, 0, inside((x + nextX) / 2, (y + nextY) / 2));
    focus = i + 1;
  } else if ((event.key === "Delete" || event.key === "Backspace") && region.length > 3) {
    remember();
    region.splice(i, 1);
    focus = Math.min(i, region.length - 1);
  } else {
    return;
  }
  event.preventDefault();
  redraw();
  overlay.querySelector(`[data-corner="${focus}"]`).focus({ preventScroll: true });
}

part("draw").addEventListener("click", () => draw(!drawing));
part("middle").addEventListener("click", () => {
  if (!view || !view.width) return;
  remember();
  const [x0, y0] = inside(view.width / 4, view.height / 4);
  const [x1, y1] = inside(3 * view.width / 4, 3 * view.height / 4);
  region = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  redraw();
});
part("undo").addEventListener("click", () => {
  if (past.length) region = past.pop();
  redraw();
});
part("clear").addEventListener("click", () => {
  remember();
  region = [];
  draw(false);
  redraw();
});
part("corners").addEventListener("focus", () => { typing = true; });
part("corners").addEventListener("blur", () => { typing = false; redraw(); });
part("corners").addEventListener("change", (event) => {
  const numbers = event.target.value.split(/[\s,;[\]]+/).filter(Boolean).map(Number);
  if (numbers.length % 2 || numbers.some((n) => !Number.isFinite(n))) {
    say("corners must be pairs of numbers, such as 100 80, 600 80, 600 400", "bad");
    return;
  }
  remember();
  region = [];
  for (let i = 0; i < numbers.length; i += 2) region.push([numbers[i], numbers[i + 1]]);
  say("");
  redraw();
});
part("again").addEventListener("click", () => post("best", {}).catch((e) => say(e.message, "bad")));
part("load").addEventListener("click", () => load().then(() => say("loaded", "good"),
  (error) => say(error.message, "bad")));
part("save").addEventListener("click", async () => {
  try {
    take(await post("region", { region, sha256: fileSum }));
    say("saved; it counts from the next start of the service on", "good");
  } catch (error) {
    say(error.message, "bad");
  }
});

function say(text, kind = "") {
  part("said").textContent = text;
  part("said").className = kind;
}

function take(settings) {
  region = settings.region;
  saved = settings.region.map((corner) => [...corner]);
  fileSum = settings.sha256;
  colours = settings.colours || colours;
  past = [];
  showModel(settings.model);
  redraw();
}

async function load() {
  take(await (await ask("settings")).json());
}

window.addEventListener("resize", () => { if (view) drawOverlay(); });
openByLink().then(load).catch((error) => {
  heardMs = -GONE_MS;
  badge("no answer", error.message);
}).finally(poll);

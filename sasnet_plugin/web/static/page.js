"use strict";
// The page of `sasnet tag`: a grid of which only what is seen exists, keys, and requests. What comes from files and
// people is put in as text, never as HTML; parts that are HTML come from the server's templates, which escape.
const $ = (id) => document.getElementById(id);
const grid = $("grid"), all = $("all"), single = $("single");
const LABELS = 68; // pixels of a cell below its picture
const state = {
  selection: "", count: 0, cells: new Map(), cursor: 0, anchor: 0, chosen: new Set(), everything: false,
  tags: JSON.parse(document.body.dataset.tags), version: "", open: null, waiting: new Set(), like: null, silent: false,
};

function tell(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

async function ask(where, body) {
  let answer;
  try {
    answer = await fetch(where, body === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    state.silent = true;
    tell("The server does not answer; what was not confirmed is not kept. Start sasnet tag again.");
    throw new Error("no answer");
  }
  const found = await answer.json().catch(() => ({ problem: `The server answered ${answer.status}.` }));
  // What was said of an action stays until the next one, whatever the grid asks for meanwhile.
  if (!answer.ok) tell(found.problem || `The server answered ${answer.status}.`);
  else if (state.silent) tell("");
  state.silent = false;
  if (!answer.ok) throw new Error(found.problem);
  return found;
}

// -- the grid: cells are as wide as the slider says; of 10⁵ images those in sight are there

const size = () => Number($("size").value);
const columns = () => Math.max(1, Math.floor((grid.clientWidth - 4) / size()));
const height = () => size() + LABELS - 20;

function layout() {
  document.documentElement.style.setProperty("--size", `${size()}px`);
  all.style.height = `${Math.ceil(state.count / columns()) * height()}px`;
  draw();
}

function inSight() {
  const first = Math.max(0, Math.floor(grid.scrollTop / height()) - 1) * columns();
  const rows = Math.ceil(grid.clientHeight / height()) + 3;
  return [first, Math.min(state.count, first + rows * columns())];
}

function draw() {
  const [first, end] = inSight();
  const kept = new Map();
  for (const cell of [...all.children]) {
    const place = Number(cell.dataset.place);
    if (place < first || place >= end) cell.remove(); else kept.set(place, cell);
  }
  const missing = [];
  for (let place = first; place < end; place++) {
    const known = state.cells.get(place);
    if (!known) missing.push(place);
    const cell = kept.get(place) || all.appendChild(newCell(place));
    cell.style.left = `${(place % columns()) * size() + 4}px`;
    cell.style.top = `${Math.floor(place / columns()) * height()}px`;
    cell.classList.toggle("cursor", place === state.cursor);
    cell.classList.toggle("chosen", state.everything || state.chosen.has(place));
    if (known) fill(cell, known);
  }
  if (missing.length) fetchCells(missing[0], missing[missing.length - 1] - missing[0] + 1);
}

const percent = (p) => (p > 0.99 ? ">99 %" : `${Math.round(100 * p)} %`); // never certainty

function newCell(place) {
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.dataset.place = place;
  cell.append(document.createElement("img"), span("name", ""), span("labels", ""));
  cell.firstChild.alt = "";
  return cell;
}

function span(kind, text) {
  const found = document.createElement("span");
  found.className = kind;
  found.textContent = text;
  return found;
}

function fill(cell, known) {
  const mark = `${known.row}.${known.version}`;
  if (cell.dataset.mark === mark) return;
  cell.dataset.mark = mark;
  const [picture, name, labels] = cell.children;
  // By what its file holds; while that is not known, by its row, which is never kept.
  const waiting = `/thumb/${known.row}?v${known.version}`;
  const source = known.picture ? `/thumb/${known.picture}` : known.problem ? "" : waiting;
  picture.onerror = () => { picture.onerror = null; picture.setAttribute("src", waiting); };
  if (picture.getAttribute("src") !== source) source ? picture.setAttribute("src", source) : picture.removeAttribute("src");
  name.textContent = known.title ? `${known.file} · ${known.title}` : known.file;
  cell.title = known.problem || name.textContent;
  labels.replaceChildren();
  if (known.problem) labels.append(span("no", known.problem));
  for (const [tag, value] of known.labels) labels.append(span(value ? "yes" : "no", state.tags[tag]), " ");
  for (const [tag, p] of known.suggested) labels.append(span("model", `${state.tags[tag]} ${percent(p)}`), " ");
}

async function fetchCells(start, count) {
  const key = `${state.selection}.${start}.${count}`;
  if (state.waiting.has(key) || !state.selection) return;
  state.waiting.add(key);
  const selection = state.selection;
  try {
    const found = await ask(`/api/cells?selection=${selection}&start=${start}&count=${Math.min(count, 400)}`);
    if (selection !== state.selection) return;
    newTags(found.tags);
    found.cells.forEach((cell, index) => state.cells.set(found.start + index, cell));
    draw();
  } catch (error) {
    if (String(error.message).includes("out of date")) select(true);
  } finally {
    state.waiting.delete(key);
  }
}

function refresh() {
  const [first, end] = inSight();
  for (const place of [...state.cells.keys()]) if (place < first || place >= end) state.cells.delete(place);
  if (end > first) fetchCells(first, end - first);
}

async function select(keep, like) {
  const wanted = { filter: $("filter").value, order: $("order").value };
  if (like !== undefined) wanted.like = like;
  const found = await ask("/api/select", wanted).catch(() => null);
  if (!found) return;
  Object.assign(state, { selection: found.selection, count: found.count, cells: new Map(), everything: false, like: like ?? null });
  state.chosen.clear();
  state.cursor = keep ? Math.min(state.cursor, Math.max(found.count - 1, 0)) : 0;
  state.anchor = state.cursor;
  $("count").textContent = like === undefined ? `${found.count.toLocaleString("en")} images` : `${found.count} images like one`;
  all.replaceChildren();
  if (!keep) grid.scrollTop = 0;
  hint();
  layout();
}

// -- people's acts

const who = () => $("who").value;

function targets() {
  if (state.open !== null) return { rows: [state.open] };
  if (state.everything) return { selection: state.selection };
  // By their places: of those out of sight the page does not know which images they are.
  return { selection: state.selection, places: state.chosen.size ? [...state.chosen] : [state.cursor] };
}

// One after the other: a request that overtook the one before would be taken back in its place.
let sent = Promise.resolve();

async function act(where, body) {
  tell("");
  const said = { who: who(), ...body };
  const answer = sent.then(() => ask(where, said));
  sent = answer.catch(() => null);
  try {
    const found = await answer;
    await after();
    return found;
  } catch { return null; }
}

async function after() {
  refresh();
  if (state.open !== null) await show(state.open, true);
  htmx.trigger("#status", "refresh");
}

function current(tag) {
  const place = state.open !== null ? [...state.cells].find(([, cell]) => cell.row === state.open)?.[0] : state.cursor;
  const cell = state.cells.get(place);
  const found = cell && cell.labels.find(([index]) => state.tags[index] === tag);
  return found ? found[1] : -1;
}

// A key says yes; where yes was said, no; where no was said, nothing.
const next = (tag) => ({ "-1": 1, 1: 0, 0: -1 })[current(tag)];
const label = (tag, value) => act("/api/tag", { ...targets(), tag, value: value ?? next(tag) });

async function show(row, again) {
  if (!again) state.open = row;
  await htmx.ajax("GET", `/image/${row}`, { target: "#single", swap: "innerHTML" });
  single.hidden = state.open === null;
  look();
}

function look() {
  const picture = $("picture");
  if (!picture) return;
  const [view, scale, colours] = ["view", "scale", "colours"].map((id) => $(id).value);
  const source = `/view/${picture.dataset.row}?view=${view}&scale=${scale}&colours=${colours}&mask=${$("mask").checked}`;
  picture.onerror = async () => {
    const answer = await fetch(source);
    const found = await answer.json().catch(() => ({}));
    if ($("picture-problem")) $("picture-problem").textContent = found.problem || "The image cannot be shown.";
  };
  picture.src = source;
}

function close() {
  state.open = null;
  single.hidden = true;
  single.replaceChildren();
  grid.focus();
}

function move(to, extend) {
  to = Math.max(0, Math.min(state.count - 1, to));
  state.everything = false;
  if (extend) {
    state.chosen.clear();
    for (let place = Math.min(state.anchor, to); place <= Math.max(state.anchor, to); place++) state.chosen.add(place);
  } else {
    state.anchor = to;
    state.chosen.clear();
  }
  state.cursor = to;
  const top = Math.floor(to / columns()) * height();
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + height() > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + height() - grid.clientHeight;
  hint();
  draw();
  if (state.open !== null && state.cells.get(to)) show(state.cells.get(to).row);
}

function hint() {
  const number = state.everything ? state.count : state.chosen.size;
  $("chosen").textContent = number ? `${number.toLocaleString("en")} selected images` : "the image with the frame";
}

function newTags(tags) {
  if (tags.length === $("tags").children.length && tags.every((tag, index) => tag === state.tags[index])) return;
  state.tags = tags;
  $("tags").replaceChildren(...tags.map((tag, index) => {
    const item = document.createElement("li"), key = document.createElement("kbd");
    key.textContent = index < 9 ? index + 1 : "";
    item.dataset.do = "label";
    item.dataset.tag = tag;
    item.append(key, tag);
    return item;
  }));
  $("accept-tag").replaceChildren(new Option("every tag", ""), ...tags.map((tag) => new Option(tag, tag)));
}

const DO = {
  undo: () => act("/api/undo", {}), redo: () => act("/api/redo", {}), close,
  label: (at) => label(at.tag, at.value === undefined ? undefined : Number(at.value)),
  "accept-one": () => act("/api/accept", { ...targets(), least: 0.5 }),
  "reject-one": () => act("/api/accept", { ...targets(), least: 0.5, value: 0 }),
  alike: (at) => { const row = Number(at.row); close(); select(false, row); },
  predict: () => act("/api/predict", {}), "predict-list": () => act("/api/predict", { selection: state.selection }),
  stop: () => act("/api/stop", {}), retrain: () => act("/api/retrain", {}), use: () => act("/api/use", {}),
  together: async () => {
    await htmx.ajax("GET", "/together", { target: "#single", swap: "innerHTML" });
    state.open = null;
    single.hidden = false;
  },
};

document.addEventListener("click", (event) => {
  const at = event.target.closest("[data-do]"), link = event.target.closest("[data-filter]");
  const cell = event.target.closest(".cell");
  if (at) { DO[at.dataset.do](at.dataset); if (at.closest("aside")) grid.focus(); }
  else if (link) {
    event.preventDefault();
    $("filter").value = link.dataset.filter;
    $("order").value = link.dataset.order || $("order").value;
    close();
    select();
  } else if (cell) {
    const place = Number(cell.dataset.place);
    if (event.ctrlKey || event.metaKey) { state.cursor = state.anchor = place; toggle(place); }
    else move(place, event.shiftKey);
    grid.focus();
  }
});
grid.addEventListener("dblclick", () => open());

function open() {
  const cell = state.cells.get(state.cursor);
  if (cell) show(cell.row);
}

function toggle(place) {
  if (state.chosen.has(place)) state.chosen.delete(place); else state.chosen.add(place);
  hint();
  draw();
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.altKey) {
    if (event.key === "Escape") grid.focus();
    return;
  }
  const act = KEYS[event.key] || (/^[1-9]$/.test(event.key) && (() => state.tags[event.key - 1] && label(state.tags[event.key - 1])));
  const control = event.ctrlKey || event.metaKey;
  if (!act || (control && !["a", "z", "Z"].includes(event.key))) return;
  event.preventDefault();
  act(event.shiftKey, control);
});
const KEYS = {
  ArrowRight: (shift) => move(state.cursor + 1, shift), ArrowLeft: (shift) => move(state.cursor - 1, shift),
  ArrowDown: (shift) => move(state.cursor + columns(), shift), ArrowUp: (shift) => move(state.cursor - columns(), shift),
  PageDown: () => move(state.cursor + columns() * Math.floor(grid.clientHeight / height())),
  PageUp: () => move(state.cursor - columns() * Math.floor(grid.clientHeight / height())),
  Home: () => move(0), End: () => move(state.count - 1),
  " ": () => toggle(state.cursor), Enter: open, Escape: () => { if (single.hidden) move(state.cursor); else close(); },
  z: () => DO.undo(), Z: () => DO.redo(), x: () => DO["reject-one"](),
  a: (shift, control) => {
    if (!control) return DO["accept-one"]();
    state.everything = true;
    hint();
    draw();
  },
  s: () => state.cells.get(state.cursor) && DO.alike({ row: state.open ?? state.cells.get(state.cursor).row }),
};

$("filters").addEventListener("submit", (event) => { event.preventDefault(); select(); grid.focus(); });
$("order").addEventListener("change", () => { select(); grid.focus(); });
$("size").addEventListener("input", layout);
for (const id of ["view", "scale", "colours", "mask"]) $(id).addEventListener("change", () => { look(); grid.focus(); });
$("new-tag").addEventListener("submit", async (event) => {
  event.preventDefault();
  const found = await ask("/api/tags", { name: event.target.name.value }).catch(() => null);
  if (found) { newTags(found.tags); event.target.reset(); }
});
$("accept").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target.elements;
  const body = { selection: state.selection, tag: form.tag.value, least: Number(form.least.value), most: Number(form.most.value) };
  const found = await act("/api/accept", body);
  if (found) tell(`Accepted ${found.accepted}, rejected ${found.rejected}; z takes it back.`);
});
$("import").addEventListener("change", async (event) => {
  const answer = await fetch(`/api/import?who=${encodeURIComponent(who())}`, { method: "POST", body: event.target.files[0] });
  const found = await answer.json();
  tell(found.problem || `${found.done} labels were new; z takes them back.`);
  event.target.value = "";
  after();
});
grid.addEventListener("scroll", draw, { passive: true });
addEventListener("resize", layout);
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "status") return;
  const version = event.target.querySelector("[data-version]")?.dataset.version;
  if (version && version !== state.version && state.version) {
    if (state.count) refresh(); else select(true);
  }
  state.version = version;
});
try { $("who").value = localStorage.getItem("who") || $("who").value; } catch { /* no storage */ }
$("who").addEventListener("change", () => { try { localStorage.setItem("who", who()); } catch { /* no storage */ } });
history.replaceState(null, "", location.pathname); // the token is not kept in the history
newTags(state.tags);
select();

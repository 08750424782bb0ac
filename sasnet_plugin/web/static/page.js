"use strict";
// The page of `sasnet tag`: a grid of which only what is seen exists, keys, and requests. What comes from files and
// people is put in as text, never as HTML; parts that are HTML come from the server's templates, which escape.
const $ = (id) => document.getElementById(id);
const grid = $("grid"), all = $("all"), single = $("single");
const LABELS = 68; // pixels of a cell below its picture
const state = {
  selection: "", count: 0, cells: new Map(), cursor: 0, anchor: 0, chosen: new Set(), everything: false,
  tags: JSON.parse(document.body.dataset.tags), version: "", open: null, waiting: new Set(), like: null, cause: "", asked: 0,
  many: Number(document.body.dataset.many),
};

// What is said of one thing goes with it: a sentence about a list is gone when the list is there.
function tell(text, cause) {
  state.cause = text ? cause || "" : "";
  $("problem").textContent = text;
  $("problem").classList.toggle("done", cause === "done");
  $("problem").hidden = !text;
}

function tellFilter(text) {
  $("filter-problem").textContent = text;
  $("filter-problem").hidden = !text;
  $("filter").setAttribute("aria-invalid", text ? "true" : "false");
}

function working(more) {
  state.asked += more;
  document.body.classList.toggle("working", state.asked > 0);
  grid.setAttribute("aria-busy", state.asked > 0);
}

async function ask(where, body) {
  const cause = where.split("?")[0];
  working(1);
  try { return await asked(where, body, cause); } finally { working(-1); }
}

async function asked(where, body, cause) {
  let answer;
  try {
    answer = await fetch(where, body === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    tell("The server does not answer; unconfirmed changes are lost. Start sasnet tag again.", "silent");
    throw new Error("no answer");
  }
  const found = await answer.json().catch(() => ({ problem: `The server answered ${answer.status}.` }));
  const problem = found.problem || `The server answered ${answer.status}.`;
  // What was said of an action stays until the next one, whatever the grid asks for meanwhile.
  if (answer.ok && (state.cause === cause || state.cause === "silent")) tell("");
  if (cause === "/api/select") tellFilter(answer.ok ? "" : problem);
  else if (!answer.ok) tell(problem, cause);
  if (!answer.ok) throw new Error(problem);
  return found;
}

const many = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

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
    if (place >= first && place < end) { kept.set(place, cell); continue; }
    if (cell === document.activeElement) grid.focus({ preventScroll: true });
    cell.remove();
  }
  const missing = [];
  for (let place = first; place < end; place++) {
    const known = state.cells.get(place);
    if (!known) missing.push(place);
    const cell = kept.get(place) || all.appendChild(newCell(place));
    cell.style.left = `${(place % columns()) * size() + 4}px`;
    cell.style.top = `${Math.floor(place / columns()) * height()}px`;
    cell.classList.toggle("cursor", place === state.cursor);
    cell.tabIndex = place === state.cursor ? 0 : -1;
    const chosen = state.everything || state.chosen.has(place);
    cell.classList.toggle("chosen", chosen);
    cell.setAttribute("aria-pressed", chosen);
    if (known) fill(cell, known);
  }
  if (missing.length) fetchCells(missing[0], missing[missing.length - 1] - missing[0] + 1);
}

const percent = (p) => (p > 0.99 ? ">99 %" : `${Math.round(100 * p)} %`); // never certainty

function newCell(place) {
  const cell = document.createElement("button");
  cell.type = "button";
  cell.className = "cell";
  cell.dataset.place = place;
  cell.append(document.createElement("img"), span("name", "…"), span("labels", ""));
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
  name.textContent = known.title ? `${known.file} · ${known.title}` : known.number > 1 ? `${known.file} · ${known.number}` : known.file;
  cell.title = known.problem || name.textContent;
  labels.replaceChildren();
  if (known.problem) labels.append(span("problem", known.problem));
  // What the image is comes first: a model's suggestions that were accepted say of many tags that they are not there.
  // A screen reader reads the button as it is written, and what colours and strokes say.
  const say = (kind, tag, before, after) => labels.append(span("spoken", before), span(kind, tag + after), " ");
  for (const [tag, value] of known.labels) if (value) say("yes", state.tags[tag], "; ", "");
  for (const [tag, p] of known.suggested) say("model", state.tags[tag], "; the model says ", ` ${percent(p)}`);
  for (const [tag, value] of known.labels) if (!value) say("no", state.tags[tag], "; not ", "");
}

// Where keys go: to the image with the frame, which is a button; while it is out of sight, to the grid.
function home() {
  const cell = [...all.children].find((one) => Number(one.dataset.place) === state.cursor);
  (cell || grid).focus({ preventScroll: true });
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
  const turn = state.turn = (state.turn || 0) + 1;
  const shown = $("count").textContent;
  $("count").textContent = "Looking …";
  const found = await ask("/api/select", wanted).catch(() => null);
  if (turn !== state.turn) return; // a later one is asked for
  if (!found) { $("count").textContent = shown; return; }
  Object.assign(state, { selection: found.selection, count: found.count, cells: new Map(), everything: false, like: like ?? null });
  state.chosen.clear();
  state.cursor = keep ? Math.min(state.cursor, Math.max(found.count - 1, 0)) : 0;
  state.anchor = state.cursor;
  $("count").textContent = `${many(found.count, "image")}${like === undefined ? "" : ", most similar first"}`;
  all.replaceChildren();
  if (!keep) grid.scrollTop = 0;
  const inside = grid === document.activeElement;
  hint();
  layout();
  if (inside) home();
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
const label = (tag, value) => surely("/api/tag", { ...targets(), tag, value: value ?? next(tag) });

const number = (body) => (body.rows ? body.rows.length : body.places ? body.places.length : state.count);

// Of many images it is shown first what would be written, and asked.
async function surely(where, body, always) {
  if (!always && number(body) < state.many) return act(where, body);
  tell("");
  const said = { who: who(), ...body };
  const found = await ask(where, { ...said, preview: true }).catch(() => null);
  if (!found) return null;
  if (!found.labels) { tell("Nothing would change: all of these images have the label, or the model has no suggestion.", where); return null; }
  return (await agreed(found)) ? act(where, said) : null;
}

function agreed(found) {
  $("preview-title").textContent = `${many(found.labels, "label")} on ${many(found.images, "image")}`;
  const taken = found.labels - found.yes - found.no;
  const parts = [`${found.yes.toLocaleString("en")} yes, ${found.no.toLocaleString("en")} no`];
  if (taken) parts.push(`${taken.toLocaleString("en")} removed`);
  $("preview-about").textContent = `${parts.join(", ")}; press z to undo. ${found.images > found.first.length ? `The first ${found.first.length}:` : "These are:"}`;
  $("preview-first").replaceChildren(...found.first.map((one) => {
    const item = document.createElement("li"), picture = document.createElement("img");
    picture.alt = "";
    picture.src = `/thumb/${one.picture}`;
    const labels = span("labels", "");
    for (const [tag, value] of [...one.labels].sort((a, b) => b[1] - a[1])) labels.append(span(value === 1 ? "yes" : "no", value === -1 ? `${tag} ?` : tag), " ");
    item.append(picture, span("name", one.number > 1 ? `${one.file} · ${one.number}` : one.file), labels);
    return item;
  }));
  $("preview-write").textContent = `Write ${many(found.labels, "label")}`;
  const dialog = $("preview");
  dialog.returnValue = "";
  dialog.showModal();
  $("preview-leave").focus();
  return new Promise((done) => dialog.addEventListener("close", () => { home(); done(dialog.returnValue === "write"); }, { once: true }));
}

// Again: only what is said of the image; its picture stays, its tags keep their places, and so does the focus.
async function show(row, again) {
  if (!again) state.open = row;
  const places = [...single.querySelectorAll("tr[data-place]")].map((tag) => tag.dataset.place);
  if (again && places.length) {
    const at = single.contains(document.activeElement) ? document.activeElement.dataset : null;
    const where = at && `[data-do="${at.do}"]` + (at.tag ? `[data-tag="${CSS.escape(at.tag)}"][data-value="${at.value}"]` : "");
    await htmx.ajax("GET", `/image/${row}?order=${places}`, { target: "#single .facts", select: ".facts", swap: "outerHTML" });
    if (where) (single.querySelector(`${where}:not([disabled])`) || single).focus({ preventScroll: true });
    return;
  }
  await htmx.ajax("GET", `/image/${row}`, { target: "#single", swap: "innerHTML" });
  shown(state.open !== null);
  state.fine = false;
  closer();
  look();
}

async function look() {
  const picture = $("picture");
  if (!picture) return;
  $("under").textContent = "Loading …";
  const [view, scale, colours] = ["view", "scale", "colours"].map((id) => $(id).value);
  const source = `/view/${picture.dataset.row}?view=${view}&scale=${scale}&colours=${colours}&mask=${$("mask").checked}&fine=${Boolean(state.fine)}`;
  working(1);
  const answer = await fetch(source).catch(() => null);
  const problem = answer && answer.ok ? "" : ((await answer?.json().catch(() => null)) || {}).problem || "The image cannot be shown.";
  const bytes = problem ? null : await answer.blob();
  working(-1);
  if (picture !== $("picture")) return; // another one was opened
  $("picture-problem").textContent = problem;
  $("under").textContent = "";
  if (!bytes) return;
  const reader = new FileReader();
  reader.onload = () => { picture.src = reader.result; };
  reader.readAsDataURL(bytes);
  about(JSON.parse(answer.headers.get("X-Frame-About") || "null"), colours);
}

// -- where on the detector the mouse is, where the beam is, and what the colours mean

let frame = null;

function about(found, colours) {
  frame = found;
  $("bar").hidden = !found || found.low === undefined;
  if (!$("bar").hidden) {
    $("bar-colours").src = `/colours/${colours}`;
    $("bar-low").textContent = found.low;
    $("bar-top").textContent = `${found.top} (${found.scale})`;
  }
  const beam = $("beam");
  beam.hidden = !found || !found.centre;
  if (!beam.hidden) {
    const [x, y] = [(found.centre[0] + 0.5) / found.columns, (found.centre[1] + 0.5) / found.rows];
    beam.hidden = !(x >= 0 && x <= 1 && y >= 0 && y <= 1);
    beam.style.left = `${100 * x}%`;
    beam.style.top = `${100 * y}%`;
  }
  if (found && $("under")) $("under").textContent = found.axes;
}

// Where the picture is looked into closer; made anew with each one.
let zoom = null;

async function closer() {
  const { Zoom, where } = await import("/static/picture.js"), box = $("frame");
  if (!box) return;
  const seen = (x, y) => { if (frame && frame.rows && x >= 0 && x < 1 && y >= 0 && y < 1) $("under").textContent = where(frame, x, y); };
  zoom = new Zoom({ seen, closer: (scale) => { if (scale > 1.2 && frame?.step > 1 && !state.fine) { state.fine = true; look(); } } });
  zoom.add(box);
}

// Views, scales and colours are those of the image that is open; the grid has its own.
function shown(open) {
  single.hidden = !open;
  document.querySelector(".looks").hidden = !open;
}

function close() {
  state.open = null;
  shown(false);
  single.replaceChildren();
  frame = null;
  home();
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
  if (grid.contains(document.activeElement)) home();
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
    const item = document.createElement("li"), key = document.createElement("kbd"), button = document.createElement("button");
    key.textContent = index < 9 ? index + 1 : "";
    button.type = "button";
    button.dataset.do = "label";
    button.dataset.tag = tag;
    button.append(key, tag);
    item.append(button);
    return item;
  }));
  $("tag-names").replaceChildren(...tags.map((tag) => new Option("", tag)));
  $("accept-tag").replaceChildren(new Option("every tag", ""), ...tags.map((tag) => new Option(tag, tag)));
}

const DO = {
  open: () => open(),
  undo: () => act("/api/undo", {}), redo: () => act("/api/redo", {}), close,
  label: (at) => label(at.tag, at.value === undefined ? undefined : Number(at.value)),
  "accept-one": () => surely("/api/accept", { ...targets(), least: 0.5 }),
  "reject-one": () => surely("/api/accept", { ...targets(), least: 0.5, value: 0 }),
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
  const nearer = event.target.closest("[data-zoom]");
  if (nearer && zoom) return zoom.by(Number(nearer.dataset.zoom));
  const at = event.target.closest("[data-do]"), link = event.target.closest("[data-filter]");
  const cell = event.target.closest(".cell");
  if (at) { DO[at.dataset.do](at.dataset); if (at.closest("aside")) home(); }
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
    home();
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
  if ($("preview").open) return;
  if (event.target.matches("input, select, textarea") || event.altKey) {
    if (event.key === "Escape") home();
    return;
  }
  // Other buttons and links are pressed by these two, as everywhere.
  if ((event.key === " " || event.key === "Enter") && event.target.closest("button:not(.cell), a, summary")) return;
  const act = KEYS[event.key] || (/^[1-9]$/.test(event.key) && (() => state.tags[event.key - 1] && label(state.tags[event.key - 1])));
  const control = event.ctrlKey || event.metaKey;
  if (!act || (control && !["a", "z", "Z"].includes(event.key))) return;
  event.preventDefault();
  act(event.shiftKey, control);
});
// Some browsers press a button when the blank is let go, whatever was said of its key.
document.addEventListener("keyup", (event) => { if (event.key === " " && event.target.matches(".cell")) event.preventDefault(); });
const KEYS = {
  ArrowRight: (shift) => move(state.cursor + 1, shift), ArrowLeft: (shift) => move(state.cursor - 1, shift),
  ArrowDown: (shift) => move(state.cursor + columns(), shift), ArrowUp: (shift) => move(state.cursor - columns(), shift),
  PageDown: () => move(state.cursor + columns() * Math.floor(grid.clientHeight / height())),
  PageUp: () => move(state.cursor - columns() * Math.floor(grid.clientHeight / height())),
  Home: () => move(0), End: () => move(state.count - 1),
  " ": () => toggle(state.cursor), Enter: open, Escape: () => { if (single.hidden) move(state.cursor); else close(); },
  t: () => $("named").focus(),
  z: () => DO.undo(), Z: () => DO.redo(), x: () => DO["reject-one"](),
  a: (shift, control) => {
    if (!control) return DO["accept-one"]();
    state.everything = true;
    hint();
    draw();
  },
  s: () => state.cells.get(state.cursor) && DO.alike({ row: state.open ?? state.cells.get(state.cursor).row }),
};

$("filters").addEventListener("submit", (event) => { event.preventDefault(); select(); home(); });
$("filter").addEventListener("input", () => tellFilter(""));
$("order").addEventListener("change", () => { select(); home(); });
$("by-name").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("named").value.trim().toLowerCase();
  const begin = state.tags.filter((tag) => tag.toLowerCase().startsWith(text));
  const tag = state.tags.find((one) => one.toLowerCase() === text) || (begin.length === 1 && begin[0]);
  if (!text) return home();
  if (!tag) return tell(begin.length ? `${begin.length} tags begin with ${text}: ${begin.slice(0, 6).join(", ")}; write more.` : `No tag begins with ${text}; add it below.`, "named");
  $("named").value = "";
  label(tag);
  home();
});
$("named").addEventListener("input", () => { if (state.cause === "named") tell(""); });
$("preview-write").addEventListener("click", () => $("preview").close("write"));
$("preview-leave").addEventListener("click", () => $("preview").close());
$("size").addEventListener("input", layout);
for (const id of ["view", "scale", "colours", "mask"]) $(id).addEventListener("change", () => { look(); home(); });
$("new-tag").addEventListener("submit", async (event) => {
  event.preventDefault();
  const found = await ask("/api/tags", { name: event.target.name.value }).catch(() => null);
  if (found) { newTags(found.tags); event.target.reset(); }
});
$("accept").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target.elements;
  const body = { selection: state.selection, tag: form.tag.value, least: Number(form.least.value), most: Number(form.most.value) };
  const found = await surely("/api/accept", body, true);
  if (found) tell(`Accepted ${found.accepted}, rejected ${found.rejected}; press z to undo.`, "done");
});
$("kind")?.addEventListener("change", async () => {
  const done = await ask("/api/tagging", { kind: $("kind").value }).catch(() => null);
  if (done) location.reload();
});
$("import").addEventListener("change", async (event) => {
  const answer = await fetch(`/api/import?who=${encodeURIComponent(who())}`, { method: "POST", body: event.target.files[0] });
  const found = await answer.json();
  tell(found.problem || (found.done ? `${found.done} labels were new; press z to undo.` : "No label was new."), found.problem ? "" : "done");
  event.target.value = "";
  after();
});
grid.addEventListener("scroll", draw, { passive: true });
addEventListener("resize", layout);
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "status") return;
  const { version, images } = event.target.querySelector("[data-version]")?.dataset ?? {};
  // Files that came later are listed, and those that turned out to be curves are not; whoever has ticked
  // something keeps the list.
  const others = state.images !== undefined && Number(images) !== state.images && !state.chosen.size;
  if (others) select(true, state.like ?? undefined);
  else if (version && version !== state.version && state.version) {
    if (state.count) refresh(); else select(true);
  }
  Object.assign(state, { version, images: Number(images) });
});
try { $("who").value = localStorage.getItem("who") || $("who").value; } catch { /* no storage */ }
$("who").addEventListener("change", () => { try { localStorage.setItem("who", who()); } catch { /* no storage */ } });
history.replaceState(null, "", location.pathname); // the token is not kept in the history
newTags(state.tags);
select();

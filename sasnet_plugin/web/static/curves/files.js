// The list of data sets: of 100,000 rows those in sight exist; files are dropped anywhere on the page.
import { $, ask, el, keeping, percent, send, settle, tell } from "./net.js";
import { askedPlan } from "./plan.js";
import { describe, together } from "./together.js";

const HEIGHT = 44, AHEAD = 20;
const state = { order: "name", backwards: false, count: 0, start: 0, rows: [], version: -1, ticked: new Map(), at: "" };
let open = () => {};

export function files(opener) {
  open = opener;
  $("search").addEventListener("input", () => { $("list").scrollTop = 0; look(true); });
  $("list").addEventListener("scroll", () => look(false), { passive: true });
  addEventListener("resize", () => look(false));
  for (const head of document.querySelectorAll("th[data-order]")) head.firstElementChild.addEventListener("click", () => sort(head.dataset.order));
  for (const id of ["add", "add-images"]) $(id).addEventListener("change", async (event) => { await dropped([...event.target.files]); event.target.value = ""; });
  $("example").addEventListener("click", async () => { const found = await ask("/api/example", {}); open(found.key); });
  $("list").addEventListener("keydown", keys);
  for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => { event.preventDefault(); $("dropping").hidden = false; });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("dropping").hidden = true; });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    $("dropping").hidden = true;
    await dropped(await filesOf(event.dataTransfer));
  });
  $("all").addEventListener("change", tickAll);
  $("each").addEventListener("click", async () => {
    for (const key of state.ticked.keys()) await ask("/api/fits", { keys: [key] });
    tell("");
  });
  together(async (keys, how) => {
    tell("");
    const plan = await askedPlan($("describe-plan").checked, false);
    if (!plan) return;
    const fit = await ask("/api/fits", { keys, ...how, ...plan });
    open(keys[0], { fit: fit.number });
  });
  // In the order of files and entries, as the command would read them.
  $("together").addEventListener("click", () => describe([...state.ticked.entries()].map(([key, name]) => ({ key, name })).sort((a, b) => a.key.localeCompare(b.key, "en", { numeric: true }))));
}

export const tickedKeys = () => [...state.ticked.keys()];

async function tickAll() {
  if ($("all").checked) {
    const found = await ask(`/api/keys?${new URLSearchParams({ search: $("search").value })}`).catch(() => null);
    for (const [key, name] of found?.keys || []) state.ticked.set(key, name);
  } else state.ticked.clear();
  draw();
}

function sort(order) {
  state.backwards = state.order === order && !state.backwards;
  state.order = order;
  look(true);
}

let asked = 0, drawn = 0;
// Ask for what is in sight, where it is not there yet or has changed.
export async function look(anew) {
  if ($("files").hidden) return;
  const first = Math.max(0, Math.floor($("list").scrollTop / HEIGHT) - AHEAD);
  const seen = Math.ceil($("list").clientHeight / HEIGHT) + 2 * AHEAD;
  const at = `${first}.${seen}`;
  if (!anew && (at === state.at || (first >= state.start && first + seen - AHEAD <= state.start + state.rows.length))) return;
  state.at = at;
  const turn = ++asked;
  const query = new URLSearchParams({ search: $("search").value, order: state.order, backwards: state.backwards, start: first, count: seen });
  const found = await ask(`/api/files?${query}`).catch(() => null);
  // An answer to an earlier search may come after that to a later one.
  if (!found || at !== state.at || turn < drawn) return;
  drawn = turn;
  Object.assign(state, { count: found.count, start: found.start, rows: found.rows, version: found.version });
  for (const one of found.rows) if (!tickable(one)) state.ticked.delete(one.key); // it was ticked before it was read
  draw();
}

function draw() {
  const after = Math.max(0, state.count - state.start - state.rows.length);
  const focused = document.activeElement?.closest("tr")?.dataset.key, which = document.activeElement?.className;
  settle($("rows"), [space(state.start), ...shown(state.rows, (one) => state.ticked.has(one.key)), space(after)]);
  if (focused) $("rows").querySelector(`tr[data-key="${CSS.escape(focused)}"] .${which || "open"}`)?.focus({ preventScroll: true });
  for (const head of document.querySelectorAll("th[data-order]")) {
    const sorted = head.dataset.order === state.order ? (state.backwards ? "descending" : "ascending") : "none";
    head.setAttribute("aria-sort", sorted);
  }
  const empty = !state.count && !$("search").value;
  $("empty").hidden = !empty;
  $("list").hidden = empty;
  $("count").textContent = empty ? "" : `${state.count.toLocaleString("en")} data set${state.count === 1 ? "" : "s"}${state.ticked.size ? `, ${state.ticked.size} ticked` : ""}`;
  $("together").disabled = state.ticked.size < 2;
  $("each").disabled = $("batch").disabled = !state.ticked.size;
  $("all").checked = state.ticked.size > 0;
  $("all").indeterminate = state.ticked.size > 0 && state.ticked.size < state.count;
  document.querySelector("#list table").setAttribute("aria-rowcount", state.count + 1);
}

const shown = keeping(row);

// Whether a row holds a curve, as far as is known.
const tickable = (one) => !one.image && one.state !== "cannot be read";

function space(rows) {
  const found = el("tr", { className: "space" }, el("td", { colSpan: 7 }));
  found.setAttribute("aria-hidden", "true");
  found.style.height = `${rows * HEIGHT}px`;
  return found;
}

function row(one) {
  const name = one.entry && !one.file.includes(one.entry) ? `${one.file} · ${one.entry}` : one.file;
  const tick = el("input", { type: "checkbox", className: "tick", checked: state.ticked.has(one.key), disabled: !tickable(one), "aria-label": `Tick ${name}` });
  tick.addEventListener("change", () => {
    if (tick.checked) state.ticked.set(one.key, name); else state.ticked.delete(one.key);
    draw();
  });
  const opener = el("button", { className: "open", textContent: name, title: name, onclick: () => open(one.key) });
  const remove = one.dropped ? el("button", { className: "remove", textContent: "Remove", "aria-label": `Remove ${name}`, onclick: () => removed(one) }) : null;
  const found = el(
    "tr", {}, el("td", {}, tick), el("td", {}, opener, remove, el("small", { className: "below", "aria-hidden": "true", textContent: one.answer || one.doubt })), el("td", {}, one.image ? thumb(one.thumb) : spark(one.spark)),
    el("td", { title: one.answer, textContent: one.answer }),
    el("td", { className: "number", textContent: one.probability === null ? "" : percent(one.probability) }),
    el("td", { className: "doubt", title: one.doubt, textContent: one.doubt }),
    el("td", { className: `state ${one.level.replaceAll(" ", "-")}`, textContent: one.state }),
  );
  found.dataset.key = one.key;
  return found;
}

async function removed(one) {
  if (!confirm(`Remove ${one.file}? The file that you dropped stays where it was.`)) return;
  state.ticked.delete(one.key);
  await ask("/api/remove", { key: one.key }).catch(() => null);
  look(true);
}

const SVG = "http://www.w3.org/2000/svg";

function thumb(png) {
  return el("img", { className: "thumb", alt: "", src: `data:image/png;base64,${png}` });
}

function spark(heights) {
  const found = document.createElementNS(SVG, "svg");
  found.setAttribute("viewBox", "0 0 96 36");
  found.setAttribute("aria-hidden", "true");
  if (heights.length) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", heights.map((v, i) => `${(i * 94) / (heights.length - 1) + 1},${34 - v * 0.32}`).join(" "));
    found.append(line);
  }
  return found;
}

function keys(event) {
  if (event.target.tagName !== "BUTTON" && event.target.type !== "checkbox") return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  let next = event.target.closest("tr");
  do next = step > 0 ? next.nextElementSibling : next.previousElementSibling; while (next && !next.dataset.key);
  next?.querySelector(`.${event.target.className}`)?.focus();
}

// -- what is dropped

async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

// What the browser may not read is passed on as an error: the other files of a folder are taken all the same.
async function walk(entry, found) {
  if (entry.name.startsWith(".")) return;
  try {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      found.push(Object.assign(file, { within: entry.fullPath.split("/").slice(1, -1).join("/") }));
    }
    else for (const one of await within(entry)) await walk(one, found);
  } catch (error) {
    found.push(new Error(`The browser could not read ${entry.fullPath}: ${error.message}`));
  }
}

async function within(folder) {
  const reader = folder.createReader(), found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    found.push(...some);
  }
}

// Each with its reason, as far as a few lines hold them.
function notTaken(reasons) {
  if (reasons.length === 1) return reasons[0];
  const more = reasons.length > 5 ? ` … and ${reasons.length - 5} more.` : "";
  return `${reasons.length} files were not taken: ${reasons.slice(0, 5).join(" ")}${more}`;
}

async function dropped(given) {
  if (!given.length) return;
  tell("");
  const failed = given.filter((one) => one instanceof Error).map((error) => error.message), keys = [];
  const some = given.filter((one) => !(one instanceof Error));
  let done = 0, next = 0;
  const work = async () => {
    while (next < some.length) {
      const file = some[next++];
      try { keys.push((await send(`/api/drop?${new URLSearchParams({ name: file.name, within: file.within || "" })}`, file)).key); } catch (error) { failed.push(error.message); }
      if (++done % 20 === 0) $("busy").textContent = `${done} of ${some.length} files loaded`;
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  await ask("/api/scan", {}).catch(() => null);
  if (failed.length) tell(notTaken(failed));
  if (given.length === 1 && keys.length === 1 && !/\.toml$/i.test(some[0].name)) open(keys[0]);
  else if (!location.hash.startsWith("#images")) { location.hash = "#files"; look(true); }
}

// Take in what the poll has seen.
export function changed(version) {
  if (version !== state.version) look(true);
}

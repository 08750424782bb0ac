// Batches: many data sets fitted each on its own; how far they are, their rows, and their numbers along a series.
import { $, ask, el, number, numberIn, tell, unitText, unitWith, withError } from "./net.js";
import { known } from "./plan.js";
import { key, panel } from "./trend.js";

const SHOWN = 500, PANELS = 8, PLACE = "position in the series";
const LINKS = [["index.html", "Report"], ["trend.html", "Trend"], ["results.h5", "Results as HDF5"], ["results.csv", "Results as CSV"]];
const state = { all: [], version: -1, batch: null, rows: new Map(), came: 0, drawn: "" };
let open = () => {}, ticked = () => [];

export function batches(opener, chosen) {
  open = opener;
  ticked = chosen;
  $("batch").addEventListener("click", () => { $("batch-many").textContent = `${ticked().length.toLocaleString("en")} data sets, each fitted separately.`; $("ask-batch").showModal(); });
  $("batch-no").addEventListener("click", () => $("ask-batch").close());
  $("batch-start").addEventListener("click", start);
  $("against").addEventListener("change", () => draw(true));
  // Its width alone tells when a scroll bar has come beside the trends.
  new ResizeObserver(() => { if (state.batch && !$("batches").hidden) draw(); }).observe($("trends"));
}

async function start() {
    for (const id of ["batch-low", "batch-high"]) {
    $(id).setCustomValidity(Number.isFinite(numberIn($(id).value)) ? "" : "Write q as a number, in Å⁻¹.");
    if (!$(id).reportValidity()) return;
  }
  const models = $("batch-models").value.split(/[\s,]+/).filter(Boolean);
  const [low, high] = ["batch-low", "batch-high"].map((id) => numberIn($(id).value));
  const asked = {
    keys: ticked(), ...known("batch-known"), ...($("batch-limit").value ? { time_limit: Number($("batch-limit").value) } : {}), series: $("batch-series").checked,
    ...($("batch-unit").value ? { q_unit: $("batch-unit").value } : {}),
    ...(models.length ? { models } : {}), ...(low || high ? { window: [low, high || 1e3] } : {}),
  };
  $("ask-batch").close();
  const found = await ask("/api/batches", asked).catch(() => null);
  if (found) location.hash = `#batches?batch=${found.number}`;
}

// The tab is shown, with the batch of this number, else the newest.
export async function showBatches(wanted) {
  document.title = "Batches · sasnet";
  const found = await ask("/api/batches").catch(() => null);
  if (!found) return;
  state.all = found.batches;
  state.version = found.version;
  const chosen = state.all.find((one) => String(one.number) === wanted) || state.all[0];
  if (state.batch?.number !== chosen?.number) Object.assign(state, { rows: new Map(), came: 0, drawn: "" });
  state.batch = chosen || null;
  $("no-batch").hidden = Boolean(chosen);
  $("one-batch").hidden = !chosen;
  $("all-batches").replaceChildren(...state.all.map((one) => el("a", { href: `#batches?batch=${one.number}`, "aria-current": one === chosen ? "true" : "false" }, `Batch ${one.number}`)));
  if (chosen) await load();
}

async function load() {
  const { number: of } = state.batch;
  const found = await ask(`/api/batches/${of}?after=${state.came}`).catch(() => null);
  if (!found || state.batch?.number !== of) return;
  for (const row of found.rows) state.rows.set(row.key, row);
  state.batch = found;
  state.came = found.came;
  draw();
}

const ordered = () => [...state.rows.values()].sort((a, b) => a.place - b.place || a.entry - b.entry);

function draw(anew = false) {
  const one = state.batch, rows = ordered();
  $("batch-title").textContent = `Batch ${one.number}`;
  $("batch-bar").max = one.of;
  $("batch-bar").value = one.done;
  $("batch-state").textContent = said(one);
  const again = one.state === "done" && one.failed;
  const go = el("button", { id: "batch-go", textContent: again ? "Repeat failed files" : "Go on", hidden: one.open || one.finishing || (one.state === "done" && !one.failed), onclick: () => act("go") });
  const stop = el("button", { id: "batch-stop", textContent: "Stop", disabled: !one.open, onclick: () => act("stop") });
  if ($("batch-acts").dataset.state !== `${one.number}${go.hidden}${stop.disabled}`) $("batch-acts").replaceChildren(stop, go);
  $("batch-acts").dataset.state = `${one.number}${go.hidden}${stop.disabled}`;
  $("batch-links").replaceChildren(...LINKS.filter(([name]) => one.written.includes(name)).map(([name, title]) => el("a", { href: `/batches/${one.number}/${name}`, download: `batch ${one.number} ${name}`, textContent: title })));
  const at = `${one.number}.${state.came}.${$("against").value}.${$("trends").clientWidth}`;
  if (!anew && at === state.drawn) return;
  state.drawn = at;
  offer(rows);
  trends(rows.filter((row) => row.model));
  table(rows);
}

function said(one) {
  const failed = one.failed ? `, ${one.failed} without an answer` : "";
  const done = `${one.done.toLocaleString("en")} of ${one.of.toLocaleString("en")} files done${failed}`;
  const what = one.state === "waiting" ? "Waiting for other fits" : one.finishing ? "Writing the results" : { running: "Under way", done: "Done", stopped: "Stopped", failed: "Failed" }[one.state];
  return `${what}: ${done}.${one.problem ? ` ${one.problem}` : ""}`;
}

async function act(what) {
  tell("");
  await ask(`/api/batches/${state.batch.number}/${what}`, {}).catch(() => null);
  await showBatches(String(state.batch.number));
}

// Numbers of files, names and fits in which the data sets differ.
function offer(rows) {
  const names = new Map();
  const take = (name, value) => { if (Number.isFinite(value)) names.set(name, (names.get(name) || new Set()).add(value)); };
  for (const row of rows) {
    for (const [name, value] of Object.entries(row.at)) take(name, value);
    for (const [name, [value, , , fixed]] of Object.entries(row.values)) if (!fixed) take(name, value);
  }
  const found = [PLACE, ...[...names].filter(([, values]) => values.size > 1).map(([name]) => name)];
  if ([...$("against").options].map((one) => one.value).join("\n") === found.join("\n")) return;
  const before = $("against").value;
  $("against").replaceChildren(...found.map((name) => new Option(name)));
  if (found.includes(before)) $("against").value = before;
}

function name(row) {
  return row.structure_factor ? `${row.model}@${row.structure_factor}` : row.model;
}

function trends(rows) {
  const against = $("against").value || PLACE, first = Math.min(...rows.map((row) => row.at["modification time / min"] ?? Infinity));
  const place = (row) => (against === PLACE ? row.place + 1 : against === "modification time / min" ? row.at[against] - first : row.at[against] ?? row.values[against]?.[0]);
  const there = rows.map((row) => ({ row, x: place(row) })).filter(({ x }) => Number.isFinite(x)).sort((a, b) => a.x - b.x);
  const models = [...new Set(there.map(({ row }) => name(row)))];
  const counts = new Map();
  for (const { row } of there) for (const [key, [, , unit, fixed]] of Object.entries(row.values)) if (!fixed) counts.set(key, { n: (counts.get(key)?.n || 0) + 1, unit });
  const last = (key) => (key === "scale" || key === "background" ? 1 : 0);
  const shown = [...counts].sort(([a, one], [b, two]) => last(a) - last(b) || two.n - one.n).slice(0, PANELS - 1);
  const drawn = there.length < 2 ? [] : [...shown.map(([key, { unit }]) => [key, unit, (row) => row.values[key]]), ["reduced χ²", "", (row) => [row.chisq, null, "", false]]];
  $("trends").replaceChildren(...drawn.map(() => el("div", { className: "trend" })));
  $("trend-key").replaceChildren(...(drawn.length ? [key(models)] : []));
  drawn.forEach(([title, unit, of], k) => {
    const points = there.map(({ row, x }) => {
      const [value, error, , fixed] = of(row) || [null, null, "", true];
      return { x, value: fixed ? null : value, error, model: name(row), key: row.key };
    });
    const words = unitWith(unit, there.map(({ row }) => row.intensity_unit)), shownUnit = words ? ` / ${words}` : "";
    $("trends").children[k].setAttribute("role", "img");
    $("trends").children[k].setAttribute("aria-label", `${title} of ${points.length} data sets against ${against}`);
    panel($("trends").children[k], `${title}${shownUnit}`, against, points, models, open);
  });
  $("changes").textContent = changes(there.map(({ row }) => row));
}

function changes(rows) {
  const found = rows.slice(1).map((row, k) => (name(row) !== name(rows[k]) ? `${row.file}: ${name(rows[k])} → ${name(row)}` : "")).filter(Boolean);
  if (rows.length < 2) return "";
  if (!found.length) return `The model is ${name(rows[0])} in all frames.`;
  return `The model changes at ${found.slice(0, 3).join("; ")}${found.length > 3 ? `; and at ${found.length - 3} more` : ""}.`;
}

function table(rows) {
  const line = (row) => {
    const label = row.name && !row.file.includes(row.name) ? `${row.file} · ${row.name}` : row.file;
    const first = Object.entries(row.values).find(([key, [, , , fixed]]) => !fixed && key !== "scale" && key !== "background");
    return el(
      "tr", {}, el("td", {}, el("button", { className: "open", textContent: label, title: label, onclick: () => open(row.key) })),
      el("td", { textContent: row.model ? name(row) : "" }), el("td", { className: "number", textContent: row.chisq ? number(row.chisq, 3) : "" }),
      el("td", { textContent: first ? `${first[0]} ${withError(first[1][0], first[1][1])} ${unitText(first[1][2])}`.trim() : "" }),
      el("td", { className: row.error ? "doubt" : "", title: row.error || row.headline, textContent: row.error || row.headline }),
    );
  };
  $("batch-rows").replaceChildren(...rows.slice(0, SHOWN).map(line));
  $("batch-more").textContent = rows.length > SHOWN ? `The first ${SHOWN} of ${rows.length.toLocaleString("en")}; the report lists all.` : "";
}

// What the poll has seen.
export async function batchNews(found) {
  if (found.batches === state.version || $("batches").hidden) return;
  state.version = found.batches;
  await showBatches(String(state.batch?.number ?? ""));
}

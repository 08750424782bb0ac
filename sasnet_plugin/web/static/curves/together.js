// Several curves of one sample: what is known of them before a joint fit, and what they share after it.
import { $, ask, el, number, numberIn, unitText, unitWith, withError } from "./net.js";
import { known } from "./plan.js";

const COLUMNS = [
  ["solvents", "Solvent", "40%D2O or 2.5"], ["concentrations", "Concentration", "10"],
  ["probes", "Probe", ""], ["scale", "Scale, if known", ""], ["x", "x, for ties", ""],
];
const OF_FIELD = [["sectors", "Sector, azimuth:half-width", "0:15"], ["spins", "Spin state", ""]];
let rows = [], fitted = () => {};

export function together(fit) {
  fitted = fit;
  $("describe-fit").addEventListener("click", () => {
    if (!checked()) return;
    const keys = rows.map((row) => row.key);
    $("describe").close();
    fitted(keys, asked());
  });
  $("describe-no").addEventListener("click", () => $("describe").close());
}

// Ask what is known of these curves; nothing has to be said. Sectors that their files give are filled in, and what was entered before stays.
export async function describe(curves) {
  const before = new Map(rows.map((row) => [row.key, row.boxes]));
  const sectors = await ask("/api/sectors", { keys: curves.map((one) => one.key) }, true).catch(() => []);
  rows = curves.map((one, place) => ({ ...one, boxes: Object.fromEntries([...COLUMNS, ...OF_FIELD].map(([name, title, example]) => [name, box(name, `${title} of ${one.name}`, example, place)])) }));
  rows.forEach((row, place) => {
    row.boxes.sectors.value = (sectors[place] || []).map((angle) => number(angle, 6)).join(":");
    for (const [name, one] of Object.entries(before.get(row.key) || {})) row.boxes[name].value = one.value || row.boxes[name].value;
  });
  if (!rows.some((row) => before.has(row.key))) for (const id of ["describe-field", "describe-polarisation"]) $(id).value = "";
  $("describe-magnetic").open = rows.some((row) => row.boxes.sectors.value || row.boxes.spins.value);
  $("describe-curves").replaceChildren(boxes(COLUMNS));
  $("describe-sectors").replaceChildren(boxes(OF_FIELD));
  $("describe").showModal();
}

function boxes(columns) {
  const head = el("tr", {}, ...["Curve", ...columns.map(([, title]) => title)].map((name) => el("th", { scope: "col", textContent: name })));
  const body = rows.map((row) => el("tr", {}, el("th", { scope: "row", textContent: row.name }), ...columns.map(([name]) => el("td", {}, row.boxes[name]))));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...body));
}

function box(name, label, example, place) {
  if (name === "spins") return el("select", { "aria-label": label }, new Option("unpolarised", ""), ...$("describe").dataset.spins.split(" ").map((spin) => new Option(spin)));
  if (name === "probes") return el("select", { "aria-label": label }, ...["neutron", "xray"].map((probe) => new Option(probe)));
  return el("input", { type: "text", "aria-label": label, placeholder: place ? "" : example, spellcheck: false, maxLength: 100 });
}

// Whether what has to be numbers are some; the first that is none is said.
function checked() {
  $("describe-field").setCustomValidity(Number.isFinite(numberIn($("describe-field").value)) ? "" : "Enter degrees, or leave the field empty.");
  if (!$("describe-field").reportValidity()) return false;
  return rows.every((row) => ["concentrations", "scale", "x"].every((name) => {
    row.boxes[name].setCustomValidity(Number.isFinite(numberIn(row.boxes[name].value)) ? "" : "Enter a number, or leave the field empty.");
    return row.boxes[name].reportValidity();
  }));
}

// How they are fitted, and what was said of them.
function asked() {
  const models = $("describe-models").value.split(/[\s,]+/).filter(Boolean), said = described();
  return {
    time_limit: Number($("describe-limit").value) || null, ...known("describe-known"), ...(models.length ? { models } : {}),
    ...(Object.keys(said).length ? { sample_description: said } : {}),
  };
}

// What was said, in the sections of a sample file; curves by their number.
function described() {
  const found = {};
  for (const [name] of [...COLUMNS, ...OF_FIELD]) {
    const said = rows.map((row, place) => [String(place + 1), valued(row.boxes[name].value, WORDS.includes(name))]).filter(([, value]) => value !== "" && value !== "neutron");
    if (!said.length) continue;
    if (name === "x") found.values = { x: Object.fromEntries(said) };
    else found[name] = Object.fromEntries(said);
  }
  if ($("describe-field").value.trim()) found.field = numberIn($("describe-field").value);
  if ($("describe-polarisation").value.trim()) found.polarisation = $("describe-polarisation").value.trim();
  if ($("describe-kind").value) found.kind = $("describe-kind").value;
  else if (found.sectors || found.spins || "field" in found) found.kind = "sectors";
  for (const name of ["share", "own"]) {
    const said = $(`describe-${name}`).value.split(/[\s,]+/).filter(Boolean);
    if (said.length) found[name] = said;
  }
  const ties = $("describe-tie").value.split(";").map((text) => text.split("=")).filter(([, right]) => right?.trim());
  if (ties.length) found.tie = Object.fromEntries(ties.map(([left, ...right]) => [left.trim(), right.join("=").trim()]));
  return found;
}

const WORDS = ["probes", "sectors", "spins"];
function valued(text, word) {
  const said = text.trim();
  return word || !said || !Number.isFinite(numberIn(said)) ? said : numberIn(said);
}

// Parameters of a joint fit: those that all curves have in common, and those of each.
export function shared(answer, place, names) {
  const all = answer.sample.fits[place]?.parameters;
  if (!all) return [];
  const each = answer.each.map((one) => one.fit.fits[place].parameters);
  const own = Object.keys(each[0]).filter((name) => !(name in all));
  const value = (one) => {
    if (!one) return "";
    if (one.value === null) return "not determined";
    if (one.error === null && !one.fixed) return `${number(one.value, 3)} (error not known)`;
    return `${withError(one.value, one.error)}${one.fixed ? " (fixed)" : ""}`;
  };
  if (answer.sample.kind === "magnetic") names = answer.sample.files.map((name) => name.replace(/\S*\//g, "")); // nuclear and magnetic part
  const units = answer.each.map((one) => one.intensity_unit);
  const named = (name, one) => (unitText(one.unit) ? `${name} / ${unitWith(one.unit, units)}` : name);
  const row = (name, cells) => el("tr", {}, el("th", { scope: "row", textContent: name }), ...cells.map((text) => el("td", { textContent: text })));
  const last = names.map((name) => name.split("/").pop()), short = new Set(last).size === last.length ? last : names;
  const head = el("tr", {}, ...["Parameter", "All curves", ...short].map((name) => el("th", { scope: "col", textContent: name })));
  const body = [
    ...Object.entries(all).map(([name, one]) => row(named(name, one), [value(one), ...names.map(() => "")])),
    ...own.map((name) => row(named(name, each[0][name]), ["", ...each.map((one) => value(one[name]))])),
  ];
  const table = el("table", { className: "shared" }, el("thead", {}, head), el("tbody", {}, ...body));
  return [el("details", { open: true }, el("summary", { textContent: "Parameters that all curves share, and those of each" }), el("div", { className: "wide" }, table))];
}

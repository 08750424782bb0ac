// Several curves of one sample: what is known of them before a joint fit, and what they share after it.
import { $, el, numberIn, unitText, withError } from "./net.js";

const COLUMNS = [
  ["solvents", "Solvent", "40%D2O or 2.5"], ["concentrations", "Concentration", "10"],
  ["probes", "Probe", ""], ["scale", "Scale, if known", ""], ["x", "x, for ties", ""],
];
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

// Ask what is known of these curves; nothing has to be said.
export function describe(curves) {
  rows = curves.map((one, place) => ({ ...one, boxes: Object.fromEntries(COLUMNS.map(([name, title, example]) => [name, box(name, `${title} of ${one.name}`, example, place)])) }));
  const head = el("tr", {}, ...["Curve", ...COLUMNS.map(([, title]) => title)].map((name) => el("th", { scope: "col", textContent: name })));
  const body = rows.map((row) => el("tr", {}, el("th", { scope: "row", textContent: row.name }), ...COLUMNS.map(([name]) => el("td", {}, row.boxes[name]))));
  $("describe-curves").replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
  $("describe").showModal();
}

function box(name, label, example, place) {
  if (name === "probes") return el("select", { "aria-label": label }, ...["neutron", "xray"].map((probe) => new Option(probe)));
  return el("input", { type: "text", "aria-label": label, placeholder: place ? "" : example, spellcheck: false, maxLength: 100 });
}

// Whether what has to be numbers are some; the first that is none is said.
function checked() {
  return rows.every((row) => ["concentrations", "scale", "x"].every((name) => {
    row.boxes[name].setCustomValidity(Number.isFinite(numberIn(row.boxes[name].value)) ? "" : "Enter a number, or leave the field empty.");
    return row.boxes[name].reportValidity();
  }));
}

// How they are fitted, and what was said of them.
function asked() {
  const models = $("describe-models").value.split(/[\s,]+/).filter(Boolean), said = described();
  return {
    time_limit: Number($("describe-limit").value) || 90, ...(models.length ? { models } : {}),
    ...(Object.keys(said).length ? { sample_description: said } : {}),
  };
}

// What was said, in the sections of a sample file; curves by their number.
function described() {
  const found = {};
  for (const [name] of COLUMNS) {
    const said = rows.map((row, place) => [String(place + 1), valued(row.boxes[name].value, name === "probes")]).filter(([, value]) => value !== "" && value !== "neutron");
    if (!said.length) continue;
    if (name === "x") found.values = { x: Object.fromEntries(said) };
    else found[name] = Object.fromEntries(said);
  }
  if ($("describe-kind").value) found.kind = $("describe-kind").value;
  for (const name of ["share", "own"]) {
    const said = $(`describe-${name}`).value.split(/[\s,]+/).filter(Boolean);
    if (said.length) found[name] = said;
  }
  const ties = $("describe-tie").value.split(";").map((text) => text.split("=")).filter(([, right]) => right?.trim());
  if (ties.length) found.tie = Object.fromEntries(ties.map(([left, ...right]) => [left.trim(), right.join("=").trim()]));
  return found;
}

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
    return `${withError(one.value, one.error)}${one.fixed ? " (given)" : one.error === null ? " ± ?" : ""}`;
  };
  const named = (name, one) => (unitText(one.unit) ? `${name} / ${unitText(one.unit)}` : name);
  const row = (name, cells) => el("tr", {}, el("th", { scope: "row", textContent: name }), ...cells.map((text) => el("td", { textContent: text })));
  const last = names.map((name) => name.split("/").pop()), short = new Set(last).size === last.length ? last : names;
  const head = el("tr", {}, ...["Parameter", "All curves", ...short].map((name) => el("th", { scope: "col", textContent: name })));
  const body = [
    ...Object.entries(all).map(([name, one]) => row(named(name, one), [value(one), ...names.map(() => "")])),
    ...own.map((name) => row(named(name, each[0][name]), ["", ...each.map((one) => value(one[name]))])),
  ];
  const table = el("table", { className: "shared" }, el("thead", {}, head), el("tbody", {}, ...body));
  return [el("details", { open: true }, el("summary", { textContent: "Parameters that the curves share, and separate ones" }), el("div", { className: "wide" }, table))];
}

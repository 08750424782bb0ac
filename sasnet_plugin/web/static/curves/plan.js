// What a plan of the next measurement is asked for, and its answer.
import { $, el, numberIn } from "./net.js";

export function plans() {
  const shown = () => {
    $("plan-options").hidden = !$("plan").checked;
    $("plan-file").hidden = $("plan-instrument").value !== "file";
  };
  $("plan").addEventListener("change", shown);
  $("plan-instrument").addEventListener("change", shown);
  shown();
}

const valued = (id) => $(`plan-${id}`).value.trim();

// The options of a plan; null where a box has none.
async function options() {
  for (const id of ["aim", "time"]) {
    $(`plan-${id}`).setCustomValidity(Number.isFinite(numberIn(valued(id))) ? "" : "Enter a number, or leave the field empty.");
    if (!$(`plan-${id}`).reportValidity()) return null;
  }
  const instrument = $("plan-instrument").value, words = ["parameter", "solvents", "exchange", "changes"];
  const found = Object.fromEntries(words.map((id) => [id, valued(id)]));
  for (const id of ["aim", "time"]) if (valued(id)) found[id] = numberIn(valued(id));
  if (instrument !== "file") return { ...found, instrument };
  const [file] = $("plan-file").files;
  $("plan-file").setCustomValidity(file ? "" : "Choose the TOML file of the instrument.");
  return $("plan-file").reportValidity() ? { ...found, instrument_text: await file.text() } : null;
}

// What a fit is asked for besides, if a plan is wanted; null where a box has to be corrected.
export async function askedPlan(wanted) {
  if (!wanted) return {};
  const plan = await options();
  return plan && { plan };
}

// What is known of the sample, by option, in the boxes of this element.
export function known(id) {
  const boxes = [...$(id).querySelectorAll("[data-option]")].map((box) => [box.dataset.option, box.value.trim()]);
  return Object.fromEntries(boxes.filter(([, text]) => text));
}

// Which measurement comes next, where that was asked for.
export function planned(plan) {
  if (!plan) return [];
  const [head = [], ...rows] = plan.table;
  const picture = () => el("img", { className: "plan", src: `data:image/png;base64,${plan.picture}`, alt: "What the models predict for the recommended measurement, and what each measurement would decide" });
  return [el(
    "details", { id: "planned", open: true }, el("summary", { textContent: "Next measurement" }),
    ...plan.lines.map((text) => el("p", { textContent: text })),
    el("div", { className: "wide", hidden: !rows.length }, el(
      "table", { className: "plan" }, el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col", textContent: name })))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((cell) => el("td", { textContent: cell }))))),
    )), ...(plan.picture ? [picture()] : []),
  )];
}

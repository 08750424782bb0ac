// What is taken away of a fit.
import { $, el } from "./net.js";

const KINDS = [
  [".html", "Report", () => "opens in any browser, offline."],
  [".sasview.json", "SasView project", () => "in SasView: File, Open Project."],
  [".parameters.txt", "Parameters for SasView", () => "copy the text; on the fit page in SasView choose Edit, Paste Params."],
  [".bumps.py", "Bumps script", (name) => `bumps ${name}`],
  [".session.h5", "Bumps session", (name) => `bumps --session=${name}`],
  [".nxcansas.h5", "NXcanSAS", () => "data and fits, for SasView (File, Load Data), sasnet and other programs."],
  ["plan.json", "Plan", () => "of the next measurement; for sasnet next --plan after it."],
  ["plan.png", "Picture of the plan", () => "what the models predict, and what each measurement would decide."],
  [".csv", "Curves as CSV", () => "q, I, its uncertainty and I of each model, for any spreadsheet."],
  [".py", "", () => "a plugin model; copy it into the folder plugin_models of SasView."],
];
function kindOf(name) {
  const [, title, how] = KINDS.find(([ending]) => name.endsWith(ending)) || ["", "", () => "what you entered about the curves; for sasnet fit --sample-file."];
  return [title || (name.endsWith(".py") ? `Plugin ${name}` : name), how(name)];
}

// What a fit has written, by which program each file is opened, a link, and the command that gives the same.
export function taken(state) {
  const one = state.history.find((fit) => fit.number === state.fit);
  const drawn = JSON.stringify([state.key, one?.number, one?.files, one?.written, one?.problem, state.answer?.command]);
  if ($("out").dataset.drawn === drawn) return; // a link may be under the mouse just now
  $("out").dataset.drawn = drawn;
  const copy = el("button", { textContent: "Copy a link to this view", onclick: async () => {
    const link = location.href.replace(/\?token=[^#]*/, "");
    try { await navigator.clipboard.writeText(link); copy.textContent = "Copied"; } catch { prompt("The link to this view:", link); }
  } });
  if (!one) return $("out").replaceChildren(el("p", { className: "quiet", textContent: "Files of a fit appear here: report, SasView project, Bumps, NXcanSAS, CSV." }), el("p", {}, copy));
  const links = one.files.map((name) => el("a", { href: `/fits/${one.number}/${encodeURIComponent(name)}`, download: name, textContent: kindOf(name)[0] }));
  const wait = one.written ? (one.problem ? [el("p", { textContent: one.problem })] : []) : [el("p", { className: "quiet", textContent: "Writing report and files …" })];
  const open = one.files.map((name) => el("li", {}, `${kindOf(name)[0]}: `, kindOf(name)[1].startsWith("bumps") ? el("code", { textContent: kindOf(name)[1] }) : kindOf(name)[1]));
  return $("out").replaceChildren(
    el("p", { className: "links" }, ...links), ...wait, el("p", {}, copy),
    ...(state.answer?.command ? [el("p", { className: "quiet" }, "The same fit in a terminal: ", el("code", { id: "command", textContent: state.answer.command }))] : []),
    ...(open.length ? [el("details", {}, el("summary", { textContent: "How to open them" }), el("ul", {}, ...open))] : []),
  );
}

// One curve: what it may be, a model under the hand, fits, and what is taken away.
import { $, ask, el, newest, NO_ANSWER, number, numberIn, percent, tell } from "./net.js";
import { Parameters } from "./parameters.js";
import { askedPlan, known, planned, plans } from "./plan.js";
import { Plot, VIEWS } from "./plot.js";
import { taken } from "./taken.js";
import { shared } from "./together.js";

const state = {
  key: "", unit: "", chosen: {}, data: null, limits: [0, 0], model: "", factor: "", perDecade: null, preview: false, theory: null,
  words: "", fit: 0, answer: null, compared: new Map(), history: [], seen: "", watched: 0, models: [], factors: [],
  batch: null, // the batch whose answer is shown
};
// A plateau that reaches this share of the highest q is what the curve ends in.
const LEVEL_END = 0.8;
let plot, parameters;

export function curves(about) {
  Object.assign(state, { models: about.models, factors: about.structure_factors });
  plot = new Plot($("plot"), $("residuals"), moved);
  parameters = new Parameters($("parameters"), () => { Object.assign(state, { preview: false, perDecade: null, fit: 0, batch: null }); unfitted(); evaluate(); keep(); }, kept);
  $("parameters").addEventListener("change", () => keep());
  $("view").append(...Object.keys(VIEWS).map((name) => new Option(name)));
  $("view").addEventListener("change", () => { plot.turn($("view").value); keep(); });
  $("unit").addEventListener("change", () => readAs($("unit").value));
  $("whole").addEventListener("click", () => limited([0, state.data.q.length - 1]));
  $("model").append(new Option("choose …", ""), ...about.models.map((name) => new Option(name)));
  $("factor").append(new Option("none (dilute)", ""), ...about.structure_factors.map((name) => new Option(name)));
  $("model").addEventListener("change", () => choose($("model").value, $("factor").value));
  $("factor").addEventListener("change", () => choose($("model").value, $("factor").value));
  $("unread-read").addEventListener("click", readSo);
  $("find").addEventListener("click", () => fit(parameters.asked(true)));
  plans();
  $("refit").addEventListener("click", () => fit({
    models: [state.model], structure_factor: state.factor || "none", ...parameters.asked(),
    start: { model: state.model, structure_factor: state.factor || null, values: parameters.values },
  }));
  $("stop").addEventListener("click", () => { for (const one of state.history) if (one.open) ask(`/api/fits/${one.number}/stop`, {}); });
}

function moved(limits) {
  state.limits = limits;
  windowed();
  suggest();
  evaluate();
  keep();
}

function limited(limits) {
  if (limits.join() === state.limits.join()) return;
  plot.limits = limits;
  plot.put();
  moved(limits);
}

// What the server is to look at: the data, and their window where it is not all of them.
function data() {
  const last = state.data.q.length - 1, [low, high] = state.limits;
  const whole = low === 0 && high === last;
  return { key: state.key, q_unit: state.unit, window: whole ? null : [edge(state.data.q[low], state.data.q[low - 1] ?? 0), edge(state.data.q[high], state.data.q[high + 1] ?? Infinity)] };
}

// The shortest number from q on towards, and not as far as, the next point: commands are read by people.
function edge(q, beyond) {
  for (let digits = 2; digits < 16; digits++) {
    const unit = 10 ** (Math.floor(Math.log10(q)) - digits + 1);
    const found = Number(((beyond < q ? Math.floor : Math.ceil)(q / unit) * unit).toPrecision(digits));
    if (beyond < q ? found <= q && found > beyond : found >= q && found < beyond) return found;
  }
  return q;
}

export async function openCurve(key, given = {}) {
  if (state.key !== key) await load(key, given);
  if (state.key !== key) return;
  $("to-curve").href = `#curve?${new URLSearchParams({ key })}`; // also for whoever leaves before the view is kept
  const wanted = given.fixed || given.ranges || given.fitted ? { fixed: fixedOf(given), ranges: rangesOf(given), fitted: (given.fitted || "").split(",").filter(Boolean) } : null;
  if (given.fit) { await goTo(Number(given.fit), null, given.q); if (wanted) parameters.want(wanted, true); }
  else if (given.model) await choose(given.model, given.factor || "", given.values, null, wanted);
  keep();
}

// Fixed values of a link, name=value, and limits, name=low:high.
const pairs = (text) => (text || "").split(",").map((pair) => pair.split("="));
const fixedOf = (given) => Object.fromEntries(pairs(given.fixed).map(([name, value]) => [name, Number(value ?? given.values?.[name] ?? NaN)]).filter(([, value]) => Number.isFinite(value)));
const rangesOf = (given) => Object.fromEntries(pairs(given.ranges).map(([name, range]) => [name, (range || "").split(":").map(Number)]).filter(([, [low, high]]) => low < high));

// Another unit of q is another curve: fits of the one before do not hold, those of this one do. It is kept for the file, wherever it is fitted.
async function readAs(unit) {
  const kept = await ask("/api/read", { key: state.key, q_unit: unit, wavelength: state.chosen.wavelength }).catch(() => null);
  if (!kept) { $("unit").value = state.unit; return; }
  await load(state.key, {});
}

async function load(key, given) {
  state.opening = key;
  tell("");
  const unit = { nm: "nm", A: "A", stated: "", "": "" }[given.unit] ?? null;
  opening(key);
  $("open").setAttribute("aria-busy", "true");
  const found = await ask("/api/curve", { key, q_unit: unit }, true).catch((error) => unread(key, error.message));
  $("open").removeAttribute("aria-busy");
  if (!found && state.opening === key) notOpening();
  if (!found || state.opening !== key) return;
  const now = ++turn;
  notOpening();
  Object.assign(state, { key, unit: found.unit, chosen: found.chosen, data: found, fit: 0, batch: null, answer: null, about: null, model: "", factor: "", theory: null, history: [], watched: 0 });
  state.compared.clear();
  document.querySelector("#open .right").scrollTop = 0; // the answer is at the top
  $("none").hidden = $("unread").hidden = true;
  $("open").hidden = false;
  $("title").textContent = found.entries.length > 1 ? `${found.file} · ${found.entry}` : found.file;
  document.title = `${found.file} · sasnet`;
  $("unit").value = state.unit;
  $("unit").options[0].textContent = found.q_unit.stated ? "unit of the file" : "not stated: Å⁻¹";
  state.limits = limitsOf(given.q, found.q);
  if (VIEWS[given.view]) $("view").value = plot.view = given.view;
  $("plot").dataset.flat = flat(found.model_free, found.q);
  plot.show({ q: found.q, intensity: found.intensity, error: found.error, label: found.intensity_label, unit: found.intensity_unit, flat: flat(found.model_free, found.q), guinier: found.model_free?.guinier?.q_max ? found.model_free.guinier : null }, state.limits);
  $("notes").replaceChildren(...[...found.numbers, found.q_unit.said, found.resolution ? `Resolution: ${found.resolution} of the file.` : "", ...found.notes].filter(Boolean).map((text) => el("li", { textContent: text })));
  parameters.clear();
  parameters.intensityUnit = found.intensity_unit;
  parameters.level = Math.min(...found.intensity.filter((i) => i > 0));
  $("model").value = $("factor").value = "";
  suggested(found);
  windowed();
  if (data().window) suggest();
  await histories();
  const running = state.history.find((one) => one.open);
  state.watched = running?.number ?? 0;
  if (!given.fit && !given.model && now === turn) { // no model was chosen by hand meanwhile
    await showKnown();
  } else if (best() && given.model?.trim() && now === turn) await sayLast(best().number);
}

// The best fit that reads q as the page does: of equals the newest.
const LEVELS = ["does not explain", "explains with doubts", "explains"];
function best() {
  const rank = (one) => LEVELS.indexOf(one.summary.level);
  return state.history.filter((one) => one.state === "done" && shownHere(unitOf(one))).reduce((found, one) => (found && rank(found) >= rank(one) ? found : one), null);
}

// What is known of the curve: its best fit, what a batch said, else the classifier.
async function showKnown() {
  const fit = best(), batch = state.batches?.find((one) => shownHere(one.asked_unit)), guess = likeliest(state.suggestion);
  if (fit) await goTo(fit.number);
  else if (batch) await showBatch(batch);
  else if (guess) await choose(guess.model, guess.structure_factor || "");
}

// The answer of the last fit stands above another form that is under the hand.
async function sayLast(fit) {
  const now = turn, found = await ask(`/api/fits/${fit}`).catch(() => null);
  if (now === turn && found?.state === "done") sayFit(found, fit, first(found.answer));
}

function sayFit(found, fit, place) {
  const said = found.answer.fit || found.answer.sample;
  Object.assign(state, { answer: found.answer, about: { name: `fit ${fit}`, words: `Fit ${fit}. ${said.headline}`, back: () => goTo(fit, place) } });
  const table = found.answer.fit ? [] : shared(found.answer, place, found.keys.map(nameOf));
  say(said.verdict, `Fit ${fit}. ${said.headline}`, said.doubt, [...next(found), ...planned(found.answer.plan)], more(fit, found.answer, place), table);
}

// While a file is read for the first time the page says so.
export function opening(key) {
  if (!$("open").hidden || !/^[^:]*:.*#\d+$/.test(key)) return;
  $("none").hidden = $("unread").hidden = true;
  $("opening").hidden = false;
  $("opening-title").textContent = `Loading ${nameOf(key)} …`;
}

function notOpening() {
  $("opening").hidden = true;
  $("none").hidden = !($("open").hidden && $("unread").hidden);
}

// The unit of q with which a fit has read this curve; "" is that of the file.
const unitOf = (fit) => fit.asked.q_units?.[fit.keys.indexOf(state.key)] ?? fit.asked.q_unit ?? "";
// Whether an answer is shown when the curve opens: one of another unit only if none was chosen for the file.
const shownHere = (unit) => state.chosen.q_unit === null || unit === state.unit;

// Why a file cannot be read, and what may help: its unit of q, or a wavelength.
function unread(key, why) {
  if (why === NO_ANSWER) return;
  state.key = "";
  $("none").hidden = $("open").hidden = true;
  $("unread").hidden = false;
  $("unread").dataset.key = key;
  $("unread-title").textContent = nameOf(key);
  $("unread-why").textContent = why;
  document.title = `${nameOf(key)} · sasnet`;
}

async function readSo() {
  const key = $("unread").dataset.key, wavelength = numberIn($("unread-wavelength").value);
  if (Number.isNaN(wavelength)) { $("unread-why").textContent = `“${$("unread-wavelength").value}” is no wavelength; give it in Å, such as 1.5418.`; return; }
  const said = { key, q_unit: $("unread-unit").value || null, wavelength: wavelength || null };
  const done = await ask("/api/read", said, true).catch((error) => { $("unread-why").textContent = error.message; return null; });
  if (done) await openCurve(key);
}

// The flat background that the curve shows without a model; 0 where it shows none. A plateau is one where the curve
// ends in it, at its highest q: at low q it is Guinier's, between two levels that of a structure.
function flat(found, q) {
  const { porod, plateau, guinier } = found ?? {}, last = q[q.length - 1];
  if (Number.isFinite(porod?.background)) return porod.background;
  if (plateau?.q_max >= LEVEL_END * last && plateau.q_min > (guinier?.q_max ?? 0)) return plateau.level;
  return guinier?.background ?? 0;
}

function limitsOf(text, q) {
  const [low, high] = (text || "").split(":").map(Number);
  if (!(low < high)) return [0, q.length - 1];
  const first = q.findIndex((v) => v >= low * (1 - 1e-6)), after = q.findIndex((v) => v > high * (1 + 1e-6));
  return [Math.max(0, first), after < 0 ? q.length - 1 : Math.max(first + 8, after - 1)];
}

function windowed() {
  const [low, high] = state.limits, { q } = state.data;
  $("window").textContent = `${high - low + 1} of ${q.length} points, q ${number(q[low], 3)} to ${number(q[high], 3)} Å⁻¹. Drag the two handles to exclude points. Drag across the plot to zoom; double-click to reset.`;
  $("whole").hidden = low === 0 && high === q.length - 1;
}

// -- what it may be

const suggest = newest(async () => {
  const began = performance.now();
  suggested(await ask("/api/suggest", data(), true).catch((error) => { tell(error.message); throw error; }));
  document.body.dataset.suggested = Math.round(performance.now() - began);
});

function suggested(found) {
  state.suggestion = found;
  if (!state.answer) {
    const fitted = state.history.some((one) => one.state === "done");
    say(found.doubt ? "doubts" : "", `${likely(found.groups)} ${fitted ? "The fits below read q in another unit." : "Not fitted yet."}`, found.doubt);
  }
  const groups = found.groups.map((group) => [group, found.models.filter((one) => one.group === group.name)]);
  const rows = []; // models that are groups of their own stand in one row
  for (const [group, models] of groups.filter(([, some]) => some.length)) {
    const alone = models.length === 1 && models[0].model === group.name;
    if (!alone || !rows.at(-1)?.alone) rows.push({ alone, group, models: [] });
    rows.at(-1).models.push(...models);
  }
  $("candidates").replaceChildren(...rows.map(({ alone, group, models }) => el(
    "div", {}, el("h4", {}, ...(alone ? ["each on its own"] : [group.name, el("span", { className: "number", textContent: ` ${percent(group.probability)}` })])),
    el("div", { className: "models" }, ...models.map(candidate)),
  )));
}

// The model that is shown first is of the group that the sentence names.
const likeliest = (found) => found?.models.find((one) => one.group === found.groups[0].name) ?? found?.models[0];

// What the classifier says in a sentence; a group below one half is not alone in it.
function likely(groups) {
  const words = groups.slice(0, 2).map((one) => `${one.name} (${percent(one.probability)})`);
  return Math.round(100 * groups[0].probability) < 50 ? `Undecided: perhaps ${words.join(" or ")}.` : `Looks like ${words[0]}.`;
}

function candidate(one) {
  const name = one.structure_factor ? `${one.model} @ ${one.structure_factor}` : one.model;
  const chosen = one.model === state.model && (one.structure_factor || "") === state.factor;
  return el(
    "button", { className: "candidate", title: one.in_words, "aria-pressed": String(chosen), onclick: () => choose(one.model, one.structure_factor || "") },
    name, el("span", { className: "number", textContent: ` ${percent(one.probability)}` }),
  );
}

function nameOf(key) {
  const [, file, entry] = key.match(/^[^:]*:(.*)#(\d+)$/);
  return entry === "1" ? file : `${file} ${entry}`;
}

function say(level, headline, doubt, next = [], more = [], table = []) {
  const kind = level === "unfitted" ? "" : level === "explains" ? "yes" : level === "does not explain" ? "no" : "doubts";
  $("said").className = level ? kind : "";
  $("said").replaceChildren(
    el("p", { className: "headline", textContent: headline }),
    ...(doubt ? [el("p", { textContent: `Caution: ${doubt}` })] : []),
    ...next,
    ...table,
    ...(more.length ? [el("details", {}, el("summary", { textContent: "All results" }), ...more)] : []),
  );
}

// -- the model under the hand

let turn = 0; // of what is to be shown: an answer that comes after a newer question is not

// What the user fixed and limited stays in another form; `wanted` is that of a link. A fitted batch has none.
async function choose(model, factor, values, fitted = null, wanted = null) {
  if (!model) return;
  const now = ++turn;
  const found = await ask("/api/start", { ...data(), model, structure_factor: factor || null }).catch(() => null);
  if (now !== turn) return;
  if (!found) { $("model").value = state.model; $("factor").value = state.factor; return; }
  if (values) parameters.want(wanted || {});
  const { fixed, ranges } = parameters.wanted, typed = [fixed, ranges].some((some) => Object.keys(some).some((name) => name in found.values));
  Object.assign(state, { model, factor, preview: found.from_bank && !values && !typed, perDecade: null, fit: 0, batch: fitted, theory: null });
  const table = Object.fromEntries(Object.entries(fitted?.values ?? {}).map(([name, [, error, , fixed]]) => [name, { error, fixed }]));
  parameters.show(found.parameters, { ...found.values, ...values }, table);
  chosen();
  await evaluate();
  keep();
}

// The form's name; a sum is none of the library's, and stands in the list as long as it is shown.
function named() {
  $("model").querySelector(".sum")?.remove();
  const sum = Boolean(state.model) && !state.models.includes(state.model);
  $("refit").disabled = sum;
  if (sum) $("model").append(el("option", { className: "sum", value: state.model, textContent: state.model }));
  $("model").value = state.model;
}

function chosen() {
  named();
  $("factor").value = state.factor;
  const said = state.suggestion?.models.find((one) => one.model === state.model);
  state.words = said?.in_words || "";
  told();
  if (state.suggestion) suggested(state.suggestion);
}

const evaluate = newest(async () => {
  if (!state.models.includes(state.model)) return;
  const began = performance.now();
  const body = { ...data(), model: state.model, structure_factor: state.factor || null, values: parameters.values, per_decade: state.perDecade };
  try {
    state.theory = await ask("/api/evaluate", body, true);
    if ($("problem").textContent.startsWith(state.model)) tell("");
  } catch (error) { tell(error.message); return; }
  drawn();
  document.body.dataset.frame = Math.round(performance.now() - began);
  told();
});

// Of batches, expensive models and fits of earlier releases it is not known what their errors include.
const UNKNOWN = "Errors may include what the data leave open, such as a resolution that the file does not give.";

// What the line in the plot is: nobody takes a preview for a fit.
function told() {
  const what = state.fit ? `fit ${state.fit}` : state.batch ? `fit of batch ${state.batch.batch}` : state.preview ? "nearest simulated curve, not fitted" : "your values, not fitted";
  const fitted = state.fit ? state.theory?.fitted : state.batch ? state.batch.chisq ?? undefined : undefined, square = mean(state.theory?.residuals);
  const how = fitted !== undefined ? `, reduced χ² ${number(fitted, 3)}` : square !== undefined ? `, mean squared residual ${number(square, 3)}` : "";
  const errors = fitted !== undefined ? ` ${state.theory?.errors || UNKNOWN} Errors in the answer also include the spread over equally good models.` : "";
  unfitted(square);
  $("means").textContent = state.fit && !state.model ? "Nuclear and magnetic scattering of all curves were fitted; the report shows both." : `${state.words ? `${state.words}; ` : ""}${what}${how}.${errors}`;
}

// A verdict is of the fit alone: where its values were moved, or another model is drawn, the page says so in its place.
function unfitted(square) {
  const { about } = state;
  if (state.fit || state.batch || !about) return;
  for (const button of document.querySelectorAll("#history [aria-pressed=true]")) button.setAttribute("aria-pressed", "false");
  const what = `${state.model}${state.factor ? `@${state.factor}` : ""}`, how = square === undefined ? "" : `, mean squared residual ${number(square, 3)}`;
  say("unfitted", `Not fitted: ${state.preview ? `nearest simulated curve of ${what}` : `${what} at your values`}${how}.`, "", [
    el("p", { className: "quiet" }, `${about.words} `, el("button", { id: "back", textContent: `Back to ${about.name}`, onclick: about.back })),
  ]);
}

function mean(values) {
  return values?.length ? values.reduce((sum, v) => sum + v * v, 0) / values.length : undefined;
}

function drawn() {
  const lines = [...state.compared.values()];
  const shown = state.fit ? `fit ${state.fit}` : state.batch ? `batch ${state.batch.batch}` : state.preview ? "nearest simulated curve, not fitted" : "your values, not fitted";
  if (state.theory) lines.unshift({ name: `${state.model}${state.factor ? `@${state.factor}` : ""}, ${shown}`, kind: state.fit || state.batch ? "model" : state.preview ? "preview" : "model", ...state.theory });
  plot.draw(lines);
  document.body.dataset.drawn = state.key;
}

// -- fits

// Parameters that are fixed, with their values.
const listed = (fixed, before) => { const names = Object.entries(fixed || {}).map(([name, value]) => `${name} = ${number(value, 6)}`); return names.length ? `${before}${names.join(", ")}` : ""; };

// What a search holds on to is said before it begins.
function kept() {
  const { fixed, ranges, fitted } = parameters.asked(true);
  const within = Object.entries(ranges).map(([name, [low, high]]) => `${name} between ${number(low, 4)} and ${number(high, 4)}`);
  const held = [listed(fixed, "fixes "), within.length ? `keeps ${within.join(", ")}` : "", fitted.length ? `fits ${fitted.join(", ")}` : ""].filter(Boolean).join(" and ");
  const others = [...Object.keys({ ...fixed, ...ranges }), ...fitted].filter((name) => !parameters.has(name));
  const where = others.length ? ` To change ${others.join(" or ")}, choose a form factor that has ${others.length > 1 ? "them" : "it"}.` : "";
  $("held").textContent = held ? `“Find the model” ${held}, in each model that has the parameter.${where}` : "";
}

async function fit(how) {
  tell("");
  const limit = Number($("limit").value) || null;
  if (how.models && !state.model) return tell("Choose a model first.");
  const plan = await askedPlan($("plan").checked);
  if (!plan) return;
  const found = await ask("/api/fits", { keys: [state.key], q_unit: state.unit, window: data().window, time_limit: limit, ...known("known"), ...plan, ...how }).catch(() => null);
  if (!found) return;
  state.watched = found.number;
  await histories();
}

async function histories() {
  const key = state.key;
  const found = await ask(`/api/fits?key=${encodeURIComponent(key)}`).catch(() => null);
  if (!found || key !== state.key) return;
  state.history = found.fits;
  state.batches = found.batches;
  const open = found.fits.find((one) => one.open);
  $("stop").disabled = !open;
  $("progress").textContent = open ? progress(open) : "";
  const lines = [...found.fits.map(line), ...(found.batches || []).map(ofBatch)];
  $("history").replaceChildren(...(lines.length ? lines : [el("p", { className: "quiet", textContent: "None yet." })]));
  taken(state);
  const watched = found.fits.find((one) => one.number === state.watched);
  if (watched && !watched.open) {
    state.watched = 0;
    if (watched.state === "done") await goTo(watched.number);
    else if (watched.problem) tell(watched.problem);
  }
}

function progress(one) {
  if (one.state === "waiting") return `Fit ${one.number} waits for earlier fits.`;
  const { done, of, name, reduced_chisq: chisq } = one.progress;
  if (!name) return `Fit ${one.number} begins … ${Math.round(one.seconds)} s`;
  return `${done}${of ? ` of ${of}` : ""} fits done, ${name}${chisq ? ` χ² ${number(chisq, 3)}` : " …"}, ${Math.round(one.seconds)} s`;
}

function line(one) {
  const asked = `${one.asked.models ? one.asked.models.join(", ") : "find the model"}${listed(one.asked.fixed, " with ")}`;
  const what = one.state === "done" ? one.summary.headline : one.open ? one.state : `${one.state}${one.problem ? `: ${one.problem}` : ""}`;
  const shown = one.number === state.fit;
  const parts = [el("b", { textContent: `${one.number}` }), ` ${asked}${one.asked.window ? ", part of q" : ""}${one.keys.length > 1 ? `, ${one.keys.length} curves together` : ""} `];
  const remove = one.open ? null : el("button", { className: "remove", textContent: "Remove", "aria-label": `Remove fit ${one.number}`, onclick: () => removed(one.number) });
  if (one.state !== "done") return el("p", { className: "fit" }, ...[...parts, el("span", { className: "quiet", textContent: what }), remove].filter(Boolean));
  const compare = el("input", { type: "checkbox", checked: state.compared.has(one.number), "aria-label": `Compare fit ${one.number}`, onchange: (event) => compared(one.number, event.target.checked) });
  return el(
    "p", { className: "fit" },
    el("button", { "aria-pressed": String(shown), onclick: () => goTo(one.number), title: "Show this fit" }, "Fit ", ...parts),
    el("label", { className: "quiet" }, compare, "compare"), el("span", { className: "quiet", textContent: what }), remove,
  );
}

async function removed(fit) {
  if (!confirm(`Remove fit ${fit} and its files?`)) return;
  if (!await ask(`/api/fits/${fit}/remove`, {}).catch(() => null)) return;
  state.compared.delete(fit);
  const shown = state.fit === fit;
  if (state.about?.name === `fit ${fit}`) Object.assign(state, { answer: null, about: null });
  if (shown) state.fit = 0;
  await histories();
  if (!shown) return drawn();
  suggested(state.suggestion);
  await showKnown();
}

// What a batch said of this curve: its values are laid beside the data.
async function showBatch(one) {
  if (one.asked_unit !== state.unit) await load(state.key, { unit: one.asked_unit, model: " " });
  if (!state.models.includes(one.model)) {
    turn++;
    Object.assign(state, { model: one.model, factor: "", fit: 0, batch: one, theory: null, preview: false });
    parameters.want();
    parameters.read(Object.fromEntries(Object.entries(one.values).map(([name, [value, error, unit, fixed]]) => [name, { value, error, unit, fixed }])));
    chosen();
    drawn();
    return sayBatch(one);
  }
  const values = Object.fromEntries(Object.entries(one.values).map(([name, [value]]) => [name, value]));
  for (const [name, kind] of Object.entries(one.kinds)) values[`${name}_pd_type`] = kind;
  await choose(one.model, one.structure_factor || "", values, one);
  sayBatch(one);
}

function sayBatch(one) {
  const words = `Batch ${one.batch}. ${one.headline}`;
  state.about = { name: `batch ${one.batch}`, words, back: () => showBatch(one) };
  say(one.level, words, one.doubt);
}

function ofBatch(one) {
  return el(
    "p", { className: "fit" }, el("button", { onclick: () => showBatch(one), title: "Show the values" }, el("b", { textContent: `Batch ${one.batch}` })),
    el("span", { className: "quiet", textContent: one.headline }),
  );
}

async function compared(fit, on) {
  if (on) {
    const { answer } = await ask(`/api/fits/${fit}`);
    const own = mine(answer, state.history.find((one) => one.number === fit).keys), best = own?.curves[0];
    if (best) state.compared.set(fit, { name: `fit ${fit}`, kind: "other", q: own.q, intensity: best.intensity, residuals: best.residuals });
  } else state.compared.delete(fit);
  // The list may have been drawn anew meanwhile.
  const box = document.querySelector(`[aria-label="Compare fit ${fit}"]`);
  if (box) box.checked = state.compared.has(fit);
  drawn();
}

// Go back to a fit: its model, values and curve; to one of its models where it has several.
async function goTo(fit, place = null, since = "") {
  const now = ++turn;
  const found = await ask(`/api/fits/${fit}`).catch(() => null);
  if (now !== turn) return;
  if (found?.open) { // it is shown once it is done; until then what is known already
    state.watched = fit;
    await histories();
    if (now === turn && !state.model) await showKnown();
  }
  if (found?.problem) tell(found.problem); // it failed before it was watched
  if (!found || found.state !== "done") return;
  if (place === null) place = first(found.answer);
  sayFit(found, fit, place);
  const own = mine(found.answer, found.keys), best = own?.curves[place];
  state.fit = fit;
  if (unitOf(found) !== state.unit) return load(state.key, { fit, unit: unitOf(found) }).then(() => goTo(fit, place));
  if (best) {
    Object.assign(state, { model: best.model, factor: best.structure_factor || "", perDecade: best.per_decade, preview: false, batch: null });
    const asked = limitsOf((found.asked.window || []).join(":"), state.data.q);
    state.limits = since ? limitsOf(since, state.data.q) : asked;
    plot.limits = state.limits;
    plot.put();
    windowed();
    state.theory = { q: own.q, intensity: best.intensity, residuals: best.residuals, fitted: own.fit.fits[place].reduced_chisq, errors: best.errors };
    if (state.models.includes(best.model)) {
      const about = await ask(`/api/model?${new URLSearchParams({ name: best.model, ...(best.structure_factor ? { structure_factor: best.structure_factor } : {}) })}`);
      if (now !== turn) return;
      const of = own.fit.fits[place].parameters;
      parameters.want(found.asked); // as that fit was asked for: what another one held is free here
      parameters.show(about.parameters, best.values, of);
    } else parameters.want(found.asked), parameters.read(own.fit.fits[place].parameters, found.answer.command);
    named();
    $("factor").value = state.factor;
    drawn();
    if (state.limits.join() !== asked.join()) { suggest(); evaluate(); } // they were moved after the fit
  } else if (!own) {
    Object.assign(state, { model: "", factor: "", theory: null, preview: false, batch: null });
    parameters.clear();
    drawn();
  }
  chosen();
  await histories();
  keep();
}

// Which of a fit's models is shown first: the best; of those that all fail the nearest, which the answer names.
function first(answer) {
  const chisq = (answer.fit?.fits || []).map((one) => one.reduced_chisq);
  return answer.fit?.verdict === "does not explain" && chisq.length ? chisq.indexOf(Math.min(...chisq)) : 0;
}

// What to do next, with the hand on the page where it can be done here; `again` is what changes of the fit.
function next({ answer, asked, number: fit }) {
  const said = answer.fit || answer.sample, { again } = answer, line = (...parts) => [el("p", { className: "quiet" }, ...parts)];
  if (!said.next) return [];
  if (again === null) return answer.plan ? [] : line(`Next, ${said.purpose}: see “Export” below.`);
  if (again === undefined) return line(`Next, ${said.purpose}: ${said.next.includes(" --report ") ? "see “Export” below, or in a terminal " : ""}`, el("code", { textContent: said.next }));
  if (again.fixed) return line(`Next, ${said.purpose}: enter the value below, choose “fixed” beside it, then choose “Fit this model”.`);
  return line("Next: ", el("button", { id: "again", textContent: `Fit ${said.purpose}`, title: `Continue from fit ${fit}`, onclick: () => fitSo(asked, again) }));
}

async function fitSo(asked, again) {
  const { window, ...how } = { ...asked, ...again }, { q } = state.data;
  how.time_limit = Math.min(how.time_limit, Number($("limit").max));
  if ("models" in again) delete how.start; // values of another model
  if (again.q_unit) {
    await ask("/api/read", { key: state.key, q_unit: again.q_unit, wavelength: state.chosen.wavelength }).catch(() => null);
    return fit({ ...how, window: null }); // its limits were of other values
  }
  const [low, high] = window || [null, null];
  await fit({ ...how, window: window ? [low ?? q[0], high ?? q[q.length - 1]] : null });
}

// What a fit answers of this curve, alone or as one of a sample; nothing where nuclear and magnetic scattering were fitted.
function mine(answer, keys) {
  if (answer.fit) return answer;
  return answer.sample.kind === "magnetic" ? null : answer.each[keys.indexOf(state.key)];
}

const WEIGHT = "Weight is the share of the evidence among these fits. A small χ² raises it; each fitted parameter lowers it. It is not the probability that the model is true.";
const WARNED = 6; // sentences about one model, of which rarely more help

function more(fit, answer, place) {
  const said = answer.fit || answer.sample;
  const curves = (answer.fit ? answer : answer.each[0]).curves;
  const about = (said.fits[place]?.warnings || []).slice(0, WARNED).map((text) => `${curves[place].name}: ${text}`);
  const fitted = (one) => Object.values(one.parameters).filter((p) => !p.fixed).length;
  const several = said.fits.length > 1; // the weight of one among itself says nothing
  const rows = said.fits.map((one, place) => el(
    "tr", {}, el("td", {}, el("button", { textContent: curves[place].name, onclick: () => goTo(fit, place) })),
    el("td", { className: "number", textContent: number(one.reduced_chisq, 3) }), el("td", { className: "number", textContent: fitted(one) }), ...(several ? [el("td", { className: "number", textContent: one.given_up ? "stopped early" : percent(one.weight) })] : []),
  ));
  const head = el("tr", {}, ...["Model", "Reduced χ²", "Fitted parameters", ...(several ? ["Weight"] : [])].map((name) => el("th", { scope: "col", textContent: name })));
  return [
    ...(rows.length ? [el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)), ...(several ? [el("p", { className: "quiet", textContent: WEIGHT })] : [])] : []),
    el("ul", {}, ...[...(said.doubts || []).slice(1), ...(said.notes || []), ...about].map((text) => el("li", { textContent: text }))),
  ];
}

// -- the state in the address

function keyOf(address) {
  const [tab, query] = address.split("?");
  return tab === "#curve" ? new URLSearchParams(query).get("key") : null;
}

let later = 0;
function keep() {
  clearTimeout(later);
  later = setTimeout(() => {
    if (!state.key || keyOf(location.hash) !== state.key) return; // another one is being opened
    const [low, high] = state.limits, { q } = state.data, given = { key: state.key };
    const { fixed, ranges, fitted } = parameters.wanted, held = Object.entries(fixed).map((pair) => pair.join("=")).join();
    const within = Object.entries(ranges).map(([name, range]) => `${name}=${range.join(":")}`).join();
    if (low > 0 || high < q.length - 1) given.q = `${number(q[low], 7)}:${number(q[high], 7)}`;
    if (state.unit !== (state.chosen.q_unit ?? "")) given.unit = state.unit || "stated"; // else the file has it
    if (plot.view !== "log–log") given.view = plot.view;
    if (state.fit) given.fit = state.fit;
    else if (state.model) {
      Object.assign(given, { model: state.model, ...(state.factor ? { factor: state.factor } : {}) });
      if (!state.preview || held || within) given.values = JSON.stringify(parameters.values);
    }
    if (held) given.fixed = held;
    if (within) given.ranges = within;
    if (fitted.length) given.fitted = fitted.join();
    history.replaceState(null, "", `#curve?${new URLSearchParams(given)}`);
    $("to-curve").href = location.hash;
  }, 200);
}

// What the poll has seen: fits under way, and whether any has changed.
export async function news(found) {
  const mine = found.open.find((one) => one.keys.includes(state.key));
  if (mine) $("progress").textContent = progress(mine);
  const version = `${found.fits} ${$("curve").hidden ? state.seen.split(" ")[1] : found.batches}`;
  if (state.key && (version !== state.seen || (mine && $("stop").disabled))) {
    // The first time, too: a fit may have ended between the page's own look and this one.
    state.seen = version;
    await histories();
  }
}

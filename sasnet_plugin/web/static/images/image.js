// One image: its picture, what it may show, of which kind it is, and physics fitted from there on.
import { $, ask, el, percent, tell } from "../curves/net.js";
import { Zoom, beamOf, where } from "../picture.js";

const state = { key: "", found: null, about: null, fit: 0, answer: null, history: [], seen: -1, fine: false, fetched: 0, kinds: {}, partsAbout: null };
const zoom = new Zoom({ closer: (scale) => { if (scale > 1.2 && !state.fine && state.about?.step > 1) { state.fine = true; look(); } }, seen: (x, y) => under(state.about, x, y) });
const both = new Zoom({ seen: (x, y) => under(state.partsAbout, x, y, "part-under") });
let go = () => {};

export async function image(opener) {
  go = opener;
  const about = await ask("/api/images/about");
  state.kinds = about.kinds;
  $("kind").append(new Option("as in the file", ""), ...Object.entries(about.kinds).map(([name, title]) => new Option(title, name)));
  $("shot-view").append(...about.views.map((name) => new Option(name)));
  $("shot-scale").append(...about.scales.map((name) => new Option(name)));
  $("shot-colours").append(...about.colours.map((name) => new Option(name)));
  for (const id of ["shot-view", "shot-scale", "shot-colours", "shot-mask"]) $(id).addEventListener("change", () => { if (id === "shot-view") zoom.by(0); look(); });
  zoom.add($("shot-frame"));
  $("closer").addEventListener("click", () => zoom.by(1.5));
  $("farther").addEventListener("click", () => zoom.by(1 / 1.5));
  $("whole-picture").addEventListener("click", () => zoom.by(0));
  for (const one of ["measured", "simulated", "residual"]) both.add($(one).parentElement.parentElement);
  for (const id of ["before", "after"]) $(id).addEventListener("click", () => state.found && go(state.found[id]));
  $("read").addEventListener("click", () => choose($("kind").value));
  $("ask-kinds").addEventListener("click", kinds);
  $("verify").addEventListener("click", verify);
  $("average").addEventListener("click", average);
  $("stop-shot").addEventListener("click", () => { for (const one of state.history) if (one.open) ask(`/api/fits/${one.number}/stop`, {}); });
}

function under(about, x, y, where_ = "shot-under") {
  if (about?.rows && x >= 0 && x < 1 && y >= 0 && y < 1) $(where_).textContent = where(about, x, y);
}

export async function openImage(key, given = {}) {
  const turn = ++state.fetched;
  tell("");
  const same = state.key === key && state.found;
  if (!same) {
    $("image").setAttribute("aria-busy", "true");
    for (const id of state.key === key ? ["verify"] : BUTTONS) $(id).disabled = true; // until it is known what may be done
    // From now on whatever comes late of the one before is of another key.
    Object.assign(state, { key, found: null, fit: 0, answer: null, history: [] });
    $("shot-progress").textContent = "";
    for (const id of ["shot-said", "sentences", "figures", "shot-notes", "shot-out", "shot-history"]) $(id).replaceChildren(); // of the one before
    $("why-not").textContent = "";
    $("shot-under").textContent = "Loading …";
    $("parts").hidden = $("shot-bar").hidden = true;
    $("shot-picture").removeAttribute("src");
    $("shot-title").textContent = "What it is";
    $("image-title").textContent = key.slice(key.indexOf(":") + 1, key.lastIndexOf("#"));
  }
  const found = same && !given.anew ? state.found : await ask("/api/image", { key }).catch(() => null);
  if (turn !== state.fetched) return;
  $("image").removeAttribute("aria-busy");
  if (!found) { state.key = ""; if (isShown(key)) location.hash = "#images"; return; } // why stands above
  for (const id of BUTTONS) $(id).disabled = false;
  if (!same) {
    Object.assign(state, { fine: false, about: null });
    zoom.by(0);
    $("all-kinds").replaceChildren();
    $("others").checked = false; // said of one image at a time
  }
  Object.assign(state, { key, found, fit: 0, answer: null });
  document.title = `${found.file} · sasnet`;
  $("image-title").textContent = found.entry && !found.file.includes(found.entry) ? `${found.file} · ${found.entry}` : found.file;
  for (const id of ["before", "after"]) $(id).disabled = !found[id];
  $("kind").value = found.said_by_user ? (found.kind || $("kind").value) : "";
  $("geometry").value = found.geometry.join("\n");
  if (!same || given.anew) $("how").open = !found.kind || found.said_by_user; // else what was found stands higher
  if (!same || given.anew) look();
  await history();
  if (turn !== state.fetched) return;
  const done = state.history.find((one) => one.state === "done");
  const wanted = given.fit ? Number(given.fit) : given.fit === undefined && done ? done.number : 0;
  if (wanted) await goTo(wanted); else show(found, null);
  if (!found.kind && !$("all-kinds").children.length) kinds();
  if (turn === state.fetched) document.body.dataset.image = key;
}

// What asks about the image that is open; none is while another one comes.
const BUTTONS = ["read", "ask-kinds", "average", "verify"];
const isShown = (key) => location.hash.startsWith("#image?") && new URLSearchParams(location.hash.split("?")[1]).get("key") === key;

// The picture, as it is asked for; closer, with all pixels of the detector.
async function look() {
  const key = state.key;
  const query = new URLSearchParams({ key, view: $("shot-view").value, scale: $("shot-scale").value, colours: $("shot-colours").value, mask: $("shot-mask").checked, fine: state.fine });
  $("shot-under").textContent = "Loading …";
  const answer = await fetch(`/api/image/picture?${query}`).catch(() => null);
  const bytes = answer?.ok ? await answer.blob() : null;
  if (key !== state.key) return;
  const problem = bytes ? "" : ((await answer?.json().catch(() => null)) || {}).problem || "The server does not answer.";
  if (problem) { $("shot-under").textContent = problem; return; }
  const reader = new FileReader();
  reader.onload = () => { if (key === state.key) $("shot-picture").src = reader.result; };
  reader.readAsDataURL(bytes);
  state.about = JSON.parse(answer.headers.get("X-Frame-About") || "null");
  $("shot-under").textContent = state.about?.axes || "";
  $("shot-bar").hidden = state.about?.low === undefined;
  if (!$("shot-bar").hidden) {
    $("shot-bar-colours").src = `/colours/${$("shot-colours").value}`;
    $("shot-low").textContent = state.about.low;
    $("shot-top").textContent = `${state.about.top} (${state.about.scale})`;
  }
  const beam = $("shot-view").value === "linear" ? beamOf(state.about) : null;
  $("shot-beam").hidden = !beam;
  if (beam) [$("shot-beam").style.left, $("shot-beam").style.top] = beam.map((share) => `${100 * share}%`);
}

// What is said: of the network's answer, or of a fit.
function show(found, fit) {
  const told = fit ? state.answer : found, level = fit ? fit.summary.level : "";
  const box = $("shot-said");
  box.className = `said ${{ explains: "yes", "explains with doubts": "doubts", "does not explain": "no" }[level] || (told.sure ? "" : "doubts")}`;
  const lines = [];
  if (!fit && !found.kind) lines.push(el("p", { className: "headline", textContent: "What kind of image is this?" }), el("p", { textContent: found.reason }));
  else if (!fit && !found.headline) lines.push(el("p", { className: "headline", textContent: "No answer" }), el("p", { textContent: found.reason }));
  else {
    const head = fit ? `Fit ${fit.number}. ${fit.summary.headline}` : told.headline;
    lines.push(el("p", { className: "headline", textContent: head }));
    if (fit?.summary.doubt) lines.push(el("p", { className: "doubt", textContent: fit.summary.doubt }));
    if (!fit && told.more) lines.push(el("p", { textContent: told.more }));
    if (fit && fit.summary.level) lines.push(el("p", { textContent: `The simulated image ${{ explains: "fits the measured one", "explains with doubts": "is close to the measured one; see the caution above" }[fit.summary.level] || "does not fit the measured one"}.` }));
    if (found.reason && !fit) lines.push(el("p", { className: "quiet", textContent: found.reason }));
  }
  box.replaceChildren(...lines);
  $("shot-title").textContent = !found.kind ? "What it is" : fit ? `${found.title}, fitted` : found.title;
  const said = (told.sentences || []).filter((one) => !lines.some((line) => line.textContent.includes(one)));
  $("sentences").replaceChildren(...said.map((one) => el("li", { textContent: one })));
  $("shot-notes").replaceChildren(...(told.notes || []).map((one) => el("li", { textContent: one })));
  $("noted").hidden = !(told.notes || []).length;
  const source = (number, night) => (fit ? `/fits/${fit.number}/figure-${number}${night ? "-night" : ""}.png` : `/api/image/figure?${new URLSearchParams({ key: state.key, number, night })}`);
  // Of a fit its own values come first.
  const figures = (told.figures || []).map((one, number) => ({ ...one, number })).filter((one) => one.drawn || one.table.length).sort((a, b) => (b.title === "Simulated again") - (a.title === "Simulated again"));
  const heard = [...lines, ...$("sentences").children].map((one) => one.textContent).join(" ").toLowerCase();
  $("figures").replaceChildren(...figures.map((one) => figure({ ...one, title: titleOf(one, fit), text: heard.includes(one.text.toLowerCase()) ? "" : one.text }, (night) => source(one.number, night))));
  $("verify").disabled = !found.can_verify;
  $("verify").hidden = $("stop-shot").hidden = $("shot-limit").parentElement.hidden = !found.can_verify;
  $("average").hidden = !found.isotropic;
  $("why-not").textContent = found.isotropic ? "The image is isotropic. Its azimuthal average opens as a curve, where you fit it."
    : found.can_verify || !found.kind ? "" : `Not fitted: ${found.unfitted.replace(/^Nothing was fitted: /, "")}`;
  parts(fit);
  out(found, fit);
  runs();
}

// Values of the network beside those of a fit say whose they are.
const whichToUse = { explains: "; use the fitted values", "explains with doubts": "; the fit has a caution, so compare both" };
const titleOf = (one, fit) => (fit && /^(Classes|Quantities)$/.test(one.title) ? `${one.title} by the network, before the fit${whichToUse[fit.summary.level] || ""}` : one.title);

function figure(one, source) {
  const found = el("section", {}, el("h3", { textContent: one.title }));
  if (one.drawn) {
    const picture = el("picture", {}, el("source", { srcset: source(true), media: "(prefers-color-scheme: dark)" }), el("img", { src: source(false), alt: one.title, loading: "lazy" }));
    found.append(picture);
  }
  if (one.table.length) {
    const [head, ...rows] = one.table;
    found.append(el("table", {}, el("thead", {}, el("tr", {}, ...head.map((cell) => el("th", { scope: "col", textContent: cell })))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((cell) => el("td", { textContent: cell.replace(/\s*█+/, "") })))))));
  }
  if (one.text) found.append(el("p", { className: "quiet", textContent: one.text }));
  return found;
}

// Measured, simulated and residual, all three closer at once.
function parts(fit) {
  const files = fit ? state.answer.parts : [];
  $("parts").hidden = !files.length;
  state.partsAbout = fit ? state.answer.about : null;
  both.by(0);
  for (const file of files) $(file.split(".")[0]).src = `/fits/${fit.number}/${file}`;
  $("part-under").textContent = state.partsAbout?.axes || "";
}

function out(found, fit) {
  const links = [];
  const link = (text, href) => links.push(el("a", { href, textContent: text, download: "" }));
  if (fit) {
    for (const file of fit.files) if (/\.html$/.test(file)) link("Report", `/fits/${fit.number}/${encodeURIComponent(file)}`);
    if (fit.files.includes("answer.json")) link("Answer as JSON", `/fits/${fit.number}/answer.json`);
    for (const file of state.answer.parts) if (fit.files.includes(file)) link(`${file[0].toUpperCase()}${file.slice(1, -4)} image`, `/fits/${fit.number}/${file}`);
  } else if (found.headline) link("Report", `/api/image/page?${new URLSearchParams({ key: state.key })}`);
  links.push(el("a", { href: `#image?${new URLSearchParams({ key: state.key, fit: fit ? fit.number : "" })}`, textContent: "Link to this view" }));
  $("shot-out").replaceChildren(...links);
}

// -- of which kind

async function choose(kind) {
  const geometry = $("geometry").value.split("\n").map((line) => line.trim()).filter(Boolean);
  const { key } = state, done = await ask("/api/image/choose", { key, kind, geometry, others: $("others").checked }).catch(() => null);
  if (!done || key !== state.key) return;
  if (done.images > 1) tell("");
  state.found = null;
  await openImage(done.key, { anew: true, fit: "" });
}

async function kinds() {
  const key = state.key;
  $("all-kinds").replaceChildren(el("p", { className: "quiet", textContent: "Classifying as each kind …" }));
  const found = await ask("/api/image/kinds", { key }).catch(() => ({ kinds: [] }));
  if (key !== state.key) return;
  const order = [...found.kinds].sort((a, b) => b.reads - a.reads || b.in_scope - a.in_scope);
  for (const one of order.toReversed()) if (!one.reads && order.find((other) => other.said === one.said) !== one) one.said = "The same."; // a wrong setting is wrong for each
  $("all-kinds").replaceChildren(
    el("p", { className: "quiet", textContent: "A network may be confident about an image of the wrong kind. Choose what you measured, not the best-sounding answer." }),
    el("ul", { className: "kinds" }, ...order.map((one) => el("li", {},
      el("button", { textContent: `These are ${one.title}`, onclick: () => { $("kind").value = one.kind; choose(one.kind); } }),
      el("span", { className: one.reads ? "" : "doubt", textContent: one.reads && one.in_scope !== null ? `${one.said.replace(/\.$/, "")} · ${one.known ? "like the images it was trained on" : "unlike the images it was trained on"}, ${percent(one.in_scope)}` : one.said })))),
  );
}

// -- fits

async function verify() {
  const fit = await ask("/api/image/verify", { key: state.key, time_limit: Number($("shot-limit").value) || 60 }).catch(() => null);
  if (fit) await history();
}

// The average of an isotropic image becomes a curve of its own, and opens where curves are fitted.
async function average() {
  const { key } = state;
  $("average").disabled = true;
  $("shot-progress").textContent = "Averaging …";
  const made = await ask("/api/image/average", { key }).catch(() => null);
  if (key !== state.key) return;
  $("average").disabled = false;
  runs();
  if (made && isShown(key)) location.hash = `#curve?${new URLSearchParams({ key: made.key })}`; // else it is in the list
}

async function history() {
  const key = state.key, found = await ask(`/api/fits?${new URLSearchParams({ key })}`, undefined, true).catch(() => null);
  if (!found || key !== state.key) return;
  state.history = found.fits;
  runs();
}

function runs() {
  const open = state.history.find((one) => one.open);
  $("stop-shot").disabled = !open;
  $("shot-progress").textContent = open ? working(open) : "";
  $("shot-history").replaceChildren(...(state.history.length ? state.history.map(run) : [el("p", { className: "quiet", textContent: "None yet." })]),
    ...(state.fit ? [el("button", { textContent: "The network's answer", onclick: () => { state.fit = 0; state.answer = null; keep(); show(state.found, null); } })] : []));
}

const working = (one) => (one.state === "waiting" ? "waits for earlier fits" : `${one.progress.name || "begins"}, ${Math.round(one.seconds)} s`);

function run(one) {
  const what = one.state === "done" ? one.summary.headline : one.open ? one.state : `${one.state}${one.problem ? `: ${one.problem}` : ""}`;
  const button = el("button", { textContent: `Fit ${one.number}`, disabled: one.state !== "done", "aria-pressed": String(one.number === state.fit), onclick: () => { goTo(one.number); } });
  return el("div", { className: "fit" }, button, el("span", { textContent: what }));
}

async function goTo(number) {
  const { key } = state, found = await ask(`/api/fits/${number}`).catch(() => null);
  if (key !== state.key || !state.found) return;
  if (!found?.answer?.image || !found.keys.includes(key)) return show(state.found, null);
  Object.assign(state, { fit: number, answer: found.answer.image });
  keep();
  show(state.found, found);
}

function keep() {
  if (!isShown(state.key)) return; // the answer came after somebody had left
  window.history.replaceState(null, "", `#image?${new URLSearchParams({ key: state.key, fit: state.fit || "" })}`);
}

// Take in what the poll has seen.
export async function imageNews(found) {
  if ($("image").hidden || !state.found || !state.key) return;
  const mine = found.open.find((one) => one.keys.includes(state.key));
  if (mine) $("shot-progress").textContent = working(mine);
  if (found.fits === state.seen) return;
  const open = new Set(state.history.filter((one) => one.open).map((one) => one.number));
  await history();
  state.seen = found.fits;
  const failed = state.history.find((one) => open.has(one.number) && one.state === "failed");
  if (failed?.problem) tell(failed.problem);
  const ended = state.history.find((one) => open.has(one.number) && one.state === "done");
  if (ended?.written) await goTo(ended.number);
  else if (ended) { ended.open = true; state.seen = -1; } // its pictures are being written
}

// The list of images: of many those in sight exist; each is a button with its picture and what it may show.
import { $, ask, el, keeping, settle } from "../curves/net.js";

const WIDTH = 300, HEIGHT = 96, AHEAD = 4;
const state = { count: 0, start: 0, rows: [], version: -1, at: "" };
let open = () => {};

export function shots(opener) {
  open = opener;
  $("shot-search").addEventListener("input", () => { $("shots").scrollTop = 0; lookAtShots(true); });
  $("shot-order").addEventListener("change", () => lookAtShots(true));
  $("shots").addEventListener("scroll", () => lookAtShots(false), { passive: true });
  addEventListener("resize", () => lookAtShots(true));
  $("shots").addEventListener("keydown", keys);
}

const columns = () => Math.max(1, Math.floor($("shots").clientWidth / WIDTH));

let asked = 0, drawn = 0;
export async function lookAtShots(anew) {
  if ($("images").hidden || $("shots-page").hidden) return;
  const across = columns(), line = Math.max(0, Math.floor($("shots").scrollTop / HEIGHT) - AHEAD);
  const first = line * across, seen = (Math.ceil($("shots").clientHeight / HEIGHT) + 2 * AHEAD) * across;
  const at = `${first}.${seen}`;
  if (!anew && at === state.at) return;
  state.at = at;
  const turn = ++asked;
  const query = new URLSearchParams({ images: true, search: $("shot-search").value, order: $("shot-order").value, start: first, count: Math.min(seen, 200) });
  const found = await ask(`/api/files?${query}`).catch(() => null);
  if (!found || turn < drawn) return;
  drawn = turn;
  Object.assign(state, { count: found.count, start: found.start, rows: found.rows, version: found.version });
  draw();
}

function draw() {
  const focused = document.activeElement?.closest("#shot-list li")?.dataset.key, across = columns();
  const list = $("shot-list");
  list.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
  list.style.height = `${Math.ceil(state.count / across) * HEIGHT}px`;
  list.style.paddingTop = `${Math.floor(state.start / across) * HEIGHT}px`;
  settle(list, shown(state.rows));
  if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"] button`)?.focus({ preventScroll: true });
  const empty = !state.count && !$("shot-search").value;
  $("shots-empty").hidden = !empty;
  $("shots").hidden = empty;
  $("shot-count").textContent = empty ? "" : `${state.count.toLocaleString("en")} image${state.count === 1 ? "" : "s"}`;
}

const shown = keeping(shot);

export const nameOf = (one) => (one.entry && !one.file.includes(one.entry) ? `${one.file} · ${one.entry}` : one.file);

function shot(one) {
  const picture = el("img", { alt: "", width: 72, height: 72 });
  if (one.thumb) picture.src = `data:image/png;base64,${one.thumb}`;
  const doubt = one.doubt && one.doubt !== one.answer ? el("span", { className: "doubt", textContent: one.doubt, title: one.doubt }) : null;
  const more = one.further ? el("span", { className: "doubt", textContent: "The file has more images than are listed; sasnet sort and sasnet classify read all of them." }) : null;
  const button = el(
    "button", { className: "shot", onclick: () => open(one.key) }, picture,
    el("span", { className: "words" }, el("span", { className: "name", textContent: nameOf(one), title: nameOf(one) }),
      el("span", { className: `state ${one.level.replaceAll(" ", "-")}`, textContent: one.answer, title: one.answer }),
      one.kind ? el("span", { className: "quiet", textContent: one.kind }) : null, doubt, more),
  );
  const found = el("li", {}, button);
  found.dataset.key = one.key;
  return found;
}

function keys(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
  const here = event.target.closest("li");
  if (!step || !here) return;
  event.preventDefault();
  const all = [...$("shot-list").children];
  all[all.indexOf(here) + step]?.querySelector("button").focus();
}

// Take in what the poll has seen.
export function shotsChanged(version) {
  if (version !== state.version) lookAtShots(true);
}

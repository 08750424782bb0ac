// Which tab is shown, what the address holds, and the poll that keeps the page up to date.
import { batches, batchNews, showBatches } from "./batches.js";
import { curves, news, openCurve, opening } from "./curve.js";
import { changed, files, look, tickedKeys } from "./files.js";
import { $, ask, tell } from "./net.js";
import { image, imageNews, openImage } from "../images/image.js";
import { lookAtShots, shots, shotsChanged } from "../images/list.js";

function parts() {
  const [tab, query] = location.hash.replace(/^#/, "").split("?");
  const given = Object.fromEntries(new URLSearchParams(query || ""));
  if (given.values) { try { given.values = JSON.parse(given.values); } catch { delete given.values; } }
  return [["curve", "batches", "images", "image", "show"].includes(tab) ? tab : "files", given];
}

let shown = "", ready = false;

async function show() {
  const [place, given] = parts(), tab = place === "image" ? "images" : place;
  if (place === "show") { if (given.key && ready) await openAny(given.key); return; }
  for (const name of ["files", "curve", "batches", "images"]) {
    $(name).hidden = name !== tab;
    $(`to-${name}`).setAttribute("aria-current", name === tab ? "page" : "false");
  }
  $("image").hidden = place !== "image";
  $("shots-page").hidden = place === "image";
  if (place === "images") { document.title = "Images · sasnet"; await lookAtShots(true); }
  if (place === "image" && given.key && ready) await openImage(given.key, given);
  if (tab === "files") { document.title = "Files · sasnet"; await look(true); }
  if (tab === "batches") await showBatches(given.batch);
  if (tab === "curve" && given.key && !ready) opening(given.key);
  if (tab === "curve" && given.key && shown !== location.hash && ready) {
    shown = location.hash;
    await openCurve(given.key, given);
  }
}

function open(key, more = {}) {
  location.hash = `#curve?${new URLSearchParams({ key, ...more })}`;
}

// What a file holds decides which tab shows it; so does an address with “show”, which the history then forgets.
async function openAny(key, more = {}) {
  const found = await ask("/api/what", { key }).catch(() => ({ image: false }));
  if (location.hash.startsWith("#show")) history.replaceState(null, "", "#files");
  if (found.image) openShot(key); else open(key, more);
}

function openShot(key) {
  location.hash = `#image?${new URLSearchParams({ key })}`;
}

async function poll() {
  let pause = 1500;
  try {
    const found = await ask("/api/news", undefined, true);
    const busy = [];
    if (found.left) busy.push(`${found.left.toLocaleString("en")} of ${found.total.toLocaleString("en")} files are not read yet`);
    const waiting = found.open.filter((one) => one.state === "waiting").length, running = found.open.length - waiting;
    if (running) busy.push(`${running} fit${running > 1 ? "s" : ""} running`);
    if (waiting) busy.push(`${waiting} waiting`);
    $("busy").textContent = busy.join(" · ");
    for (const one of document.querySelectorAll(".pictures")) {
      one.hidden = !found.pictures;
      one.textContent = `${found.pictures} PNG or JPEG file${found.pictures === 1 ? " is" : "s are"} not listed: pictures hold no measured intensities. Use the detector’s own files: TIFF, CBF, EDF, HDF5 or numpy.`;
    }
    changed(found.files);
    shotsChanged(found.files);
    await news(found);
    await imageNews(found);
    await batchNews(found);
    if (found.open.length || found.left) pause = 350;
  } catch { /* it is said on the page */ }
  setTimeout(poll, document.hidden ? 5000 : pause);
}

// The token is not kept in the history.
if (location.search) history.replaceState(null, "", location.pathname + location.hash);
files(openAny);
batches(open, tickedKeys);
shots(openShot);
addEventListener("hashchange", show);
await show(); // the list does not wait for the models' names
// On a machine that is busy the first answer may be given up; the page waits for it.
let about = null;
for (let tries = 0; !about; tries++) {
  about = await ask("/api/about").catch(() => null);
  if (!about) await new Promise((done) => setTimeout(done, 1000));
  else if (tries) tell("");
}
$("folder").textContent = about.folder || "none (start “sasnet web FOLDER” to show one)";
for (const one of document.querySelectorAll(".dropped")) one.textContent = about.dropped;
for (const one of document.querySelectorAll(".known")) one.hidden = false;
curves(about);
await image(openShot);
ready = true;
document.body.dataset.ready = "yes";
await show();
poll();

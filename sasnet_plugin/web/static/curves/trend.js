// A quantity of many data sets against one of their numbers: points with their errors, a colour for each model.
import { el } from "./net.js";

const BY_DAY = ["#1558b0", "#c2410c", "#0f6b3c", "#6d28d9", "#b45309", "#be185d", "#0e7490", "#4d7c0f"];
const BY_NIGHT = ["#82b1ff", "#fb923c", "#6ee7a8", "#c4b5fd", "#fbbf24", "#f472b6", "#67e8f9", "#bef264"];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function colour(models, model) {
  const colours = matchMedia("(prefers-color-scheme: dark)").matches ? BY_NIGHT : BY_DAY;
  return colours[models.indexOf(model) % colours.length];
}

// points: { x, value, error, model, key }, by x; opened: called with the key of a point that is clicked
export function panel(place, name, against, points, models, opened) {
  const x = points.map((one) => one.x);
  const series = models.map((model) => points.map((one) => (one.model === model ? one.value : null)));
  const axis = () => ({ stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, font: "12px system-ui", labelFont: "12px system-ui" });
  const made = new uPlot({
    width: Math.max(260, place.clientWidth), height: 210, padding: [8, 22, 0, 0], legend: { show: false }, cursor: { drag: { x: true, y: false }, points: { show: false } },
    scales: { x: { time: false, range: (_, low, high) => padded(low, high) }, y: { range: (_, low, high) => reach(points, low, high) } },
    axes: [{ ...axis(), label: against, labelSize: 22, size: 34 }, { ...axis(), label: name, labelSize: 22, size: 84, values: (_, ticks) => ticks.map((value) => written(value, ticks)) }],
    series: [{}, ...models.map((model) => ({ label: model, stroke: colour(models, model), paths: () => null, points: { show: true, size: 6, fill: colour(models, model) } }))],
    hooks: { draw: [(u) => bars(u, points, models)] },
  }, [x, ...series], place);
  made.over.addEventListener("click", (event) => {
    const near = nearest(made, points, event.offsetX, event.offsetY);
    if (near) opened(near.key);
  });
  return made;
}

function padded(low, high) {
  const more = 0.03 * (high - low || Math.abs(high) || 1);
  return [low - more, high + more];
}

// With as many digits as tell a tick from the next.
function written(value, ticks) {
  const step = Math.abs(ticks[1] - ticks[0]) || 1, most = Math.max(...ticks.map(Math.abs));
  return String(Number(value.toPrecision(Math.max(1, Math.min(9, Math.ceil(Math.log10(most / step)) + 1)))));
}

// Values with their errors, but for errors that are many times the usual one and all values: their bars leave the panel.
export function reach(points, low, high) {
  if (!Number.isFinite(low)) return [0, 1];
  const errors = points.map((one) => one.error).filter((error) => error > 0).sort((a, b) => a - b);
  const span = Math.max(high - low, errors[Math.floor(errors.length / 2)] ?? 0) || Math.abs(high) || 1;
  const ends = points.flatMap((one) => [one.value - (one.error ?? 0), one.value + (one.error ?? 0)]).filter(Number.isFinite);
  const bottom = Math.max(Math.min(...ends, low), low - 4 * span), top = Math.min(Math.max(...ends, high), high + 4 * span);
  return [bottom - 0.05 * (top - bottom || span), top + 0.05 * (top - bottom || span)];
}

function bars(u, points, models) {
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  ctx.lineWidth = devicePixelRatio;
  for (const one of points) {
    if (!(one.error > 0) || one.value === null) continue;
    const at = u.valToPos(one.x, "x", true);
    ctx.strokeStyle = colour(models, one.model);
    ctx.beginPath();
    ctx.moveTo(at, u.valToPos(one.value - one.error, "y", true));
    ctx.lineTo(at, u.valToPos(one.value + one.error, "y", true));
    ctx.stroke();
  }
  ctx.setLineDash([4, 4]);
  ctx.strokeStyle = css("--bar");
  for (let k = 1; k < points.length; k++) {
    if (points[k].model === points[k - 1].model || points.length > 400) continue;
    const at = u.valToPos((points[k].x + points[k - 1].x) / 2, "x", true);
    ctx.beginPath();
    ctx.moveTo(at, u.bbox.top);
    ctx.lineTo(at, u.bbox.top + u.bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function nearest(u, points, x, y) {
  let found = null, least = 12;
  for (const one of points) {
    if (one.value === null) continue;
    const far = Math.hypot(u.valToPos(one.x, "x") - x, u.valToPos(one.value, "y") - y);
    if (far < least) [found, least] = [one, far];
  }
  return found;
}

export function key(models) {
  return el("p", { className: "models" }, ...models.map((model) => {
    const dot = el("span", { className: "dot", "aria-hidden": "true", textContent: "●" });
    dot.style.color = colour(models, model); // by script: the page's policy forbids it in the text
    return el("span", {}, dot, ` ${model}`);
  }));
}

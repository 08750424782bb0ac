// The curve and its residuals over one q axis: views, error bars, and two limits of q that can be dragged.
import { number } from "./net.js";

const positive = (value) => (value > 0 ? value : null);
// q and I to what is drawn, a flat background B left out where it would hide all else; log: both axes are logarithmic.
export const VIEWS = {
  "log–log": { log: true, x: (q) => q, y: (q, i) => positive(i), names: ["q / Å⁻¹", "I"] },
  linear: { x: (q) => q, y: (q, i) => i, names: ["q / Å⁻¹", "I"] },
  Guinier: { x: (q) => q * q, y: (q, i) => (i > 0 ? Math.log(i) : null), names: ["q² / Å⁻²", "ln I"] },
  Kratky: { x: (q) => q, y: (q, i, flat) => q * q * (i - flat), names: ["q / Å⁻¹", "q² (I − B)"] },
  Porod: { x: (q) => q, y: (q, i, flat) => q ** 4 * (i - flat), names: ["q / Å⁻¹", "q⁴ (I − B)"] },
};
const AXIS = 64;

// What the vertical axis shows; B with its value, or left out where none is known.
function named(name, { label, flat }) {
  if (name === "I") return label;
  return flat ? name.replace("B)", `B), B = ${number(flat, 3)}`) : name.replace("(I − B)", "I");
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function range(values, log) {
  let low = Infinity, high = -Infinity;
  for (const value of values) if (value !== null && Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  if (log) { const wide = Math.max((high / low) ** 0.04, 1.02); return [low / wide, high * wide]; }
  const wide = 0.04 * (high - low || Math.abs(high) || 1);
  return [low - wide, high + wide];
}

// uPlot with points and bars, lines of models, residuals below; `moved` is told of new limits (indices of points).
// A tick of a logarithmic axis: powers of ten as such where their zeros would have to be counted.
function short(value) {
  const power = Math.log10(value);
  if (Math.abs(power - Math.round(power)) > 1e-9 || (power < 5 && power > -4)) return number(value, 2);
  return `10${String(Math.round(power)).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)])}`;
}

// A tick of a linear axis, for which the axis has room of seven characters.
export function tick(value) {
  const text = number(value, 3);
  return text.length <= 7 ? text : value.toExponential(2).replace(/\.?0*e\+?/, "e");
}

// Ticks of a logarithmic axis. uPlot's own never end where the lower limit lies just below a decade.
function decades(u, which, low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (let times = 1; times < 10; times++) found.push(Number(`${times}e${power}`));
  }
  const inside = found.filter((value) => value >= low && value <= high);
  return inside.length > 1 ? inside : [low, high];
}

export class Plot {
  constructor(place, below, moved) {
    Object.assign(this, { place, below, moved, view: "log–log", data: null, lines: [], limits: [0, 0], zoom: null });
    this.observer = new ResizeObserver(() => this.size());
    this.observer.observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
  }

  // data: q, intensity, error (arrays); limits: [first, last] points that count
  show(data, limits) {
    Object.assign(this, { data, limits, lines: [], zoom: null });
    this.turn(this.view);
  }

  // Another view; that of Guinier shows where his law may hold, all of it after a double click.
  turn(view) {
    this.view = view;
    this.zoom = view === "Guinier" && this.data.guinier ? [0, (1.6 * this.data.guinier) ** 2] : null;
    this.build();
  }

  // lines: [{ name, q, intensity, residuals, kind: "model" | "other" | "preview" }]
  draw(lines) {
    const same = lines.length === this.lines.length && lines.every((line, i) => line.kind === this.lines[i].kind);
    this.lines = lines;
    if (!this.main) return;
    if (!same) return this.build();
    this.main.setData(this.columns(), false);
    this.main.redraw(false);
    this.small.setData(this.residuals(), false);
    this.scale();
  }

  columns() {
    const { q, intensity, flat } = this.data, view = VIEWS[this.view];
    return [q.map(view.x), q.map((v, i) => view.y(v, intensity[i], flat)), ...this.lines.map((line) => this.spread(line, (v, i) => view.y(v, line.intensity[i], flat)))];
  }

  residuals() {
    return [this.data.q.map(VIEWS[this.view].x), ...this.lines.map((line) => this.spread(line, (_, i) => line.residuals?.[i] ?? null))];
  }

  // A line's values at the data's points; null where it has none.
  spread(line, value) {
    const found = new Array(this.data.q.length).fill(null);
    let place = 0;
    line.q.forEach((v, i) => {
      while (place < this.data.q.length && this.data.q[place] < v * (1 - 1e-9)) place++;
      if (place < this.data.q.length && Math.abs(this.data.q[place] - v) <= 1e-9 * v) found[place] = value(v, i);
    });
    return found;
  }

  scale() {
    const [low, high] = this.heights();
    this.main.setScale("y", { min: low, max: high });
    const all = this.residuals().slice(1).flat().filter((v) => v !== null).map(Math.abs).sort((a, b) => a - b);
    const most = Math.max(4, 1.15 * (all[Math.floor(0.99 * (all.length - 1))] || 0));
    this.small.setScale("y", { min: -most, max: most });
  }

  // By the data: a model far off leaves the picture as it is.
  heights() {
    const view = VIEWS[this.view], { q, intensity, flat } = this.data, [a, b] = this.zoom || [-Infinity, Infinity];
    let seen = q.map((v, i) => (view.x(v) >= a && view.x(v) <= b ? view.y(v, intensity[i], flat) : null));
    const finite = seen.filter((v) => v !== null && Number.isFinite(v)).sort((x, y) => x - y);
    if (!view.log && this.view !== "Guinier" && finite.length > 40) { // noise times q⁴ hides all else
      const inside = (v) => v !== null && v >= finite[Math.floor(0.02 * finite.length)] && v <= finite[Math.floor(0.98 * finite.length)];
      seen = [0, ...seen.filter(inside), 1.1 * finite[Math.floor(0.97 * finite.length)]];
    }
    return range(seen, view.log);
  }

  build() {
    this.main?.destroy();
    this.small?.destroy();
    this.grip = null;
    if (!this.data) return;
    const view = VIEWS[this.view], height = named(view.names[1], this.data), ink = colour("--ink"), line = colour("--line");
    const axis = (label, more = {}) => ({ label, stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, labelSize: 20, font: "12px system-ui", labelFont: "12px system-ui", ...more });
    const ticks = view.log ? { splits: decades } : {};
    this.place.setAttribute("role", "group");
    this.place.setAttribute("aria-label", `${height} against ${view.names[0]}`);
    const width = Math.max(200, this.place.clientWidth), x = this.data.q.map(view.x);
    const scales = { x: { time: false, distr: view.log ? 3 : 1, range: () => this.zoom || range(x, view.log) } };
    const dots = { stroke: colour("--dot"), width: 0, paths: () => null, points: { show: true, size: 4, fill: colour("--dot") }, label: "data" };
    const strokes = { model: colour("--model"), preview: colour("--preview"), other: colour("--other") };
    const curve = (one) => ({ label: one.name, stroke: strokes[one.kind], width: one.kind === "model" ? 2.5 : 1.5, dash: one.kind === "model" ? undefined : [6, 4], points: { show: false }, spanGaps: true });
    const spot = (one) => ({ label: one.name, stroke: strokes[one.kind], width: 0, paths: () => null, points: { show: true, size: 3, fill: strokes[one.kind] } });
    const cursor = { sync: { key: "q" }, drag: { x: true, y: false }, points: { show: false } };
    const select = { setSelect: [(u) => this.zoomed(u)] };
    const labels = view.log ? (u, splits) => splits.map((v) => (v === null ? null : Math.abs(Math.log10(v) % 1) < 1e-9 || splits.length < 8 ? short(v) : "")) : (u, splits) => splits.map(tick);
    this.main = new uPlot({
      width, height: this.height(), scales: { ...scales, y: { distr: view.log ? 3 : 1, range: (u, low, high) => this.range || [low, high] } },
      series: [{}, dots, ...this.lines.map(curve)], cursor: { ...cursor, drag: { ...cursor.drag, setScale: false } }, legend: { show: false },
      axes: [axis("", { size: 8, ...ticks, values: () => [], labelSize: 0 }), axis(height, { size: AXIS, ...ticks, values: labels })],
      hooks: { ...select, draw: [(u) => { this.bars(u); if (this.grip) this.put(); }], setCursor: [(u) => this.told(u)], ready: [(u) => u.over.addEventListener("dblclick", () => { this.zoom = null; this.build(); })] },
    }, this.columns(), this.place);
    this.small = new uPlot({
      width, height: 150, scales: { ...scales, y: {} },
      series: [{}, ...this.lines.map(spot)], cursor: { ...cursor, drag: { ...cursor.drag, setScale: false } }, legend: { show: false },
      axes: [axis(view.names[0], { size: 34, ...ticks, values: labels }), axis("residual / σ", { size: AXIS, space: 17 })], hooks: select,
    }, this.residuals(), this.below);
    for (const one of [this.main, this.small]) one.root.querySelectorAll("canvas").forEach((canvas) => canvas.setAttribute("aria-hidden", "true"));
    this.readout = this.main.over.appendChild(Object.assign(document.createElement("div"), { className: "readout" }));
    this.scale();
    this.grips();
  }

  height() {
    return innerWidth < 760 ? 280 : Math.max(280, Math.min(640, innerHeight - 370));
  }

  size() {
    if (this.main && Math.abs(this.main.width - this.place.clientWidth) > 1) this.build();
  }

  zoomed(u) {
    if (u.select.width < 8) return;
    this.zoom = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
    setTimeout(() => this.build()); // not within uPlot's own hook
  }

  told(u) {
    const i = u.cursor.idx;
    if (!this.readout) return;
    this.readout.textContent = i === null || i === undefined ? "" : `q ${number(this.data.q[i], 4)}  I ${number(this.data.intensity[i], 4)} ± ${number(this.data.error[i], 2)}`;
  }

  // Error bars behind the points, cut off where a logarithm ends; and a veil over what does not count.
  bars(u) {
    const { ctx, bbox } = u, view = VIEWS[this.view], { q, intensity, error, flat } = this.data;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.setLineDash([]);
    ctx.strokeStyle = colour("--bar");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    const floor = view.log ? u.scales.y.min : null;
    for (let i = 0; i < q.length; i++) {
      let low = view.y(q[i], intensity[i] - error[i], flat), high = view.y(q[i], intensity[i] + error[i], flat);
      if (high === null) continue;
      if (low === null) low = floor ?? u.scales.y.min;
      const x = Math.round(u.valToPos(view.x(q[i]), "x", true)) + 0.5;
      ctx.moveTo(x, u.valToPos(low, "y", true));
      ctx.lineTo(x, u.valToPos(high, "y", true));
    }
    ctx.stroke();
    ctx.restore();
  }

  // -- limits of q

  grips() {
    this.grip = ["Lowest q used", "Highest q used"].map((name, which) => {
      const found = document.createElement("div");
      found.className = `grip ${which ? "high" : "low"}`;
      found.tabIndex = 0;
      found.setAttribute("role", "slider");
      found.setAttribute("aria-label", name);
      found.addEventListener("pointerdown", (event) => this.grab(event, which, found));
      found.addEventListener("mousedown", (event) => event.stopPropagation());
      found.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e9, End: 1e9 }[event.key];
        if (step) { event.preventDefault(); this.limit(which, this.limits[which] + step); }
      });
      this.main.over.append(found);
      return found;
    });
    this.veil = [0, 1].map((which) => this.main.over.insertBefore(Object.assign(document.createElement("div"), { className: "veil" }), this.grip[0]));
    this.put();
  }

  grab(event, which, grip) {
    event.preventDefault();
    event.stopPropagation();
    grip.focus();
    grip.setPointerCapture(event.pointerId);
    const box = this.main.over.getBoundingClientRect();
    const move = (at) => this.limit(which, this.nearest(this.main.posToVal(at.clientX - box.left, "x")));
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", () => grip.removeEventListener("pointermove", move), { once: true });
  }

  nearest(x) {
    const { q } = this.data, view = VIEWS[this.view];
    let best = 0;
    for (let i = 1; i < q.length; i++) if (Math.abs(view.x(q[i]) - x) < Math.abs(view.x(q[best]) - x)) best = i;
    return best;
  }

  // At least eight points are left, fewer of which the network does not take.
  limit(which, to) {
    const last = this.data.q.length - 1, [low, high] = this.limits;
    const found = which ? Math.max(low + 8, Math.min(last, to)) : Math.max(0, Math.min(high - 8, to));
    if (found === this.limits[which] || found < 0 || found > last) return;
    this.limits = which ? [low, found] : [found, high];
    this.put();
    this.moved(this.limits);
  }

  put() {
    const { q } = this.data, view = VIEWS[this.view];
    this.grip.forEach((grip, which) => {
      const at = this.main.valToPos(view.x(q[this.limits[which]]), "x");
      grip.style.left = `${at}px`;
      grip.setAttribute("aria-valuemin", 0);
      grip.setAttribute("aria-valuemax", q.length - 1);
      grip.setAttribute("aria-valuenow", this.limits[which]);
      grip.setAttribute("aria-valuetext", `${number(q[this.limits[which]], 4)} per ångström`);
      const whole = this.main.over.clientWidth;
      this.veil[which].style.left = which ? `${Math.min(at, whole)}px` : "0";
      this.veil[which].style.width = which ? `${Math.max(0, whole - at)}px` : `${Math.max(0, Math.min(at, whole))}px`;
    });
  }
}

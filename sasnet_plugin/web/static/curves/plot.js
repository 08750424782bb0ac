// The curve and its residuals on the page: views of them, and two limits of q that can be dragged. The figure is that of reports.
/* global CurveFigure */
import { number } from "./net.js";

const LOG = { x: true, y: true }, LINEAR = { x: false, y: false };
// q and I to what is drawn, a flat background B left out where it would hide all else; the unit of q's power is that of the axis.
export const VIEWS = {
  "log–log": { log: LOG, x: (q) => q, y: (q, i) => i, names: ["q / Å⁻¹"] },
  linear: { log: LINEAR, x: (q) => q, y: (q, i) => i, names: ["q / Å⁻¹"] },
  Guinier: { log: LINEAR, x: (q) => q * q, y: (q, i, flat) => (i > flat ? Math.log(i - flat) : null), names: ["q² / Å⁻²", "ln (I − B)"], power: "" },
  Kratky: { log: LINEAR, noisy: true, x: (q) => q, y: (q, i, flat) => q * q * (i - flat), names: ["q / Å⁻¹", "q² (I − B)"], power: "Å⁻² " },
  Porod: { log: LINEAR, noisy: true, x: (q) => q, y: (q, i, flat) => q ** 4 * (i - flat), names: ["q / Å⁻¹", "q⁴ (I − B)"], power: "Å⁻⁴ " },
};
// Lines by what they are: the colour, the dashes, the width. Fits that are compared differ in both.
const KINDS = { model: ["model", [], 2.5], preview: ["preview", [6, 4], 1.5], law: ["other", [3, 3], 1.5] };
const OTHERS = [["other", [6, 4], 1.5], ["yes", [2, 3], 1.5], ["main", [9, 3, 2, 3], 1.5], ["doubts", [12, 4], 1.5]];

// What the vertical axis shows, in which unit; B with its value, or left out where none is known.
function named({ names: [, name], power }, flat, unit) {
  if (!name) return undefined;
  const what = flat ? name : name.replace("(I − B)", "I"), value = flat ? `, B = ${number(flat, 3)}` : "";
  if (!unit) return `${what}${power ? ` / ${power}× unit of I` : ""}${value}${power ? "" : ", unit of I not given"}`;
  return `${power ? `${what} / ${power}${unit}` : what.replace(/^ln (.*)$/, `ln (${flat ? "(I − B)" : "I"} / ${unit})`)}${value}`;
}

export class Plot extends CurveFigure {
  // `moved` is told of new limits (indices of points).
  constructor(place, below, moved) {
    super(place, below);
    Object.assign(this, { moved, view: "log–log", data: null, limits: [0, 0], kinds: "", drawnLines: [] });
    place.setAttribute("role", "group");
  }

  // data: q, intensity, error (arrays); limits: [first, last] points that count
  show(data, limits) {
    Object.assign(this, { data, limits, kinds: "", drawnLines: [] });
    this.turn(this.view);
  }

  // Another view; that of Guinier shows where his law may hold, all of it after a double click.
  turn(view) {
    const { q, intensity, error, label, unit, guinier } = this.data, { names: [across], y, ...look } = VIEWS[view];
    const points = [{ name: "data", colour: "dot", q, y: intensity, e: error }], flat = view === "Guinier" ? guinier?.background ?? 0 : this.data.flat;
    this.view = view;
    this.lay();
    this.fill({ axis: label, points }, { ...look, y: (v, i) => y(v, i, flat), names: [across, named(VIEWS[view], flat, unit)] }, view === "Guinier" && guinier ? { x: [0, (1.2 * guinier.q_max) ** 2] } : {});
  }

  // lines: [{ name, q, intensity, residuals, kind: "model" | "other" | "preview" }]
  draw(lines) {
    const kinds = lines.map((line) => line.kind).join(), same = kinds === this.kinds;
    Object.assign(this, { kinds, drawnLines: lines });
    this.lay();
    if (!this.data) return;
    if (same && this.plots.length > 1) { this.update(); this.key(); } else this.build();
  }

  // Lines of models and, where ln I is drawn against q², Guinier's law over the range that shows it.
  lay() {
    let others = 0;
    const series = this.drawnLines.map(({ name, kind, q, intensity }) => {
      const [colour, dash, width] = KINDS[kind] ?? OTHERS[others++ % OTHERS.length];
      return { name, colour, dash, width, q, y: intensity };
    });
    const residuals = series.map((line, k) => ({ ...line, y: this.drawnLines[k].residuals ?? line.q.map(() => null) }));
    const law = this.view === "Guinier" && this.data?.guinier;
    if (law) {
      const [colour, dash, width] = KINDS.law, q = this.data.q.filter((v) => v <= law.q_max);
      series.push({ name: `Guinier’s law, Rg ${number(law.rg, 3)} Å`, colour, dash, width, q, y: q.map((v) => law.i0 * Math.exp(-((v * law.rg) ** 2) / 3) + (law.background ?? 0)) });
    }
    this.setLines(series, residuals);
  }

  // Which line is which, once there is one.
  key() {
    this.legend ??= Object.assign(document.createElement("p"), { className: "legend quiet" });
    const stroke = ({ colour, dash, width }) => `<svg viewBox="0 0 30 8" aria-hidden="true"><line x1="0" x2="30" y1="4" y2="4" stroke="var(--${colour})" stroke-width="${width}" stroke-dasharray="${dash.join(" ")}"/></svg>`;
    const dot = '<svg viewBox="0 0 10 8" aria-hidden="true"><circle cx="5" cy="4" r="2" fill="var(--dot)"/></svg>';
    const entry = (mark, name) => { const found = document.createElement("span"); found.innerHTML = mark; found.append(` ${name}`); return found; };
    this.legend.replaceChildren(...(this.lines.length ? [entry(dot, "data"), ...[...this.lines].reverse().map((line) => entry(stroke(line), line.name))] : []));
    this.above.append(this.legend);
  }

  height() {
    return innerWidth < 760 ? 280 : Math.max(280, Math.min(640, innerHeight - 370));
  }

  built() {
    this.above.append(this.readout);
    this.key();
    this.above.setAttribute("aria-label", `${this.look.names[1] ?? this.axis} against ${this.look.names[0]}`);
    this.over = this.plots[0].over;
    this.grips();
  }

  // The limits lie where the axis, which uPlot sets after it is built, has them.
  drawn() {
    if (this.grip && this.plots.length) this.put();
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
      this.over.append(found);
      return found;
    });
    this.veil = [0, 1].map(() => this.over.insertBefore(Object.assign(document.createElement("div"), { className: "veil" }), this.grip[0]));
  }

  grab(event, which, grip) {
    event.preventDefault();
    event.stopPropagation();
    grip.focus();
    grip.setPointerCapture(event.pointerId);
    const box = this.over.getBoundingClientRect();
    const move = (at) => this.limit(which, this.nearest(this.plots[0].posToVal(at.clientX - box.left, "x")));
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", () => grip.removeEventListener("pointermove", move), { once: true });
  }

  nearest(x) {
    const { q } = this.data, far = (i) => Math.abs(this.look.x(q[i]) - x);
    let best = 0;
    for (let i = 1; i < q.length; i++) if (far(i) < far(best)) best = i;
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
    const { q } = this.data;
    this.grip.forEach((grip, which) => {
      const at = this.plots[0].valToPos(this.look.x(q[this.limits[which]]), "x");
      grip.style.left = `${at}px`;
      grip.setAttribute("aria-valuemin", 0);
      grip.setAttribute("aria-valuemax", q.length - 1);
      grip.setAttribute("aria-valuenow", this.limits[which]);
      grip.setAttribute("aria-valuetext", `${number(q[this.limits[which]], 4)} per ångström`);
      const whole = this.over.clientWidth;
      this.veil[which].style.left = which ? `${Math.min(at, whole)}px` : "0";
      this.veil[which].style.width = which ? `${Math.max(0, whole - at)}px` : `${Math.max(0, Math.min(at, whole))}px`;
    });
  }
}

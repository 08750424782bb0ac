// The figure of a curve in reports and on the page, by uPlot: points, lines of models, and residuals over one q axis.
// It draws what `report/figure.py` describes: { axis, points, lines, residuals } with { name, colour, of, q, y, e, dash, width }.
"use strict";
const CurveFigure = (() => {
  const MARK = 3, NARROW = 560, TRIANGLE = 4;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // A number with so many digits; powers of ten as such where their zeros would have to be counted.
  function digits(value, count) {
    if (value === 0 || value === null) return "0";
    const power = Math.floor(Math.log10(Math.abs(value)) + 1e-12);
    if (power >= -3 && power < 5) return String(Number(value.toPrecision(count)));
    const factor = Number((value / 10 ** power).toPrecision(count));
    const raised = String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
    return `${factor === 1 ? "" : factor === -1 ? "−" : `${factor}×`}10${raised}`;
  }

  // Ticks of a logarithmic axis. uPlot's own never end where the lower limit lies just below a decade.
  function decades(u, which, low, high) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (let times = 1; times < 10; times++) all.push(Number(`${times}e${power}`));
    }
    const inside = all.filter((value) => value >= low && value <= high);
    return inside.length > 1 ? inside : [low, high];
  }

  // A number at each decade, between them where there are few.
  function labels(u, splits, scale) {
    const span = Math.log10(u.scales[scale].max / u.scales[scale].min);
    const wanted = span > 2.2 ? [1] : span > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
    return splits.map((value) => {
      const first = value === null ? 0 : Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
      return wanted.includes(first) ? digits(value, 3) : null;
    });
  }

  const rising = (values) => values.filter((value) => value !== null && Number.isFinite(value)).sort((a, b) => a - b);
  const share = (sorted, part) => sorted[Math.floor(part * (sorted.length - 1))];

  return class {
    // Curves are drawn in one place, residuals in another.
    constructor(above, below) {
      // look: what the axes show of q and I, and whether they are logarithmic; hidden: entries of the key that are not drawn.
      Object.assign(this, { above, below, hidden: new Set(), zoom: {}, plots: [], points: [], lines: [], residuals: [], q: null, look: null });
      this.readout = document.createElement("div");
      this.readout.className = "readout";
      new ResizeObserver(() => { if (this.plots.length && Math.abs(this.plots[0].width - this.width()) > 1) this.build(); }).observe(above);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
    }

    static digits(value, count) { return digits(value, count); }

    // A plot on axes; without lines those that are there stay.
    fill({ axis, points, lines, residuals }, look, zoom = {}) {
      Object.assign(this, { axis, points, look, zoom });
      this.q = [...new Set([...points, ...(lines || [])].flatMap((one) => one.q))].sort((a, b) => a - b);
      if (lines) this.setLines(lines, residuals);
      this.build();
    }

    // Other lines, as far as they have values at the q of the plot. The best, the first, is drawn last, on top.
    setLines(lines, residuals) {
      this.lines = [...lines].reverse();
      this.residuals = [...residuals].reverse();
    }

    // Draw lines that have changed; the axes stay.
    update() {
      const [main, small] = this.plots, [least, most] = this.misfits();
      main.setData(this.columns(this.points, this.lines), false);
      main.redraw(false);
      small.setData(this.strip(), false);
      small.setScale("y", { min: least, max: most });
    }

    // For those who draw more, or need another height.
    built() {}
    drawn() {}
    height() { return this.width() < NARROW ? 300 : 420; }
    width() { return Math.max(200, this.above.clientWidth); }
    visible(one) { return !this.hidden.has(one.of); }

    // Values at the q of the plot; null where there are none.
    spread(one, value) {
      const values = new Array(this.q.length).fill(null);
      let place = 0;
      one.q.forEach((q, i) => {
        while (place < this.q.length && this.q[place] < q * (1 - 1e-9)) place++;
        if (place < this.q.length && Math.abs(this.q[place] - q) <= 1e-9 * Math.abs(q)) values[place] = value(q, i);
      });
      return values;
    }

    shown(q, intensity) {
      const value = intensity === null ? null : this.look.y(q, intensity);
      return value !== null && Number.isFinite(value) && (!this.look.log.y || value > 0) ? value : null;
    }

    columns(...groups) {
      return [this.q.map(this.look.x), ...groups.flat().map((one) => this.spread(one, (q, i) => this.shown(q, one.y[i])))];
    }

    // Residuals; those beyond their axis lie on its edge.
    strip() {
      const [least, most] = this.misfits(), inside = (v) => (v === null ? null : Math.min(Math.max(v, least), most));
      return [this.q.map(this.look.x), ...this.residuals.map((one) => this.spread(one, (q, i) => inside(one.y[i])))];
    }

    // By the data: a model far off leaves the picture as it is, and so does a point that scatters down to zero.
    heights() {
      if (this.zoom.y) return this.zoom.y;
      const [first, last] = this.zoom.x || [-Infinity, Infinity], { log, x, noisy } = this.look;
      const within = (q) => x(q) >= first && x(q) <= last;
      const seen = rising(this.points.filter((one) => this.visible(one)).flatMap((one) => one.q.map((q, i) => (within(q) ? this.shown(q, one.y[i]) : null))));
      if (!seen.length) return log.y ? [0.1, 1] : [0, 1];
      let [low, high] = [seen[0], seen[seen.length - 1]];
      if (log.y) return [0.5 * share(seen, 0.01), 1.6 * high];
      if (noisy && seen.length > 40) [low, high] = [Math.min(0, share(seen, 0.02)), 1.1 * share(seen, 0.97)];
      const room = 0.05 * (high - low || Math.abs(high) || 1);
      return [low - room, high + room];
    }

    widths() {
      if (this.zoom.x) return this.zoom.x;
      const [low, high] = [this.q[0], this.q[this.q.length - 1]].map(this.look.x);
      if (this.look.log.x) { const room = Math.max((high / low) ** 0.02, 1.02); return [low / room, high * room]; }
      const room = 0.02 * (high - low || high || 1);
      return [low - room, high + room];
    }

    misfits() {
      const sizes = rising(this.residuals.filter((one) => this.visible(one)).flatMap((one) => one.y.map((v) => (v === null ? null : Math.abs(v)))));
      const most = Math.max(4, 1.15 * (share(sizes, 0.98) || 0));
      return [-most, most];
    }

    // All of one q axis; points and lines above, residuals below.
    build() {
      this.plots.forEach((one) => one.destroy());
      this.plots = [];
      if (!this.q?.length) return;
      const { look } = this, width = this.width(), size = width < NARROW ? 58 : 72;
      const axis = (label, log, more) => ({
        label, labelSize: 18, labelFont: "13px system-ui", font: "12px system-ui", stroke: colour("ink"),
        grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 5 },
        filter: (u, splits) => splits, ...(log ? { splits: decades } : {}), ...more,
      });
      const numbers = (scale) => (look.log[scale] ? (u, splits) => labels(u, splits, scale) : (u, splits) => splits.map((value) => digits(value, 3)));
      const across = axis(look.names[0], look.log.x, { size: 28, values: numbers("x") });
      const bare = axis("", look.log.x, { size: 10, labelSize: 0, values: (u, splits) => splits.map(() => null) });
      const x = { time: false, distr: look.log.x ? 3 : 1, range: () => this.widths() };
      const dots = (one, size) => ({ show: this.visible(one), stroke: colour(one.colour), width: 0, paths: () => null, points: { show: true, size, fill: colour(one.colour), width: 0 } });
      const line = (one) => ({ show: this.visible(one), stroke: colour(one.colour), width: one.width || 2, dash: one.dash, spanGaps: true, points: { show: false } });
      const cursor = { sync: { key: "q" }, drag: { x: true, y: false, setScale: false }, points: { show: false } };
      const strip = this.below && this.residuals.length > 0;
      this.plots = [new uPlot({
        width, height: this.height(), legend: { show: false },
        scales: { x, y: { distr: look.log.y ? 3 : 1, range: () => this.heights() } },
        series: [{}, ...this.points.map((one) => dots(one, 4)), ...this.lines.map(line)],
        cursor: { ...cursor, drag: { x: true, y: true, uni: 20, setScale: false } },
        axes: [strip ? bare : across, axis(look.names[1] ?? this.axis, look.log.y, { size, values: numbers("y") })],
        hooks: { draw: [(u) => { this.bars(u); this.edges(u); this.drawn(); }], setSelect: [(u) => this.zoomed(u, true)], setCursor: [(u) => this.read(u)] },
      }, this.columns(this.points, this.lines), this.above)];
      if (strip) this.plots.push(new uPlot({
        width, height: 150, legend: { show: false }, scales: { x, y: { range: () => this.misfits() } },
        series: [{}, ...this.residuals.map((one) => dots(one, MARK))], cursor,
        axes: [across, axis("(I − fit) / σ", false, { size, space: 22, values: (u, splits) => splits.map((value) => digits(value, 2)) })],
        hooks: { drawClear: [(u) => this.band(u)], setSelect: [(u) => this.zoomed(u, false)] },
      }, this.strip(), this.below));
      for (const one of this.plots) {
        one.over.addEventListener("dblclick", () => { this.zoom = {}; setTimeout(() => this.build()); });
        one.root.querySelectorAll("canvas").forEach((canvas) => canvas.setAttribute("aria-hidden", "true"));
      }
      this.built();
    }

    zoomed(u, both) {
      const { left, top, width, height } = u.select;
      if (width < 6 && height < 6) return;
      if (width >= 6) this.zoom.x = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
      if (both && height >= 6 && height < u.over.clientHeight) this.zoom.y = [u.posToVal(top + height, "y"), u.posToVal(top, "y")];
      setTimeout(() => this.build()); // not within uPlot's own hook
    }

    read(u) {
      const i = u.cursor.idx;
      if (i === null || i === undefined) { this.readout.textContent = ""; return; }
      const words = this.points.filter((one) => this.visible(one)).flatMap((one) => {
        const at = one.q.indexOf(this.q[i]);
        if (at < 0 || one.y[at] === null) return [];
        return [`${this.points.length > 1 ? `${one.name} ` : "I = "}${digits(one.y[at], 4)}${one.e ? ` ± ${digits(one.e[at], 2)}` : ""}`];
      });
      this.readout.textContent = `q = ${digits(this.q[i], 4)} Å⁻¹${words.length ? `, ${words.join("; ")}` : ""}`;
    }

    // Error bars, cut off where a logarithm ends.
    bars(u) {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([]);
      ctx.globalAlpha = 0.6;
      for (const one of this.points.filter((points) => points.e && this.visible(points))) {
        ctx.strokeStyle = colour(one.colour);
        ctx.beginPath();
        one.q.forEach((q, i) => {
          const high = one.e[i] > 0 && one.y[i] !== null ? this.shown(q, one.y[i] + one.e[i]) : null;
          if (high === null) return;
          const place = u.valToPos(this.look.x(q), "x", true), low = this.shown(q, one.y[i] - one.e[i]) ?? u.scales.y.min;
          ctx.moveTo(place, u.valToPos(low, "y", true));
          ctx.lineTo(place, u.valToPos(high, "y", true));
        });
        ctx.stroke();
      }
      ctx.restore();
    }

    // What an axis cannot show is a triangle on its lower edge, so that every point is there.
    edges(u) {
      const { ctx, bbox } = u, size = TRIANGLE * devicePixelRatio, bottom = bbox.top + bbox.height, { x, y } = u.scales;
      for (const one of this.points.filter((points) => this.visible(points))) {
        ctx.fillStyle = colour(one.colour);
        one.q.forEach((q, i) => {
          const across = this.look.x(q), value = this.shown(q, one.y[i]);
          if (one.y[i] === null || across < x.min || across > x.max || (value !== null && (!this.look.log.y || value >= y.min))) return;
          const place = u.valToPos(across, "x", true);
          ctx.beginPath();
          ctx.moveTo(place - size, bottom - size);
          ctx.lineTo(place + size, bottom - size);
          ctx.lineTo(place, bottom + size);
          ctx.fill();
        });
      }
    }

    // Two standard deviations either way.
    band(u) {
      const { ctx, bbox } = u, top = u.valToPos(2, "y", true), bottom = u.valToPos(-2, "y", true);
      ctx.save();
      ctx.globalAlpha = 0.45;
      ctx.fillStyle = colour("line");
      ctx.fillRect(bbox.left, Math.max(top, bbox.top), bbox.width, Math.min(bottom - top, bbox.height));
      ctx.restore();
    }
  };
})();

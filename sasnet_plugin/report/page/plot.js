// The figure of a report in place of its picture: zoom, linear or logarithmic axes, and curves that can be hidden.
"use strict";
(() => {
  const place = document.getElementById("plot"), still = document.getElementById("still");
  const told = JSON.parse(document.getElementById("plot-data").textContent);
  const all = [...told.points, ...told.lines, ...told.residuals];
  const q = [...new Set(all.flatMap((one) => one.q))].sort((a, b) => a - b);
  const at = new Map(q.map((value, index) => [value, index]));
  const spread = (one, values) => {
    const found = new Array(q.length).fill(null);
    one.q.forEach((value, index) => { found[at.get(value)] = values[index]; });
    return found;
  };
  told.lines.reverse(); // the best is drawn last, on top of the others
  told.residuals.reverse();
  for (const one of all) one.y = spread(one, one.y);
  for (const one of told.points) one.e = spread(one, one.e);
  const log = { x: q[0] > 0, y: told.points.some((one) => one.y.some((value) => value > 0)) };
  const hidden = new Set();
  let zoom = {}, plots = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const shown = (value) => (value !== null && Number.isFinite(value) && (!log.y || value > 0) ? value : null);
  const visible = (one) => !hidden.has(one.of);
  const digits = (value, count) => {
    if (value === 0 || value === null) return "0";
    const power = Math.floor(Math.log10(Math.abs(value)));
    if (power >= -3 && power < 5) return String(Number(value.toPrecision(count)));
    const factor = Number((value / 10 ** power).toPrecision(count));
    const raised = String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
    return `${factor === 1 ? "" : factor === -1 ? "−" : `${factor}×`}10${raised}`;
  };

  // By the data: a model far off leaves the picture as it is, and so does a point that scatters down to zero.
  const heights = () => {
    const [first, last] = zoom.x || [-Infinity, Infinity];
    const seen = told.points.filter(visible).flatMap((one) => one.y.filter((_, i) => q[i] >= first && q[i] <= last));
    const values = seen.map(shown).filter((value) => value !== null).sort((a, b) => a - b);
    if (!values.length) return log.y ? [0.1, 1] : [0, 1];
    const low = values[Math.floor(0.01 * (values.length - 1))], high = values[values.length - 1];
    if (log.y) return [0.5 * low, 1.6 * high];
    const wide = 0.05 * (high - low || Math.abs(high) || 1);
    return [low - wide, high + wide];
  };
  const widths = () => {
    const [low, high] = [q[0], q[q.length - 1]];
    if (log.x) { const wide = Math.max((high / low) ** 0.02, 1.02); return [low / wide, high * wide]; }
    const wide = 0.02 * (high - low || high || 1);
    return [low - wide, high + wide];
  };
  const misfits = () => {
    const sizes = told.residuals.filter(visible).flatMap((one) => one.y).filter((v) => v !== null && Number.isFinite(v));
    sizes.forEach((value, index) => { sizes[index] = Math.abs(value); });
    sizes.sort((a, b) => a - b);
    const most = Math.max(4, 1.15 * (sizes[Math.floor(0.98 * (sizes.length - 1))] || 0));
    return [-most, most];
  };

  // A number at each decade, between them where there are few.
  const labels = (scale) => (u, splits) => {
    if (!log[scale]) return splits.map((value) => digits(value, 3));
    const decades = Math.log10(u.scales[scale].max / u.scales[scale].min);
    const wanted = decades > 2.2 ? [1] : decades > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
    return splits.map((value) => {
      const first = value === null ? 0 : Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
      return wanted.includes(first) ? digits(value, 3) : null;
    });
  };

  // Ticks of a logarithmic axis. uPlot's own never end where the lower limit lies just below a decade.
  const decades = (u, which, low, high) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (let times = 1; times < 10; times++) found.push(Number(`${times}e${power}`));
    }
    const inside = found.filter((value) => value >= low && value <= high);
    return inside.length > 1 ? inside : [low, high];
  };
  const ticks = (scale) => (log[scale] ? { splits: decades } : {});

  const axis = (label, more) => ({
    label, labelSize: 18, labelFont: "13px system-ui", font: "12px system-ui", stroke: colour("ink"),
    grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 5 }, ...more,
  });
  const dots = (one, size) => ({
    show: visible(one), stroke: colour(one.colour), width: 0, paths: () => null,
    points: { show: true, size, fill: colour(one.colour), width: 0 },
  });
  const line = (one) => ({
    show: visible(one), stroke: colour(one.colour), width: 2, dash: one.dash, spanGaps: true, points: { show: false },
  });

  const bars = (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([]);
    ctx.globalAlpha = 0.6;
    for (const one of told.points.filter(visible)) {
      ctx.strokeStyle = colour(one.colour);
      ctx.beginPath();
      one.y.forEach((value, i) => {
        if (value === null || !(one.e[i] > 0) || shown(value + one.e[i]) === null) return;
        const x = u.valToPos(q[i], "x", true), low = shown(value - one.e[i]) ?? u.scales.y.min;
        ctx.moveTo(x, u.valToPos(low, "y", true));
        ctx.lineTo(x, u.valToPos(value + one.e[i], "y", true));
      });
      ctx.stroke();
    }
    ctx.restore();
    edges(u);
  };
  // What the axis cannot show is a triangle on its lower edge, so that every point is there.
  const edges = (u) => {
    const { ctx, bbox } = u, size = 4 * devicePixelRatio, bottom = bbox.top + bbox.height;
    for (const one of told.points.filter(visible)) {
      ctx.fillStyle = colour(one.colour);
      one.y.forEach((value, i) => {
        if (value === null || q[i] < u.scales.x.min || q[i] > u.scales.x.max) return;
        if (shown(value) !== null && value >= u.scales.y.min) return;
        const x = u.valToPos(q[i], "x", true);
        ctx.beginPath();
        ctx.moveTo(x - size, bottom - size);
        ctx.lineTo(x + size, bottom - size);
        ctx.lineTo(x, bottom + size);
        ctx.fill();
      });
    }
  };
  const band = (u) => {
    const { ctx, bbox } = u, top = u.valToPos(2, "y", true), bottom = u.valToPos(-2, "y", true);
    ctx.save();
    ctx.globalAlpha = 0.45;
    ctx.fillStyle = colour("line");
    ctx.fillRect(bbox.left, Math.max(top, bbox.top), bbox.width, Math.min(bottom - top, bbox.height));
    ctx.restore();
  };
  const told_at = (u) => {
    const i = u.cursor.idx;
    if (i === null || i === undefined) { readout.textContent = ""; return; }
    const found = told.points.filter((one) => visible(one) && one.y[i] !== null);
    const words = found.map((one) => `${found.length > 1 ? `${one.name} ` : "I = "}${digits(one.y[i], 4)} ± ${digits(one.e[i], 2)}`);
    readout.textContent = `q = ${digits(q[i], 4)} Å⁻¹, ${words.join("; ")}`;
  };
  const zoomed = (which) => (u) => {
    const { left, top, width, height } = u.select;
    if (width < 6 && height < 6) return;
    if (width >= 6) zoom.x = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    if (which === "main" && height >= 6) zoom.y = [u.posToVal(top + height, "y"), u.posToVal(top, "y")];
    setTimeout(build);
  };

  function build() {
    plots.forEach((one) => one.destroy());
    const across = axis("q / Å⁻¹", { size: 28, ...ticks("x"), values: labels("x"), filter: (u, splits) => splits });
    const bare = axis("", { size: 10, labelSize: 0, ...ticks("x"), values: (u, splits) => splits.map(() => null), filter: (u, splits) => splits });
    const width = place.clientWidth, narrow = width < 560;
    const x = { time: false, distr: log.x ? 3 : 1, range: () => zoom.x || widths() };
    const cursor = { sync: { key: "q" }, drag: { x: true, y: false, setScale: false }, points: { show: false } };
    const size = narrow ? 52 : 66;
    const main = new uPlot({
      width, height: narrow ? 300 : 420, legend: { show: false },
      scales: { x, y: { distr: log.y ? 3 : 1, range: () => zoom.y || heights() } },
      series: [{}, ...told.points.map((one) => dots(one, 4)), ...told.lines.map(line)],
      cursor: { ...cursor, drag: { x: true, y: true, uni: 20, setScale: false } },
      axes: [
        told.residuals.length ? bare : across,
        axis(told.axis, { size, ...ticks("y"), values: labels("y"), filter: (u, splits) => splits }),
      ],
      hooks: { draw: [bars], setSelect: [zoomed("main")], setCursor: [told_at] },
    }, [q, ...told.points.map((one) => one.y.map(shown)), ...told.lines.map((one) => one.y.map(shown))], above);
    plots = [main];
    if (told.residuals.length) plots.push(new uPlot({
      width, height: 150, legend: { show: false }, scales: { x, y: { range: misfits } },
      series: [{}, ...told.residuals.map((one) => dots(one, 3))], cursor,
      axes: [
        across,
        axis("(I − fit) / σ", { size, space: 22, values: (u, splits) => splits.map((value) => digits(value, 2)) }),
      ],
      hooks: { drawClear: [band], setSelect: [zoomed("small")] },
    }, [q, ...told.residuals.map((one) => one.y)], below));
    for (const canvas of place.querySelectorAll("canvas")) canvas.setAttribute("aria-hidden", "true");
    whole.hidden = !zoom.x && !zoom.y;
  }

  const button = (words, pressed, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    if (pressed !== null) made.setAttribute("aria-pressed", pressed);
    made.addEventListener("click", () => act(made));
    return made;
  };
  const turned = (made) => {
    const now = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", now);
    return now;
  };
  const tools = Object.assign(document.createElement("div"), { className: "tools" });
  const above = document.createElement("div"), below = document.createElement("div");
  const readout = Object.assign(document.createElement("p"), { className: "small readout" });
  const whole = button("Show all", null, () => { zoom = {}; build(); });
  if (log.x) tools.append(button("q logarithmic", true, (made) => { log.x = turned(made); zoom = {}; build(); }));
  if (log.y) tools.append(button("I logarithmic", true, (made) => { log.y = turned(made); zoom = {}; build(); }));
  tools.append(whole, Object.assign(document.createElement("span"), { className: "small", textContent: "Drag over the plot to zoom." }));
  // Which line is which turns into buttons that hide it.
  document.querySelectorAll(".key > span").forEach((span, index) => {
    const made = button("", true, () => {
      if (turned(made)) hidden.delete(index); else hidden.add(index);
      build();
    });
    made.title = "Show or hide this curve";
    made.append(...span.childNodes);
    span.replaceWith(made);
  });
  place.append(tools, above, below, readout);
  place.hidden = false;
  still.classList.add("printed");
  build();
  let width = place.clientWidth;
  new ResizeObserver(() => { if (place.clientWidth !== width) { width = place.clientWidth; build(); } }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
})();

// The figure of a report in place of its picture: zoom, linear or logarithmic axes, and curves that can be hidden.
"use strict";
(() => {
  const place = document.getElementById("plot"), still = document.getElementById("still");
  const plot = JSON.parse(document.getElementById("plot-data").textContent);
  const made = (tag, given) => Object.assign(document.createElement(tag), given);
  const above = made("div"), below = made("div"), tools = made("div", { className: "tools" });
  const figure = new CurveFigure(above, below);
  const log = { x: plot.points.every((one) => one.q.every((q) => q > 0)), y: plot.points.some((one) => one.y.some((value) => value > 0)) };
  const look = { log, x: (q) => q, y: (q, intensity) => intensity, names: ["q / Å⁻¹"] };
  figure.readout.classList.add("small");

  const button = (words, pressed, act) => {
    const one = made("button", { type: "button", textContent: words });
    if (pressed !== null) one.setAttribute("aria-pressed", pressed);
    one.addEventListener("click", () => act(one));
    return one;
  };
  const turned = (one) => {
    const now = one.getAttribute("aria-pressed") !== "true";
    one.setAttribute("aria-pressed", now);
    return now;
  };
  const whole = button("Show all", null, () => { figure.zoom = {}; figure.build(); });
  figure.built = () => { whole.hidden = !figure.zoom.x && !figure.zoom.y; };
  for (const [scale, name] of [["x", "q"], ["y", "I"]]) {
    if (log[scale]) tools.append(button(`${name} logarithmic`, true, (one) => { log[scale] = turned(one); figure.zoom = {}; figure.build(); }));
  }
  tools.append(whole, made("span", { className: "small", textContent: "Drag over the plot to zoom." }));
  // Which line is which turns into buttons that hide it.
  document.querySelectorAll(".key > span").forEach((span, index) => {
    const one = button("", true, () => {
      if (turned(one)) figure.hidden.delete(index); else figure.hidden.add(index);
      figure.build();
    });
    one.title = "Show or hide this curve";
    one.append(...span.childNodes);
    span.replaceWith(one);
  });
  place.append(tools, above, below, figure.readout);
  place.hidden = false;
  still.classList.add("printed");
  figure.fill(plot, look);
})();

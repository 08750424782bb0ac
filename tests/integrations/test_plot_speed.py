"""The plot of the page beside Plotly's, which draws the same curve, error bars, model and residuals.

Compared is the time of the scripts; what the browser paints after them is left out of both.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import NewPage
from webpages import Server

#: How much faster it has to be.
WANTED = 20.0
POINTS = 2000
#: Of both: data, a model that is moved, and the shortest of 21 frames (ms), which others disturb least.
_DATA = """
    const intensity = q.map((v) => 1 / (1 + 1e4 * v * v)), error = intensity.map((v) => 0.03 * v);
    const frame = async (draw, k) => {
        const model = q.map((v) => 1 / (1 + (9e3 + 100 * k) * v * v));
        const residuals = q.map((_, i) => (intensity[i] - model[i]) / error[i]);
        const began = performance.now();
        await draw(model, residuals);
        return performance.now() - began;
    };
    const shortest = async (draw) => {
        const times = [];
        for (let k = 0; k < 21; k++) times.push(await frame(draw, k));
        return Math.min(...times);
    };
    const [above, below] = [1, 2].map(() => document.body.appendChild(document.createElement("div")));
    above.style.width = below.style.width = "900px";
"""
_OURS = """
    const { Plot } = await import("/static/curves/plot.js");
    const plot = new Plot(above, below, () => {});
    plot.show({ q, intensity, error, flat: 0 }, [0, q.length - 1]);
    return shortest(async (model, residuals) => {
        plot.draw([{ name: "m", kind: "model", q, intensity: model, residuals }]);
        await new Promise((done) => queueMicrotask(done));
    });
"""
_PLOTLY = """
    const xaxis = { type: "log" }, yaxis = { type: "log" };
    return shortest(async (model, residuals) => {
        const data = { x: q, y: intensity, mode: "markers", error_y: { array: error } };
        await Plotly.react(above, [data, { x: q, y: model, mode: "lines" }], { width: 900, xaxis, yaxis });
        const under = { x: q, y: residuals, mode: "markers" };
        await Plotly.react(below, [under], { width: 900, height: 150, xaxis });
    });
"""


@pytest.mark.slow
def test_a_frame_is_drawn_twenty_times_as_fast_as_by_plotly(
    new_page: NewPage, browser: Any, tmp_path: Path
) -> None:
    offline = pytest.importorskip("plotly.offline")
    q = np.geomspace(1e-3, 0.5, POINTS).tolist()
    context, server = browser.new_context(), Server(tmp_path / "work")
    try:
        other = context.new_page()
        other.set_content("<body></body>")
        other.add_script_tag(content=offline.get_plotlyjs())
        theirs = other.evaluate(f"async (q) => {{ {_DATA} {_PLOTLY} }}", q)
        ours = new_page(server.address).evaluate(f"async (q) => {{ {_DATA} {_OURS} }}", q)
    finally:
        context.close()
        assert server.end(signal.SIGINT) == 0
    print(f"a frame of {POINTS} points: {ours:.1f} ms, by Plotly {theirs:.0f} ms, {theirs / ours:.0f} times")
    assert theirs / ours > WANTED

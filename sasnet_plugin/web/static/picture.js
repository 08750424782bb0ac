// A picture that one looks into: zoomed by wheel, drag, two fingers and keys; and where on the detector a place lies.

// What the server says of a picture (`report.images.raster_place.about`) and a place in it, 0 to 1, as a sentence.
export function where(about, x, y) {
  const column = Math.floor(x * about.columns), row = Math.floor(y * about.rows);
  if (about.phi) {
    const at = ([low, high], share) => (low + (high - low) * share) * Math.PI / 180;
    const phi = at(about.phi, x), up = at(about.alpha_f, 1 - y), k = 2 * Math.PI / about.wavelength;
    const across = k * Math.sin(phi) * Math.cos(up), above = k * (Math.sin(up) + Math.sin(about.alpha_i * Math.PI / 180));
    return `q_y ${across.toPrecision(3)} Å⁻¹, q_z ${above.toPrecision(3)} Å⁻¹`;
  }
  const place = `column ${column}, row ${row}`;
  if (about.corners) {
    const between = ([a, b, c, d]) => (1 - y) * ((1 - x) * a + x * b) + y * ((1 - x) * c + x * d);
    const [qx, qy] = about.corners.map(between);
    return `${place}; qx ${qx.toPrecision(3)}, qy ${qy.toPrecision(3)}, q = ${Math.hypot(qx, qy).toPrecision(3)} Å⁻¹`;
  }
  if (!about.centre) return place;
  const radius = Math.hypot(x * about.columns - 0.5 - about.centre[0], y * about.rows - 0.5 - about.centre[1]);
  if (!about.per_pixel) return `${place}; ${radius.toFixed(0)} pixels from the beam`;
  const q = 4 * Math.PI / about.wavelength * Math.sin(Math.atan(radius * about.per_pixel) / 2);
  return `${place}; q = ${q.toPrecision(3)} Å⁻¹`;
}

// Where a picture's beam lies, in shares of its sides; null where it is not in it.
export function beamOf(about) {
  if (!about?.centre) return null;
  const at = [(about.centre[0] + 0.5) / about.columns, (about.centre[1] + 0.5) / about.rows];
  return at.every((share) => share >= 0 && share <= 1) ? at : null;
}

const MOST = 40, STEP = 1.5;

// Frames that show the same part of pictures of the same shape. Each has one child, in which the picture lies.
//   closer(scale): told when the scale has changed; seen(x, y): told of the place under mouse or cross.
export class Zoom {
  constructor({ closer = () => {}, seen = () => {} } = {}) {
    Object.assign(this, { closer, seen, frames: [], scale: 1, x: 0, y: 0, cross: null, fingers: new Map() });
  }

  add(frame) {
    this.frames.push(frame);
    frame.addEventListener("wheel", (event) => {
      if (!(event.ctrlKey || frame.contains(document.activeElement))) return; // the page itself is scrolled
      event.preventDefault();
      this.by(event.deltaY < 0 ? STEP ** 0.5 : STEP ** -0.5, ...this.at(frame, event));
    }, { passive: false });
    frame.addEventListener("pointerdown", (event) => { this.fingers.set(event.pointerId, event); });
    frame.addEventListener("pointermove", (event) => this.moved(frame, event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) frame.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    frame.addEventListener("dblclick", (event) => this.by(this.scale > 1 ? 0 : 4, ...this.at(frame, event)));
    frame.addEventListener("keydown", (event) => this.key(event));
    frame.addEventListener("blur", () => this.crossed(null));
    this.put();
  }

  // A place of the screen in shares of the frame.
  at(frame, event) {
    const box = frame.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  moved(frame, event) {
    const [px, py] = this.at(frame, event), before = this.fingers.get(event.pointerId);
    this.seen((px - this.x) / this.scale, (py - this.y) / this.scale);
    if (!before) return;
    const [bx, by] = this.at(frame, before), others = [...this.fingers.values()].filter((one) => one.pointerId !== event.pointerId);
    this.fingers.set(event.pointerId, event);
    if (others.length) {
      const [ox, oy] = this.at(frame, others[0]), was = Math.hypot(bx - ox, by - oy);
      if (was > 0) this.by(Math.hypot(px - ox, py - oy) / was, (px + ox) / 2, (py + oy) / 2);
      return;
    }
    if (this.scale > 1) frame.setPointerCapture(event.pointerId);
    this.x += px - bx;
    this.y += py - by;
    this.put();
  }

  // Closer by a factor about a place of the frame; 0: all of the picture.
  by(factor, px = 0.5, py = 0.5) {
    const next = factor ? Math.min(Math.max(this.scale * factor, 1), MOST) : 1;
    this.x = px - (px - this.x) * next / this.scale;
    this.y = py - (py - this.y) * next / this.scale;
    this.scale = next;
    this.put();
    this.closer(next);
  }

  key(event) {
    const step = (event.shiftKey ? 0.1 : 0.01) / this.scale, cross = this.cross || [(0.5 - this.x) / this.scale, (0.5 - this.y) / this.scale];
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const shown = [cross[0] * this.scale + this.x, cross[1] * this.scale + this.y];
    if (moves[event.key]) this.crossed(cross.map((share, axis) => Math.min(Math.max(share + moves[event.key][axis], 0), 0.9999)));
    else if (event.key === "+" || event.key === "=") this.by(STEP, ...shown);
    else if (event.key === "-") this.by(1 / STEP, ...shown);
    else if (event.key === "0") this.by(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // The cross that keys move; what lies under it is said, and it stays in sight.
  crossed(cross) {
    this.cross = cross;
    if (cross) {
      const follow = (share, shift) => Math.min(Math.max(shift, 0.02 - share * this.scale), 0.98 - share * this.scale);
      [this.x, this.y] = [follow(cross[0], this.x), follow(cross[1], this.y)];
      this.seen(...cross);
    }
    this.put();
  }

  put() {
    const within = (shift) => Math.min(Math.max(shift, 1 - this.scale), 0);
    [this.x, this.y] = [within(this.x), within(this.y)];
    for (const frame of this.frames) {
      const inner = frame.firstElementChild;
      inner.style.transform = `translate(${100 * this.x}%, ${100 * this.y}%) scale(${this.scale})`;
      inner.style.setProperty("--back", 1 / this.scale); // what marks a place keeps its size
      frame.style.touchAction = this.scale > 1 ? "none" : "pan-y";
      const mark = inner.querySelector(".cross");
      if (!mark) continue;
      mark.hidden = !this.cross;
      if (this.cross) [mark.style.left, mark.style.top] = this.cross.map((share) => `${100 * share}%`);
    }
  }
}

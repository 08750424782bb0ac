// Parameters of a model: value ± error, fit or fixed, limits and a slider; the curve follows.
import { el, number, numberIn, tell, unitWith, withError } from "./net.js";

const STEPS = 1000;

// Limits between which a slider moves: around the value, within the model's own.
// level: the lowest intensity of the curve; a background is about as high.
function reach(one, value, level) {
  const low = one.low ?? -Infinity, high = one.high ?? Infinity;
  if (one.name === "background" && Number.isFinite(level)) return [Math.min(0, 2 * value), Math.max(2 * level, 2 * value)];
  if (one.name.endsWith("_pd")) return [0, Math.min(high, Math.max(0.5, value))];
  if (one.name === "temperature") return [Math.min(273, value), Math.max(373, value)]; // of water, K
  if (one.name.includes("sld")) return [Math.max(low, value - 5), Math.min(high, value + 5)];
  if (value > 0) return [Math.max(low, value / 5), Math.min(high, value * 5)];
  if (value < 0) return [Math.max(low, value * 5), Math.min(high, value / 5)];
  return [Math.max(low, -1), Math.min(high, 1)];
}

// A value as its box has room for it: zeros before its digits take theirs, and where all do not fit, a power of ten.
const ROOM = { value: 9, limit: 7 }; // characters
function inBox(value, digits, room) {
  const text = number(value, Math.abs(value) < 0.01 ? digits - 2 : digits);
  return text.length <= room ? text : value.toExponential(2).replace(/\.?0*e\+?/, "e");
}

function errorText(value, error) {
  return `± ${error < 1e-4 ? error.toExponential(1) : withError(value, error).split("± ")[1] ?? number(error, 2)}`;
}

// Limits of the user as far as the model has them too; null where none are left.
function limitsIn(one, limits) {
  if (!limits) return null;
  const [low, high] = [Math.max(one.low ?? -Infinity, limits[0]), Math.min(one.high ?? Infinity, limits[1])];
  return low < high ? [low, high] : null;
}

const only = (given, passes) => Object.fromEntries(Object.entries(given).filter(([name]) => passes(name)));

export class Parameters {
  // moved: told of a new value; held: of what is fixed or limited
  constructor(place, moved, held = () => {}) {
    Object.assign(this, { place, held, rows: [], kept: { fixed: {}, ranges: {}, fitted: [] } });
    this.moved = () => { this.forget(); moved(); };
  }

  // table: of the model; values: by name; found: of a fit, by name, { error, fixed }. What the user fixed or limited in another form stays so.
  show(table, values, found = {}) {
    this.kept = this.wanted;
    this.shown = [table, values, found];
    const { fixed, ranges, fitted } = this.kept, of_fit = Object.keys(found).length > 0; // it has no widths that it left at 0
    this.words = Object.fromEntries(Object.entries(values).filter(([name]) => /_pd_(n|nsigma|type)$/.test(name)));
    this.rows = table.map((one) => {
      const held = !one.choices.length && one.name in fixed, limits = limitsIn(one, ranges[one.name]);
      const given = Number(held ? fixed[one.name] : values[one.name] ?? one.default);
      const value = limits && !held ? Math.max(limits[0], Math.min(limits[1], given)) : given;
      const [low, high] = limits ?? reach(one, value, this.level);
      return { ...one, ownLow: one.low, ownHigh: one.high, value, low: Math.min(low, value), high: Math.max(high, value), limited: Boolean(limits), chosen: held, state: held || !(one.fitted || limits || fitted.includes(one.name)) ? "fixed" : "fit", error: found[one.name]?.error ?? null, held: of_fit && (found[one.name]?.fixed ?? true) };
    });
    this.draw();
  }

  // Fix these values and keep these limits instead of those before, in each form that has the parameter.
  want({ fixed = {}, ranges = {}, fitted = [] } = {}, anew = false) {
    this.rows = [];
    this.kept = { fixed, ranges, fitted };
    if (anew && this.shown) this.show(...this.shown);
  }

  // What the user fixed, limited and chose to be fitted: in this form, and in those before it where this one lacks the parameter.
  // A value that was typed where nothing is fitted is fixed, too.
  get wanted() {
    const here = (test, value) => Object.fromEntries(this.rows.filter(test).map((row) => [row.name, value(row)]));
    const lacking = (name) => !this.has(name);
    return {
      fixed: { ...only(this.kept.fixed, lacking), ...here((row) => row.state === "fixed" && row.chosen, (row) => row.value) },
      ranges: { ...only(this.kept.ranges, lacking), ...here((row) => row.limited, (row) => [row.low, row.high]) },
      fitted: [...this.kept.fitted.filter(lacking), ...this.rows.filter((row) => row.state === "fit" && !row.fitted && !row.choices.length).map((row) => row.name)],
    };
  }

  has(name) {
    return this.rows.some((row) => row.name === name);
  }

  // How a fit of this form, or of every form, is to hold values.
  asked(everywhere = false) {
    const { fixed, ranges, fitted } = this.wanted, calculated = this.calculated;
    const used = (name) => name !== calculated && (everywhere || this.has(name));
    return { fixed: only(fixed, used), ranges: only(ranges, (name) => used(name) && !(name in fixed)), fitted: fitted.filter(used) };
  }

  // Values of a model that is not in the library, such as a sum: shown, not changed.
  read(fitted, command) {
    this.kept = this.wanted;
    this.rows = [];
    this.shown = null;
    this.words = {};
    const head = el("tr", {}, ...["Parameter", "Value", "± error"].map((name) => el("th", { scope: "col", textContent: name })));
    const rows = Object.entries(fitted).map(([name, one]) => {
      const error = one.error ? errorText(one.value, one.error) : one.fixed ? "fixed" : "";
      return el("tr", {}, el("th", { scope: "row" }, name, el("small", { textContent: ` ${this.unitOf(one)}` })), ...[inBox(one.value, 6, ROOM.value), error].map((text) => el("td", { className: "number", textContent: text })));
    });
    this.place.replaceChildren(
      el("table", { className: "parameters" }, el("thead", {}, head), el("tbody", {}, ...rows)),
      el("p", { className: "quiet" }, "Values of a sum are not changed on this page. To fix one, add --fixed NAME=VALUE in a terminal: ", el("code", { textContent: command || "sasnet fit FILE --fixed NAME=VALUE" })),
    );
    this.held();
  }

  // The effective radius is entered where the model does not calculate it.
  get calculated() {
    return this.rows.some((row) => row.name === "radius_effective_mode" && row.value > 0) ? "radius_effective" : "";
  }

  clear() {
    this.want();
    this.shown = null;
    this.place.replaceChildren();
    this.held();
  }

  // Values of a model, keywords of its distributions included.
  get values() {
    return { ...this.words, ...Object.fromEntries(this.rows.map((row) => [row.name, row.value])) };
  }

  set(name, value) {
    const row = this.rows.find((one) => one.name === name);
    if (!row || !Number.isFinite(value)) return;
    Object.assign(row, { value, error: null, chosen: true, low: Math.min(row.low, value), high: Math.max(row.high, value) });
    this.update(row);
    this.moved();
  }

  draw() {
    const head = el("tr", {}, ...["Parameter", "Value", "± error", "Fit / fixed", "Range from", "to", "Slider"].map((name) => el("th", { scope: "col", textContent: name })));
    this.place.replaceChildren(el("table", { className: "parameters" }, el("thead", {}, head), el("tbody", {}, ...this.rows.map((row) => (row.choices.length ? this.choice(row) : this.row(row))))));
    this.hide();
  }

  hide() {
    for (const row of this.rows) row.element.hidden = row.name === this.calculated;
  }

  // A parameter that numbers a way to calculate something: nothing lies between two of them.
  choice(one) {
    one.box = el("select", { "aria-label": one.name, onchange: (event) => { one.value = Number(event.target.value); this.hide(); this.moved(); } }, ...one.choices.map((name, number) => new Option(name, number)));
    one.box.value = one.value;
    one.element = el("tr", { className: "choice" }, el("th", { scope: "row", title: one.meaning, textContent: one.name, colSpan: 2 }), el("td", { colSpan: 5 }, one.box));
    return one.element;
  }

  row(one) {
    const typed = (name, change) => el("input", { type: "text", inputMode: "decimal", "aria-label": `${one.name}, ${name}`, onchange: (event) => change(numberIn(event.target.value), event.target) });
    const again = (value, box, take) => {
      if (Number.isFinite(value) && box.value.trim()) { tell(""); take(value); return; }
      tell(`${one.name}: “${box.value}” is not a number; ${number(one.value, 6)} is kept.`);
      this.update(one);
    };
    one.box = typed("value", (value, box) => again(value, box, () => this.set(one.name, this.within(one, value))));
    one.lowBox = typed("lower limit", (value, box) => again(value, box, () => this.limit(one, "low", value)));
    one.highBox = typed("upper limit", (value, box) => again(value, box, () => this.limit(one, "high", value)));
    one.slider = el("input", { type: "range", min: 0, max: STEPS, "aria-label": `${one.name}, slider`, oninput: (event) => this.slid(one, Number(event.target.value)) });
    one.fix = el("select", { "aria-label": `${one.name}, fit or fixed`, onchange: (event) => { Object.assign(one, { state: event.target.value, chosen: true }); this.update(one); } }, new Option("fit"), new Option("fixed"));
    one.shown = el("td", { className: "number" });
    const name = el("th", { scope: "row", title: one.meaning }, one.name, el("small", { textContent: ` ${this.unitOf(one)}` }));
    one.element = el("tr", {}, name, el("td", {}, one.box), one.shown, el("td", {}, one.fix), el("td", {}, one.lowBox), el("td", {}, one.highBox), el("td", {}, one.slider));
    this.update(one);
    return one.element;
  }

  // What has the unit of I has that of the file.
  unitOf(one) {
    return unitWith(one.unit, [this.intensityUnit]);
  }

  within(one, value) {
    return Math.max(one.ownLow ?? -Infinity, Math.min(one.ownHigh ?? Infinity, value));
  }

  limit(one, which, value) {
    const before = one[which];
    one[which] = this.within(one, value);
    if (one.low < one.high) Object.assign(one, { limited: true, state: "fit" });
    else {
      tell(`${one.name}: limits of ${number(one.low, 4)} to ${number(one.high, 4)} leave no range between them; ${number(before, 4)} is kept.`);
      one[which] = before;
    }
    if (one.value < one.low || one.value > one.high) this.set(one.name, Math.max(one.low, Math.min(one.high, one.value)));
    this.update(one);
  }

  logarithmic(one) {
    return one.low > 0 && one.high / one.low > 4;
  }

  slid(one, step) {
    const part = step / STEPS;
    one.value = this.logarithmic(one) ? one.low * (one.high / one.low) ** part : one.low + part * (one.high - one.low);
    Object.assign(one, { error: null, chosen: true });
    this.update(one, true);
    this.moved();
  }

  update(one, sliding = false) {
    one.box.value = inBox(one.value, 6, ROOM.value);
    one.lowBox.value = inBox(one.low, 4, ROOM.limit);
    one.highBox.value = inBox(one.high, 4, ROOM.limit);
    one.fix.value = one.state;
    const part = this.logarithmic(one) ? Math.log(one.value / one.low) / Math.log(one.high / one.low) : (one.value - one.low) / (one.high - one.low || 1);
    this.held();
    if (!sliding) one.slider.value = Math.round(STEPS * part);
    one.slider.setAttribute("aria-valuetext", number(one.value, 4));
    this.showError(one);
  }

  // A value that was changed by hand makes all of them the user's: no error is of these.
  forget() {
    this.words = only(this.words, (name) => !name.endsWith("_pd_nsigma")); // a range follows its width
    for (const row of this.rows.filter((one) => one.shown)) {
      Object.assign(row, { error: null, held: false });
      this.showError(row);
    }
  }

  showError(one) {
    one.shown.textContent = one.error ? errorText(one.value, one.error) : one.held && one.state === "fit" ? "not fitted" : "";
  }
}

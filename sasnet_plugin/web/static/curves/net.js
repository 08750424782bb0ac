// Requests to the server, messages to the user, and elements of the page. What comes from files is put in as text.
export const $ = (id) => document.getElementById(id);

export function el(tag, given = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else if (name in found && name !== "list") found[name] = value;
    else found.setAttribute(name, value);
  }
  found.append(...children.filter((child) => child !== null && child !== undefined));
  return found;
}

// What is thrown where the server is gone; it is said on the page already.
export const NO_ANSWER = "no answer";
let silent = false;

// Make these the children of a place; those that stay are not touched, as the mouse may be pressed on one.
export function settle(place, wanted) {
  const kept = new Set(wanted);
  let at = place.firstChild;
  const next = () => { while (at && !kept.has(at)) { const gone = at; at = at.nextSibling; gone.remove(); } };
  for (const one of wanted) {
    next();
    if (one === at) at = at.nextSibling; else place.insertBefore(one, at);
  }
  next();
}

// What makes an element of each of a list's rows: the same one as before where nothing of it has changed.
export function keeping(make) {
  let before = new Map();
  return (rows, more = () => "") => {
    const now = new Map(rows.map((one) => {
      const said = `${JSON.stringify(one)}${more(one)}`, old = before.get(one.key);
      return [one.key, old?.said === said ? old : { said, element: make(one) }];
    }));
    before = now;
    return [...now.values()].map((one) => one.element);
  };
}

export function tell(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

// Ask the server; a sentence is shown and an error thrown where there is no answer.
export async function ask(where, body, quiet = false) {
  const how = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return taken(await sent(where, how), quiet);
}

export async function send(where, content) {
  return taken(await sent(where, { method: "POST", body: content }), true);
}

async function sent(where, how) {
  try {
    const answer = await fetch(where, how);
    if (silent) tell("");
    silent = false;
    return answer;
  } catch {
    silent = true;
    tell("The server does not answer. Your work is saved; start sasnet web again and open the address that it prints.");
    throw new Error(NO_ANSWER);
  }
}

async function taken(answer, quiet) {
  const found = await answer.json().catch(() => ({ problem: `The server answered ${answer.status}: open the address that sasnet printed.` }));
  if (answer.ok) return found;
  const problem = found.problem || `The server answered ${answer.status}.`;
  if (!quiet) tell(problem);
  throw new Error(problem);
}

// Run work with the newest argument only, one at a time: what was asked for meanwhile is forgotten.
export function newest(work) {
  let running = false, next = null;
  return async function run(...given) {
    next = given;
    if (running) return;
    running = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await work(...now).catch((error) => console.info(error.message));
      }
    } finally {
      running = false;
    }
  };
}

export const percent = (p) => (p > 0.99 ? ">99 %" : p < 0.01 ? "<1 %" : `${Math.round(100 * p)} %`); // never certainty

const RAISED = { 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹", "-": "⁻" };
const raised = (power) => String(power).replace(/[-\d]/g, (sign) => RAISED[sign]);

// A unit of sasmodels as people write it: Å, cm⁻¹, 10⁻⁶ Å⁻².
export function unitText(unit) {
  if (!unit || unit === "None") return "";
  if (unit === "degrees") return "°";
  const text = unit.replace(/Ang/g, "Å").replace("²", "^2");
  const [, power, name, exponent] = text.match(/^1(?:e([-+]?\d+))?\/([^\s^]+)(?:\^(\d+))?$/) || [];
  if (name) return `${power ? `10${raised(Number(power))} ` : ""}${name}${raised(-Number(exponent || 1))}`;
  return text.replace(/\^([-\d]+)/g, (_, one) => raised(one));
}

// That of a parameter; one in the unit of I has that of the curves, where they agree in one.
export function unitWith(unit, units) {
  if (unit !== "1/cm") return unitText(unit);
  return (units.every((one) => one === units[0]) && units[0]) || "unit of I";
}

// A number that somebody has typed, with a point or a comma: nothing typed is 0, no number NaN.
export const numberIn = (text) => Number(text.trim().replace(",", "."));

export function number(value, digits = 5) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  return String(Number(value.toPrecision(digits)));
}

// A value and its error, to two digits of the error.
export function withError(value, error) {
  if (!Number.isFinite(error) || error <= 0) return number(value);
  const places = Math.max(0, 1 - Math.floor(Math.log10(error)));
  return places <= 12 && Math.abs(value) < 1e9 ? `${value.toFixed(places)} ± ${error.toFixed(places)}` : `${number(value)} ± ${number(error, 2)}`;
}

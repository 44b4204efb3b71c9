// Values each second, lines each half minute. Every element is kept and only its text changes: nothing flashes, nothing loses focus.
"use strict";
const NAMES = { temperature: "Temperature", humidity: "Humidity", co2: "CO₂", light: "Light", occupancy: "Presence", power: "Power" };
const ORDER = Object.keys(NAMES), DIGITS = { temperature: 1, humidity: 0, co2: 0, light: 0 };
const GOOD = { temperature: [20, 25, "Cold", "Warm"], humidity: [30, 60, "Dry", "Humid"], co2: [0, 1000, "", "Stuffy"] };
const SPAN = { temperature: 1.5, humidity: 8, co2: 150, light: 100, occupancy: 1 };   // the least that fills a line's height
const OLD = 120;                                   // seconds after which a value is grey
const byId = id => document.getElementById(id);
const rows = new Map(), cards = new Map(), lines = new Map();
let failures = 0, skew = 0;

function make(parent, tag, cls, text) {
  const el = document.createElement(tag);
  if (cls) el.className = cls;
  if (text !== undefined) el.textContent = text;
  parent.append(el);
  return el;
}
const title = level => level.replaceAll("-", " ").replace(/^./, c => c.toUpperCase());
const put = (el, text) => { if (el.textContent !== text) el.textContent = text; };

function card(place) {
  if (cards.has(place)) return cards.get(place);
  const levels = place.split("/"), room = levels.pop(), floor = levels.join("/");
  let group = document.querySelector(`[data-floor="${CSS.escape(floor)}"]`);
  if (!group) {
    const section = make(byId("floors"), "section");
    const heading = make(section, "h2", "", floor ? title(levels.at(-1)) : "Elsewhere");
    if (floor) make(heading, "code", "", floor);
    group = make(section, "div", "grid");
    group.dataset.floor = floor;
  }
  const el = make(group, "article", "card"), head = make(el, "header"), name = make(head, "h3", "", title(room));
  name.title = place;
  const made = { el, state: make(head, "span", "state"), place, sensors: new Map() };
  cards.set(place, made);
  return made;
}

function row(r) {
  if (rows.has(r.sensor)) return rows.get(r.sensor);
  const at = card(r.place), el = make(at.el, "div", "row");
  make(el, "span", "kind", NAMES[r.kind] || title(r.kind)).title = r.key;
  const value = make(el, "span", "value"), number = make(value, "b"), unit = make(value, "small");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 100 28");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const fill = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  const line = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  fill.setAttribute("class", "fill");
  el.append(svg);
  const made = { el, number, unit, fill, line, age: make(el, "time", "age"), kind: r.kind, rank: ORDER.indexOf(r.kind) };
  rows.set(r.sensor, made);
  at.sensors.set(r.sensor, made);
  [...at.sensors.values()].sort((a, b) => (a.rank < 0 ? 99 : a.rank) - (b.rank < 0 ? 99 : b.rank)).forEach(one => at.el.append(one.el));
  return made;
}

function shown(r) {
  if (r.kind === "occupancy") return [r.value ? "Occupied" : "Empty", ""];
  if (typeof r.value !== "number") return [typeof r.value === "string" ? r.value : JSON.stringify(r.value), r.unit];
  const digits = DIGITS[r.kind] ?? (Math.abs(r.value) < 100 ? 1 : 0);
  return [r.value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }), r.unit];
}
function judged(r) {
  const good = GOOD[r.kind];
  if (!good || typeof r.value !== "number") return "";
  return r.value < good[0] ? good[2] : r.value > good[1] ? good[3] : "ok";
}
function aged(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}
function since(r) { return (Date.now() + skew - Date.parse(r.time)) / 1000; }

let newest = [];
function draw() {
  const words = new Map();
  for (const r of newest) {
    const el = row(r), [text, unit] = shown(r), word = judged(r), age = since(r);
    put(el.number, text);
    put(el.unit, unit);
    put(el.age, aged(age));
    el.age.dateTime = el.age.title = r.time;
    el.el.toggleAttribute("data-old", age > OLD);
    el.el.dataset.s = word && word !== "ok" ? "warn" : "";
    if (word && age <= OLD) words.set(r.place, [...(words.get(r.place) || []), word]);
  }
  for (const [place, at] of cards) {
    const all = words.get(place) || [], off = all.filter(word => word !== "ok");
    at.state.dataset.s = off.length ? "warn" : all.length ? "ok" : "off";
    put(at.state, off.length ? [...new Set(off)].join(", ").replace(/, (.)/g, (_, c) => ", " + c.toLowerCase()) : all.length ? "Comfortable" : "No new values");
  }
  sums();
}
function sums() {
  const fresh = newest.filter(r => since(r) <= OLD), of = kind => fresh.filter(r => r.kind === kind).map(r => r.value);
  const mean = list => list.length ? list.reduce((a, b) => a + b, 0) / list.length : null, found = [];
  const degrees = mean(of("temperature")), air = of("co2"), there = of("occupancy");
  if (degrees !== null) found.push(["mean temperature", degrees.toFixed(1), "°C"]);
  if (air.length) found.push(["highest CO₂", Math.round(Math.max(...air)).toLocaleString("en"), "ppm"]);
  if (there.length) found.push(["rooms occupied", String(there.filter(Boolean).length), "of " + there.length]);
  const list = byId("sums");
  if (list.children.length !== found.length) {
    list.replaceChildren();
    found.forEach(() => { const d = make(list, "div"); make(d, "dt"); const v = make(d, "dd"); make(v, "b").style.fontWeight = "inherit"; make(v, "small"); });
  }
  found.forEach(([name, value, unit], n) => {
    const d = list.children[n], v = d.lastChild;
    put(d.firstChild, name); put(v.firstChild, value); put(v.lastChild, unit);
  });
  put(byId("sub"), newest.length ? `${newest.length} sensors in ${cards.size} places, as Berth has bound them.` : "No sensor has sent a value yet.");
}

function spark(id) {
  const el = rows.get(id), points = lines.get(id) || [];
  if (!el || points.length < 2) return;
  const from = points[0][0], to = points[points.length - 1][0], values = points.map(p => p[1]), wide = to - from || 1;
  const least = Math.min(...values), most = Math.max(...values), span = Math.max(most - least, SPAN[el.kind] || 0) || 1;
  const low = el.kind === "occupancy" ? 0 : (most + least - span) / 2;       // a quiet value is a calm line, not its noise
  let path = "", under = "", before = null, start = 0;
  for (const [time, value] of points) {
    const x = ((time - from) / wide * 100).toFixed(2), y = (26 - (value - low) / span * 24).toFixed(2);
    const gap = before === null || time - before > 180;                  // a quiet sensor's line ends
    if (gap && path) under += `L${start[1]} 28L${start[0]} 28Z`;
    if (gap) start = [x, x];
    path += `${gap ? "M" : "L"}${x} ${y}`;
    under += `${gap ? "M" : "L"}${x} ${y}`;
    start[1] = x;
    before = time;
  }
  el.line.setAttribute("d", path);
  el.fill.setAttribute("d", under + `L${start[1]} 28L${start[0]} 28Z`);
}

function live(state, text) {
  const el = byId("live");
  if (el.dataset.s === state && state !== "lost") return;
  if (el.dataset.s !== state) byId("said").textContent = text;
  el.dataset.s = state;
  put(el, text);
}
async function asked(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  const date = Date.parse(answer.headers.get("Date") || "");
  if (date && Math.abs(date - Date.now()) > 3000) skew = date - Date.now();   // a wrong clock here must not age the values
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || `The app answered ${answer.status}.`);
  return body;
}
async function values() {
  try {
    newest = await asked("readings.json");
    failures = 0;
    byId("note").hidden = true;
    live("live", "Live");
  } catch (error) {
    failures += 1;
    live("lost", `Lost, tries again in ${pause()} s`);
    byId("note").hidden = false;
    put(byId("note"), `No new values: ${error.message} What is shown keeps its age.`);
  }
  draw();
  setTimeout(values, pause() * 1000);
}
function pause() { return failures ? Math.min(10, 2 ** Math.min(failures, 4)) : 1; }
async function history() {
  try {
    for (const line of await asked("history.json")) { lines.set(line.sensor, line.points); spark(line.sensor); }
  } catch (error) { /* the values say it */ }
  setTimeout(history, lines.size ? 30000 : 5000);
}
values().then(history);

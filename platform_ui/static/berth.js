// Berth: theme, charts, copying, keys, dialogs, the palette. Everything else is HTML from the server; live.js swaps it.
(() => {
  const root = document.documentElement;
  const probe = document.head.appendChild(document.createElement("meta"));
  // light-dark() has to be asked of an element: the variable itself reads back as written
  const paint = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const fade = (colour, a) => colour.replace(/^rgb\(([^)]+)\)$/, `rgba($1, ${a})`);

  const number = (v) => v == null ? "–" : Math.abs(v) >= 1000 ? Math.round(v).toLocaleString("en").replace(/,/g, " ")
    : Number(v.toFixed(Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? 1 : 2)).toString();

  // what was measured once, with nothing beside it, is a dot: a line needs two
  const lone = (d) => { const found = []; for (let i = 0; i < d.length; i++) if (d[i] != null && d[i - 1] == null && d[i + 1] == null) found.push(i); return found; };

  // <div class="b-chart" data-chart='{"x":[…],"series":[{"label","unit","data","s":1,"fill","bars","dash"}],"h":160,"marks":[{"x","label"}]}'>
  function draw(el) {
    const c = el.chart || (el.chart = JSON.parse(el.dataset.chart)), font = "11px " + getComputedStyle(root).getPropertyValue("--b-font");
    const colour = (s) => paint(s.c || `--b-s${s.s || 1}`);
    el.replaceChildren(); if (!self.uPlot) return;
    const axis = { stroke: paint("--b-text-3"), font, grid: { stroke: paint("--b-line"), width: 1 }, ticks: { show: false }, gap: 6 };
    el.plot = new uPlot({
      width: el.clientWidth, height: c.h || 160, padding: [8, 16, 0, 0], tzDate: (t) => new Date(t * 1e3),
      cursor: { sync: { key: c.sync || "page" }, points: { size: 6 }, y: false, drag: { x: true, y: false, setScale: !c.pick } },
      legend: { show: c.legend !== false, markers: { width: 0, fill: (u, i) => i ? colour(c.series[i - 1]) : "transparent" } },
      scales: { x: { time: true }, y: { range: (u, lo, hi) => [c.min ?? Math.min(lo ?? 0, 0), c.max ?? (hi || 1) * 1.12] } },
      axes: [{ ...axis, size: 24, space: 72, grid: { show: false }, values: [[86400, "{D} {MMM}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
        { ...axis, size: c.left || 36, space: 36, values: (u, vs) => vs.map((v) => number(v) + (c.unit === "%" ? "%" : "")) }],
      series: [{ label: "", value: () => "" }, ...c.series.map((s, i) => ({
        label: s.label, stroke: colour(s), width: s.bars ? 0 : 1.75, dash: s.dash ? [5, 4] : undefined, points: s.bars ? { show: false } : { show: true, size: 4, width: 0, fill: colour(s), filter: (u, n) => lone(u.data[n]) },
        fill: s.bars ? colour(s) : s.fill ? fade(colour(s), .1) : undefined, paths: s.bars ? uPlot.paths.bars({ size: [.74, 14], radius: .1 }) : undefined,
        // idle, the legend shows the newest value; under the cursor, the value there (bars are stacked: their own share)
        value: (u, v, si, idx) => { const d = s.raw || c.series[i].data, at = idx == null ? d.at(-1) : d[idx]; return number(at) + (s.unit ? "\u202f" + s.unit : ""); },
      }))],
      hooks: { setSelect: [(u) => {
        if (!c.pick || u.select.width < 4) return;
        const at = (px) => new Date(u.posToVal(px, "x") * 1e3).toISOString(), to = new URL(c.pick, location.href);
        to.searchParams.set("since", at(u.select.left)); to.searchParams.set("until", at(u.select.left + u.select.width)); location.assign(to);
      }], draw: [(u) => (c.marks || []).forEach((m) => {
        const x = u.valToPos(m.x, "x", true), k = devicePixelRatio, g = u.ctx; g.save();
        g.strokeStyle = g.fillStyle = paint(m.c || "--b-text-3"); g.setLineDash([3 * k, 3 * k]); g.lineWidth = k;
        g.beginPath(); g.moveTo(x, u.bbox.top); g.lineTo(x, u.bbox.top + u.bbox.height); g.stroke();
        g.font = `500 ${11 * k}px ${getComputedStyle(root).getPropertyValue("--b-font")}`; const near = x > u.bbox.left + u.bbox.width * .75;
        g.textAlign = near ? "right" : "left"; g.fillText(m.label, x + (near ? -5 : 5) * k, u.bbox.top + 10 * k); g.restore();
      })] },
    }, [c.x, ...c.series.map((s) => s.data)], el);
  }
  const charts = () => document.querySelectorAll("[data-chart]").forEach(draw);

  function theme(to) {
    root.dataset.bsTheme = to; try { localStorage.setItem("berth-theme", to); } catch { /* private mode */ }
    charts();
  }
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("[data-theme-toggle], [data-copy], [data-open], [data-close], [data-show], [data-step], [data-add-row], [data-drop-row]"); if (!b) return;
    const has = (name) => b.hasAttribute("data-" + name);
    if (has("theme-toggle")) return theme(root.dataset.bsTheme === "dark" ? "light" : "dark");
    if (has("open")) return open(b);
    if (has("close")) return b.closest("dialog").close();
    if (has("step")) return step(Number(b.dataset.step));
    if (has("add-row") || has("drop-row")) return rows(b);
    if (has("show")) {
      const field = document.getElementById(b.dataset.show), seen = field.type === "text";
      field.type = seen ? "password" : "text"; b.setAttribute("aria-label", seen ? "Show the password" : "Hide the password"); return field.focus();
    }
    await navigator.clipboard.writeText(b.dataset.copy || b.parentElement.querySelector("pre").innerText.trim());
    say("Copied"); b.dataset.copied = ""; setTimeout(() => delete b.dataset.copied, 1500);
  });
  // one dialog may be for many: its button says what it is about, and where its form goes
  function open(b) {
    const asked = document.getElementById(b.dataset.open);
    asked.querySelectorAll("[data-fill]").forEach((el) => { el.textContent = b.dataset[el.dataset.fill] || ""; });
    if (b.dataset.action) asked.querySelector("form").action = b.dataset.action;
    asked.showModal();
  }
  const say = (text) => { document.getElementById("said").textContent = text; };

  // a button in flight keeps its width, is disabled and says what it does
  document.addEventListener("submit", (e) => {
    const b = e.submitter?.matches("[data-once]") ? e.submitter : null; if (!b) return;
    b.style.minWidth = b.offsetWidth + "px"; b.textContent = b.dataset.once; setTimeout(() => { b.disabled = true; });
  });
  addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

  // problems: j and k
  function step(by) {
    const fixes = [...document.querySelectorAll(".b-fix")], all = fixes.length ? fixes : [...document.querySelectorAll("[data-walk] .b-line, [data-walk] a.b-name")].filter((el) => el.offsetParent);
    if (!all.length) return;
    const at = all.indexOf(document.activeElement), to = all[at < 0 && by < 0 ? all.length - 1 : (at + by + all.length) % all.length];
    to.focus({ preventScroll: true }); to.scrollIntoView({ block: fixes.length ? "center" : "nearest" }); if (fixes.length) history.replaceState(null, "", "#" + to.id);
  }

  // the sensors' rows of a new device
  function rows(b) {
    const some = [...document.querySelectorAll("[data-row]")];
    if (b.hasAttribute("data-drop-row")) { if (some.length > 1) b.closest("[data-row]").remove(); return; }
    const copy = some.at(-1).cloneNode(true), n = Date.now();
    copy.querySelectorAll("[id]").forEach((el) => { const id = el.id + "-" + n; copy.querySelector(`[for="${el.id}"]`)?.setAttribute("for", id); el.id = id; });
    copy.querySelectorAll("input, select").forEach((el) => { el.value = ""; });
    some.at(-1).after(copy); copy.querySelector("select").focus();
  }

  // filter of a table
  document.addEventListener("input", (e) => {
    const f = e.target.closest("[data-filter]"); if (!f) return;
    const want = f.value.trim().toLowerCase(), all = [...document.getElementById(f.dataset.filter).rows];
    all.forEach((r) => { r.hidden = !r.dataset.t.toLowerCase().includes(want); });
    document.getElementById(f.dataset.filter + "-none").hidden = all.some((r) => !r.hidden);
  });

  // the palette
  const palette = document.getElementById("jump"), field = document.getElementById("jump-to"), found = document.getElementById("jump-found");
  let asked = 0;
  async function ask() {
    const mine = ++asked, answer = await fetch("/jump?q=" + encodeURIComponent(field.value));
    if (answer.ok && mine === asked) { found.innerHTML = await answer.text(); choose(found.querySelector("a")); }
  }
  function choose(a) {
    found.querySelectorAll("[aria-selected]").forEach((el) => { el.removeAttribute("aria-selected"); el.removeAttribute("aria-current"); });
    if (!a) return field.removeAttribute("aria-activedescendant");
    a.id = "jump-at"; found.querySelectorAll("#jump-at").forEach((el) => { if (el !== a) el.removeAttribute("id"); });
    a.setAttribute("aria-selected", "true"); a.setAttribute("aria-current", "true"); field.setAttribute("aria-activedescendant", "jump-at"); a.scrollIntoView({ block: "nearest" });
  }
  if (palette) {
    palette.addEventListener("toggle", (e) => { if (e.newState === "open") { field.value = ""; field.focus(); ask(); } });
    field.addEventListener("input", ask);
    field.addEventListener("keydown", (e) => {
      const all = [...found.querySelectorAll("a")], at = all.findIndex((a) => a.ariaCurrent === "true");
      if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); choose(all[(at + (e.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]); }
      if (e.key === "Enter" && all[at]) { e.preventDefault(); all[at].click(); }
    });
  }

  let first = "";
  const go = { h: "home", a: "apps", d: "devices", l: "logs", s: "subsystems", i: "incidents", n: "nodes" };
  const letters = document.getElementById("keys-on"), kept = (k) => { try { return localStorage.getItem(k); } catch { return null; } };
  if (letters) { letters.checked = kept("berth-keys") !== "off"; letters.addEventListener("change", () => { try { localStorage.setItem("berth-keys", letters.checked ? "on" : "off"); } catch { /* private mode */ } }); }
  document.addEventListener("keydown", (e) => {
    if (e.target.matches("input, textarea, select, [contenteditable]") || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
    if (letters && !letters.checked && e.key !== "/" && e.key !== "?") return;
    if (e.key === " " && e.target.matches("button, a, summary")) return;
    if (first === "g" && go[e.key]) { document.querySelector(`[data-go="${go[e.key]}"]`)?.click(); first = ""; return; }
    first = e.key;
    const at = document.querySelector(`[data-key="${CSS.escape(e.key === " " ? "Space" : e.key)}"]`);
    if (at) { e.preventDefault(); at.matches("input") ? at.focus() : at.click(); } else if (e.key === "j" || e.key === "k") step(e.key === "j" ? 1 : -1);
  });

  addEventListener("berth:redraw", (e) => draw(e.detail));
  addEventListener("berth:point", (e) => { clearTimeout(e.detail.wait); e.detail.plot?.setData([e.detail.chart.x, ...e.detail.chart.series.map((s) => s.data)]); });
  const again = document.querySelector("meta[name=berth-again]");
  if (again) { let left = Number(again.content); setInterval(() => { if (!--left) location.reload(); document.getElementById("again").textContent = `tries again in ${Math.max(left, 0)} s`; }, 1000); }
  addEventListener("load", () => { charts(); const tabs = document.querySelector(".b-tabs"), at = tabs?.querySelector("[aria-current]"); if (at) tabs.scrollLeft = at.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - at.offsetWidth) / 2; });
  let wait; addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(charts, 120); });
})();

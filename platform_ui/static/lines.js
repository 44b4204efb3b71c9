// Lines as they are printed: followed, paused and counted, lost and tried again without a gap; one line's details beside them.
(() => {
  const skew = Date.parse(document.querySelector("meta[name=berth-now]")?.content) - Date.now() || 0;
  const MOST = 2000, AGAIN = [1000, 3000], badge = document.getElementById("live"), said = document.getElementById("said");
  const two = (n) => String(n).padStart(2, "0"), three = (n) => String(n).padStart(3, "0");
  const clock = (t) => { const d = new Date(t); return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`; };
  const day = (t) => { const d = new Date(t); return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(t)}`; };
  const local = (within) => within.querySelectorAll(".b-line > time").forEach((t) => { t.textContent = `${clock(t.dateTime)}.${three(new Date(t.dateTime).getMilliseconds())}`; });
  const count = (n) => `${n.toLocaleString("en").replace(/,/g, " ")} new ${n === 1 ? "line waits" : "lines wait"}`;

  document.querySelectorAll("time[data-day]").forEach((t) => { t.textContent = day(t.dateTime); });
  document.querySelectorAll("[data-submit]").forEach((s) => s.addEventListener("change", () => s.form.requestSubmit()));
  document.querySelectorAll("[data-local-times]").forEach((form) => form.addEventListener("submit", () => {
    form.querySelectorAll("[data-for]").forEach((field) => {
      if (!field.value) return;
      const hidden = document.createElement("input"); hidden.type = "hidden"; hidden.name = field.dataset.for; hidden.value = new Date(field.value).toISOString(); form.append(hidden);
    });
  }));

  document.querySelectorAll("[data-lines]").forEach((card) => {
    const box = card.querySelector("[data-rows]"), none = card.querySelector("[data-none]"), pause = card.querySelector("[data-lines-pause]"), waits = card.querySelector("[data-wait]");
    const own = card.querySelector("[data-lines-live]") || (card.hasAttribute("data-badge") ? badge : null), aside = card.parentElement.querySelector("[data-details]");
    const known = new Set([...box.querySelectorAll(".b-line")].map((el) => el.dataset.id));
    let after = "", paused = false, pausedAt = "", held = [], waiting = 0;
    local(box);
    if (card.dataset.lines) box.scrollTop = box.scrollHeight;
    details(card, box, aside, () => { if (card.dataset.lines && !paused) stop(); });
    if (card.hasAttribute("data-again")) AGAIN.forEach((ms) => setTimeout(again, ms));
    if (!card.dataset.lines || !self.EventSource) return;

    async function again() {
      const told = await fetch(location.href).catch(() => null); if (!told?.ok) return;
      const page = new DOMParser().parseFromString(await told.text(), "text/html"), rows = page.querySelector("[data-rows]");
      const come = rows ? [...rows.children].filter((el) => el.dataset.id && !known.has(el.dataset.id)) : []; if (!come.length) return;
      const newest = new URLSearchParams(location.search).get("order") === "newest"; none.hidden = true;
      come.forEach((el) => { known.add(el.dataset.id); local(el.parentElement); });
      if (newest) box.prepend(...come); else box.append(...come);
      const sum = page.getElementById("lines-sum"); if (sum) document.getElementById("lines-sum")?.replaceChildren(...sum.childNodes);
    }

    const tell = (state, text) => { if (!own) return; own.hidden = false; own.dataset.s = state; if (own.textContent !== text) own.textContent = text; };
    const alive = () => tell(paused ? "paused" : "", paused ? `Paused at ${pausedAt}` : "Live");

    function show(rows) {
      if (!rows.length) return;
      const end = box.scrollHeight - box.scrollTop - box.clientHeight < 48, made = document.createElement("template");
      made.innerHTML = rows.map((r) => r.html).join(""); local(made.content); none.hidden = true;
      box.append(made.content);
      while (box.childElementCount > MOST) { if (box.firstElementChild.contains(document.activeElement)) break; known.delete(box.firstElementChild.dataset.id); box.firstElementChild.remove(); }
      if (end) box.scrollTop = box.scrollHeight;
    }
    function left_out(n) {
      const note = document.createElement("p"); note.className = "b-xs b-dim b-left-out"; note.textContent = `${n} lines came faster than they could be shown. They are kept: search for them.`;
      box.append(note);
    }
    function waits_for() { waits.hidden = !waiting; waits.textContent = count(waiting); }
    function stop() {
      paused = true; pausedAt = clock(Date.now() + skew); face(); alive(); said.textContent = "Paused";
    }
    function go() {
      paused = false; face();
      if (waiting > held.length) left_out(waiting - held.length);
      show(held); held = []; waiting = 0; waits_for(); box.scrollTop = box.scrollHeight; alive(); said.textContent = "Live";
    }
    function face() {
      pause.setAttribute("aria-pressed", paused); pause.classList.toggle("btn-primary", paused);
      pause.querySelector("[data-pausing]").hidden = paused; pause.querySelector("[data-going]").hidden = !paused;
    }
    pause.addEventListener("click", () => (paused ? go() : stop()));

    function heard(told) {
      if (told.after) after = told.after;
      if (told.dropped) left_out(told.dropped);
      if (told.rows) {
        told.rows = told.rows.filter((r) => !known.has(r.id)); told.rows.forEach((r) => known.add(r.id));
        if (!paused) show(told.rows);
        else { waiting += told.rows.length; held.push(...told.rows); if (held.length > MOST) held = held.slice(-MOST); waits_for(); }
      }
      if (told.parts || told.chart) dispatchEvent(new CustomEvent("berth:news", { detail: told }));
    }

    let source, wait = 1, timer, failed = 0;
    function open() {
      clearInterval(timer); if (failed > 2) after = "";
      const join = card.dataset.lines.includes("?") ? "&" : "?", counts = document.getElementById("lines-counts") ? "&counts=1" : "";
      source = new EventSource(`${card.dataset.lines}${join}after=${encodeURIComponent(after)}${counts}`);
      source.onopen = () => { wait = 1; failed = 0; alive(); };
      source.onmessage = (e) => heard(JSON.parse(e.data));
      source.onerror = () => {
        source.close(); failed += 1; let left = wait; wait = Math.min(wait * 2, 15);
        const again = () => { if (left <= 0) return open(); if (left > 1 || wait > 2) tell("lost", `Not live, trying again in ${left} s`); left -= 1; };
        again(); timer = setInterval(again, 1000);
      };
    }
    open();
    addEventListener("pagehide", () => { clearInterval(timer); source.close(); });
  });

  // one line's details; opening one pauses the tail, so that it does not run away
  function details(card, box, aside, opened) {
    const f = (name) => aside.querySelector(`[data-f="${name}"]`), staff = aside.hasAttribute("data-staff");
    const links = { incident: "/incidents/", deployment: "/deployments/", release: "/releases/" };
    const tone = { warning: "warn", error: "bad", critical: "bad", info: "ok" };
    let at = null;
    function fact(name, value, href) {
      if (value === "" || value == null || value === 0) return;
      const dt = document.createElement("dt"), dd = document.createElement("dd"); dt.textContent = name;
      if (href) { const a = document.createElement("a"); a.href = href; a.textContent = value; dd.append(a); } else dd.textContent = value;
      f("facts").append(dt, dd); return dd;
    }
    const logs = (query) => "/logs?" + new URLSearchParams(Object.entries(query).filter(([, v]) => v));
    function around(text, query, l) {
      const near = (s) => new Date(Date.parse(l.time) + s * 1000).toISOString(), a = document.createElement("a");
      a.className = "btn btn-sm"; a.href = logs({ ...query, since: near(-30), until: near(30) }); a.textContent = text; f("around").append(a);
    }
    function open(row) {
      const l = JSON.parse(row.dataset.line);
      at?.setAttribute("aria-expanded", "false"); at = row; row.setAttribute("aria-expanded", "true");
      const keys = Object.keys(l.facts || {}).map((k) => l.text.indexOf(` ${k}=`)).filter((at) => at > 0), text = keys.length ? l.text.slice(0, Math.min(...keys)) : l.text, first = text.split("\n")[0]; f("title").textContent = first.length > 60 ? "Line" : first;
      f("level").textContent = l.level; f("level").dataset.s = tone[l.level] || "off";
      f("copy").dataset.copy = [l.time, l.level, l.service, text, ...Object.entries(l.facts || {}).map(([k, v]) => `${k}=${v}`)].join(" ");
      f("facts").replaceChildren(); f("around").replaceChildren();
      const time = fact("Time", `${day(l.time)}.${l.time.slice(20, 26)}`); if (time) time.title = `${l.time.slice(0, 19).replace("T", " ")} UTC`;
      fact("From", l.kind === "build" ? "the build" : l.service, l.kind === "subsystem" && staff ? "/subsystems" : "");
      fact(l.kind === "subsystem" ? "Replica" : "Instance", l.instance); fact("Node", l.node, staff ? `/nodes/${encodeURIComponent(l.node)}` : "");
      if (l.app) fact("App", l.workspace ? `${l.workspace}/${l.app}` : l.app, l.workspace ? `/apps/${l.workspace}/${l.app}` : "");
      fact("Deployment", l.deployment, `/deployments/${l.deployment}`); if (l.generation) fact("Generation", `g${l.generation}`);
      fact("Release", l.release, `/releases/${l.release}`);
      const long = [];
      Object.entries(l.facts || {}).forEach(([k, v]) => {
        const text = typeof v === "string" ? v : JSON.stringify(v);
        if (text.includes("\n") || text.length > 240) long.push(`${k}:\n${text}`); else { const dd = fact(k, text, links[k] && (staff || k !== "incident") ? `${links[k]}${encodeURIComponent(text)}` : ""); if (dd) { dd.className = "b-mono"; dd.previousSibling.className = "b-mono"; } }
      });
      if (first.length > 60 || text.includes("\n")) long.unshift(text);
      f("long").hidden = !long.length; f("long").querySelector("pre").textContent = long.join("\n\n");
      f("correlated").hidden = !l.correlation; f("correlation").textContent = l.correlation || ""; f("copy-correlation").dataset.copy = l.correlation || "";
      f("of-id").href = logs({ correlation: l.correlation, range: "7d", order: "oldest" });
      if (l.instance) around(l.kind === "subsystem" ? "this replica" : "this instance", { instance: l.instance }, l);
      if (l.node && staff) around("this node", { node: l.node }, l);
      if (staff) around("everything", {}, l); else if (l.app) around("this app", { app: l.app, workspace: l.workspace }, l);
      aside.hidden = false; opened(); row.scrollIntoView({ block: "nearest" });
      if (matchMedia("(max-width: 1100px)").matches) aside.scrollIntoView({ block: "nearest" });
    }
    function close() { aside.hidden = true; at?.setAttribute("aria-expanded", "false"); at?.focus(); at = null; }
    box.addEventListener("click", (e) => {
      const row = e.target.closest(".b-line"); if (!row || !getSelection().isCollapsed) return;
      row === at && !aside.hidden ? close() : open(row);
    });
    aside.querySelector("[data-details-close]").addEventListener("click", close);
  }
})();

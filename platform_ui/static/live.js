// Live news of the page: parts by id over server-sent events. Never swaps what has focus or is selected; a lost line says so.
(() => {
  const main = document.querySelector("[data-news]"), badge = document.getElementById("live"), said = document.getElementById("said");
  const skew = Date.parse(document.querySelector("meta[name=berth-now]")?.content) - Date.now() || 0;

  // ages go on counting; clock times are shown in the reader's own zone
  const ago = (s) => s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min`
    : s < 86400 ? `${Math.floor(s / 3600)} h${s % 3600 >= 60 ? ` ${Math.floor(s % 3600 / 60)} min` : ""}`
      : `${Math.floor(s / 86400)} d${s % 86400 >= 3600 ? ` ${Math.floor(s % 86400 / 3600)} h` : ""}`;
  const two = (n) => String(n).padStart(2, "0");
  function times(within = document) {
    const now = Date.now() + skew;
    within.querySelectorAll("time[data-age]").forEach((t) => {
      const text = ago(Math.max(0, Math.floor((now - Date.parse(t.dateTime)) / 1000)));
      if (t.textContent !== text) t.textContent = text;
    });
    within.querySelectorAll("time[data-clock]").forEach((t) => {
      const d = new Date(t.dateTime), text = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
      if (t.textContent !== text) t.textContent = text;
    });
    within.querySelectorAll("time[data-ms]").forEach((t) => {
      const d = new Date(t.dateTime), text = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
      if (t.textContent !== text) t.textContent = text;
    });
    within.querySelectorAll("time[data-when]").forEach((t) => {
      const d = new Date(t.dateTime), clock = `${two(d.getHours())}:${two(d.getMinutes())}`;
      const text = d.toDateString() === new Date(now).toDateString() ? `${clock}:${two(d.getSeconds())}` : `${d.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" })} ${clock}`;
      if (t.textContent !== text) t.textContent = text;
    });
  }
  times(); setInterval(times, 1000);

  const shown = new Map(), waiting = new Map();
  function held(el) {
    const at = document.activeElement, mark = getSelection();
    return (at && at !== document.body && el.contains(at)) || (!mark.isCollapsed && mark.rangeCount && mark.getRangeAt(0).intersectsNode(el));
  }
  function swap(id, html) {
    const el = document.getElementById(id); if (!el || shown.get(id) === html) return;
    if (held(el)) { waiting.set(id, html); return; }
    shown.set(id, html); waiting.delete(id); el.innerHTML = html; times(el);
  }
  // what waited is older than what its own parts have shown meanwhile
  const settle = () => [...waiting].forEach(([id, html]) => {
    swap(id, html); if (waiting.has(id)) return;
    document.getElementById(id)?.querySelectorAll("[id]").forEach((el) => { if (shown.has(el.id)) { el.innerHTML = shown.get(el.id); times(el); } });
  });
  document.addEventListener("focusout", () => setTimeout(settle)); document.addEventListener("selectionchange", () => waiting.size && setTimeout(settle, 200));

  // the log: at most some thousand lines; paused lines are counted, not shown
  const log = document.getElementById("log-lines"), none = document.getElementById("log-none"), pause = document.querySelector("[data-pause]"), following = document.getElementById("log-live");
  let paused = false, last = 0, first = 0; const held_back = [];
  function line(l) {
    if (l.n <= last) return; last = l.n; none.hidden = true;
    const row = document.createElement("div"), time = document.createElement("time"), src = document.createElement("span"), msg = document.createElement("span");
    const at = Date.parse(l.time); first ||= at;
    row.className = "b-line"; row.dataset.l = l.stream === "stderr" ? "err" : ""; time.dateTime = l.time; time.title = l.time; time.textContent = ((at - first) / 1000).toFixed(3);
    src.className = "src b-cut d-none d-md-inline"; src.textContent = l.stream; msg.className = "msg"; msg.textContent = l.text;
    row.append(time, src, msg);
    const end = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.append(row); while (log.childElementCount > 4000) log.firstElementChild.remove();
    if (end) log.scrollTop = log.scrollHeight;
  }
  function ended(state) {
    if (!following) return; following.textContent = state === "BUILT" ? "Complete" : "Ended"; following.dataset.s = "off";
    if (pause) pause.hidden = true; if (!last) none.textContent = state === "BUILT" ? "It was built without a line." : "No line was printed.";
  }
  pause?.addEventListener("click", () => {
    paused = !paused; pause.setAttribute("aria-pressed", paused); pause.firstElementChild.textContent = paused ? "Go on" : "Pause";
    following.dataset.s = paused ? "paused" : ""; following.textContent = paused ? "Paused" : "Following";
    if (!paused) held_back.splice(0).forEach(line);
  });

  // a point joins the chart of its sensor: in its own bucket's place, never invented
  function point(p) {
    const el = document.querySelector(`[data-sensor="${p.sensor}"]`); if (!el?.chart || p.v == null) return;
    const c = el.chart, x = c.x, y = c.series[0].data, width = Number(el.dataset.bucket) || 1;
    if (x.length && p.t <= x.at(-1)) return;
    if (x.length && p.t - x.at(-1) > 4 * width && y.at(-1) != null) { x.push(x.at(-1) + width); y.push(null); }
    x.push(p.t); y.push(p.v); if (c.max != null && p.v > c.max) c.max = p.v; if (c.min != null && p.v < c.min) c.min = p.v;
    if (x.length > 2000) { x.shift(); y.shift(); }
    dispatchEvent(new CustomEvent("berth:point", { detail: el }));
  }

  // a chart as it is now, where its points cannot be told one by one
  function chart(told) {
    const el = document.getElementById(told.id); if (!el?.chart) return;
    Object.assign(el.chart, { x: told.x, max: told.max }); told.series.forEach((s, n) => Object.assign(el.chart.series[n], { data: s.data, raw: s.raw }));
    dispatchEvent(new CustomEvent("berth:point", { detail: el }));
  }

  function heard(news) {
    Object.entries(news.parts || {}).forEach(([id, html]) => swap(id, html));
    (news.lines || []).forEach((l) => { if (!paused) return line(l); held_back.push(l); following.textContent = `Paused, ${held_back.length} new`; });
    (news.points || []).forEach(point);
    if (news.built !== undefined) ended(news.built);
    if (news.said) said.textContent = news.said;
    if (news.chart) chart(news.chart);
    if (news.figures) dispatchEvent(new CustomEvent("berth:figures", { detail: news.figures }));
  }

  addEventListener("berth:news", (e) => heard(e.detail));
  if (!main || !self.EventSource) return;
  let source, wait = 1, timer;
  const tell = (state, text) => { badge.hidden = false; badge.dataset.s = state; if (badge.textContent !== text) badge.textContent = text; };
  function open() {
    clearInterval(timer);
    source = new EventSource(main.dataset.news + (last ? `?line=${last}` : ""));
    source.onopen = () => { wait = 1; tell("", "Live"); };
    source.onmessage = (e) => heard(JSON.parse(e.data));
    source.onerror = () => {
      source.close(); let left = wait; wait = Math.min(wait * 2, 15);
      const count = () => { if (left <= 0) return open(); tell(left > 1 || wait > 2 ? "lost" : "", left > 1 || wait > 2 ? `Not live, trying again in ${left} s` : "Live"); left -= 1; };
      count(); timer = setInterval(count, 1000);
    };
  }
  open();
  addEventListener("pagehide", () => { clearInterval(timer); source.close(); });
})();

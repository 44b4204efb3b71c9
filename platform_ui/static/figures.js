// Each second's figures join the charts of an app's instances: a point in its own step's place, a line for whoever is new.
(() => {
  const most = 6;
  function line(c, id, name) {
    const known = c.series.find((s) => s.id === id); if (known || !name || c.series.length >= most) return known;
    const made = { label: name, unit: c.series[0]?.unit ?? (c.unit === "%" ? "%" : "MiB"), s: c.series.length + 1, id, data: c.x.map(() => null) };
    c.series.push(made); c.fresh = true;
    return made;
  }
  function join(el, key, told) {
    const c = el.chart; if (!c) return;
    const at = Math.floor(told.t / c.step) * c.step;
    while (c.x.length && c.x.at(-1) < at) {
      const next = at - c.x.at(-1) > 4 * c.step ? at : c.x.at(-1) + c.step;
      c.x.push(next); c.x.shift();
      c.series.forEach((s) => { s.data.push(null); s.data.shift(); });
    }
    for (const [id, value] of Object.entries(told[key])) {
      const s = line(c, id, told.names[id]); if (!s) continue;
      s.sum = s.at === at ? s.sum + value : value; s.count = s.at === at ? s.count + 1 : 1; s.at = at;
      s.data[s.data.length - 1] = Math.round(100 * s.sum / s.count) / 100;
    }
    dispatchEvent(new CustomEvent(c.fresh ? "berth:redraw" : "berth:point", { detail: el })); c.fresh = false;
  }
  addEventListener("berth:figures", (e) => document.querySelectorAll("[data-figures]").forEach((el) => join(el, el.dataset.figures, e.detail)));
})();

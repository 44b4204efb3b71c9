// Uploads: a zip dropped anywhere, or chosen; its bytes go as they are, with progress; then its page.
(() => {
  const shell = document.querySelector("[data-upload]"), input = document.getElementById("zip"); if (!shell || !input) return;
  const csrf = document.querySelector("meta[name=berth-csrf]").content, veil = document.getElementById("dropping"), said = document.getElementById("said");
  const size = (n) => n >= 1e9 ? (n / 1e9).toFixed(1) + " GB" : n >= 1e6 ? (n / 1e6).toFixed(1) + " MB" : n >= 1e3 ? (n / 1e3).toFixed(1) + " kB" : n + " bytes";

  function row(file) {
    const box = document.getElementById("sending"), list = document.getElementById("sending-list"), one = document.getElementById("sending-one");
    const el = one.content.firstElementChild.cloneNode(true), f = (name) => el.querySelector(`[data-f="${name}"]`);
    f("name").textContent = file.name; f("bar").setAttribute("aria-label", `${file.name} sent`); f("cancel").setAttribute("aria-label", `Cancel the upload of ${file.name}`);
    list.prepend(el); box.hidden = false; el.scrollIntoView({ block: "nearest" });
    return f;
  }

  // the same bytes are the same release, so a line that broke off is tried again
  const TRIES = 3;
  function send(file, go, f = row(file), left = TRIES) {
    const done = (state, text, href, word) => {
      f("state").hidden = false; f("state").dataset.s = state; f("state").textContent = text; f("bar").hidden = true; f("cancel").hidden = true; f("count").textContent = ""; f("rate").textContent = "";
      if (href) { f("go").hidden = false; f("go").href = href; f("go").textContent = word; }
      said.textContent = `${file.name}: ${text}`;
    };
    if (!/\.zip$/i.test(file.name)) return done("bad", "Only a zip is taken; nothing was sent");
    const x = new XMLHttpRequest(), begun = performance.now();
    x.open("POST", `/upload/zip?workspace=${encodeURIComponent(shell.dataset.upload)}`);
    x.setRequestHeader("X-CSRF-Token", csrf); x.setRequestHeader("X-File-Name", encodeURIComponent(file.name)); x.setRequestHeader("Content-Type", "application/zip");
    x.responseType = "json";
    x.upload.onprogress = (e) => {
      const s = (performance.now() - begun) / 1000, rate = e.loaded / Math.max(s, .01), part = Math.round(100 * e.loaded / e.total);
      f("bar").value = part; f("count").textContent = `${size(e.loaded)} of ${size(e.total)}`;
      f("rate").textContent = part < 100 ? `${part} %, ${size(rate)}/s, ${Math.ceil((e.total - e.loaded) / rate)} s left` : "Being checked";
    };
    x.onload = () => {
      const told = x.response || {};
      if (x.status === 401) { location.assign("/login?next=" + encodeURIComponent(location.pathname)); return; }
      done(told.state || "bad", told.said || told.detail || `Answered by ${x.status}; nothing was kept`, told.href, told.state === "ok" ? "Open" : "Show beside the lines");
      if (go && told.href) location.assign(told.href);
    };
    x.onerror = () => {
      if (left > 1) { f("rate").textContent = "The line broke off; sent again"; setTimeout(() => send(file, go, f, left - 1), 500 * (TRIES + 1 - left)); return; }
      done("bad", "The line broke off; nothing was kept. Drop it again.");
    };
    x.onabort = () => done("off", "Cancelled; nothing was kept");
    f("cancel").onclick = () => x.abort();
    x.send(file);
  }
  const take = (files) => [...files].forEach((file) => send(file, files.length === 1));

  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  document.addEventListener("click", (e) => { if (e.target.closest("[data-choose]")) input.click(); });

  const carries = (e) => e.dataTransfer && [...e.dataTransfer.types].includes("Files");
  let depth = 0;
  const over = (on) => { const zone = document.querySelector("[data-drop]"); if (zone) zone.classList.toggle("over", on); else veil.hidden = !on; };
  addEventListener("dragenter", (e) => { if (carries(e)) { depth++; over(true); } });
  addEventListener("dragleave", (e) => { if (carries(e) && --depth <= 0) { depth = 0; over(false); } });
  addEventListener("dragover", (e) => { if (carries(e)) { e.preventDefault(); e.dataTransfer.dropEffect = "copy"; } });
  addEventListener("drop", (e) => { if (!carries(e)) return; e.preventDefault(); depth = 0; over(false); take(e.dataTransfer.files); });
})();

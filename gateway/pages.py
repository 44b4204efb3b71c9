"""The few pages that the front door itself shows: small, in the platform's look, without a request for anything else."""

from __future__ import annotations

from html import escape

STYLE = """:root{color-scheme:light dark;--bg:light-dark(#f6f7f8,#111315);--card:light-dark(#fff,#191c1f);
--line:light-dark(#dfe3e8,#2b3036);--text:light-dark(#15181c,#eceff2);--soft:light-dark(#5a636d,#9aa4ae)}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--bg);color:var(--text);
font:14px/20px Inter,system-ui,sans-serif}main{max-width:460px;margin:24px;padding:32px;background:var(--card);
border:1px solid var(--line);border-radius:10px}h1{margin:0 0 8px;font-size:20px;line-height:28px}p{margin:0 0 12px;color:var(--soft)}
code{font:12px/16px "JetBrains Mono",ui-monospace,monospace;color:var(--soft);overflow-wrap:anywhere}
svg{display:block;margin:0 0 16px}"""
SHAPES = {
    "off": '<circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 3"/>',
    "warn": '<path d="M12 3 22 20H2Z" fill="none" stroke="#b7791f" stroke-width="2" stroke-linejoin="round"/>'
    '<path d="M12 10v4m0 3v.5" stroke="#b7791f" stroke-width="2"/>',
}


def page(title: str, text: str, shape: str, refresh: int = 0) -> str:
    """HTML for HAProxy's `lf-file`, where % begins a format: every other one is doubled."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>{again}'
    body = f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"
    html = (
        f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body><main>"
        f'<svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">{SHAPES[shape]}</svg>{body}'
    )
    return html.replace("%", "%%") + "<code>%[var(txn.trace)]</code></main></body></html>\n"


PAGES: dict[str, str] = {
    "no-app.html": page(
        "No app answers here",
        "No deployment has this link. Look at your apps in Berth: the link stands beside each deployment.",
        "off",
    ),
    "app-down.html": page(
        "This app does not answer now",
        "The deployment is known, but none of its instances is healthy. It comes back by itself as soon as one is; "
        "its page in Berth shows why. This page tries again every two seconds.",
        "warn",
        2,
    ),
    "starting.html": page(
        "Berth is starting",
        "The platform's pages are not ready yet, or are being replaced. This page tries again every two seconds.",
        "warn",
        2,
    ),
}

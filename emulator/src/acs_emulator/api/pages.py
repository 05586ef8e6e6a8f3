"""The phone in the browser: its page, as files of the package."""

from __future__ import annotations

from importlib.resources import files

from aiohttp import web

_FOLDER = files("acs_emulator.api") / "page"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
#: The page and what it loads, by path.
FILES = {
    "/": "index.html",
    **{
        f"/phone/{name}": name
        for name in (
            "phone.css",
            "phone.js",
            "conversation.js",
            "sound.js",
            "words.js",
            "microphone-worklet.js",
            "speaker-worklet.js",
            "icon.svg",
        )
    },
}


def page_routes() -> list[web.RouteDef]:
    return [web.get(path, _serve) for path in FILES]


async def _serve(request: web.Request) -> web.Response:
    name = FILES[request.path]
    kind = _TYPES[name.rpartition(".")[2]]
    return web.Response(
        body=(_FOLDER / name).read_bytes(),
        headers={"Content-Type": f"{kind}; charset=utf-8", **_headers(request.host)},
    )


def _headers(host: str) -> dict[str, str]:
    """Nothing is loaded from elsewhere, no script stands in the page, nobody frames it, only it uses the microphone.

    ``host`` has been checked; not every browser takes 'self' for a web socket.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Cache-Control": "no-cache",
    }

"""`python -m streams`: serve; `python -m streams urls CALL_ID`: print the signed addresses of a call."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from shared.errors import SettingsError
from shared.logs import bounded
from streams.urls import AUDIO, PLAY, TRANSCRIPT


def main() -> int:
    """The command line; gives the exit code."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(bounded)  # what uvicorn and the SDKs log too
    logging.getLogger("switchboard").setLevel(os.environ.get("LOG_LEVEL") or "INFO")
    try:
        if given.command == "urls":
            return _print_urls(given.call_id, given.base_url)
        return _serve(given.host, given.port)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m streams", description="Takes the audio and transcripts of calls.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8090, help="port (%(default)s)")
    commands = parser.add_subparsers(dest="command")
    urls = commands.add_parser("urls", help="print the signed addresses of a call")
    urls.add_argument("call_id")
    urls.add_argument("--base-url", default=os.environ.get("STREAMS_URL", "ws://127.0.0.1:8090"))
    return parser


def _serve(host: str, port: int) -> int:
    import uvicorn

    from streams.app import create_app
    from streams.handlers import load_handler
    from streams.server import configured
    from streams.settings import load_app_settings, load_stream_settings

    # What is wrong with the settings is said in a sentence, before the server starts.
    load_app_settings()
    load_handler(load_stream_settings().handler)

    server = uvicorn.Server(configured(create_app(), host, port))
    server.run()
    return 0 if server.started else 1


def _print_urls(call_id: str, base_url: str) -> int:
    from shared.security import StreamUrls
    from streams.settings import load_app_settings

    urls = StreamUrls(base_url, load_app_settings().callback_signing_key)
    for kind in (AUDIO, TRANSCRIPT):
        print(urls.url(call_id, kind))
    signature = urls.url(call_id, PLAY).rpartition("sig=")[2]
    web = base_url.replace("wss://", "https://", 1).replace("ws://", "http://", 1).rstrip("/")
    for action in ("play", "stop"):
        print(f"{web}/streams/{call_id}/audio/{action}?sig={signature}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

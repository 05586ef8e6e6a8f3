"""``python -m acs_emulator``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from acs_emulator.api.app import serve
from acs_emulator.core.config import Config, ConfigError, parse_config
from acs_emulator.terminal import Terminal, say, start_text


async def run(config: Config) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    stop_on_signal(stop)
    async with serve(config) as service:
        say(start_text(service))
        Terminal(service).follow()
        await stop.wait()


def stop_on_signal(stop: asyncio.Event) -> None:
    """Have SIGINT and SIGTERM set ``stop``."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Event loops of Windows take no handlers; a plain one must wake the loop up.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    # It warns of every block that is written to a client which has gone away in the middle of a download.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        asyncio.run(run(parse_config(sys.argv[1:], os.environ)))
    except ConfigError as error:
        print(f"acs-emulator: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

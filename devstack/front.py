"""A front for several Functions hosts: takes requests on one port and gives them to the hosts in turn.

In turn by request, not by connection: a client that keeps its connection reaches every host, so that callbacks of one
call arrive at different hosts as they do in Azure. `python -m devstack.front --port 7071 --to 7081 --to 7082`
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from itertools import cycle, islice

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from devstack.ports import LOOPBACK

_OF_A_CONNECTION = ("connection", "keep-alive", "transfer-encoding")
_ADDED_BY_THE_CLIENT = ("accept", "accept-encoding", "content-type", "user-agent")


class Front:
    """Passes requests on.

    Args:
        tries: how many hosts a request may be offered to until one listens.
    """

    def __init__(self, session: ClientSession, upstreams: Sequence[int], tries: int) -> None:
        self._session = session
        self._turn = cycle(upstreams)
        self._tries = tries

    async def pass_on(self, request: web.BaseRequest) -> web.Response:
        """The response of the host whose turn it is; 502 where none listens. A host that ends in the middle of a
        response takes the client's connection with it."""
        for port in islice(self._turn, self._tries):
            try:
                async with self._session.request(
                    request.method,
                    URL(f"http://{LOOPBACK}:{port}{request.raw_path}", encoded=True),
                    headers=_end_to_end(request.headers),
                    data=request.content if request.body_exists else None,
                    allow_redirects=False,
                ) as found:
                    return web.Response(
                        status=found.status,
                        reason=found.reason,
                        headers=_end_to_end(found.headers),
                        body=await found.read(),
                    )
            except ClientConnectorError:
                continue
            except ClientError:
                if request.transport is not None:
                    request.transport.abort()
                break
        return web.Response(status=502, headers={"connection": "close"})


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers that are not of one connection."""
    kept = CIMultiDict(headers)
    for name in _OF_A_CONNECTION:
        kept.popall(name, None)
    return kept


async def serve(port: int, upstreams: Sequence[int], *, failover: bool) -> None:
    """Serve until SIGTERM or SIGINT. `failover`: where a host does not listen, the next one gets the request."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with ClientSession(
        connector=TCPConnector(limit=0),
        auto_decompress=False,
        skip_auto_headers=_ADDED_BY_THE_CLIENT,
        timeout=ClientTimeout(total=None),
    ) as session:
        front = Front(session, upstreams, len(upstreams) if failover else 1)
        runner = web.ServerRunner(web.Server(front.pass_on), shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port, backlog=2048).start()
        print(f"Front listening on http://{LOOPBACK}:{port}", flush=True)
        await stopping.wait()
        await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m devstack.front", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--to", type=int, action="append", required=True, help="port of a host; may repeat")
    parser.add_argument("--failover", action="store_true", help="try the next host where one does not listen")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.to, failover=given.failover))


if __name__ == "__main__":
    main()

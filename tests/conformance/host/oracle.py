"""The host over Microsoft's `azure-functions-runtime` 1.3.0: the oracle that our own way to run functions is held to.

`python -m tests.conformance.host.oracle` takes the arguments of `python -m devstack.host`.

Loading goes through the package's public `worker_init_request`. Invocation goes through
`native_invocation.invocation_request_native`, which is internal: the version is pinned, and a change shows
in the conformance test. The package keeps its functions in a module-level registry, so one process can hold one
app only.
"""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from devstack.host.__main__ import run
from devstack.host.backend import Invocation, Outcome
from devstack.host.errors import StartupError
from devstack.host.functions import FunctionMetadata, duplicate_name, from_raw_bindings
from devstack.host.native import find_app, script_path


class _Record(SimpleNamespace):
    """Stands for any protobuf message that the package builds: it keeps the fields it is given."""


class _StatusResult(_Record):
    Success = 1
    Failure = 0


class _BindingInfo(_Record):
    # azure.functions.decorators.core.BindingDirection's values
    out = 1
    inout = 2
    undefined = 0


_PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo,
    RpcException=_Record,
    RpcFunctionMetadata=_Record,
    RpcRetryOptions=_Record,
    FunctionMetadataResponse=_Record,
    StatusResult=_StatusResult,
    WorkerInitResponse=_Record,
    WorkerMetadata=_Record,
)


class RuntimeBackend:
    """Loads and invokes through `azure_functions_runtime`."""

    def __init__(self) -> None:
        try:
            import azure_functions_runtime
            from azure_functions_runtime.native_invocation import invocation_request_native
        except ImportError as error:
            raise StartupError(
                "azure-functions-runtime is missing: pip install --no-deps "
                "--ignore-requires-python -r requirements-worker.txt"
            ) from error
        self._package = azure_functions_runtime
        self._invoke: Any = invocation_request_native
        self._package.start_threadpool_executor()
        # The package logs each failure that it also returns; the host prints it once.
        logging.getLogger("azure.functions").addFilter(lambda record: record.msg != "Native invocation failed")

    async def load(self, app_root: Path) -> list[FunctionMetadata]:
        """Import and index the app; see `Backend.load`."""
        # The import happens here for the host's plain messages; the package then finds the module imported.
        find_app(script_path(app_root))
        request = SimpleNamespace(
            request=SimpleNamespace(
                worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app_root))
            ),
            properties={"host": "127.0.0.1", "protos": _PROTOS},
        )
        response: Any = await self._package.worker_init_request(request)
        if response.result.status != _StatusResult.Success:
            message = str(response.result.exception.message)
            words = message.split()
            if "unique" in message and "Function" in words:
                raise duplicate_name(words[words.index("Function") + 1])
            raise StartupError(message)
        metadata: Any = await self._package.functions_metadata_request(request)
        return [
            from_raw_bindings(found.name, found.function_id, found.raw_bindings, Path(found.directory))
            for found in metadata.function_metadata_results or []
        ]

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation; see `Backend.invoke`."""
        ok, returned, outputs, error, trace = await self._invoke(
            invocation.invocation_id,
            invocation.function.function_id,
            [(str(invocation.function.trigger["name"]), invocation.data)],
            invocation.metadata,
            invocation.trace_parent,
            invocation.trace_state,
        )
        return Outcome(ok, returned, tuple(outputs), error or "", trace or "")

    def close(self) -> None:
        """See `Backend.close`."""
        pool = self._package.get_threadpool_executor()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


if __name__ == "__main__":
    run(RuntimeBackend)

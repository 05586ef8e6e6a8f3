"""The host's own back end: the production worker's rules over the SDK's public converters."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from devstack.host.backend import Invocation, Outcome
from devstack.host.errors import StartupError
from devstack.host.functions import FunctionMetadata, duplicate_name, from_raw_bindings
from devstack.host.signatures import LoadedFunction, load_function

THREAD_COUNT_SETTING = "PYTHON_THREADPOOL_THREAD_COUNT"
SCRIPT_FILE_SETTING = "PYTHON_SCRIPT_FILE_NAME"

invocation_id_variable: contextvars.ContextVar[str | None] = contextvars.ContextVar("invocation_id", default=None)
_thread_local = threading.local()
_logger = logging.getLogger("devstack.host")


class Context(func.Context):
    """The `context` argument of a function."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation

    @property
    def invocation_id(self) -> str:
        return self._invocation.invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return _thread_local

    @property
    def function_name(self) -> str:
        return self._invocation.function.name

    @property
    def function_directory(self) -> str:
        return str(self._invocation.function.directory)

    @property
    def trace_context(self) -> Any:
        return _TraceContext(self._invocation.trace_parent, self._invocation.trace_state)

    @property
    def retry_context(self) -> Any:
        return _RetryContext()


class _TraceContext:
    """W3C trace context; the capitalised names are the SDK's deprecated ones."""

    def __init__(self, parent: str, state: str) -> None:
        self.trace_parent = self.Traceparent = parent
        self.trace_state = self.Tracestate = state
        self.attributes: dict[str, str] = {}
        self.Attributes = self.attributes


class _RetryContext:
    retry_count = 0
    max_retry_count = 0
    exception = None


class Out:
    """The `Out[]` argument of a function."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


class NativeBackend:
    """Runs `def` functions on a thread pool and `async def` functions on the host's event loop."""

    def __init__(self) -> None:
        self._functions: dict[str, LoadedFunction] = {}
        self._threads = ThreadPoolExecutor(thread_count(os.environ.get(THREAD_COUNT_SETTING)), "function")

    async def load(self, app_root: Path) -> list[FunctionMetadata]:
        """Import and index the app; see `Backend.load`."""
        script = script_path(app_root)
        app = find_app(script)
        try:
            indexed = app.get_functions()
        except ValueError as error:
            raise StartupError(_index_message(app, str(error))) from error
        metadata = []
        for item in indexed:
            name = str(item.get_function_name())
            function = from_raw_bindings(name, name, item.get_raw_bindings(), script.parent)
            self._functions[name] = load_function(item, function)
            metadata.append(function)
        return metadata

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation; see `Backend.invoke`."""
        loaded = self._functions[invocation.function.function_id]
        try:
            arguments: dict[str, Any] = {
                loaded.trigger_name: loaded.decode(invocation.data, trigger_metadata=invocation.metadata)
            }
            if loaded.wants_context:
                arguments["context"] = Context(invocation)
            for name in loaded.outputs:
                arguments[name] = Out()
            if loaded.is_async:
                token = invocation_id_variable.set(invocation.invocation_id)
                try:
                    result = await loaded.function(**arguments)
                finally:
                    invocation_id_variable.reset(token)
            else:
                result = await asyncio.get_running_loop().run_in_executor(
                    self._threads, _run, invocation.invocation_id, loaded.function, arguments
                )
            if result is not None and not loaded.has_return:
                raise RuntimeError(
                    f"function {invocation.function.name!r} without a $return binding returned a non-None value"
                )
            outputs = tuple(
                (name, _encode(output, arguments[name].get()))
                for name, output in loaded.outputs.items()
                if arguments[name].get() is not None
            )
            returned = _encode(loaded.returns, result) if loaded.returns else None
            return Outcome(ok=True, returned=returned, outputs=outputs)
        except Exception as error:
            return Outcome(ok=False, error=repr(error), traceback=traceback.format_exc())

    def close(self) -> None:
        """See `Backend.close`."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def thread_count(setting: str | None) -> int | None:
    """Threads for `def` functions: the setting, or None for Python's own default, as the worker does it."""
    if setting is None:
        return None
    try:
        value = int(setting)
    except ValueError:
        value = 0
    if value < 1:
        _logger.warning("%s must be a whole number of 1 or more, found %r.", THREAD_COUNT_SETTING, setting)
        return None
    return value


def script_path(app_root: Path) -> Path:
    """The app's script: `function_app.py`, or what PYTHON_SCRIPT_FILE_NAME says."""
    return app_root / os.environ.get(SCRIPT_FILE_SETTING, "function_app.py")


def find_app(script: Path) -> func.FunctionRegister:
    """Import the script and give its one function app.

    Raises:
        StartupError: no such file, the import fails, or there is not exactly one app in it.
    """
    if not script.exists():
        raise StartupError(f"There is no {script.name} in {script.parent}. Name the app's folder with --app-root.")
    if str(script.parent) not in sys.path:
        sys.path.insert(0, str(script.parent))
    try:
        module = importlib.import_module(script.stem)
    except Exception as error:
        if type(error).__name__ == "SettingsError":  # the app's own: it says what to change, a line each
            raise StartupError(f"the settings are wrong.\n{error}") from error
        raise StartupError(f"{script.name} cannot be imported.\n{_trace_of_the_app(error)}") from error
    apps = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionRegister)}
    if len(apps) != 1:
        found = "no function app" if not apps else f"{len(apps)} function apps"
        raise StartupError(f"{script} must hold one func.FunctionApp() at its top level; found {found}.")
    return next(iter(apps.values()))


def _trace_of_the_app(error: Exception) -> str:
    """The traceback without the frames of the import system and of this host, which are the same for every mistake."""
    told = traceback.TracebackException.from_exception(error)
    linked: traceback.TracebackException | None = told
    while linked is not None:
        linked.stack[:] = [frame for frame in linked.stack if not _is_on_the_way(frame.filename)]
        linked = linked.__cause__ or linked.__context__
    return "".join(told.format()).rstrip()


def _is_on_the_way(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or filename in (__file__, importlib.__file__)


def _index_message(app: func.FunctionRegister, message: str) -> str:
    """The SDK's message, put plainly where it is the duplicate name."""
    words = message.split()
    if "unique" in message and words[:1] == ["Function"]:
        return str(duplicate_name(words[1]))
    return message


def _run(invocation_id: str, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Run a `def` function in a pool thread, with the invocation id where user threads look for it."""
    _thread_local.invocation_id = invocation_id
    token = invocation_id_variable.set(invocation_id)
    try:
        return function(**arguments)
    finally:
        invocation_id_variable.reset(token)
        _thread_local.invocation_id = None


def _encode(output: tuple[Any, Any, str], value: Any) -> Datum:
    converter, python_type, binding_type = output
    try:
        datum: Datum = converter.encode(value, expected_type=python_type)
    except NotImplementedError as error:
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "{binding_type}" for '
            f'Python type "{type(value).__name__}"'
        ) from error
    return datum

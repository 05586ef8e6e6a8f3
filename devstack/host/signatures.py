"""Matches a Python function's parameters to its bindings, by the worker's rules."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum, get_binding_registry

from devstack.host.errors import StartupError
from devstack.host.functions import FunctionMetadata

# (converter, Python type, binding type)
Output = tuple[Any, Any, str]


class GenericConverter:
    """What the worker uses for a binding type that the SDK has no converter for: text and bytes."""

    @staticmethod
    def decode(data: Datum, *, trigger_metadata: Any) -> Any:
        if data.type not in ("string", "bytes", "json", None):
            raise ValueError(f'unexpected type of data received for the "generic" binding {data.type!r}')
        return data.value

    @staticmethod
    def encode(obj: Any, *, expected_type: Any) -> Datum:
        if isinstance(obj, str):
            return Datum(type="string", value=obj)
        if isinstance(obj, bytes | bytearray):
            return Datum(type="bytes", value=bytes(obj))
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class LoadedFunction:
    """A function that is ready to be called."""

    function: Callable[..., Any]
    is_async: bool
    trigger_name: str
    decode: Callable[..., Any]
    wants_context: bool
    outputs: dict[str, Output]
    returns: Output | None
    has_return: bool


def load_function(item: func.Function, metadata: FunctionMetadata) -> LoadedFunction:
    """Check the signature and find the converters.

    Raises:
        StartupError: parameters and bindings do not match, in names or in types.
    """
    function = item.get_user_function()
    try:
        annotations = typing.get_type_hints(function)
    except Exception as error:
        raise StartupError(f"{metadata.where}: its annotations cannot be resolved: {error}") from error
    parameters = dict(inspect.signature(function).parameters)
    bindings = {str(binding.name): binding for binding in item.get_bindings() if binding.name != "$return"}

    wants_context = "context" in parameters and "context" not in bindings
    if wants_context:
        parameters.pop("context")
        annotation = annotations.get("context")
        if annotation is not None and getattr(annotation, "__name__", "") != "Context":
            raise StartupError(f"{metadata.where}: 'context' must be an azure.functions.Context.")
    if missing := set(parameters) - set(bindings):
        raise StartupError(f"{metadata.where}: these parameters have no binding: {', '.join(sorted(missing))}.")
    if extra := set(bindings) - set(parameters):
        raise StartupError(f"{metadata.where}: these bindings have no parameter: {', '.join(sorted(extra))}.")

    registry: Any = get_binding_registry()
    outputs: dict[str, Output] = {}
    for name, binding in bindings.items():
        annotation = annotations.get(name)
        is_out = getattr(typing.get_origin(annotation) or annotation, "__name__", "") == "Out"
        # The annotated type is kept for its check; `Out[X]` stands for X.
        python_type = typing.get_args(annotation)[0] if typing.get_args(annotation) and is_out else annotation
        _check_kind(python_type, annotation, name, metadata)
        kind = str(binding.type)
        converter = None if python_type in (str, bytes) else registry.get(kind)
        if binding.direction == func.decorators.core.BindingDirection.OUT.value:
            if annotation is not None and not is_out:
                raise StartupError(f"{metadata.where}: '{name}' is an output, so it must be azure.functions.Out[...].")
            _check_type(converter, "check_output_type_annotation", python_type, name, kind, metadata)
            outputs[name] = (converter or GenericConverter, python_type, kind)
        else:
            if is_out:
                raise StartupError(f"{metadata.where}: '{name}' is an input, so it cannot be Out[...].")
            _check_type(converter, "check_input_type_annotation", python_type, name, kind, metadata)

    trigger_name = str(metadata.trigger["name"])
    trigger_type = None if annotations.get(trigger_name) in (str, bytes) else metadata.trigger_type
    returns = _return(item, registry, annotations, metadata)
    return LoadedFunction(
        function=function,
        is_async=inspect.iscoroutinefunction(function),
        trigger_name=trigger_name,
        decode=(registry.get(trigger_type) or GenericConverter).decode,
        wants_context=wants_context,
        outputs=outputs,
        returns=returns,
        has_return=returns is not None,
    )


def _return(
    item: func.Function, registry: Any, annotations: dict[str, Any], metadata: FunctionMetadata
) -> Output | None:
    # Several `$return` bindings: the first one counts, as in the worker.
    binding = next((found for found in item.get_bindings() if found.name == "$return"), None)
    if binding is None:
        return None
    kind, annotation = str(binding.type), annotations.get("return")
    converter = registry.get(kind) or GenericConverter
    if annotation is not None:
        if not isinstance(annotation, type):
            raise StartupError(
                f"{metadata.where}: the return annotation {annotation} must be a plain class for the worker."
            )
        if converter is not GenericConverter:
            _check_type(converter, "check_output_type_annotation", annotation, "return", kind, metadata)
    return (converter, annotation, kind)


def _check_kind(python_type: Any, annotation: Any, name: str, metadata: FunctionMetadata) -> None:
    """The worker takes classes and the aliases of `typing`; `list[str]` and unions it does not."""
    if not isinstance(python_type, types.GenericAlias | types.UnionType):
        return
    raise StartupError(
        f"{metadata.where}: the worker refuses the annotation {annotation} of '{name}'. "
        "Use a class, or an alias of typing such as typing.List[str]."
    )


def _check_type(
    converter: Any, check: str, python_type: Any, name: str, binding_type: str, metadata: FunctionMetadata
) -> None:
    if converter is None or python_type is None or not isinstance(python_type, type):
        return
    if not getattr(converter, check)(python_type):
        raise StartupError(
            f"{metadata.where}: the parameter '{name}' is annotated {python_type.__name__}, "
            f"which the binding {binding_type} does not take."
        )

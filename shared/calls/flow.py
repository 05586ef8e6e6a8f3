"""Flows: named coroutines that say what happens on a call."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError

from shared.calls.prompts import Prompt, text
from shared.calls.texts import FALLBACK, NO_TEXTS, Texts, read_texts
from shared.calls.typed_input import needed_fields
from shared.calls.uses import CALLS, USES
from shared.errors import InvalidInput
from shared.identifiers import Identifier

if TYPE_CHECKING:
    from shared.calls.call import Call

FlowFunction = Callable[["Call[Any]"], Coroutine[Any, Any, None]]
M = TypeVar("M", bound=BaseModel)

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.-]{0,62}[A-Za-z0-9_.-])?")

NO_FLOW = "-"
"""The flow of a call that is only rejected or redirected."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a caller gets when the flow fails, instead of what the settings say; then the app hangs up.

    Attributes:
        apology: what the caller hears, for example which number to call; empty: nothing. None: the flow's text
            `fallback` in the language of the call, or else the setting FALLBACK_PROMPT.
        transfer_to: who takes the caller after that, a number or a raw id; empty: nobody. None: the setting
            FALLBACK_TRANSFER_TO.
    """

    apology: str | Prompt | tuple[Prompt, ...] | None = None
    transfer_to: str | Identifier | None = None

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The apology, as what is played. InvalidInput."""
        if isinstance(self.apology, str):
            return (text(self.apology),) if self.apology else ()
        if self.apology is None:
            return ()
        return self.apology if isinstance(self.apology, tuple) else (self.apology,)

    @property
    def target(self) -> Identifier | None:
        """Who takes the caller. InvalidInput."""
        return Identifier.parse(self.transfer_to) if self.transfer_to else None


@dataclass(frozen=True, slots=True)
class Flow:
    """A registered flow.

    Attributes:
        opens: True: the flow gets the call while it rings and answers, rejects or redirects it (or places it)
            by itself; False: it gets a connected call.
        title: what people read in lists; empty: the name.
        input: the model of what the flow takes; None: whatever it is given.
        texts: what it says, in each of its languages.
        fallback: what its caller gets when it fails; None: what the settings say.
        formerly: names that it had: calls of before go on with it.
        use: what it is for, one of shared.calls.uses: decides which of the app's numbers it may show.
    """

    name: str
    function: FlowFunction
    opens: bool = False
    title: str = ""
    input: type[BaseModel] | None = None
    texts: Texts = NO_TEXTS
    fallback: Fallback | None = None
    formerly: Sequence[str] = ()
    use: str = CALLS

    def __call__(self, call: Call[Any]) -> Coroutine[Any, Any, None]:
        return self.function(call)

    @property
    def description(self) -> str:
        """The first line of what its author says of it."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def languages(self) -> Sequence[str]:
        """The languages in which it has texts; empty: it has none."""
        return self.texts.names

    @property
    def needed_input(self) -> Sequence[str]:
        """The fields of its input that have no default, so that it cannot take a call that comes in."""
        return needed_fields(self.input)

    def fallback_in(self, language: str, otherwise: Fallback) -> Fallback:
        """What its caller gets when it fails, in the language of the call.

        Args:
            otherwise: by the settings.
        """
        mine = self.fallback or Fallback()
        apology = mine.apology
        if apology is None:
            spoken = self.texts.find(language)
            apology = spoken.prompt(FALLBACK, {}) if spoken and FALLBACK in spoken.texts else otherwise.apology
        return Fallback(apology, otherwise.transfer_to if mine.transfer_to is None else mine.transfer_to)


FLOWS: dict[str, Flow] = {}
"""Every flow of the app by name."""

_RUNS: dict[str, object] = {}
"""Which run of its module registered a flow: a module that is loaded again registers its flows again."""


@overload
def flow(
    name: str,
    *,
    opens: bool = False,
    title: str = "",
    input: type[M],
    fallback: Fallback | None = None,
    formerly: Sequence[str] = (),
    use: str = CALLS,
) -> Callable[[Callable[[Call[M]], Coroutine[Any, Any, None]]], Flow]: ...


@overload
def flow(
    name: str,
    *,
    opens: bool = False,
    title: str = "",
    input: None = None,
    fallback: Fallback | None = None,
    formerly: Sequence[str] = (),
    use: str = CALLS,
) -> Callable[[FlowFunction], Flow]: ...


def flow(
    name: str,
    *,
    opens: bool = False,
    title: str = "",
    input: type[BaseModel] | None = None,
    fallback: Fallback | None = None,
    formerly: Sequence[str] = (),
    use: str = CALLS,
) -> Callable[[Callable[[Call[Any]], Coroutine[Any, Any, None]]], Flow]:
    """Register a coroutine function as the flow of this name.

    A flow gets one argument, the Call. It must be deterministic: what it does may depend on the call and on
    what it awaits, not on the clock, chance or the network; those go through `call.now` and `call.run`.

    Args:
        name: what routing and the HTTP API call it; its texts stand in `<name>.<language>.yaml` beside its module.
        opens: the flow answers or places its calls by itself.
        title: what people read in lists.
        input: a pydantic model; what starts the flow is checked against it, and `call.input` is one.
        fallback: what a caller gets when the flow fails.
        formerly: names that the flow had; calls that began under one of them go on with it.
        use: what it is for: `calls`, or one of the use cases. Numbers in lines.yaml may be for some uses alone.

    InvalidInput for what is wrong with any of these, and for a name that another flow has.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"flow {name!r}", "is not a valid name.", "Use letters, digits, spaces, _ . -, at most 64; a letter first."
        )
    if input is not None:
        _check_input(name, input)
    if fallback is not None:
        _check(name, fallback)
    if use not in USES:
        raise InvalidInput(f"flow {name!r}: use", f"{use!r} is not a use.", f"Known: {', '.join(USES)}.")

    def register(function: FlowFunction) -> Flow:
        if not inspect.iscoroutinefunction(function):
            raise InvalidInput(f"flow {name!r}", "is not an async def function.", "Write: async def f(call): …")
        run = function.__globals__.get("__spec__") or function.__globals__
        earlier = FLOWS.get(name)
        if earlier is not None and (_place(earlier.function)[:2] != _place(function)[:2] or _RUNS.get(name) is run):
            places = " and ".join(f"{file}:{line}" for file, _, line in map(_place, (earlier.function, function)))
            raise InvalidInput(f"flow {name!r}", f"is registered twice, at {places}.", "Give one another name.")
        _check_names(name, formerly)
        folder = Path(_place(function)[0]).parent
        FLOWS[name] = Flow(
            name, function, opens, title, input, read_texts(folder, name), fallback, tuple(formerly), use
        )
        _RUNS[name] = run
        return FLOWS[name]

    return register


def flow_of(flows: Mapping[str, Flow], name: str) -> Flow | None:
    """The flow of a call that began under this name; None: there is none any more."""
    return flows.get(name) or next((found for found in flows.values() if name in found.formerly), None)


def _check_names(name: str, formerly: Sequence[str]) -> None:
    """Pass if no other flow has these names, or had this one."""
    if isinstance(formerly, str):
        raise InvalidInput(f"flow {name!r}: formerly", "is a string.", f"Write: formerly=[{formerly!r}].")
    for other in FLOWS.values():
        if other.name != name and (name in other.formerly or {other.name, *other.formerly} & set(formerly)):
            raise InvalidInput(
                f"flow {name!r}: formerly",
                f"names a flow that {other.name!r} is, or was.",
                "A call that began under a name goes on with one flow: name it once.",
            )


def _place(function: Callable[..., Any]) -> tuple[str, str, int]:
    """File, name and line of a function."""
    code = inspect.unwrap(function).__code__
    return code.co_filename, function.__qualname__, code.co_firstlineno


def _check_input(name: str, model: object) -> None:
    """Pass if it is a model that can say what it takes."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise InvalidInput(f"flow {name!r}", "has an input that is not a pydantic model.", "Give a class of BaseModel.")
    try:
        model.model_json_schema()
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        problem = f"has an input without a JSON schema: {error.message.splitlines()[0]}."
        remedy = "Use types that JSON has, each defined above the flow."
        raise InvalidInput(f"flow {name!r}", problem, remedy) from None


def _check(name: str, fallback: Fallback) -> None:
    """Pass if a fallback can be carried out: it must not fail itself."""
    try:
        fallback.prompts  # noqa: B018
        fallback.target  # noqa: B018
    except InvalidInput as error:
        raise InvalidInput(f"flow {name!r}: fallback", str(error)) from None

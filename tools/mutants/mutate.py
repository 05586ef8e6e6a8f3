"""Every small change of a function that could be a mistake: compiled, and described in a line."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

HIT = "__mutants_hit__"
"""The builtin that an instrumented function calls before each of its statements."""

Place = tuple[int, int]
"""Line and column where a statement begins."""

_LINE = 100

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class NoSuchGuard(LookupError):
    """A listed function or constant does not exist (any more)."""


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        what: the change in a line; unique within its function, and without line numbers.
        line: where it is.
        code: the function with the change; of a constant, its other value.
        within: the innermost statement, or handler of errors, that holds it: a test that does not come there notices
            nothing. None for a constant.
    """

    what: str
    line: int
    code: CodeType | float
    within: Place | None = None


def changes(source: str, name: str) -> list[tuple[int, str]]:
    """Line and text of each change of a function or constant, in the order of the source. Raises NoSuchGuard."""
    tree = ast.parse(source)
    found = _find(tree, name)
    if not isinstance(found, _Function):
        value = constant(source, name)
        return [(found.lineno, f"{value!r} → {other!r}") for other in _numbers(value)]
    return [(line, what) for line, what, _ in _made(found)]


def mutants(source: str, file: str, name: str) -> list[Mutant]:
    """All changes of a function or constant, ready to be put in force. Raises NoSuchGuard."""
    tree = ast.parse(source)
    found = _find(tree, name)
    if not isinstance(found, _Function):
        others = _numbers(constant(source, name))
        return [Mutant(what, line, other) for (line, what), other in zip(changes(source, name), others, strict=True)]
    free = _compiled(tree, file, name).co_freevars
    made = [Mutant(what, line, _compiled(tree, file, name), within) for line, what, within in _made(found)]
    # Python cannot exchange code that lost the only use of a variable of the scope around it (`super` has one).
    return [mutant for mutant in made if isinstance(mutant.code, CodeType) and mutant.code.co_freevars == free]


def _made(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str, Place]]:
    """Makes one change after the other, in the tree; each is undone before the next."""
    seen: Counter[str] = Counter()
    holders = _holders(function)
    for place, new, shown in _changes(function):
        old = place.node
        line, before = getattr(old, "lineno", function.lineno), _text(shown or old)
        place.put(new)
        what = f"without: {before}" if isinstance(new, ast.Pass) else f"{before} → {_text(shown or new)}"
        seen[what] += 1
        yield line, what if seen[what] == 1 else f"{what} (no. {seen[what]})", holders[id(old)]
        place.put(old)


def constant(source: str, name: str) -> float:
    """The value of a module's constant. Raises NoSuchGuard unless it is a number that is written out."""
    found = _find(ast.parse(source), name)
    try:
        value = ast.literal_eval(found.value) if isinstance(found, ast.Assign | ast.AnnAssign) and found.value else None
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoSuchGuard(f"{name} is neither a function nor a number that is written out")
    return value


def is_function(source: str, name: str) -> bool:
    """Whether it is a function. Raises NoSuchGuard if it is nothing at all."""
    return isinstance(_find(ast.parse(source), name), _Function)


def instrumented(source: str, file: str, name: str, keys: Sequence[str]) -> CodeType:
    """A function that says before each of its statements where it is, and these keys."""
    tree = ast.parse(source)
    function = _find(tree, name)
    assert isinstance(function, _Function)
    _tell(function, list(keys), _first(function))
    return _compiled(tree, file, name)


def _tell(node: ast.AST, keys: list[str], first: int = 0) -> None:
    """Have every statement below a node, and every handler, tell that it is reached."""
    for field, value in ast.iter_fields(node):
        if not isinstance(value, list):
            continue
        told: list[Any] = []
        for index, child in enumerate(value):
            if isinstance(child, ast.stmt) and (field != "body" or index >= first):
                told += [_call(child, keys), child]
            else:
                told.append(child)
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                _tell(child, keys)
        if isinstance(node, ast.ExceptHandler) and field == "body":
            told.insert(0, _call(node, keys))
        value[:] = told


def _call(node: Any, keys: list[str]) -> ast.stmt:
    call = ast.parse(f"{HIT}({_place_of(node)}, *{keys!r})").body[0]
    return ast.fix_missing_locations(ast.copy_location(call, node))


def _place_of(node: Any) -> Place:
    return node.lineno, node.col_offset


def _holders(function: ast.AST) -> dict[int, Place]:
    """By the id of each node in a function: the innermost statement or handler that holds it."""
    holders: dict[int, Place] = {}
    waiting: list[tuple[ast.AST, Place]] = [(child, (0, 0)) for child in ast.iter_child_nodes(function)]
    while waiting:
        node, holder = waiting.pop()
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            holder = _place_of(node)
        holders[id(node)] = holder
        waiting += [(child, holder) for child in ast.iter_child_nodes(node)]
    return holders


# Where a change is made


@dataclass(frozen=True)
class _Place:
    """Where a node hangs."""

    parent: ast.AST
    field: str
    index: int | None

    @property
    def node(self) -> Any:
        value = getattr(self.parent, self.field)
        return value if self.index is None else value[self.index]

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


_Found = tuple[_Place, ast.AST, ast.AST | None]
"""A place, what to put there, and what to show before and after: None for the nodes themselves."""


def _changes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[_Found]:
    for index in range(_first(function), len(function.body)):
        last = index == len(function.body) - 1
        yield from _below(_Place(function, "body", index), [], last=last)


def _below(place: _Place, above: list[ast.expr], *, last: bool = False) -> Iterator[_Found]:
    """The changes of a node and of what is in it. `above`: the expressions around it, the outermost first."""
    node = place.node
    if _is_log(node):
        return
    if isinstance(node, ast.stmt):
        new = _without(node, last=last)
        if new is not None:
            yield place, _at(new, node), None
        if isinstance(node, ast.Raise):
            return
    if isinstance(node, _Function):
        yield from _changes(node)
        return
    if isinstance(node, ast.expr):
        above = [*above, node]
    elif isinstance(node, ast.stmt | ast.ExceptHandler):
        above = []
    shown = next((one for one in above if len(ast.unparse(one)) <= _LINE), None)
    for other in _instead(node):
        # What is put in the place of the expression that is shown is shown itself.
        yield place, _at(other, node), None if shown is node else shown
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "type_params"):
            continue
        if isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _below(_Place(node, field, index), above)
        elif isinstance(value, ast.AST):
            yield from _below(_Place(node, field, None), above)


# Changes


def _without(statement: ast.stmt, *, last: bool) -> ast.stmt | None:
    """What a statement is replaced with when it is left out; None if that says nothing."""
    match statement:
        case ast.Return(value=None | ast.Constant(value=None)):
            return None if last else ast.Pass()
        case ast.Return(value=ast.Constant()):
            return None
        case ast.Return():
            return ast.Return(ast.Constant(None))
        case ast.Continue() | ast.Break() | ast.Raise() | ast.AugAssign() | ast.Delete():
            return ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Await()):
            return ast.Pass()
        case ast.Assign(targets=[target]) if any(
            isinstance(part, ast.Attribute | ast.Subscript)
            for part in (target.elts if isinstance(target, ast.Tuple) else [target])
        ):
            return ast.Pass()
    return None


def _instead(node: Any) -> Iterator[ast.AST]:
    """What a node may be replaced with."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                for other in _COMPARISONS[type(operator)]:
                    yield _but(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
        case ast.BoolOp():
            yield _but(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
            for index in range(len(node.values)):
                rest = [value for other, value in enumerate(node.values) if other != index]
                yield rest[0] if len(rest) == 1 else _but(node, values=rest)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _OPERATORS:
            yield _but(node, op=_OPERATORS[type(node.op)]())
        case ast.Constant(value=bool()):
            yield _but(node, value=not node.value)
        case ast.Constant(value=int() | float() as value):
            for number in _numbers(value):
                yield _but(node, value=number)
        case ast.Call():
            if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
                yield _but(node, func=_but(node.func, id=_FUNCTIONS[node.func.id]))
            if isinstance(node.func, ast.Name) and node.func.id == "suppress":
                yield _but(node, args=[])
            for index, keyword in enumerate(node.keywords):
                if keyword.arg:
                    yield _but(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])
        case ast.If() | ast.While() | ast.IfExp() if _says_no_contrary(node.test):
            yield _but(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.comprehension():
            for index, test in enumerate(node.ifs):
                if _says_no_contrary(test):
                    ifs = [*node.ifs[:index], ast.UnaryOp(ast.Not(), test), *node.ifs[index + 1 :]]
                    yield _but(node, ifs=ifs)
        case ast.ExceptHandler() if not isinstance(node.body[0], ast.Raise):
            yield _but(node, body=[ast.Raise()])


def _numbers(value: float) -> list[float]:
    if value == 0:
        return [1]
    if type(value) is float:
        return [value * 2, value / 2]
    return [value + 1, value - 1] if abs(value) < 4 else [value + 1, value * 2, value // 2]


def _says_no_contrary(test: ast.expr) -> bool:
    """Whether no change within a condition is its contrary already."""
    return not (isinstance(test, ast.UnaryOp) or (isinstance(test, ast.Compare) and len(test.ops) == 1))


def _but(node: Any, **fields: Any) -> Any:
    """A copy with other fields."""
    new = copy.copy(node)
    for field, value in fields.items():
        setattr(new, field, value)
    return new


def _at(new: Any, old: Any) -> Any:
    """Without this it cannot be compiled."""
    return ast.fix_missing_locations(ast.copy_location(new, old))


# Reading and writing


def _is_log(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return True
    return False


def _first(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Where the statements begin, after the docstring."""
    return 0 if ast.get_docstring(function) is None else 1


def _text(node: ast.AST) -> str:
    match node:
        case ast.If() | ast.While():
            text = f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
        case ast.ExceptHandler():
            text = f"except {ast.unparse(node.type) if node.type else ''}: {ast.unparse(node.body[0])}"
        case _:
            text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 2 * _LINE else text[: 2 * _LINE] + "…"


def _find(tree: ast.Module, name: str) -> ast.stmt:
    scope: list[ast.stmt] = tree.body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in scope if part in _names(node)), None)
        if found is None:
            raise NoSuchGuard(f"there is no {name}")
        scope = getattr(found, "body", [])
    if not isinstance(found, _Function | ast.Assign | ast.AnnAssign):
        raise NoSuchGuard(f"{name} is neither a function nor a constant")
    return found


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return [node.name]
        case ast.Assign():
            return [target.id for target in node.targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _compiled(tree: ast.Module, file: str, name: str) -> CodeType:
    """A function out of its compiled module."""
    waiting = [compile(tree, file, "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        if code.co_qualname == name:
            return code
        waiting += [each for each in code.co_consts if isinstance(each, CodeType)]
    raise NoSuchGuard(f"there is no {name}")

"""Advanced filters of Event Grid subscriptions (docs: event filtering).

A filter names a key of the event, such as ``data.to.rawId``, an operator and values. An event passes when each filter
does. Text is compared without case, and so are keys, whose spelling differs between samples and events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Most filters of a subscription, and values of all of them (docs).
MOST_FILTERS, MOST_VALUES = 25, 25
FIELDS = {"operatorType", "key", "value", "values"}
_MISSING = object()
Test = Callable[[Any, Any], bool]


class FilterError(ValueError):
    """A filter that cannot be used; the sentence names the field."""


def _text(test: Callable[[str, str], bool]) -> Test:
    return lambda found, value: isinstance(found, str) and test(found.casefold(), value.casefold())


def _number(test: Callable[[float, float], bool]) -> Test:
    return lambda found, value: _is_number(found) and test(found, value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _within(found: Any, bounds: Any) -> bool:
    return _is_number(found) and bounds[0] <= found <= bounds[1]


#: By operator: whether a value that is found matches one of the filter's.
_TESTS: dict[str, Test] = {
    "StringIn": _text(lambda found, value: found == value),
    "StringBeginsWith": _text(str.startswith),
    "StringEndsWith": _text(str.endswith),
    "StringContains": _text(str.__contains__),
    "NumberIn": _number(lambda found, value: found == value),
    "NumberInRange": _within,
    "NumberLessThan": _number(lambda found, value: found < value),
    "NumberGreaterThan": _number(lambda found, value: found > value),
    "NumberLessThanOrEquals": _number(lambda found, value: found <= value),
    "NumberGreaterThanOrEquals": _number(lambda found, value: found >= value),
    "BoolEquals": lambda found, value: isinstance(found, bool) and found is value,
}
#: The operators that pass where the one they deny does not, and where the key is missing.
_DENIALS = {
    "StringNotIn": "StringIn",
    "StringNotBeginsWith": "StringBeginsWith",
    "StringNotEndsWith": "StringEndsWith",
    "StringNotContains": "StringContains",
    "NumberNotIn": "NumberIn",
    "NumberNotInRange": "NumberInRange",
}
#: Those that take one `value` instead of `values`, and those that take none.
_SINGLE = {"NumberLessThan", "NumberGreaterThan", "NumberLessThanOrEquals", "NumberGreaterThanOrEquals", "BoolEquals"}
_BARE = {"IsNullOrUndefined", "IsNotNull"}
OPERATORS = (*_TESTS, *_DENIALS, *sorted(_BARE))


@dataclass(frozen=True)
class AdvancedFilter:
    """One filter. ``on_arrays``: a list matches when one of its items does; otherwise it never does."""

    operator: str
    key: str
    values: tuple[Any, ...] = ()
    on_arrays: bool = False

    def passes(self, event: Mapping[str, Any]) -> bool:
        found = _look_up(event, self.key)
        if self.operator in _BARE:
            return (found is None or found is _MISSING) == (self.operator == "IsNullOrUndefined")
        test = _TESTS[_DENIALS.get(self.operator, self.operator)]
        items = found if isinstance(found, list) and self.on_arrays else [found]
        matches = any(test(item, value) for item in items for value in self.values)
        return matches != (self.operator in _DENIALS)


def _look_up(event: Mapping[str, Any], key: str) -> Any:
    value: Any = event
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return _MISSING
        value = next((item for name, item in value.items() if name.casefold() == part.casefold()), _MISSING)
    return value


def parse_advanced_filters(body: Any, *, on_arrays: bool) -> tuple[AdvancedFilter, ...]:
    """Read `advancedFilters` of a subscription. Raises FilterError."""
    if not isinstance(body, list) or len(body) > MOST_FILTERS:
        raise FilterError(f"'advancedFilters' must be a list of at most {MOST_FILTERS} filters.")
    filters = tuple(_parse(one, f"advancedFilters[{index}]", on_arrays) for index, one in enumerate(body))
    if sum(len(one.values) for one in filters) > MOST_VALUES:
        raise FilterError(f"'advancedFilters' must not have more than {MOST_VALUES} values in all.")
    return filters


def _parse(item: Any, where: str, on_arrays: bool) -> AdvancedFilter:
    if not isinstance(item, dict):
        raise FilterError(f"'{where}' must be an object.")
    unknown = sorted(set(item) - FIELDS)
    if unknown:
        raise FilterError(f"'{where}.{unknown[0]}' is not known; known are {', '.join(sorted(FIELDS))}.")
    operator, key = item.get("operatorType"), item.get("key")
    if operator not in OPERATORS:
        raise FilterError(f"'{where}.operatorType' must be one of {', '.join(OPERATORS)}.")
    if not isinstance(key, str) or not key:
        raise FilterError(f"'{where}.key' is required: a path such as data.to.rawId.")
    if operator in _BARE:
        return AdvancedFilter(operator, key, on_arrays=on_arrays)
    name = "value" if operator in _SINGLE else "values"
    if name not in item:
        raise FilterError(f"'{where}.{name}' is required for {operator}.")
    values = [item["value"]] if operator in _SINGLE else item["values"]
    if not isinstance(values, list) or not values or not all(_fits(operator, value) for value in values):
        raise FilterError(f"'{where}.{name}' does not fit {operator}.")
    return AdvancedFilter(
        operator, key, tuple(tuple(one) if isinstance(one, list) else one for one in values), on_arrays
    )


def _fits(operator: str, value: Any) -> bool:
    if operator.startswith("String"):
        return isinstance(value, str)
    if operator == "BoolEquals":
        return isinstance(value, bool)
    if operator.endswith("InRange"):
        return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
    return _is_number(value)

"""Where the brakes get what the settings and the routing say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from shared.brakes.brakes import AppBrakes, Limits, Refreshing
from shared.brakes.dialing import Dialing, countries_of, country_of, read_prefixes
from shared.brakes.refresher import Refresher
from shared.calls.flow import Flow
from shared.identifiers import Identifier
from shared.privacy import NumberHashes
from shared.routing import RedirectTo, RoutingTable
from shared.settings import Settings
from shared.text_rows import StoredRow, TextRows


def compose_brakes(
    settings: Settings,
    routes: RoutingTable,
    flows: Mapping[str, Flow],
    rows: TextRows,
    refresher: Callable[[Callable[[], None]], Refreshing] | None = None,
    *,
    numbers: Collection[str] = (),
    readers: Sequence[Callable[[Mapping[str, StoredRow]], None]] = (),
) -> AppBrakes:
    """Join the parts by settings.

    Args:
        numbers: the app's own, where they are declared.
        readers: given all rows each time that they were read.
    """
    limits = Limits(
        targets=settings.max_targets,
        minutes=settings.max_call_minutes,
        calls=settings.max_calls,
        calls_of_one_caller=settings.max_calls_of_one_caller,
    )
    countries = frozenset(_own_countries(settings, routes, flows, numbers))
    dialing = Dialing(read_prefixes(settings.allowed_prefixes), countries)
    # Hashes of figures are of no use after seconds, so whichever key there is serves.
    hashes = NumberHashes(settings.number_hash_key or settings.callback_signing_key)
    return AppBrakes(rows, limits, dialing, hashes, flows, refresher=refresher or Refresher, readers=readers)


def forbidden_targets(
    settings: Settings, routes: RoutingTable, flows: Mapping[str, Flow], dialing: Dialing
) -> Iterator[str]:
    """What the app is set up to call and may not: a line each, without the number."""
    for rule in routes.rules:
        if isinstance(rule.outcome, RedirectTo) and (problem := dialing.problem(rule.outcome.target)):
            yield f"the rule {rule.name!r} redirects to a number that {problem}; its calls hear busy"
    somebody = settings.fallback_transfer_to
    if somebody and (problem := dialing.problem(Identifier.parse(somebody))):
        yield f"FALLBACK_TRANSFER_TO {problem}; callers whose flow failed are hung up on"
    desk = settings.handoff_number
    if desk and (problem := dialing.problem(Identifier.parse(desk))):
        yield f"HANDOFF_NUMBER {problem}; no caller is handed off"
    for name, target in _fallbacks(flows):
        if problem := dialing.problem(target):
            yield (
                f"the fallback of the flow {name!r} transfers to a number that {problem}; callers whose flow failed "
                "are hung up on"
            )


def _fallbacks(flows: Mapping[str, Flow]) -> Iterator[tuple[str, Identifier]]:
    """Whom flows transfer a caller to when they fail."""
    for name, flow in flows.items():
        if flow.fallback is not None and flow.fallback.target is not None:
            yield name, flow.fallback.target


def _own_countries(
    settings: Settings, routes: RoutingTable, flows: Mapping[str, Flow], numbers: Collection[str]
) -> Iterator[str]:
    """Countries of the numbers that the app is set up with: of its own those that are declared, or else those that
    rules take calls for. Whom rules name as callers is nobody of ours."""
    targets = [rule.outcome.target for rule in routes.rules if isinstance(rule.outcome, RedirectTo)]
    targets += [Identifier.parse(one) for one in (settings.fallback_transfer_to, settings.handoff_number) if one]
    targets += [target for _, target in _fallbacks(flows)]
    yield from countries_of([*targets, *map(Identifier.parse, numbers)])
    if numbers:
        return
    for rule in routes.rules:
        for pattern in rule.to or ():
            number = pattern.text.removeprefix("4:")
            if number.startswith("+"):
                yield country_of(number)  # of a pattern that is too short, `+4*`, it is no country's

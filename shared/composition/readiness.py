"""What is looked at when an instance starts, so that the first caller need not wait and no later report fails."""

from __future__ import annotations

from shared.composition.board import Switchboard
from shared.errors import InvalidInput
from shared.logs import logger

log = logger("switchboard.start")


def get_ready(board: Switchboard) -> None:
    """Fetch what the first request would wait for, and look at what would fail only later."""
    board.tokens.prepare()
    board.store.healthy()
    board.brakes.get_ready()
    _check_targets(board)
    check_scorecards(board)
    check_hash_keys(board)


def _check_targets(board: Switchboard) -> None:
    """Say at start whom the app is set up to call and may not."""
    from shared.composition.brakes import forbidden_targets

    for forbidden in forbidden_targets(board.settings, board.routes, board.conductor.flows, board.brakes.dialing):
        log.error("%s", forbidden)


def check_scorecards(board: Switchboard) -> None:
    """Say at start what is wrong with a scorecard, not when the first report needs it."""
    from shared.quality.scorecards import load_scorecards

    try:
        load_scorecards(board.settings.scorecards_folder, board.conductor.flows)
    except InvalidInput as error:
        log.error("no report can be made until this is fixed: %s", error)


def check_hash_keys(board: Switchboard) -> None:
    """Say at start that numbers are kept under a key that is gone: calls that nobody finds, people who are recorded."""
    unknown = board.store.unknown_keys()
    if unknown:
        log.warning(
            "numbers are kept under a hash key that is not set: calls of %s are not found by number; "
            "call_upkeep puts them under NUMBER_HASH_KEY, or set NUMBER_HASH_KEY_PREVIOUS",
            ", ".join(sorted(unknown)),
        )
    listed = board.do_not_record.unknown_keys() if board.do_not_record else set[str]()
    if listed:
        log.error(
            "numbers are kept under a hash key that is not set: those of %s on the do-not-record list are recorded; "
            "set NUMBER_HASH_KEY_PREVIOUS, or add them again",
            ", ".join(sorted(listed)),
        )

"""The console's pages of use cases: which are set up, and how each is put together, imported at its first request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.calls.flow import flow_of
from shared.calls.uses import CAMPAIGNS
from shared.composition.board import Switchboard
from shared.lines.reading import Line
from shared.routing.decisions import AnswerWith
from shared.use_cases.services import service

if TYPE_CHECKING:
    from shared.web.console.campaign_pages import CampaignPages
    from shared.web.console.gate import Gate
    from shared.web.console.masked_pages import MaskedPages
    from shared.web.console.message_pages import MessagePages
    from shared.web.console.number_pages import NumberPages
    from shared.web.outreach import CampaignService

MASKING, HANDOFF = "masking", "handoff"


def titles_of(board: Switchboard) -> dict[str, str]:
    """The titles of the flows, by name."""
    return {name: flow.title or name for name, flow in board.conductor.flows.items()}


def pages_of(board: Switchboard) -> frozenset[str]:
    """The pages of use cases that are set up, by their names in the console."""
    there = {
        "Campaigns": has_campaigns(board),
        "Masked numbers": has_masked_numbers(board),
        "Messages": has_messages(board),
    }
    return frozenset(name for name, is_there in there.items() if is_there)


def has_campaigns(board: Switchboard) -> bool:
    """Whether a campaign could start: there is a key to hash numbers with, and a number that it may show."""
    return bool(board.settings.number_hash_key and _callers(board))


def has_masked_numbers(board: Switchboard) -> bool:
    """Whether sessions can be opened."""
    return bool(board.settings.number_hash_key and any(MASKING in line.uses for line in _lines(board).values()))


def has_messages(board: Switchboard) -> bool:
    """Whether callers get to the hand-off, or it knows a contact centre."""
    reached = [rule.outcome.flow for rule in board.routes.rules if isinstance(rule.outcome, AnswerWith)]
    reached += [line.called_back for line in _lines(board).values() if line.called_back]
    flows = [flow_of(board.conductor.flows, name) for name in reached]
    return bool(board.settings.handoff_number) or any(flow is not None and flow.use == HANDOFF for flow in flows)


def campaigns(gate: Gate, board: Switchboard) -> CampaignPages:
    """The pages of campaigns."""
    from shared.web.console.campaign_pages import CampaignFlow, CampaignPages

    flows = [
        CampaignFlow(flow.name, flow.title or flow.name, flow.use == "reminders")
        for flow in board.conductor.flows.values()
        if flow.use in CAMPAIGNS and not flow.opens
    ]
    zone = board.lines.zone.key if board.lines.zone else "UTC"
    return CampaignPages(gate, _campaign_service(), flows, _callers(board), board.lines.country, zone)


def numbers(gate: Gate, board: Switchboard) -> NumberPages:
    """The pages of do-not-call lists and evidence."""
    from shared.web.console.number_pages import NumberPages

    return NumberPages(gate, _campaign_service(), board.lines.country)


def masked(gate: Gate, board: Switchboard) -> MaskedPages:
    """The pages of masked numbers."""
    from shared.web.console.masked_pages import MaskedPages
    from shared.web.masking import MaskedNumbers

    return MaskedPages(gate, MaskedNumbers(), {number: line.label for number, line in _lines(board).items()})


def messages(gate: Gate, board: Switchboard) -> MessagePages:
    """The pages of messages."""
    from shared.web.console.message_pages import MessagePages
    from shared.web.handoff import CaseService

    return MessagePages(gate, lambda: CaseService(service(HANDOFF), lambda: board.recordings().service))


def _campaign_service() -> CampaignService:
    from shared.web.outreach import CampaignService

    return CampaignService(service("outreach"))


def _callers(board: Switchboard) -> dict[str, str]:
    """The numbers that a campaign may show, with their labels: somebody answers who calls back."""
    return {
        number: line.label
        for number, line in _lines(board).items()
        if line.called_back and (not line.uses or line.uses & CAMPAIGNS)
    }


def _lines(board: Switchboard) -> Mapping[str, Line]:
    return board.lines.numbers

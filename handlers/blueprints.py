"""All functions of the app, family by family."""

from __future__ import annotations

from handlers import (
    calendars,
    callbacks,
    calls_api,
    click,
    console,
    console_uses,
    do_not_record_api,
    event_grid,
    handoff,
    health,
    masking,
    notifications,
    orders,
    outreach,
    people,
    recordings,
    reports_api,
    stream_signals,
    switches,
    timers,
    use_cases,
)

BLUEPRINTS = tuple(
    module.blueprint
    for module in (
        event_grid,
        callbacks,
        calls_api,
        do_not_record_api,
        timers,
        recordings,
        reports_api,
        notifications,
        people,
        switches,
        calendars,
        use_cases,
        outreach,
        click,
        orders,
        masking,
        handoff,
        stream_signals,
        console,
        console_uses,
        health,
    )
)

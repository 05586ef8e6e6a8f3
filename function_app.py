"""The function app: registers every blueprint, nothing else."""

import gc

# The imports make some hundred thousand objects that stay: looking for garbage among them costs a start 50 ms or more.
gc.disable()

import azure.functions as func  # noqa: E402

from handlers import (  # noqa: E402
    calendars,
    callbacks,
    calls_api,
    click,
    console,
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
from shared.composition import start_early  # noqa: E402

app = func.FunctionApp()
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
    health,
):
    app.register_functions(module.blueprint)

gc.freeze()  # nor will any later collection look at them
gc.enable()
start_early()

"""The front door: registers every blueprint, nothing else."""

import azure.functions as func

from handlers import callbacks, event_grid, health, timers

app = func.FunctionApp()
for module in (event_grid, callbacks, timers, health):
    app.register_functions(module.blueprint)

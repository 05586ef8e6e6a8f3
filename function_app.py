"""The function app: registers every blueprint, nothing else."""

import gc

# The imports make some hundred thousand objects that stay: looking for garbage among them costs a start 50 ms or more.
gc.disable()

import azure.functions as func  # noqa: E402

from handlers.blueprints import BLUEPRINTS  # noqa: E402
from shared.composition import start_early  # noqa: E402

app = func.FunctionApp()
for blueprint in BLUEPRINTS:
    app.register_functions(blueprint)

gc.freeze()  # nor will any later collection look at them
gc.enable()
start_early()

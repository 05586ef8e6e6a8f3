"""A small Azure Functions host for Python v2 apps: `python -m devstack.host`.

It loads `function_app.app` as the production worker does and gives it HTTP routes, the Event Grid webhook,
queue triggers and timer triggers, where Azure Functions Core Tools is not at hand.
"""

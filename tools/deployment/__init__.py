"""After a deployment to Azure: Event Grid's subscriptions, and a trial that reports. docs/deploy.md.

Needs Python, `az` and, for its environments, `azd`. Nothing of the project is imported or has to be installed.
"""

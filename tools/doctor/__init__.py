"""Says what is wrong before a caller does: with the repository, with what is in Azure, with what answers there.

`python -m tools.doctor` is the terminal face of `shared.diagnostics`, and adds what needs the repository, `az` or the
network. docs/doctor.md has every check. Nothing that is deployed imports this.
"""

"""Slots of caller numbers: how many telephones the app has on the line under each of its numbers, and may have.

`presence` is what a call knows of the telephones that it has called, `legs` which of them need a slot, `ledger` who
has one.
"""

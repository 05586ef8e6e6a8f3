"""Brakes: what keeps a fault or an abuse from costing without end.

Free ones look at what stands in the action itself (`dialing`, targets); counted ones use figures that the watchdog
writes and that every instance reads in the background (`figures`, `refresher`); switches are set by a person and read
with them (`switches`). None of them asks the storage while a caller waits. docs/brakes.md tells how they are used.

What an app has declared of its own numbers takes the place of `Dialing.countries`, and the ledger of slots
(`shared.calls.slots`) limits what leaves by each of them.
"""

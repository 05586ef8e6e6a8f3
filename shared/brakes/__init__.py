"""Brakes: what keeps a fault or an abuse from costing without end.

Free ones look at what stands in the action itself (`dialing`, targets); counted ones use figures that the watchdog
writes and that every instance reads in the background (`figures`, `refresher`); switches are set by a person and read
with them (`switches`). None of them asks the storage while a caller waits. docs/brakes.md tells how they are used.

Later, declared numbers of the app take the place of `Dialing.countries`, and a ledger of slots for each caller number
that of `AppBrakes._take` for calls that the app places.
"""

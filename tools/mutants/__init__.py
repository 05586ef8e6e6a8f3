"""`make mutants`: does a test fail when a guard is broken?

The guards are functions and constants that keep a call right when something goes wrong: `guards.py` lists them, with
the tests that hold them. Each is broken in every small way there is (`mutate.py`), one at a time, in a forked child
of a pytest process that has collected the tests once (`runner.py`); the source is never touched. A change that no
test notices survives. The known survivors stand in `survivors.py`, each with the reason; another one, or a known one
that is noticed now, fails the command.
"""

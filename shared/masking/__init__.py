"""Number masking: two people call each other by numbers of the app, and neither sees the other's (docs/masking.md).

`session` has what a session is and what may become of it, `choosing` which number somebody gets; both are pure.
`sessions`, `claims` and `pins` keep them in rows, `opening` opens sessions and replaces parties, `service` is the use
case.
"""

"""The Azure side of the app's ports. The composition root alone names it."""

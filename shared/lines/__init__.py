"""Lines: the app's own numbers, who may use them and how many calls leave by each, and named calendars."""

"""The call-me button of a web page: sites, their limits, who asked to be called, and what became of it."""

"""The console: pages for people, on what the HTTP API gives. docs/console.md describes them.

`site` has a method for each page; `sign_in` says who asks and what they may; the other modules turn the models of the
HTTP API into what a page shows, purely; `rendering` makes HTML of that by the templates beside it. Jinja2 is imported
at the first page.
"""

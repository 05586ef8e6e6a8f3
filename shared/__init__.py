"""The packages behind the triggers and endpoints: everything that Switchboard knows, free of triggers and bindings."""

import os

# Before its first model pydantic would read the metadata of every installed package in search of plugins, which
# costs a start 30 to 50 ms. Who uses such a plugin sets the variable to an empty value.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

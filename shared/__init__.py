"""The rooms behind the doors: everything that Switchboard knows, free of triggers and bindings."""

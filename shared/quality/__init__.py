"""Post-call QA: from the unmixed audio of a recording to a report that a contact-centre lead uses."""

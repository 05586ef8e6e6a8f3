"""What everything else rests on: settings, clock, ids, background tasks, identifiers, results and refusals."""

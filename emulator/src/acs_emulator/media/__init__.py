"""Media operations of a leg: play and recognize, their queue and their cancellation."""

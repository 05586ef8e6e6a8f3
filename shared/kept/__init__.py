"""What the app keeps of people: where, for how long, and how it is found, exported and erased."""

"""Virtual phones: how they take a call and what they do in it."""

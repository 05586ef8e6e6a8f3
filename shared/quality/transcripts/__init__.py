"""From channels to words, and what the words say."""

"""From bytes of a WAV file to spans, levels and loudness, in one pass and constant memory."""

"""Fast transcription of Azure AI Speech: the words of sound that the emulator has made itself."""

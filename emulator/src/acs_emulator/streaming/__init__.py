"""The web sockets that the service opens to the application: audio and transcription."""

"""Call recording: sessions, files made of the participants' tracks, and where they are kept."""

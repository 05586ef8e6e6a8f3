"""Recordings: from the file event to an archive in Blob storage, and the report made of it."""

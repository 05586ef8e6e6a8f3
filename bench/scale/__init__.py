"""Calls on one to fifty instances by virtual time: the real conductor and store over tables in memory."""

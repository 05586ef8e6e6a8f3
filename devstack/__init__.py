"""One command that runs everything here: Azurite, the emulator and a Functions host."""

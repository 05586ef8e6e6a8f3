"""The published request schemas, stripped, and the script that derives them."""

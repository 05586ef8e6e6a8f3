"""Make a key for a person to sign in to the console with: python -m tools.console_key NAME ROLE."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence

from shared.console_keys import hash_of, read_console_keys


def main(given: Sequence[str]) -> int:
    """The command line: prints the key, once, and the entry of CONSOLE_KEYS; 2 for a name or role that cannot be."""
    if len(given) != 2:
        print('Give a name and a role: python -m tools.console_key "Ada Lovelace" supervisor', file=sys.stderr)
        return 2
    key = secrets.token_urlsafe(32)
    entry = f"{given[0]}:{given[1]}:{hash_of(key)}"
    try:
        read_console_keys(entry)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Key, for {given[0]} alone (it is not kept):\n  {key}\nAdd to CONSOLE_KEYS, after a comma:\n  {entry}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

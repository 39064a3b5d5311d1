"""Starts the program: ``python -m modelens_notebook``, or ``uvx modelens-notebook``."""

import subprocess
import sys

from ._binary import ModelensError, binary


def main() -> None:
    """Hands its arguments to the program and ends with its exit status; without arguments the window opens."""
    try:
        program = binary()
    except ModelensError as error:
        sys.exit(f"modelens: {error}")
    try:
        sys.exit(subprocess.call([program, *sys.argv[1:]]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

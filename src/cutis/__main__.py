"""`python -m cutis` is the command `cutis`."""

from cutis.cli import main

if __name__ == "__main__":
    main()

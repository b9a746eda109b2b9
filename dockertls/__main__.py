"""`python -m dockertls`, and the program's entry point."""

from dockertls.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

"""`python -m dockertls`, and the program's entry point."""

import gc
import sys
import warnings

__all__ = ["main"]

MANY = 100_000
"""Objects: a run that makes fewer is over before a search for garbage among them would pay."""


def main() -> None:
    """Run the command line of this process and exit with the contract's code.

    What Python looks through for garbage while it imports modules, and again when it ends, is a sixth of a short run.
    """
    gc.set_threshold(MANY)
    if not sys.warnoptions:  # what a library tells developers of a name that is too long is no line for users
        warnings.simplefilter("ignore")
    try:
        _run(sys.argv[1:])
    finally:
        gc.freeze()


def _run(words: list[str]) -> None:
    from dockertls.cli.stdout import hear  # noqa: PLC0415 - as below

    hear()
    if "api" in words[:2]:
        from dockertls.cli import quick  # noqa: PLC0415 - it is for this command alone

        code = quick.run(words)
        if code is not None:
            sys.exit(code)
    from dockertls.cli import app  # noqa: PLC0415 - all of its imports are what this is about

    app.main()


if __name__ == "__main__":
    main()

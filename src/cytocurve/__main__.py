"""``python -m cytocurve``: the command line."""

from cytocurve.cli import main

if __name__ == "__main__":
    main()

"""`python -m stopgap.cli`: the commands where Stopgap is not installed, as in its Docker image."""

from stopgap.cli import main

if __name__ == "__main__":
    main(prog_name="stopgap")

"""`python -m stopgap.cli`: the program where Stopgap is not installed, as on Heroku."""

from stopgap.cli import main

if __name__ == "__main__":
    main(prog_name="stopgap")

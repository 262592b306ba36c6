"""`python -m inception_lab`: the lab on a command line."""

from inception_lab.cli.main import main

if __name__ == "__main__":
    main()

"""`python -m inception_lab.training FOLDER` makes the run whose settings are in the folder."""

import sys
from pathlib import Path

from inception_lab.training.worker import work

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(work(Path(sys.argv[1])))

"""The seed's program: train both models on MovieLens 100K, recommend films for user 42."""

import sys

from matinee import main

if __name__ == "__main__":
    sys.exit(main())

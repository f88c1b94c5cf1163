"""Made-up ratings of any size that are shaped like real ones, streamed to Parquet."""

from matinee.data.synthetic.config import SyntheticConfig
from matinee.data.synthetic.write import synthesize

__all__ = ["SyntheticConfig", "synthesize"]

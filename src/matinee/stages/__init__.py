"""Every model by its name: its settings, how it is trained, and how it comes back from a file.

Training the two-tower models needs Keras, which is imported only then; all others are NumPy.
"""

from matinee.stages.carry import carried
from matinee.stages.kinds import Fitted, Kind, Stage, stage_named, stage_of
from matinee.stages.listers import LIST_RANKERS, ListStage
from matinee.stages.rankers import RANKERS, RankerConfig
from matinee.stages.retrievers import RETRIEVERS, RetrieverConfig

__all__ = [
    "LIST_RANKERS",
    "RANKERS",
    "RETRIEVERS",
    "Fitted",
    "Kind",
    "ListStage",
    "RankerConfig",
    "RetrieverConfig",
    "Stage",
    "carried",
    "stage_named",
    "stage_of",
]

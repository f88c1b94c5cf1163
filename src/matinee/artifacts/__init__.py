"""Saving and loading a recommender: safetensors, Parquet and a JSON manifest with every hash.

    models/ml-100k/
      manifest.json            schema, recipe, data, metrics; rows, size and SHA-256 of:
      retrieval.safetensors    the tables of the retriever that the recipe names
      ranking.safetensors      the tables and layers of the ranker
      users.parquet            the users' ids and features
      films.parquet            ids, titles, years, genres
      ratings.parquet          what the model was trained on

No code comes from a file, ever. A file is read only if its bytes are those the manifest names, and
the manifest only if its own hash fits, so that any flipped bit or missing end is refused. A hash
does not say who made a model: what fits its hash is still checked for types, ranges and sizes.

`ratings.parquet` holds the training ratings themselves, so whoever publishes a model of MovieLens
publishes MovieLens data, which its licence does not allow.
"""

from matinee.artifacts.manifest import FILES, MANIFEST, SCHEMA_VERSION, read_manifest
from matinee.artifacts.saved import SavedModel, check_target, load_model, save_model

__all__ = [
    "FILES",
    "MANIFEST",
    "SCHEMA_VERSION",
    "SavedModel",
    "check_target",
    "load_model",
    "read_manifest",
    "save_model",
]

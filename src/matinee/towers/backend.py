"""The one door to the framework: Keras on JAX, unless KERAS_BACKEND names another backend.

The default is set in `matinee/__init__.py`, so that it holds for a script that imports Matinee
first and Keras itself afterwards. Keras has no type stubs: it and its tensors are `Any` here.
"""

from __future__ import annotations

from typing import Any

import keras as _keras  # pyright: ignore[reportMissingTypeStubs]

keras: Any = _keras
ops: Any = _keras.ops

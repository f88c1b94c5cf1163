import shutil

import pytest


@pytest.fixture
def copy(model_directories, tmp_path):
    """A saved model of one's own, to be damaged."""
    return shutil.copytree(model_directories["default"], tmp_path / "model")

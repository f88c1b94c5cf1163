"""One model for all tests of the service, and a service of its own for each."""

import pytest

from tests.service import worlds


@pytest.fixture(scope="session")
def model_directory(tmp_path_factory):
    return worlds.small_model(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture
def app(tmp_path, model_directory):
    return worlds.new_app(tmp_path, model_directory)


@pytest.fixture
def admin(app):
    with worlds.client(app, worlds.ADMIN) as client:
        yield client

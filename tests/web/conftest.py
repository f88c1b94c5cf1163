"""A small service with a page, its films' names partly hostile."""

import re

import pytest

from tests.service.worlds import caller, new_app, serving, small_model

HOSTILE_TITLES = {
    "evil-1": "<script>document.title='owned'</script>",
    "evil-2": '"><img src=x onerror="document.title=\'owned\'">',
    "evil-3": "فيلم عن السينما",
    "evil-4": "🎬 Emoji 🍿 the Movie 👩‍👩‍👧",
    "evil-5": "W" * 10_000,
    "evil-6": "javascript:alert(1)",
}


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The directory of a small model."""
    return small_model(tmp_path_factory.mktemp("page-model") / "model")


@pytest.fixture
def app(small, tmp_path):
    return new_app(tmp_path, small)


@pytest.fixture
def address(app):
    with serving(app) as found:
        yield found


@pytest.fixture
def visitor(address):
    """A browser without scripts: keeps cookies, follows forms."""
    with caller(address) as client:
        client.follow_redirects = True
        yield client


def token_of(page):
    """The token in a page's forms."""
    return re.search(r'name="token" value="([0-9a-f]{32})"', page.text).group(1)


def rate(client, movie_id, stars, back="/"):
    """Give stars as the form of the first page does."""
    token = token_of(client.get("/"))
    form = {"stars": str(stars), "token": token, "back": back}
    return client.post(f"/stars/{movie_id}", data=form)

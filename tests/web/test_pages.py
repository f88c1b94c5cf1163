"""The page without a browser: what it says, what it refuses, what it keeps."""

import re
import time

import pytest

from matinee.service.web.pages import own_address
from matinee.store import Reception
from tests.service.worlds import ADMIN, WRITER, caller, client, new_app, small_model
from tests.web.conftest import HOSTILE_TITLES, rate, token_of

PAGES = ["/", "/?pick=comedy", "/search?q=solaris", "/films/3", "/ratings", "/compare"]
CARD = re.compile(r'<h[23]><a href="/films/([^"?]+)[^"]*"><bdi>')


def row(page, row_id):
    """The ids of the films in a row."""
    section = page.text.split(f'id="{row_id}"', 1)[1].split("</section>", 1)[0]
    return CARD.findall(section)


def test_somebody_new_is_asked_and_not_signed_up(visitor):
    page = visitor.get("/")
    assert "What shall we show you?" in page.text
    assert len(row(page, "popular")) == 24
    assert [cookie.name for cookie in visitor.cookies.jar] == ["matinee_visitor"]
    header = page.headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=lax" in header


def test_stars_change_the_rows_and_can_be_undone(visitor):
    after = rate(visitor, "2", 5)
    assert "You gave 千と千尋の神隠し 5 stars." in after.text
    first = row(after, "for-you")
    assert "2" not in first
    assert "Because you liked 千と千尋の神隠し" in after.text
    then = rate(visitor, "1", 5)
    assert row(then, "for-you") != first
    undo = {"stars": "none", "token": token_of(then), "back": "/"}
    back = visitor.post("/stars/1", data=undo)
    assert "Your stars for Amélie are gone." in back.text
    assert row(back, "for-you") == first


def test_a_notice_is_told_once_and_undo_gives_back_what_was(visitor):
    rate(visitor, "1", 2)
    page = rate(visitor, "1", 4)
    assert re.search(r'name="stars" value="2">Undo', page.text)
    assert "Undo" not in visitor.get("/").text


def test_groups_give_a_programme_and_store_nothing(visitor, app):
    page = visitor.get("/?pick=horror")
    assert "Tonight, for you" in page.text
    assert len(row(page, "for-you")) == 15
    assert row(page, "for-you") != row(visitor.get("/?pick=comedy"), "for-you")
    assert app.state.site.store.counts().ratings == 0


def test_genre_and_decade_narrow_every_row(visitor):
    rate(visitor, "1", 5)
    page = visitor.get("/?genre=Horror&decade=1950")
    found = CARD.findall(page.text)
    films = [visitor.get(f"/films/{movie_id}").text for movie_id in set(found)]
    assert films
    assert all('href="/?genre=Horror"' in film for film in films)
    assert all('href="/?decade=1950"' in film for film in films)


def test_what_an_address_says_wrongly_is_passed_over(visitor):
    page = visitor.get("/?genre=Nope&decade=1e9&diversity=-1&pick=nope&decade=x")
    assert page.status_code == 200


def test_a_guess_is_shown_when_asked_for_or_after_the_stars(visitor):
    assert "We guess" not in visitor.get("/films/3").text
    assert re.search(
        r"We guess you would give it <strong>\d\.\d<", visitor.get("/films/3?reveal=1").text
    )
    rate(visitor, "1", 5)
    after = rate(visitor, "3", 4, "/films/3")
    assert re.search(r"You gave it 4 stars\. We would have guessed \d\.\d\.", after.text)


def test_the_guess_does_not_know_the_stars(visitor):
    rate(visitor, "1", 5)
    before = re.search(r"give it <strong>(\d\.\d)", visitor.get("/films/3?reveal=1").text).group(1)
    for stars in (1, 5):
        page = rate(visitor, "3", stars, "/films/3")
        assert f"We would have guessed {before}" in page.text


def test_search_forgives_and_says_when_nothing_is_there(visitor):
    assert ">Alphaville<" in visitor.get("/search?q=alphavile").text
    assert "No film here is called" in visitor.get("/search?q=zzzzzzzz").text
    assert visitor.get("/search", params={"q": "x" * 20_000}).status_code == 200


def test_my_ratings_list_alter_save_and_delete(visitor, app):
    rate(visitor, "1", 5)
    rate(visitor, "2", 3)
    page = visitor.get("/ratings")
    assert CARD.findall(page.text) == ["2", "1"]
    assert CARD.findall(visitor.get("/ratings?order=stars").text) == ["1", "2"]
    saved = visitor.get("/ratings/export.csv")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.text.splitlines()[1].startswith("2,千と千尋の神隠し,2001,3,")
    ask = visitor.get("/ratings/delete")
    assert "Delete everything?" in ask.text
    gone = visitor.post("/ratings/delete", data={"token": token_of(ask)})
    assert "All your ratings are deleted." in gone.text
    assert app.state.site.store.counts().ratings == 0


def test_ratings_are_brought_in_with_a_report(visitor):
    token = token_of(visitor.get("/"))
    text = "Name,Year,Rating\nAmélie,2001,4.5\nSolaris,1972,4\nUnheard <b>of</b>,1990,3\n"
    page = visitor.post(
        "/ratings/import", data={"token": token}, files={"file": ("r.csv", text, "text/csv")}
    )
    assert "2 films found" in page.text
    assert "Unheard &lt;b&gt;of&lt;/b&gt; (1990)" in page.text
    assert "4.5 stars" in visitor.get("/films/1").text


def test_a_file_that_is_none_is_refused(visitor):
    token = token_of(visitor.get("/"))
    page = visitor.post("/ratings/import", data={"token": token}, files={"file": ("r", b"\xff\0")})
    assert page.status_code == 422
    assert "<h1>That did not work</h1>" in page.text


@pytest.mark.parametrize("token", ["", "0" * 32, "é"])
@pytest.mark.parametrize("path", ["/stars/1", "/ratings/delete"])
def test_forms_of_others_are_refused(visitor, app, path, token):
    rate(visitor, "1", 5)
    page = visitor.post(path, data={"stars": "1", "token": token})
    assert page.status_code == 403
    assert app.state.site.store.counts().ratings == 1


def test_a_token_is_worth_nothing_to_another_visitor(visitor, address):
    token = token_of(visitor.get("/"))
    with caller(address) as other:
        assert other.post("/stars/1", data={"stars": "1", "token": token}).status_code == 403
        other.get("/")
        assert other.post("/stars/1", data={"stars": "1", "token": token}).status_code == 403


def test_visitors_do_not_see_each_other(visitor, address):
    rate(visitor, "1", 5)
    with caller(address) as other:
        assert "Nothing yet" in other.get("/ratings").text


@pytest.mark.parametrize("stars", ["0", "6", "nan", "many", "", "٣", "0_4"])
def test_stars_off_the_scale_are_refused(visitor, app, stars):
    page = rate(visitor, "1", stars)
    assert page.status_code == 422
    assert app.state.site.store.counts().ratings == 0


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "", "x", "/\n/x"]
)
def test_nobody_is_sent_elsewhere(address):
    assert own_address(address) == "/"


def test_an_own_address_is_kept():
    assert own_address("/ratings?order=title&page=2") == "/ratings?order=title&page=2"


@pytest.mark.parametrize("path", PAGES)
def test_no_script_or_style_in_the_page_and_nothing_from_elsewhere(visitor, path):
    rate(visitor, "1", 5)
    page = visitor.get(path)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "private, no-store"
    assert not re.search(r"<style|style=|<script(?! src=\"/static/)|\son\w+=", page.text)
    assert not re.findall(r"(?:src|href|action|hx-get|hx-post)=\"(?!/|#)", page.text)


def test_covers_and_files_can_be_kept_for_ever(visitor):
    found = re.findall(r'(?:src|href)="(/(?:static|covers)/[^"]+)"', visitor.get("/").text)
    assert len(found) > 30
    for path in {*found[:4], *found[-2:]}:
        answer = visitor.get(path.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "?v=" in path
    cover = visitor.get("/covers/1")
    assert cover.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in cover.headers["content-security-policy"]
    assert visitor.get("/static/../pages.py").status_code == 404
    assert visitor.get("/covers/nope").status_code == 404


def test_hostile_titles_are_text(visitor, app):
    for movie_id, title in HOSTILE_TITLES.items():
        app.state.site.put_film(movie_id, title, 1999, ["<b>Drama</b>"])
        page = rate(visitor, movie_id, 5)
        assert page.status_code == 200
    for path in ("/", "/ratings", "/films/evil-1", "/films/evil-2", "/search?q=script"):
        text = visitor.get(path).text
        assert "<script>document" not in text
        assert "<img src=x" not in text
        assert "<b>Drama" not in text


def test_ids_of_any_spelling_have_pages(visitor, app):
    for movie_id in ("a/b c?d#e", "é%2F"):
        app.state.site.put_film(movie_id, "Odd", 1999, [])
        link = re.search(r'href="(/films/[^"?]+)"', visitor.get("/search?q=odd").text).group(1)
        assert ">Odd<" in visitor.get(link).text
        app.state.site.delete_film(movie_id)


def soon(true):
    """Whether something becomes true; events are kept after the answer."""
    end = time.monotonic() + 10
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_films_count_as_recommended_when_they_are_on_the_page(visitor, app):
    page = rate(visitor, "1", 5)
    rows = ("for-you", "different", "gems")
    shown = {film for name in rows if f'id="{name}"' in page.text for film in row(page, name)}
    assert app.state.site.telemetry.summary()["films_shown"] == len(shown)


def test_what_was_shown_and_opened_is_recorded(visitor, app):
    page = rate(visitor, "1", 5)
    assert soon(lambda: app.state.site.store.counts().impressions == 15)
    link = re.search(r'href="(/films/[^"]+\?place=1)"', page.text).group(1)
    visitor.get(link)
    assert soon(lambda: app.state.site.store.counts().clicks == 1)
    version = app.state.site.models.current.version
    assert app.state.site.store.receptions() == {version: Reception(15, 1)}
    room = visitor.get("/operator", auth=("x", ADMIN)).text
    assert "<dd>6.7 %</dd>" in room
    assert "<td>15</td><td>1 (6.7 %)</td>" in room


def test_the_projection_room_needs_an_administrators_key(visitor):
    for auth in (None, ("x", WRITER), ("x", "nope")):
        page = visitor.get("/operator", auth=auth)
        assert page.status_code == 401
        assert page.headers["www-authenticate"].startswith("Basic")
        assert "Versions of the model" not in page.text
    page = visitor.get("/operator", auth=("x", ADMIN))
    assert "Versions of the model" in page.text


def test_the_projection_room_shows_a_version_that_is_damaged(tmp_path):
    for name in ("good", "bad"):
        small_model(tmp_path / "models" / name)
    (tmp_path / "models" / "current.json").write_text('{"versions": ["good"]}')
    (tmp_path / "models" / "bad" / "manifest.json").write_text("{")
    with client(new_app(tmp_path, tmp_path / "models")) as visitor:
        page = visitor.get("/operator", auth=("x", ADMIN))
        assert page.status_code == 200
        assert "cannot be used" in page.text


def test_what_is_not_there_has_a_page_that_says_so(visitor):
    page = visitor.get("/films/nope")
    assert page.status_code == 404
    assert "<h1>Not on the programme</h1>" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.fixture
def limited(small, tmp_path):
    with client(new_app(tmp_path, small, rate_per_s=0.001, burst=2)) as found:
        yield found


def test_whoever_comes_too_often_is_told_in_words(limited):
    browser = {"accept": "text/html"}
    assert [limited.get("/", headers=browser).status_code for _ in range(2)] == [200, 200]
    page = limited.get("/", headers=browser)
    assert page.status_code == 429
    assert page.headers["retry-after"]
    assert "<h1>Too many requests</h1>" in page.text
    program = limited.get("/v1/lists/popular")
    assert program.json()["title"] == "Too many requests"


def test_a_defect_has_a_page_without_its_text(visitor, app):
    def broken():
        raise RuntimeError("secret")

    app.state.site.onboarding = broken
    page = visitor.get("/", headers={"accept": "text/html"})
    assert page.status_code == 500
    assert "<h1>Internal error</h1>" in page.text
    assert "secret" not in page.text
    assert page.headers["x-request-id"] in page.text


def test_films_taken_from_the_catalogue_leave_every_page(visitor, app):
    for movie_id in ("1", "7", "10"):
        rate(visitor, movie_id, 5)
    app.state.site.delete_film("7")
    film = row(visitor.get("/"), "for-you")[0]
    for path in ("/", "/ratings", "/compare", f"/films/{film}", "/?pick=comedy"):
        page = visitor.get(path)
        assert page.status_code == 200
        assert "Film Number 7<" not in page.text
    assert visitor.get("/films/7").status_code == 404
    form, file = {"token": token_of(visitor.get("/"))}, ("r.csv", "movieId,rating\n7,4\n9,4\n")
    page = visitor.post("/ratings/import", data=form, files={"file": file})
    assert "1 film found" in page.text
    assert "film 7" in page.text


def test_a_film_that_the_model_does_not_know_can_be_rated(visitor, app):
    app.state.site.put_film("new", "Newcomer", 2020, ["Comedy"])
    page = rate(visitor, "new", 5, "/films/new")
    assert "You gave it 5 stars" in page.text
    assert visitor.get("/").status_code == 200


def test_two_versions_stand_side_by_side(tmp_path):
    for seed, name in ((7, "first"), (8, "second")):
        # On other ratings, so that what each version knows of a film differs.
        small_model(
            tmp_path / "models" / name, seed, "ease" if seed == 7 else "item-knn", data=seed
        )
    with client(new_app(tmp_path, tmp_path / "models")) as visitor:
        page = visitor.get("/compare")
        lists = page.text.split('<ol class="ranked">')[1:]
        assert [len(CARD.findall(one.replace("h3", "h2"))) for one in lists] == [12, 12]
        assert "on screen now" in page.text
        both = set.intersection(*(set(CARD.findall(one)) for one in lists))
        assert both
        assert f"{len(both)} of 12 films are on both lists." in page.text
        assert visitor.get("/compare?a=nope&b=../x").status_code == 200


def test_one_version_has_nothing_to_be_compared_with(visitor):
    assert "There is one version" in visitor.get("/compare").text


def test_a_film_that_is_not_for_them_leaves_every_row_and_can_come_back(visitor):
    page = rate(visitor, "2", 5)
    for film in (row(page, "for-you")[0], row(page, "because-0")[0]):
        form = {"stars": "pass", "token": token_of(page), "back": "/"}
        after = visitor.post(f"/stars/{film}", data=form)
        assert "is out of your programme." in after.text
        assert film not in CARD.findall(after.text)
        assert "You said it is not for you." in visitor.get(f"/films/{film}").text
        assert re.search(r'name="stars" value="want">Undo', after.text)
        back = visitor.post(f"/stars/{film}", data=form | {"stars": "want"})
        assert "may be shown to you again." in back.text
        assert CARD.findall(back.text) == CARD.findall(page.text)


def test_what_was_passed_by_stays_out_of_picks_and_popular_films(visitor):
    page = visitor.get("/?pick=horror")
    chosen, known = row(page, "for-you")[0], row(page, "popular")[0]
    for film in (chosen, known):
        form = {"stars": "pass", "token": token_of(page), "back": "/?pick=horror"}
        after = visitor.post(f"/stars/{film}", data=form)
    assert not {chosen, known} & set(CARD.findall(after.text))

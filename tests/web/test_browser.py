"""The page in a real browser: by mouse, by keyboard, without scripts, for a screen reader."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.service.worlds import ADMIN, new_app, serving, small_model
from tests.web.conftest import HOSTILE_TITLES

playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs the package playwright: pip install playwright"
)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PAGES = [
    "/",
    "/search?q=film",
    "/films/3",
    "/films/evil-5",
    "/ratings",
    "/ratings/delete",
    "/compare",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium on the path")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, env={**os.environ, "NO_PROXY": "*"}
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Opens pages as one visitor; at the end nothing was complained of or asked for elsewhere."""
    contexts, heard = [], []

    def open_page(path="/", width=1280, scheme="light", **options):
        context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda r: heard.append(r.url) if not r.url.startswith(address) else None)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


def titles(page, row="for-you"):
    return page.locator(f"#{row} .card bdi").all_inner_texts()


def give(page, film, stars):
    """Click on the stars of a film in any row, and wait for the rows to follow."""
    card = page.locator(".card", has=page.get_by_role("link", name=film, exact=True)).first
    card.get_by_role("button", name=re.compile(f"^{stars} star")).click()
    page.locator("#notice", has_text=f"You gave {film} {stars}").wait_for()


def test_a_first_minute(visit, app):
    page = visit()
    first = titles(page, "popular")[:2]
    give(page, first[0], 5)
    assert page.get_by_role("heading", level=1).inner_text() == "Tonight, for you"
    assert page.locator("#tally").inner_text().strip() == "1"
    before = titles(page)
    assert first[0] not in before
    give(page, before[0], 1)
    after = titles(page)
    assert after != before
    assert before[0] not in after
    page.get_by_role("button", name="Undo").click()
    page.locator("#notice", has_text="are gone").wait_for()
    assert titles(page) == before
    assert app.state.site.store.counts().ratings == 1
    assert page.url.endswith("/")


def test_a_film_is_found_as_its_name_is_typed(visit):
    page = visit()
    page.get_by_label("A film you love").press_sequentially("alphavil", delay=20)
    page.locator("#found").get_by_role("link", name="Alphaville").wait_for()
    give(page, "Alphaville", 5)
    assert page.get_by_role("heading", level=1).inner_text() == "Tonight, for you"


def test_choices_change_the_rows_and_the_address(visit):
    page = visit("/?pick=comedy")
    before = titles(page)
    page.get_by_label("Genre").select_option("Horror")
    page.wait_for_url(re.compile("genre=Horror"))
    page.wait_for_function(
        "before => document.querySelector('#for-you bdi').innerText !== before", arg=before[0]
    )
    facts = page.locator("#for-you .facts").all_inner_texts()
    assert all("Horror" in text for text in facts)
    page.get_by_label("Variety").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("diversity=10"))
    page.go_back()
    page.wait_for_url(re.compile("diversity=0"))


def test_by_keyboard_alone(visit):
    page = visit("/?pick=comedy")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.stars') !== null"):
            break
    film = page.evaluate("document.activeElement.closest('.card').querySelector('bdi').innerText")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.innerText") == "4 stars"
    page.keyboard.press("Enter")
    page.locator("#notice", has_text=f"You gave {film} 4 stars").wait_for()
    # The focus is where it was: on the stars of the film that took the place.
    page.wait_for_function("document.activeElement.closest('#for-you .stars') !== null")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#for-you') !== null")


def test_stars_are_one_stop_and_large_enough_for_a_thumb(visit):
    page = visit("/", width=360)
    group = page.locator(".stars [role=group]").first
    assert group.locator("button[tabindex='0']").count() == 1
    for box in (button.bounding_box() for button in group.locator("button").all()):
        assert box["width"] >= 24
        assert box["height"] >= 44


def test_without_scripts(visit, app):
    page = visit("/", java_script_enabled=False)
    page.get_by_label("A film you love").fill("alphaville")
    page.get_by_role("button", name="Find it").click()
    page.locator("#found .card").first.get_by_role("button", name="5 stars").click()
    assert "You gave Alphaville 5 stars" in page.locator("#notice").inner_text()
    page.get_by_role("link", name="Programme").click()
    page.get_by_label("Genre").select_option("Horror")
    page.get_by_role("button", name="Show").click()
    assert "genre=Horror" in page.url
    page.locator("#for-you .card").first.get_by_role("button", name="4 stars").click()
    assert "genre=Horror" in page.url
    page.get_by_role("button", name="Undo").click()
    assert app.state.site.store.counts().ratings == 1
    page.get_by_role("link", name="My ratings").click()
    page.get_by_role("link", name="Delete all my ratings").click()
    page.get_by_role("button", name="Delete all of it").click()
    assert app.state.site.store.counts().ratings == 0


LETTERBOXD = """Date,Name,Year,Letterboxd URI,Rating
2020-01-02,Solaris,1972,https://boxd.it/x,4.5
2020-01-03,Amélie,2001,https://boxd.it/y,5
2020-01-04,Nowhere to Be Found,1999,https://boxd.it/z,3
"""


@pytest.mark.parametrize("scripts", [True, False])
def test_ratings_are_brought_along_taken_away_and_deleted(visit, app, scripts):
    page = visit("/ratings", java_script_enabled=scripts)
    file = {"name": "ratings.csv", "mimeType": "text/csv", "buffer": LETTERBOXD.encode()}
    page.get_by_label("CSV file, 1 MB at most").set_input_files([file])
    page.get_by_role("button", name="Bring them in").click()
    page.get_by_role("heading", name="2 films found").wait_for()
    page.get_by_role("link", name="Nowhere to Be Found (1999)").wait_for()
    page.get_by_role("link", name="See your programme").click()
    page.get_by_role("heading", name="Tonight, for you").wait_for()
    page.get_by_role("link", name="My ratings").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as CSV").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert {line.split(",")[1] for line in text.splitlines()[1:]} == {"Solaris", "Amélie"}
    page.get_by_role("link", name="Delete all my ratings").click()
    page.get_by_role("button", name="Delete all of it").click()
    page.locator("#notice", has_text="All your ratings are deleted.").wait_for()
    assert app.state.site.store.counts().ratings == 0


def test_a_guess_is_revealed_on_the_film_and_why_it_is_there(visit):
    page = visit()
    give(page, titles(page, "popular")[0], 5)
    page.locator("#for-you .card").first.get_by_role("link").last.click()
    page.get_by_role("heading", name="Have you seen it?").wait_for()
    page.get_by_role("link", name="What would I give it?").click()
    page.locator(".guess strong").wait_for()
    page.locator(".yours").get_by_role("button", name="3 stars").click()
    page.locator(".guess", has_text="You gave it 3 stars. We would have guessed").wait_for()
    page.get_by_role("button", name="Take my stars back").click()
    page.locator("#notice", has_text="are gone").wait_for()


@pytest.fixture
def two_versions(tmp_path):
    """The address of a service with two versions of its model."""
    for name, retriever in (("first", "ease"), ("second", "item-knn")):
        small_model(tmp_path / "models" / name, retriever=retriever)
    with serving(new_app(tmp_path, tmp_path / "models")) as found:
        yield found


def test_two_versions_are_compared_and_the_operator_looks_in(browser, two_versions):
    context = browser.new_context(
        base_url=two_versions, http_credentials={"username": "x", "password": ADMIN}
    )
    page = context.new_page()
    page.goto("/compare")
    assert page.locator(".sides h2").all_inner_texts() == ["second on screen now", "first"]
    # A version is compared with another one: the right side gives way.
    page.get_by_label("Left").select_option("first")
    page.locator("#side-2", has_text="second").wait_for()
    assert page.locator(".sides h2").all_inner_texts() == ["first", "second on screen now"]
    page.goto("/operator")
    row = page.get_by_role("row", name=re.compile("^second"))
    assert "on screen" in row.inner_text()
    context.close()


@pytest.fixture
def hostile(app):
    """Films with names that would like to be more than names."""
    for movie_id, title in HOSTILE_TITLES.items():
        app.state.site.put_film(movie_id, title, 1999, ["Comedy", "<i>Horror</i>"])


def test_hostile_titles_run_nothing_and_break_nothing(visit, hostile):
    page = visit("/", width=360)
    for movie_id in HOSTILE_TITLES:
        page.goto(f"/films/{movie_id}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.locator(".yours").get_by_role("button", name="5 stars").click()
        page.locator("#notice p").wait_for()
        page.goto(f"/covers/{movie_id}")
    for path in ("/", "/ratings", "/search?q=script", "/search?q=www"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.title() != "owned"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1600, "light")])
def test_nothing_for_a_screen_reader_to_stumble_over(visit, hostile, width, scheme):
    page = visit("/", width, scheme, http_credentials={"username": "x", "password": ADMIN})
    page.locator("#popular .card").first.get_by_role("button", name="5 stars").click()
    page.locator("#notice p").wait_for()
    found = {"/ rated": severe(page)}
    for path in [*PAGES, "/operator", "/?pick=horror"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        found[path] = severe(page)
    assert {path: ids for path, ids in found.items() if ids} == {}


def severe(page):
    """What axe calls serious or critical. It is evaluated, as the page takes no script of ours."""
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(result["passes"]) > 10
    return [
        (violation["id"], violation["nodes"][0]["html"][:160])
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
    ]

"""The page in a real browser: nothing asked for, nothing to complain about, nothing too wide."""

import os
import shutil

import pytest

from matinee.report.write import write_report

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

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium on the path")


@pytest.fixture(scope="module")
def address(tmp_path_factory, evaluation, split, catalog, film_vectors):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(
        path, evaluation, split, catalog, data_name="Synthetic world", film_vectors=film_vectors
    )
    return path.as_uri()


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
    """Opens the page and returns it with what the browser logged and asked for."""
    contexts = []

    def open_page(width, scheme, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        heard = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: heard.append(request.url))
        page.goto(address)
        return page, heard

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_quiet_and_no_wider_than_the_screen(visit, address, width, scheme):
    page, heard = visit(width, scheme)
    assert heard == [address]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(visit, scheme):
    page, _ = visit(1280, scheme)
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 100
    assert {text: ratio for text, ratio in ratios if ratio < 4.5} == {}


def test_figures_are_readable_on_a_phone(visit):
    page, _ = visit(390, "light")
    sizes = page.evaluate(
        "[...document.querySelectorAll('figure svg text')].map(t => "
        "parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a || 0)"
    )
    # Text that is turned round has no width of its own scale.
    assert min(size for size in sizes if size > 1) > 8.5


def test_prints_on_a4(visit):
    page, _ = visit(1280, "dark")
    page.emulate_media(media="print")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


# The contrast (WCAG 2.1) of every text with the first opaque background behind it.
CONTRAST = """() => {
  const channels = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const svg = e instanceof SVGElement;
    if (!own || (svg && e.tagName !== 'text') || e.closest('#bias svg')) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(channels(svg ? style.fill : style.color)), light(behind(e))];
    found.push([e.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}"""

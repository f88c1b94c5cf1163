"""The page: every number, valid structure, nothing that could run or be fetched."""

import itertools
import re

import numpy as np
import polars as pl
import pytest

import matinee as mt
from matinee.evaluation.results import Evaluation, Facts
from matinee.report.page import render
from matinee.report.words import words_of
from tests.report.models import Lists, Stars, evaluated, seen, some_models
from tests.report.reading import Page

NAME = "Synthetic world"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$x_1$ & \\alpha",
    "{{ 7 * 7 }}",
    "line\nend\x00\x1b\udcff",
]


def only(evaluation, *names):
    return Evaluation(
        evaluation.protocol,
        evaluation.seeds,
        {name: evaluation.measured[name] for name in names},
        {name: evaluation.facts[name] for name in names},
    )


def test_every_model_and_number_is_there(page, evaluation):
    numbers = {float(e["attrs"]["value"]) for e in Page(page).all("data")}
    found = evaluation.to_dict()
    for model, own in found["models"].items():
        assert model in Page(page).text
        for metric, estimate in own.items():
            if not isinstance(estimate, dict):
                continue
            assert estimate["value"] in numbers, metric
            assert f"{estimate['value']:.4f}" in page, metric
            assert f"{estimate['low']:.4f} – {estimate['high']:.4f}" in page, metric
            assert words_of(metric).label in page


def test_every_comparison_is_there(page, evaluation):
    titles = [e["attrs"].get("title", "") for e in Page(page).all("td")]
    for duel in evaluation.to_dict()["comparisons"]["ndcg@10"]:
        gap = evaluation.difference("ndcg@10", duel["model"], duel["other"])
        assert str(gap).replace("-", "−") in titles


def test_leaders_are_marked_with_a_sign(page, evaluation):
    signs = [e["text"] for e in Page(page).all("td") if "best" in e["attrs"].get("class", "")]
    assert signs
    assert all("★" in text for text in signs)
    assert evaluation.leaders("ndcg@10")[0] in Page(page).all("p")[1]["text"]


def test_structure(page):
    read = Page(page)
    assert read.all("html")[0]["attrs"]["lang"] == "en"
    levels = [int(e["tag"][1]) for e in read.elements if re.fullmatch("h[1-6]", e["tag"])]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [e["attrs"]["id"] for e in read.elements if "id" in e["attrs"]]
    assert len(ids) == len(set(ids))
    assert all(e["attrs"]["href"].removeprefix("#") in ids for e in read.all("a"))
    assert all(e["attrs"].get("scope") in ("col", "row") for e in read.all("th"))
    for svg in read.all("svg"):
        named = svg["attrs"].get("role") == "img" and svg["attrs"]["aria-label"]
        assert named or svg["attrs"].get("aria-hidden") == "true"
    assert len(read.all("figure")) == len(read.all("figcaption"))
    for place in re.findall(r"href=\"#([\w-]+)|url\(#([\w-]+)", page):
        assert "".join(place) in ids


def test_needs_nothing_from_anywhere(page):
    read = Page(page)
    assert not re.search("https?:|@import|//", page)
    assert not {e["tag"] for e in read.elements} & {"script", "img", "link", "iframe", "object"}
    policy = next(e for e in read.all("meta") if "http-equiv" in e["attrs"])["attrs"]["content"]
    assert policy.startswith("default-src 'none'")


def test_text_in_figures_stays_text(page):
    assert {"popular", "near", "both"} <= {e["text"] for e in Page(page).all("text")}


def test_colours_follow_the_style_sheet(page):
    used = {
        found
        for svg in re.findall(r"<svg.*?</svg>", page, re.S)
        for found in re.findall(r"var\((--\w+)\)", svg)
    }
    style = page[page.index("<style>") : page.index("</style>")]
    assert {"--ink", "--line", "--c0", "--sans"} <= used
    assert all(f"{name}:" in style for name in used)


def test_sections_of_a_whole_evaluation(page):
    sections = [e["attrs"]["id"] for e in Page(page).all("section")]
    assert sections == [
        "results", "duels", "metrics", "learning", "groups", "bias", "examples", "map", "how",
    ]  # fmt: skip


def test_same_bytes_again(page, evaluation, split, catalog, film_vectors):
    assert render(evaluation, split, catalog, NAME, film_vectors) == page


@pytest.mark.parametrize(
    ("names", "sections"),
    [
        (["near"], ["results", "metrics", "groups", "bias", "examples", "how"]),
        (["mean"], ["results", "metrics", "groups", "how"]),
        (["mean", "both"], None),
        (["popular", "near"], ["results", "duels", "metrics", "groups", "bias", "examples", "how"]),
    ],
)
def test_fewer_models(names, sections, evaluation, split, catalog):
    read = Page(render(only(evaluation, *names), split, catalog, NAME))
    found = [e["attrs"]["id"] for e in read.all("section")]
    assert sections is None or found == sections
    assert {e["attrs"]["href"][1:] for e in read.all("a")} == set(found)


def test_many_models(split, catalog):
    rng = np.random.default_rng(1)
    shape = (len(split.train.users), len(split.train.items))
    models = {f"model-{n}": Lists(rng.random(shape) + n * seen(split)[:1]) for n in range(14)}
    read = Page(render(evaluated(split, catalog, models), split, catalog, NAME))
    assert all(name in read.text for name in models)


def test_hostile_names(split, catalog):
    models = dict(zip(HOSTILE, [*some_models(split).values()] * 2, strict=False))
    curves = {name: Facts(1, 0.01, 0.1, {name: (2.0, 1.0)}) for name in models}
    evaluation = evaluated(split, catalog, models, **curves)
    page = render(evaluation, split, catalog, HOSTILE[0])
    read = Page(page)
    assert not read.all("script")
    assert not read.all("img")
    assert all(name in read.text for name in HOSTILE[:4])
    assert "\x00" not in page
    assert "\x1b" not in page


def test_hostile_titles(evaluation, split, catalog, film_vectors):
    beginnings = ["<b>bold</b> ", "千と千尋 ", "$y$ & ", "& a very long title " * 12, "\x00\x07"]
    titles = [
        f"{beginnings[number % len(beginnings)]}{title}"
        for number, title in enumerate(catalog.films["title"])
    ]
    films = catalog.films.with_columns(pl.Series("title", titles))
    other = mt.Catalog(catalog.items, films)
    page = render(evaluation, split, other, NAME, film_vectors)
    read = Page(page)
    assert not read.all("b")
    assert "<b>bold</b>" in read.text
    assert "$y$ &" in read.text
    assert "\x00" not in page


def test_without_genres(split, film_vectors):
    catalog = mt.Catalog.of_ids(split.train.items)
    evaluation = evaluated(split, catalog, some_models(split))
    read = Page(render(evaluation, split, catalog, NAME, film_vectors))
    assert "diversity" not in " ".join(evaluation.metrics)
    assert "Diversity" not in read.text
    assert "map" in [e["attrs"]["id"] for e in read.all("section")]
    assert not [e for e in read.all("ul") if e["attrs"].get("class") == "legend"]


def test_without_times(ratings, catalog):
    plain = mt.Ratings.of(
        ratings.users,
        ratings.items,
        ratings.user_index,
        ratings.item_index,
        ratings.rating,
        scale=ratings.scale,
    )
    split = mt.make_split(plain, "seed", 7)
    evaluation = evaluated(split, catalog, some_models(split))
    assert "Rated highest before" in Page(render(evaluation, split, catalog, NAME)).text


def test_protocol_is_told(page, split):
    assert mt.data.splits.PROTOCOLS[split.protocol] in Page(page).text


def test_how_models_came_about_is_told_where_it_is_known(page, evaluation, split, catalog):
    assert "Settings tried" in Page(page).text
    assert "1.5 s" in Page(page).text
    unknown = Evaluation(evaluation.protocol, evaluation.seeds, evaluation.measured)
    text = Page(render(unknown, split, catalog, NAME)).text
    assert "Settings tried" not in text
    assert "Learning curves" not in text


def test_several_seeds_are_told(evaluation, split, catalog):
    several = Evaluation("seed", (7, 8), evaluation.measured, evaluation.facts)
    assert "seeds 7 and 8" in Page(render(several, split, catalog, NAME)).text


def test_a_star_predictor_alone_makes_no_lists(split, catalog):
    models = {"two": Stars(np.full((len(split.train.users), len(split.train.items)), 2.0))}
    text = Page(render(evaluated(split, catalog, models), split, catalog, NAME)).text
    assert "NDCG" not in text
    assert "RMSE" in text

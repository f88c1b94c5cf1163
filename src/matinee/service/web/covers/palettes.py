"""Colours by genre: a few printer's inks each, mixed by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Five inks.

    Attributes:
        ground: the paper, behind the title.
        ink: the title; its contrast with the ground is at least 4.5.
        field: behind the picture.
        accent: what the eye goes to.
        second: beside the accent.
    """

    ground: str
    ink: str
    field: str
    accent: str
    second: str


def _inks(*rows: str) -> tuple[Palette, ...]:
    return tuple(Palette(*(f"#{ink}" for ink in row.split())) for row in rows)


PALETTES: dict[str, tuple[Palette, ...]] = {
    "Action": _inks(
        "1a181b f7efe1 c1301f f5b82e 6d140f",
        "f2e5d0 1d1a1a e0561e 1d1a1a f4ba2f",
        "12262f f4ead7 1e4250 f26430 f6c445",
    ),
    "Adventure": _inks(
        "163832 f4ead2 235347 e8a33d 8eb69b",
        "f3e3c3 2a2117 e9b872 b5482a 3e6259",
        "2b3a55 f5ead6 4a628a f0b86c ce7777",
    ),
    "Animation": _inks(
        "fbe8d3 2b2350 ffb4a2 e5484d 3d5a98",
        "24305e fdf3dc 374785 f9c846 f76c6c",
        "f7d54a 26225c fbe9a0 e4572e 17a398",
    ),
    "Children's": _inks(
        "fdf0d5 1f3b5c a8d5ba ee6055 f7b538",
        "2a6f6b fff4dc 3d8f87 ffcb47 ff7f5c",
        "f8c7b5 3a2449 fbe3d4 d1495b 3d5a98",
    ),
    "Comedy": _inks(
        "f2bf45 2a1c10 f7d98a d1432f 1c6b6f",
        "f5d9c8 3b1a1d ee9a82 b42c36 2b5c62",
        "cfe2cf 1b3026 90bf9f e4572e f5d547",
        "b23a2c fbeed6 d1563f f6c453 3b1513",
    ),
    "Crime": _inks(
        "1e1d24 f1e6d4 35323d d3362d a89f91",
        "e9dcc3 211d1b c9b48f a3241f 2b2a2e",
        "0f2a3a f1e8d6 1b4256 f2a541 c94a3a",
    ),
    "Documentary": _inks(
        "f1ece0 22252a d8cfbd c8431f 2f5d73",
        "2c3639 f1ebdd 3f4e4f e6b566 a27b5c",
        "dfe3dc 1f2a2e b3c0b7 20606a d9682b",
    ),
    "Drama": _inks(
        "16343a f4ead8 21525a e2a557 c8553d",
        "efe3cd 2b2420 d9c39e a53a2c 34515e",
        "2f2a3c f2e8da 494158 dd9260 8fa5ae",
        "3b1f25 f5e6d3 5c2e35 e0a96d c96a52",
        "dbe2dd 203036 a9bdb9 b5502e f0d9a4",
    ),
    "Fantasy": _inks(
        "241b45 f3e7d4 3a2e6b f1c65a a06cb8",
        "123b3a f3ecd4 1f5c55 f4d06f 8cc7a1",
        "e8dcf0 2a1e4a bda6d6 6d3d9b f2b950",
    ),
    "Film-Noir": _inks(
        "141414 f3ecdd 2b2a29 e9dfc8 7e7668",
        "e8e0cf 171615 b8ad98 171615 8c2a1c",
        "1b2028 efe7d6 303947 d9c58b 76808d",
    ),
    "Horror": _inks(
        "160f12 f4e6d5 3a0f14 d3202a 7f8c5a",
        "dccfb4 1d1512 a8231d 1d1512 e8dfc9",
        "10211c e6ecd6 1c3a2f b7d23c d6402b",
    ),
    "Musical": _inks(
        "8f1d3f fbead6 b52b52 f7b84b 2c1330",
        "f7e3cd 3a1634 f2a8a0 c3225a 2f6f86",
        "1d2450 faecd5 2f3b80 f5b13d e4526b",
    ),
    "Mystery": _inks(
        "20242f f0e6d2 343c50 e3b04b 9a4f50",
        "e5dcc6 231f2b b9ac90 5c2b45 c7862f",
        "19343b efe8d6 27505a d8c26a b65a3c",
    ),
    "Romance": _inks(
        "f6ddd3 4a1626 eeb3a6 c02f49 7a3b52",
        "5a1a2e fbe9dc 82283f f3a48f f6cf9b",
        "efe0d2 3b2333 dcb8a8 a8324a 4f6d7a",
    ),
    "Sci-Fi": _inks(
        "0e1b33 eaf0ea 18305a f0a23b 4fa3b5",
        "e7e4d8 14213a b9c6c4 e4502b 1f4e79",
        "1b1530 f3eadb 33235c ff7a59 f6c85f",
    ),
    "Thriller": _inks(
        "e4572e 1c1214 ef7c4f 1c1214 fbe9d0",
        "17191f f2e9da 2a2f3a e4572e c9c2b2",
        "f0e4ca 1b1b1f e3cd9b c22f26 1b1b1f",
        "1d3b36 f2ead8 2c5a50 efb43e d9522f",
    ),
    "War": _inks(
        "3a3b2a f1e8d2 55573d d98e3f a53f2b",
        "e6dcc2 26261f bdb28d 7d2a1e 4b5138",
        "2a2f36 f0e7d6 444c55 c8502f d8c79d",
    ),
    "Western": _inks(
        "f0d9ae 3a1a10 e9a55a b23a1e 6b2a18",
        "5b2314 fae6c4 8f3d1f f2b04c d9682e",
        "23414a f6e5c6 c9683a f6c667 8a3420",
    ),
}
UNKNOWN = _inks(
    "efe6d6 29241f d5c4a8 b0472d 35535a",
    "2a3340 f2e9da 414e60 e2a458 b9c3c0",
    "4a2b2b f6e8d6 6e3f3b eab464 d27a5a",
    "dce4d8 22302a aabfae c75b39 f3d9a0",
)

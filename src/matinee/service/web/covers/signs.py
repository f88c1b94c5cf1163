"""Motifs that stand for a thing: a record, a lens, a keyhole, an eye. See `motifs`."""

from __future__ import annotations

import math
from random import Random

from matinee.service.web.covers.figures import around
from matinee.service.web.covers.palettes import Palette
from matinee.service.web.covers.shapes import (
    circle,
    d,
    half_disc,
    number,
    path,
    polygon,
    rect,
    ring,
    stroke,
)


def record(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A gramophone record under its needle."""
    x, y, r = random.choice((0.36, 0.5, 0.64)) * w, 0.5 * h, 0.43 * min(w, h)
    drawn = [circle(x, y, r, inks.second)]
    drawn += [ring(x, y, r * k, inks.field, 1.4) for k in (0.92, 0.84, 0.76, 0.68, 0.6, 0.52)]
    drawn += [circle(x, y, 0.36 * r, inks.accent), circle(x, y, 0.06 * r, inks.field)]
    arm = ("M", x + 1.18 * r, y - 1.05 * r, "L", x + 1.08 * r, y, "L", x + 0.6 * r, y + 0.45 * r)
    return [*drawn, stroke(d(*arm), inks.ink, 5)]


def keys(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Seven keys of a piano, one of them pressed."""
    pitch, pressed = w / 7, random.randrange(7)
    drawn = [
        rect(i * pitch + 1, 0, pitch - 2, h, inks.accent if i == pressed else inks.ink)
        for i in range(7)
    ]
    black = [(i + 0.69) * pitch for i in (0, 1, 3, 4, 5)]
    return [*drawn, *(rect(x, 0, 0.62 * pitch, 0.6 * h, inks.second) for x in black)]


def teeth(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """An eye between two rows of teeth."""
    count = random.choice((5, 6, 8))
    pitch = w / count
    x, y, r = w / 2, 0.5 * h, 0.15 * min(w, h)
    drawn = [*_eye(x, y, r, inks)]
    for i in range(count):
        for edge, way in ((0.0, 1), (h, -1)):
            tip = edge + way * random.uniform(0.2, 0.32) * h
            corners = [(i * pitch, edge), ((i + 1) * pitch, edge), ((i + 0.5) * pitch, tip)]
            drawn.append(polygon(corners, inks.accent))
    return drawn


def _eye(x: float, y: float, r: float, inks: Palette) -> list[str]:
    lids = ("Q", x, y - 2.3 * r, x + 2.1 * r, y, "Q", x, y + 2.3 * r, x - 2.1 * r, y, "z")
    slit = ("Q", x + 0.4 * r, y, x, y + r, "Q", x - 0.4 * r, y, x, y - r, "z")
    return [
        path(d("M", x - 2.1 * r, y, *lids), inks.ink),
        circle(x, y, r, inks.accent),
        path(d("M", x, y - r, *slit), inks.ground),
    ]


def watchers(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Eyes in the dark, one of them awake to you."""
    columns, rows = 2, max(2, round(h / (0.36 * w)))
    marked = random.randrange(columns * rows)
    drawn: list[str] = []
    for i in range(columns * rows):
        x, y = (i % columns + 0.5) * w / columns, (i // columns + 0.5) * h / rows
        r = min(0.085 * w, 0.2 * h / rows)
        if i == marked:
            drawn += _eye(x, y, 1.15 * r, inks)
        else:
            lid = ("Q", x, y + 1.6 * r, x + 2.1 * r, y, "Q", x, y + 2.6 * r, x - 2.1 * r, y, "z")
            drawn.append(path(d("M", x - 2.1 * r, y, *lid), inks.second))
    return drawn


def aperture(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """The blades of a lens, with what it sees in the middle."""
    x, y, r = w / 2, 0.5 * h, 0.44 * min(w, h)
    blades, start = random.choice((6, 7, 8)), random.uniform(0, 1)
    opening = random.uniform(0.3, 0.42) * r
    corners = [2 * math.pi * (i + start) / blades for i in range(blades)]
    drawn = [circle(x, y, r, inks.second)]
    for angle in corners:
        rim = around(x, y, r, angle + 2 * math.pi / blades + 0.35)
        drawn.append(stroke(d("M", *around(x, y, opening, angle), "L", *rim), inks.field, 3.5))
    drawn.append(polygon([around(x, y, opening, angle) for angle in corners], inks.accent))
    return [*drawn, ring(x, y, 1.06 * r, inks.accent, 2.5)]


def frames(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A strip of film, a horizon in each frame."""
    count = max(2, round(h / (0.52 * w)))
    left, wide, tall = 0.2 * w, 0.6 * w, h / count
    drawn = [rect(0.1 * w, 0, 0.8 * w, h, inks.ground)]
    sun = random.choice((0.3, 0.5, 0.7))
    for i in range(count):
        y, shown = (i + 0.06) * tall, 0.88 * tall
        drawn.append(rect(left, y, wide, shown, inks.second))
        drawn.append(
            circle(left + sun * wide, y + (0.3 + 0.12 * i) * shown, 0.13 * wide, inks.accent)
        )
        drawn.append(rect(left, y + 0.72 * shown, wide, 0.28 * shown, inks.field))
        drawn += [
            rect(x, y + (0.25 * hole - 0.02) * tall, 0.05 * w, 0.1 * tall, inks.field)
            for hole in range(4)
            for x in (0.125 * w, 0.825 * w)
        ]
    return drawn


def keyhole(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A keyhole, light behind it, within the walls of a maze."""
    x, y, r = w / 2, 0.43 * h, 0.13 * min(w, h)
    centre = y + 0.05 * h
    drawn: list[str] = []
    for i in range(7, 1, -1):
        radius = r * (0.9 + 0.62 * i)
        length = 2 * math.pi * radius
        drawn.append(
            circle(
                x,
                centre,
                radius,
                "none",
                stroke=inks.second,
                stroke_width=0.16 * r,
                stroke_dasharray=d(0.86 * length, 0.14 * length),
                transform=f"rotate({random.randrange(360)} {number(x)} {number(centre)})",
            )
        )
    foot = [(x - 0.45 * r, y), (x + 0.45 * r, y), (x + r, y + 3 * r), (x - r, y + 3 * r)]
    return [*drawn, circle(x, y, r, inks.accent), polygon(foot, inks.accent)]


def disguise(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Spectacles, a nose and a moustache, as worn at parties."""
    x, y, unit = w / 2, 0.43 * h, min(w, h)
    r, gap = 0.14 * unit, 0.19 * unit
    drawn = [circle(x, 0.5 * h, 0.46 * unit, inks.accent)]
    for side in (-1, 1):
        drawn += [
            circle(x + side * gap, y, r, inks.ground),
            ring(x + side * gap, y, r, inks.ink, 0.03 * unit),
            circle(x + side * gap + 0.03 * unit, y, 0.035 * unit, inks.ink),
        ]
    brow = 0.2 * unit
    raised = random.choice((-1, 1))
    for side in (-1, 1):
        lift = 0.07 * unit if side == raised else 0.0
        curve = ("Q", x + side * gap, y - brow - 0.06 * unit - lift, x + side * 1.6 * gap, y - brow)
        start = ("M", x + side * 0.4 * gap, y - brow + 0.02 * unit)
        drawn.append(stroke(d(*start, *curve), inks.ink, 0.045 * unit))
    lip = y + 0.24 * unit
    half = ("Q", x + 0.26 * unit, lip + 0.02 * unit, x + 0.28 * unit, lip - 0.06 * unit)
    back = ("Q", x + 0.3 * unit, lip + 0.14 * unit, x, lip + 0.06 * unit)
    other = ("Q", x - 0.3 * unit, lip + 0.14 * unit, x - 0.28 * unit, lip - 0.06 * unit)
    close = ("Q", x - 0.26 * unit, lip + 0.02 * unit, x, lip - 0.05 * unit, "z")
    drawn.append(path(d("M", x, lip - 0.05 * unit, *half, *back, *other, *close), inks.ink))
    return [*drawn, circle(x, y + 0.13 * unit, 0.065 * unit, inks.second)]


def awning(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """The awning of a small theatre, with its door open."""
    count = random.choice((5, 7))
    pitch, depth = w / count, 0.3 * h
    door = 0.3 * w
    drawn = [
        rect(w / 2 - door / 2, 0.5 * h, door, 0.5 * h, inks.accent),
        circle(w / 2, 0.5 * h, door / 2, inks.accent),
        rect(0, 0.94 * h, w, 0.06 * h, inks.second),
    ]
    for i in range(count):
        ink = inks.second if i % 2 == 0 else inks.ink
        drawn.append(rect(i * pitch, 0, pitch + 0.4, depth, ink))
        drawn.append(half_disc((i + 0.5) * pitch, depth, pitch / 2, ink, 180))
    return drawn

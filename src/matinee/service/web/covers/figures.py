"""Motifs that are pure form: a spiral, a burst, rows of bars. See `motifs`."""

from __future__ import annotations

import math
from random import Random

from matinee.service.web.covers.palettes import Palette
from matinee.service.web.covers.shapes import (
    Point,
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

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


def around(x: float, y: float, radius: float, angle: float) -> Point:
    """The point at an angle, in radians clockwise from the right."""
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def chevrons(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Stripes of rank, one of them another colour."""
    count = random.choice((4, 5))
    pitch = 0.72 * h / count
    marked = random.randrange(count)
    rise = random.choice((-1, 1)) * 0.26 * h
    top = 0.5 * h - pitch * count / 2
    drawn: list[str] = []
    for i in range(count):
        y, thick = top + i * pitch, 0.56 * pitch
        upper = [(0.0, y + rise / 2), (w / 2, y - rise / 2), (w, y + rise / 2)]
        lower = [(a, b + thick) for a, b in reversed(upper)]
        drawn.append(polygon([*upper, *lower], inks.accent if i == marked else inks.second))
    return drawn


def bouncing(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A ball in flight, frame by frame."""
    floor, r = 0.84 * h, 0.085 * min(w, h)
    leaps, frames = random.choice((1.5, 2.5)), 17
    drawn = [rect(0, floor, w, h - floor, inks.second)]
    for i in range(frames):
        t = i / (frames - 1)
        phase = (t * leaps) % 1
        height = (0.66 - 0.16 * int(t * leaps)) * h * 4 * phase * (1 - phase)
        x, last = (0.1 + 0.76 * t) * w, i == frames - 1
        shown = 1 if last else 0.14 + 0.5 * t
        size = r * (1.5 if last else 1)
        drawn.append(circle(x, floor - r - height, size, inks.accent, opacity=shown))
    return drawn


def blocks(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Building blocks: discs, halves, quarters and roofs on a grid."""
    columns = random.choice((3, 4))
    side = w / columns
    drawn: list[str] = []
    for i in range(columns * math.ceil(h / side)):
        x, y = i % columns * side, i // columns * side
        back, front = random.sample((inks.field, inks.accent, inks.second, inks.ground), 2)
        middle = (x + side / 2, y + side / 2)
        turn = random.choice((0, 90, 180, 270))
        quarter = ("M", -side / 2, -side / 2, "h", side, "a", side, side, 0, 0, 1, -side, side, "z")
        place = f"translate({number(middle[0])} {number(middle[1])}) rotate({turn})"
        shapes = (
            circle(*middle, 0.34 * side, front),
            half_disc(*middle, side / 2, front, turn),
            path(d(*quarter), front, transform=place),
            polygon([(x, y + side), (middle[0], y), (x + side, y + side)], front),
            "",
        )
        drawn += [rect(x, y, side + 0.5, side + 0.5, back), random.choice(shapes)]
    return drawn


def meeting(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Two discs, and what they have in common."""
    r = random.uniform(0.27, 0.32) * min(w, h)
    lean = random.uniform(-0.5, 0.5)
    x, y = w / 2, 0.5 * h
    # The centres are 1.24 radii apart; the rims cross at right angles to that line.
    half = math.sqrt(1 - 0.62**2) * r
    top, foot = (around(x, y, half, lean + turn * math.pi / 2) for turn in (-1, 1))
    arc = ("A", r, r, 0, 0, 1)
    return [
        circle(*around(x, y, -0.62 * r, lean), r, inks.accent),
        circle(*around(x, y, 0.62 * r, lean), r, inks.second),
        path(d("M", *top, *arc, *foot, *arc, *top, "z"), inks.ink),
    ]


def ribbons(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Two lines that part and meet again."""
    turns, swing = random.choice((2, 3)), random.uniform(0.2, 0.28) * w
    step = h / turns / 2
    drawn: list[str] = []
    for side, ink in ((1, inks.second), (-1, inks.accent)):
        parts: list[str | float] = ["M", w / 2, -step / 2]
        for i in range(2 * turns + 2):
            y, out = (i - 0.5) * step, w / 2 + side * swing * (1 if i % 2 else -1) * 1.4
            parts += ["C", out, y + 0.3 * step, out, y + 0.7 * step, w / 2, y + step]
        drawn.append(stroke(d(*parts), ink, 0.085 * w))
    return drawn


def flower(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A flower from above."""
    petals = random.choice((6, 8, 10))
    x, y, r = w / 2, 0.5 * h, 0.4 * min(w, h)
    start = random.uniform(0, math.pi)
    drawn: list[str] = []
    for ring_number, ink in enumerate((inks.second, inks.accent)):
        reach = r * (1 - 0.3 * ring_number)
        for i in range(petals):
            angle = start + (i + 0.5 * ring_number) * 2 * math.pi / petals
            tip = around(x, y, reach, angle)
            a, b = (around(x, y, 0.62 * reach, angle + s * math.pi / petals) for s in (-1.1, 1.1))
            drawn.append(path(d("M", x, y, "Q", *a, *tip, "Q", *b, x, y, "z"), ink))
    return [*drawn, circle(x, y, 0.14 * r, inks.ink)]


def spiral(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Somebody falls into a spiral."""
    x, y = random.uniform(0.4, 0.6) * w, random.uniform(0.42, 0.56) * h
    turns, reach, way = 7, 0.78 * max(w, h), random.choice((-1, 1))
    steps = [i / (turns * 24) for i in range(turns * 24 + 1)]
    line = [around(x, y, reach * t**1.25, way * 2 * math.pi * turns * t) for t in steps]
    drawn = stroke(
        d("M", *(value for point in line for value in point)), inks.second, 0.032 * max(w, h)
    )
    return [drawn, circle(x, y, 0.085 * min(w, h), inks.accent)]


def target(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Rings round a point that is not in the middle."""
    x, y = random.uniform(0.3, 0.7) * w, random.uniform(0.34, 0.6) * h
    radius = 0.9 * max(w, h)
    drawn: list[str] = []
    for i in range(7):
        k = 1 - i / 7
        at = x + (w / 2 - x) * k, y + (h / 2 - y) * k
        drawn.append(circle(*at, radius * k**1.5, (inks.field, inks.second)[i % 2]))
    return [*drawn, circle(x, y, 0.06 * max(w, h), inks.accent)]


def stairs(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Stairs from corner to corner, and a door at their end."""
    steps = random.choice((6, 7, 8))
    mirrored = random.random() < 0.5
    corners: list[Point] = []
    for i in range(steps):
        y = 0.94 * h - 0.62 * h * i / (steps - 1)
        corners += [(i / steps * w, y), ((i + 1) / steps * w, y)]
    top = corners[-1][1]
    wide, tall = 0.12 * w, 0.2 * h
    left = w - 1.16 * wide
    beam = [(left, top - tall), (left, top), (0.0, 0.2 * h), (0.0, -0.4 * h)]
    drawn = [
        polygon(beam, inks.accent, opacity=0.3),
        rect(left, top - tall, wide, tall, inks.accent),
        polygon([*corners, (w, h), (0, h)], inks.second),
    ]
    turn = f' transform="translate({number(w)} 0) scale(-1 1)"' if mirrored else ""
    return [f"<g{turn}>", *drawn, "</g>"]


def shards(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Broken glass, from where it was hit."""
    x, y = random.uniform(0.35, 0.65) * w, random.uniform(0.35, 0.6) * h
    count, far = 13, w + h
    cuts = sorted((i + random.uniform(0, 0.7)) * 2 * math.pi / count for i in range(count))
    drawn: list[str] = []
    for i, angle in enumerate(cuts):
        after = cuts[(i + 1) % count] + (2 * math.pi if i + 1 == count else 0)
        near, middle = random.uniform(0.08, 0.16) * w, random.uniform(0.3, 0.5) * w
        for inner, outer, ink in ((near, middle, inks.second), (1.08 * middle, far, inks.ground)):
            ends = [(inner, angle), (outer, angle), (outer, after - 0.06), (inner, after - 0.06)]
            marked = ink == inks.second and i % 5 == 0
            corners = [around(x, y, *end) for end in ends]
            drawn.append(polygon(corners, inks.accent if marked else ink, opacity=0.92))
    return drawn


def speed(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Beams from one point, as from something that comes fast."""
    x, y = random.choice((0.18, 0.5, 0.82)) * w, random.choice((0.24, 0.5, 0.72)) * h
    beams, far, start = random.choice((9, 11, 13)), 2 * (w + h), random.uniform(0, 1)
    drawn: list[str] = []
    for i in range(beams):
        a = 2 * math.pi * (i + start) / beams
        b = a + random.uniform(0.35, 0.6) * 2 * math.pi / beams
        ink = inks.second if i % 3 else inks.accent
        drawn.append(polygon([(x, y), around(x, y, far, a), around(x, y, far, b)], ink))
    r = 0.17 * min(w, h)
    return [*drawn, circle(x, y, r, inks.field), circle(x, y, 0.66 * r, inks.ink)]


def burst(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A bang in three layers."""
    x, y, r = w / 2, random.uniform(0.46, 0.54) * h, 0.5 * min(w, h)
    drawn: list[str] = []
    for k, ink in ((1.0, inks.second), (0.7, inks.accent), (0.36, inks.ink)):
        points, start = random.choice((11, 13, 15)), random.uniform(0, 1)
        tips = [
            around(
                x,
                y,
                r * k * (0.62 if i % 2 else random.uniform(0.9, 1.1)),
                math.pi * (i + start) / points,
            )
            for i in range(2 * points)
        ]
        drawn.append(polygon(tips, ink))
    return drawn


def smiles(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Half discs in rows, all of them smiling but one."""
    columns = random.choice((2, 3))
    side = w / columns
    count = columns * math.ceil(h / side)
    marked = random.randrange(min(count, 2 * columns))
    drawn: list[str] = []
    for i in range(count):
        x, y = (i % columns + 0.5) * side, (i // columns + 0.36) * side
        ink = (inks.second, inks.ink)[(i // columns + i) % 2]
        if i == marked:
            drawn.append(half_disc(x, y + 0.36 * side, 0.41 * side, inks.accent))
        else:
            drawn.append(half_disc(x, y, 0.41 * side, ink, 180))
    return drawn


def confetti(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A burst of paper."""
    x, y, unit = w / 2, 0.52 * h, min(w, h)
    start = random.uniform(0, math.pi)
    drawn: list[str] = []
    for i in range(44):
        angle = start + i * _GOLDEN_ANGLE
        at = around(x, y, 0.086 * unit * math.sqrt(i + 0.4), angle)
        size = 0.026 * unit * (1 + i / 32)
        ink = (inks.accent, inks.second, inks.ink)[i % 3]
        half = half_disc(*at, size * 1.3, ink, math.degrees(angle))
        drawn.append(circle(*at, size, ink) if i % 2 else half)
    return drawn


def rings(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Rings on water from two stones."""
    drawn: list[str] = []
    for x, y, ink in ((0.3, 0.36, inks.accent), (0.72, 0.66, inks.second)):
        at = (x + random.uniform(-0.06, 0.06)) * w, y * h
        drawn += [ring(*at, (0.05 + 0.085 * i) * max(w, h), ink, 5.5) for i in range(6)]
    return drawn

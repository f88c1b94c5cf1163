"""Motifs that show a place: a horizon, a sky, a light. See `motifs`."""

from __future__ import annotations

from random import Random

from matinee.service.web.covers.palettes import Palette
from matinee.service.web.covers.shapes import (
    circle,
    d,
    half_disc,
    path,
    polygon,
    rect,
    ring,
    window,
)


def horizon(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """One disc, the line it touches, and its reflection in broken strokes."""
    y = random.uniform(0.55, 0.66) * h
    r = random.uniform(0.26, 0.34) * min(w, h)
    x = random.choice((0.34, 0.5, 0.66)) * w
    sun = circle(x, y - random.choice((0.0, 0.42)) * r, r, inks.accent)
    drawn = [window(0, 0, w, y, [sun]), rect(0, y, w, h - y, inks.second)]
    for i in range(6):
        width = 2 * r * (1 - 0.13 * i) * random.uniform(0.7, 1)
        left = x - width / 2 + random.uniform(-9, 9)
        drawn.append(rect(left, y + (0.035 + 0.052 * i) * h, width, 0.013 * h, inks.accent))
    return drawn


def curtain(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A stage curtain half open on a light."""
    gap = random.uniform(0.12, 0.2) * w
    middle = random.uniform(0.42, 0.58) * w
    drawn = [rect(0, 0, w, h, inks.accent), circle(middle, 0.46 * h, 0.12 * w, inks.ground)]
    folds = 5
    for side in (-1, 1):
        edge, end = middle + side * gap, 0.0 if side < 0 else w
        for i in range(folds):
            a, b = (edge + (end - edge) * k / folds for k in (i, i + 1))
            pull = side * gap * 0.9 * (1 - i / folds)
            top, foot = a - pull, a + 0.2 * pull
            hem = ("C", top, 0.4 * h, a + 0.3 * pull, 0.6 * h, foot, h)
            ink = inks.second if i % 2 == 0 else inks.field
            drawn.append(path(d("M", top, 0, *hem, "H", b + side * 3, "V", 0, "z"), ink))
    return drawn


def road(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A road to the horizon, and what waits there."""
    y = random.uniform(0.42, 0.54) * h
    x = random.uniform(0.35, 0.65) * w
    r = random.uniform(0.14, 0.2) * min(w, h)
    drawn = [circle(x, y - 0.6 * r, r, inks.accent), rect(0, y, w, h - y, inks.second)]
    drawn.append(polygon([(x - 3, y), (x + 3, y), (1.02 * w, h), (-0.02 * w, h)], inks.ground))
    at = 0.04
    while at < 1:
        # Nearer strokes are longer and wider, as the distance shrinks.
        end = at * 1.45
        a, b = (y + t * (h - y) for t in (at, end))
        m, n = (x + t * (w / 2 - x) for t in (at, end))
        drawn.append(
            polygon(
                [(m - 9 * at, a), (m + 9 * at, a), (n + 9 * end, b), (n - 9 * end, b)], inks.accent
            )
        )
        at *= 2
    return drawn


def facade(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A house front at night, and the one window with a light."""
    columns = random.choice((3, 4))
    pitch = w / columns
    rows = max(2, int(h / (1.15 * pitch)))
    lit = random.randrange(rows) * columns + random.randrange(columns)
    drawn = [rect(0, 0, w, h, inks.second)]
    for i in range(rows * columns):
        x, y = (i % columns + 0.2) * pitch, (i // columns + 0.2) * h / rows
        width, tall = 0.6 * pitch, 0.62 * h / rows
        drawn.append(rect(x, y, width, tall, inks.accent if i == lit else inks.ground))
        drawn.append(rect(x + width / 2 - 1.2, y, 2.4, tall, inks.second))
        drawn.append(rect(x - 4, y + tall, width + 8, 4, inks.field))
    return drawn


def waves(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A sea of scallops, row before row."""
    count = random.choice((4, 5, 6))
    r = w / count / 2
    drawn = [circle(random.choice((0.3, 0.7)) * w, 0.26 * h, 0.17 * min(w, h), inks.accent)]
    rows = int(0.6 * h / (0.6 * r)) + 1
    for row in range(rows):
        y = 0.44 * h + 0.62 * r * row
        for i in range(-1, count + 1):
            x = (2 * i + 1 + row % 2) * r
            for k, ink in ((1.0, inks.ground), (0.82, inks.second), (0.45, inks.field)):
                drawn.append(half_disc(x, y + r, k * r, ink))
    return drawn


def blinds(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Light through a blind, across a disc that may be a face or a moon."""
    slats = random.choice((7, 9, 11))
    pitch = h / slats
    thick = 0.46 * pitch
    lean = random.choice((-0.22, 0.22, 0.3)) * w
    x, r = random.uniform(0.36, 0.64) * w, 0.33 * min(w, h)
    light: list[str] = []
    for i in range(-2, slats + 2):
        y = i * pitch
        corners = [(0.0, y), (w, y + lean), (w, y + lean + thick), (0.0, y + thick)]
        light.append(polygon(corners, inks.accent))
    return [*light, circle(x, 0.5 * h, r, inks.ground, opacity=0.84)]


def mesa(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A low sun in stripes behind table mountains."""
    x, y = random.uniform(0.3, 0.7) * w, 0.56 * h
    r = random.uniform(0.3, 0.38) * min(w, h)
    drawn = [circle(x, y, r, inks.accent)]
    drawn += [
        rect(x - r, y + r * (0.1 + 0.22 * i), 2 * r, r * (0.04 + 0.03 * i), inks.field)
        for i in range(4)
    ]
    far, near = 0.66 * h, 0.82 * h
    a, b = random.uniform(0.02, 0.22) * w, random.uniform(0.55, 0.7) * w
    outline = [(0.0, near), (a, near), (a + 14, far), (a + 0.2 * w, far), (a + 0.2 * w + 14, near)]
    outline += [(b, near), (b + 8, far + 18), (b + 0.12 * w, far + 18), (b + 0.12 * w + 10, near)]
    drawn.append(polygon([*outline, (w, near), (w, h), (0, h)], inks.second))
    ground = d("M", 0, 0.88 * h, "Q", w / 2, 0.79 * h, w, 0.9 * h, "V", h, "H", 0, "z")
    return [*drawn, path(ground, inks.ground)]


def planet(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A planet with its ring and what goes round it, among a few stars."""
    x, y = random.uniform(0.35, 0.65) * w, random.uniform(0.42, 0.58) * h
    r = random.uniform(0.2, 0.27) * min(w, h)
    turn = f"rotate({random.choice((-24, -16, 18, 28))} {x:.0f} {y:.0f})"
    drawn = [
        circle(random.uniform(0, w), random.uniform(0, h), random.choice((1.2, 1.8, 2.6)), inks.ink)
        for _ in range(26)
    ]
    drawn += [ring(x, y, r * k, inks.second, 1.2) for k in (1.9, 2.5, 3.2)]
    drawn.append(circle(x + 1.14 * r, y - 1.52 * r, 0.14 * r, inks.ink))
    drawn.append(circle(x - 2 * r, y + 1.5 * r, 0.2 * r, inks.second))
    drawn.append(circle(x, y, r, inks.accent))
    night = ("A", r, r, 0, 0, 1, x, y + r, "A", 1.25 * r, 1.25 * r, 0, 0, 0, x, y - r, "z")
    drawn.append(path(d("M", x, y - r, *night), inks.ground, opacity=0.28, transform=turn))
    arc = d("M", x - 1.62 * r, y, "A", 1.62 * r, 0.36 * r, 0, 0, 0, x + 1.62 * r, y)
    thick = max(3.0, 0.09 * r)
    return [*drawn, path(arc, "none", stroke=inks.ink, stroke_width=thick, transform=turn)]


def moons(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A crescent over hills, with stars of four points."""
    x, y, r = random.uniform(0.36, 0.6) * w, 0.4 * h, random.uniform(0.22, 0.28) * min(w, h)
    drawn = [ring(x, y, r * k, inks.second, 1.5) for k in (1.35, 1.7, 2.1)]
    drawn += [circle(x, y, r, inks.accent), circle(x + 0.42 * r, y - 0.2 * r, 0.82 * r, inks.field)]
    for _ in range(11):
        place = random.uniform(0, w), random.uniform(0, 0.7 * h)
        drawn.append(_star(*place, random.uniform(3, 9), inks.ink))
    for i, ink in enumerate((inks.second, inks.ground)):
        base = (0.76 + 0.12 * i) * h
        swing = random.uniform(0.08, 0.16) * h * (1 if i else -1)
        hill = ("C", 0.3 * w, base - swing, 0.65 * w, base + swing, w, base - swing / 2)
        drawn.append(path(d("M", 0, base, *hill, "V", h, "H", 0, "z"), ink))
    return drawn


def _star(x: float, y: float, r: float, ink: str) -> str:
    q = 0.22 * r
    quarter = [(0.0, -r), (q, -q), (r, 0.0), (q, q)]
    return polygon([(x + a, y + b) for a, b in (*quarter, *((-a, -b) for a, b in quarter))], ink)


def spotlight(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A lamp's cone, and who stands in it with a long shadow."""
    x, foot = random.uniform(0.3, 0.7) * w, 0.86 * h
    spread, top = 0.32 * w, x + random.choice((-0.34, 0.34)) * w
    floor = d("M", x - spread, foot, "A", spread, 0.07 * h, 0, 0, 0, x + spread, foot, "z")
    fall = x + (x - top) * 0.9
    shadow = [(x - 0.05 * w, foot), (x + 0.05 * w, foot), (fall + 20, h + 4), (fall - 60, h + 4)]
    drawn = [
        polygon([(top, -10), (x - spread, foot), (x + spread, foot)], inks.accent),
        path(floor, inks.accent),
        polygon(shadow, inks.ground),
    ]
    tall, body, head = 0.36 * h, 0.085 * w, 0.052 * w
    arms, neck = foot - 0.6 * tall, foot - 0.78 * tall
    left = ("V", arms, "Q", x - body, neck, x, neck)
    right = ("Q", x + body, neck, x + body, arms, "V", foot, "z")
    brim = foot - 0.95 * tall
    return [
        *drawn,
        path(d("M", x - body, foot, *left, *right), inks.ground),
        circle(x, foot - 0.9 * tall, head, inks.ground),
        rect(x - 2 * head, brim, 4 * head, 0.32 * head, inks.ground),
        rect(x - 1.05 * head, brim - 0.85 * head, 2.1 * head, 0.95 * head, inks.ground),
    ]


def ridges(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """Three ranges of mountains under a high sun."""
    drawn = [circle(random.choice((0.27, 0.73)) * w, 0.27 * h, 0.15 * min(w, h), inks.accent)]
    for i, (ink, opacity) in enumerate(((inks.second, 0.55), (inks.second, 1), (inks.ground, 1))):
        base, peaks = (0.6 + 0.13 * i) * h, random.choice((2, 3))
        points = [(-20.0, h)]
        for p in range(peaks + 1):
            at = (p + random.uniform(-0.15, 0.15)) * w / peaks
            points.append((at - w / peaks / 2, base + 0.05 * h))
            points.append((at, base - random.uniform(0.1, 0.24) * h))
        drawn.append(polygon([*points, (w + 60, base), (w + 60, h)], ink, opacity=opacity))
    return drawn


def skyline(random: Random, inks: Palette, w: float, h: float) -> list[str]:
    """A town at night: blocks, and the windows where somebody is awake."""
    drawn = [circle(random.uniform(0.2, 0.8) * w, 0.26 * h, 0.13 * min(w, h), inks.accent)]
    x = -8.0
    while x < w:
        width, top = random.uniform(0.12, 0.2) * w, random.uniform(0.34, 0.66) * h
        drawn.append(rect(x, top, width + 0.6, h - top, random.choice((inks.ground, inks.second))))
        panes = [
            (c, r) for r in range(2, int((h - top) / 16)) for c in range(int((width - 10) / 11))
        ]
        for column, row in random.sample(panes, len(panes) // 6):
            drawn.append(rect(x + 7 + 11 * column, top + 14 * row, 5, 7, inks.accent))
        x += width
    return drawn

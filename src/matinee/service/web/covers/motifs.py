"""What stands on a poster: a few drawings for each genre, in a box of any size.

A motif gets the random numbers of its film, the inks and the box, and gives back elements from
back to front. The field behind it is there already.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from matinee.service.web.covers import figures, scenes, signs
from matinee.service.web.covers.palettes import Palette

Motif = Callable[[Random, Palette, float, float], list[str]]

# From the genre that says most about a film to the one that says least.
MOTIFS: dict[str, tuple[Motif, ...]] = {
    "Film-Noir": (scenes.blinds, scenes.spotlight),
    "Western": (scenes.mesa,),
    "Musical": (signs.record, signs.keys),
    "Sci-Fi": (scenes.planet, scenes.planet, figures.target),
    "Horror": (signs.teeth, signs.watchers),
    "War": (figures.chevrons,),
    "Animation": (figures.bouncing, figures.blocks),
    "Children's": (figures.blocks, scenes.waves, figures.flower),
    "Fantasy": (scenes.moons,),
    "Documentary": (signs.aperture, signs.frames),
    "Mystery": (signs.keyhole, signs.watchers, scenes.facade),
    "Romance": (figures.meeting, figures.ribbons, figures.flower, scenes.horizon),
    "Crime": (scenes.spotlight, scenes.skyline, scenes.blinds),
    "Adventure": (scenes.ridges, scenes.waves, scenes.road),
    "Thriller": (figures.spiral, figures.stairs, figures.shards, figures.target),
    "Action": (figures.speed, figures.burst, scenes.skyline),
    "Comedy": (figures.smiles, figures.confetti, signs.disguise, signs.awning),
    "Drama": (scenes.horizon, scenes.curtain, scenes.road, scenes.facade, figures.rings),
}
# The same genres by the names that other catalogues give them.
SAME_AS = {
    "Biography": "Drama",
    "Children": "Children's",
    "Family": "Children's",
    "History": "War",
    "Kids": "Children's",
    "Music": "Musical",
    "Noir": "Film-Noir",
    "Science Fiction": "Sci-Fi",
    "SciFi": "Sci-Fi",
}
OTHERS: tuple[Motif, ...] = (
    scenes.horizon,
    scenes.curtain,
    figures.meeting,
    figures.rings,
    signs.frames,
)

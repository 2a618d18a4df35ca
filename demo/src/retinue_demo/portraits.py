"""Pictures made from a username: a face, and the sky behind a profile. The same name, the same picture."""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import combinations
from math import dist

from flask import Flask
from markupsafe import Markup

#: (background, face, features): each face stands out from its background, each feature from its face.
_COLOURS = (
    ("#f2b8a0", "#8c2f1b", "#fff3ec"),
    ("#1f4e5f", "#f4c95d", "#2b2118"),
    ("#cfe3d4", "#2f6b4f", "#f3fbf5"),
    ("#5b2a4e", "#f29e8e", "#3a1630"),
    ("#f6dfa4", "#c4622d", "#fff6e0"),
    ("#26335c", "#9fc5e8", "#18213d"),
    ("#e6d3ef", "#6a4590", "#faf3ff"),
    ("#31422f", "#d8dc8a", "#28331f"),
    ("#b9d9e8", "#23577a", "#eef8fd"),
    ("#7a2232", "#f5c4b8", "#4d1220"),
)


def init_app(app: Flask) -> None:
    """Give the templates of *app* the pictures."""
    app.add_template_global(portrait)
    app.add_template_global(face)
    app.add_template_global(sky)


@lru_cache(maxsize=4096)
def portrait(username: str) -> Markup:
    """Return the face of *username*, as SVG; for the eye alone, as the name stands beside it."""
    return Markup("<svg class='portrait' viewBox='0 0 36 36' aria-hidden='true'>{}</svg>").format(face(username))


@lru_cache(maxsize=4096)
def face(username: str) -> Markup:
    """Return the same for a larger picture: a square of 36 units, to be cut round."""
    chance = random.Random(username)  # noqa: S311 - the same name must give the same picture
    back, face, feature = chance.choice(_COLOURS)
    x, y = chance.randint(-5, 5), chance.randint(1, 7)
    look, turn = chance.randint(-2, 2), chance.randint(-14, 14)
    corner = chance.choice((9, 13, 16))
    apart = chance.randint(3, 5)
    eye = (
        "<circle cx='{x}' cy='15' r='1.6'/>",
        "<rect x='{left}' y='13.4' width='2.4' height='3.6' rx='1.2'/>",
    )[chance.randrange(2)]
    eyes = "".join(eye.format(x=18 + side * apart + look, left=16.8 + side * apart + look) for side in (-1, 1))
    wide = chance.randint(3, 5)
    mouth = (
        f"a{wide} {wide} 0 0 0 {2 * wide} 0z'/>",
        f"q{wide} 3.4 {2 * wide} 0' fill='none' stroke='{feature}' stroke-width='1.6' stroke-linecap='round'/>",
    )[chance.randrange(2)]
    return Markup(  # noqa: S704 - numbers and colours from above, no text
        f"<path fill='{back}' d='M0 0h36v36H0z'/>"
        f"<g transform='translate({x} {y})rotate({turn} 18 18)' fill='{feature}'>"
        f"<rect x='3' y='2' width='30' height='40' rx='{corner}' fill='{face}'/>{eyes}"
        f"<path d='M{18 + look - wide} 20{mouth}</g>"
    )


@lru_cache(maxsize=1024)
def sky(username: str) -> Markup:
    """Return what lies behind the profile of *username*: a small graph, as SVG."""
    chance = random.Random(username)  # noqa: S311 - see portrait()
    back, near, _ = chance.choice(_COLOURS)
    points = [(40 + 640 * (place + chance.random()) / 14, chance.randint(14, 146)) for place in range(14)]
    lines = "".join(f"M{a[0]:.0f} {a[1]}L{b[0]:.0f} {b[1]}" for a, b in combinations(points, 2) if dist(a, b) < 105)
    dots = "".join(f"<circle cx='{x:.0f}' cy='{y}' r='{chance.choice((3, 4, 4, 6, 9))}'/>" for x, y in points)
    return Markup(  # noqa: S704 - numbers and colours from above, no text
        f"<svg class='sky' viewBox='0 0 720 160' preserveAspectRatio='xMidYMid slice' aria-hidden='true'>"
        f"<path fill='{back}' d='M0 0h720v160H0z'/><path d='{lines}' stroke='{near}' stroke-opacity='.45' "
        f"stroke-width='1.5'/><g fill='{near}'>{dots}</g></svg>"
    )

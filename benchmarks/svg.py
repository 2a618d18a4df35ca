"""Drawings as SVG: readable on light and on dark, and by those who hear them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

#: Light first, and what differs on dark. Nothing is told by colour alone: all that is drawn has its name beside it.
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2937 }
.paper { fill: #ffffff }
.title { font-size: 18px; font-weight: 650 }
.head { font-size: 13px; font-weight: 650 }
.quiet { fill: #57606a }
.small { font-size: 11px } .tiny { font-size: 9.5px }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
.strong { font-weight: 650 } .second { fill: #57606a } .ours .second { fill: #0b57d0; font-weight: 400 }
.ours { fill: #0b57d0; font-weight: 650 }
.grid { stroke: #e2e6ea; stroke-width: 1 }
.floor-line { stroke: #57606a; stroke-width: 1 }
.bar { fill: #a9b4c0 } .bar.floor { fill: #57606a } .bar.ours { fill: #0b57d0 } .bar.every { fill: #7aa7ee }
.goal { stroke: #b3261e; stroke-width: 2 } .around { stroke: #ffffff; stroke-width: 5 }
.curve { fill: none; stroke: #a9b4c0; stroke-width: 1.5 } .dot { fill: #a9b4c0 }
.curve.floor { stroke: #57606a; stroke-dasharray: 4 3 } .dot.floor { fill: #57606a }
.curve.ours { stroke: #0b57d0; stroke-width: 2.5 } .dot.ours { fill: #0b57d0 }
.curve.every { stroke: #7aa7ee } .dot.every { fill: #7aa7ee }
.leader { stroke: #a9b4c0; stroke-width: 0.75; stroke-dasharray: 1 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .over { stroke: #0d1117 } .second { fill: #9da7b3 } .ours .second { fill: #82b1ff } .paper { fill: #0d1117 } .quiet { fill: #9da7b3 } text.ours { fill: #82b1ff }
  .grid { stroke: #262c36 } .floor-line { stroke: #9da7b3 }
  .bar { fill: #525d6b } .bar.floor { fill: #9da7b3 } .bar.ours { fill: #5c9bff } .bar.every { fill: #35598f }
  .goal { stroke: #ff8a80 } .around { stroke: #0d1117 }
  .curve { stroke: #6e7a89 } .dot { fill: #6e7a89 } .curve.floor { stroke: #9da7b3 } .dot.floor { fill: #9da7b3 }
  .curve.ours { stroke: #5c9bff } .dot.ours { fill: #5c9bff }
  .curve.every { stroke: #4674b8 } .dot.every { fill: #4674b8 } .leader { stroke: #525d6b }
}
"""


def document(width: float, height: float, title: str, description: str, parts: Sequence[str]) -> str:
    """Return the whole drawing."""
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width:g}" height="{height:g}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Write *words*, which begin, end or have their middle at x."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def pair(x: float, y: float, first: str, second: str, kind: str = "") -> str:
    """Write two words with some space between them, the first stronger."""
    strong = f'<tspan class="strong">{escape(first)}</tspan>'
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{strong}<tspan dx="6" class="second">{escape(second)}</tspan></text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def bar(x1: float, x2: float, y: float, height: float, kind: str) -> str:
    """Draw a horizontal bar from x1 to x2, whichever is greater."""
    left, width = min(x1, x2), max(abs(x2 - x1), 2)
    return f'<rect x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}" rx="1.5" class="bar {kind}"/>'


def curve(points: Sequence[tuple[float, float]], kind: str) -> str:
    """Draw a line through *points*, with a dot at each."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="dot {kind}"/>' for x, y in points)
    return f'<polyline points="{through}" class="curve {kind}"/>{dots}'

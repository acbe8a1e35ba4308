"""This module draws curves as SVG: small panels beside each other, on scales of powers of ten."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final
from xml.sax.saxutils import escape

WIDTH: Final = 300
HEIGHT: Final = 220
LEFT, BOTTOM, TOP = 52, 40, 34


@dataclass(frozen=True)
class Panel:
    """One picture: a title, what the axes are, and points (x, y), both above 0."""

    title: str
    x: str
    y: str
    points: Sequence[tuple[float, float]]

    def draw(self, left: float) -> str:
        """Write the panel, its left edge at `left`."""
        xs, ys = ([log10(point[axis]) for point in self.points] for axis in (0, 1))
        x_from, x_to = floor(min(xs)), max(ceil(max(xs)), floor(min(xs)) + 1)
        y_from, y_to = floor(min(ys)), max(ceil(max(ys)), floor(min(ys)) + 1)
        width, height = WIDTH - LEFT - 14, HEIGHT - TOP - BOTTOM

        def place(x: float, y: float) -> tuple[float, float]:
            across, up = (x - x_from) / (x_to - x_from), (y - y_from) / (y_to - y_from)
            return left + LEFT + width * across, TOP + height * (1 - up)

        drawn = [f'<text x="{left + LEFT}" y="20" font-weight="bold">{escape(self.title)}</text>']
        for power in range(x_from, x_to + 1):
            across, below = place(power, y_from)
            drawn.append(f'<path d="M{across:.1f} {TOP}V{below:.1f}" stroke="#ddd"/>')
            drawn.append(f'<text x="{across:.1f}" y="{below + 14:.1f}" text-anchor="middle">{10**power:,}</text>')
        for power in range(y_from, y_to + 1):
            _, down = place(x_from, power)
            drawn.append(f'<path d="M{left + LEFT} {down:.1f}h{width}" stroke="#ddd"/>')
            drawn.append(f'<text x="{left + LEFT - 5}" y="{down + 4:.1f}" text-anchor="end">{10**power:,}</text>')
        placed = [place(x, y) for x, y in zip(xs, ys, strict=True)]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        drawn.append(f'<path d="M{line}" fill="none" stroke="#0b5" stroke-width="2"/>')
        for (x, y), (_, value) in zip(placed, self.points, strict=True):
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#0b5"/>')
            drawn.append(f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{value:,.0f}</text>')
        drawn.append(f'<text x="{left + LEFT}" y="{HEIGHT - 6}">{escape(self.x)}; {escape(self.y)}</text>')
        return "\n".join(drawn)


def picture(panels: Sequence[Panel]) -> str:
    """Write all panels side by side."""
    drawn = "\n".join(panel.draw(number * WIDTH) for number, panel in enumerate(panels))
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n<rect {size} fill="white"/>\n{drawn}\n</svg>\n'

# SPDX-License-Identifier: BSL-1.0
"""Draws the results of tools/bench as bars, and reads them back from a page.

A picture is as wide as its longest line of text: nothing is cut off."""

import html
import math
import re

TROUPE_COLOUR = "#1f6f8b"
PEER_COLOUR = "#b8bfc6"

# Pixels. A message is at most so wide, in parts of its height, on average.
SIZE, SMALL, LARGE = 12, 11, 16
LETTER, BOLD_LETTER = 0.66, 0.74
MARGIN, BAR, LINE, GAP, LONGEST_BAR = 16, 16, 20, 34, 420


class Bar:
    """What one competitor reached: median, lowest and highest."""

    def __init__(self, who, median, lowest, highest, label):
        self.who, self.median, self.label = who, median, label
        self.lowest, self.highest = lowest, highest


def width_of(text, size=SIZE, bold=False):
    return len(text) * size * (BOLD_LETTER if bold else LETTER)


def scale_of(bars):
    """Logarithms of the left and the right end: no bar or line is outside."""
    values = [value for bar in bars
              for value in (bar.median, bar.lowest, bar.highest) if value > 0]
    low = math.floor(math.log10(min(bar.median for bar in bars)) - 0.2)
    return low, max(math.log10(max(values)), low + 0.5)


def draw(suite, groups, processor, date):
    """Returns an SVG with a logarithmic scale of its own for each group.
    `groups`: {(what, unit): [Bar]}."""
    left = MARGIN + 8 + max(width_of(bar.who)
                            for bars in groups.values() for bar in bars)
    right = 0
    shapes = []

    def write(x, y, text, size=SIZE, bold=False, end=False, colour=None):
        nonlocal right
        right = max(right, x if end else x + width_of(text, size, bold))
        shapes.append(
            f'<text x="{x:.1f}" y="{y}" font-size="{size}"'
            + (' font-weight="bold"' if bold else "")
            + (' text-anchor="end"' if end else "")
            + (f' fill="{colour}"' if colour else "")
            + f">{html.escape(text)}</text>")

    write(MARGIN, 26, f"Troupe: {suite}", LARGE)
    write(MARGIN, 44, "median of the rounds, line from the lowest to the "
          f"highest, logarithmic; {processor}, {date}", SMALL, colour="#666")
    top = 72
    for (what, unit), bars in groups.items():
        low, high = scale_of(bars)

        def place(value):
            if value <= 0:
                return left
            length = (math.log10(value) - low) * LONGEST_BAR / (high - low)
            return left + max(0, length)

        better = "more is better" if "/s" in unit else "less is better"
        write(left, top, f"{what}, {unit}", bold=True)
        write(left + width_of(f"{what}, {unit}", bold=True) + 6, top,
              f"({better})", colour="#666")
        top += 8
        for bar in sorted(bars, key=lambda each: each.who != "troupe"):
            colour = TROUPE_COLOUR if bar.who == "troupe" else PEER_COLOUR
            end = place(bar.median)
            line = [place(bar.lowest), place(bar.highest)]
            write(left - 8, top + 12, bar.who, end=True)
            shapes.append(f'<rect x="{left:.1f}" y="{top}" '
                          f'width="{end - left:.1f}" height="{BAR}" '
                          f'fill="{colour}"/>')
            shapes.append(f'<line x1="{line[0]:.1f}" x2="{line[1]:.1f}" '
                          f'y1="{top + BAR / 2}" y2="{top + BAR / 2}" '
                          'stroke="#333"/>')
            write(max(end, *line) + 6, top + 12, bar.label)
            top += LINE
        top += GAP - 8
    return (f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'width="{math.ceil(right + MARGIN)}" height="{top}" '
            f'font-family="sans-serif">\n'
            '<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(shapes) + "\n</svg>\n")


def value_of(text):
    """The number that `readable` has written."""
    number, _, unit = text.strip().replace(",", "").partition(" ")
    return float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit]


def plots_of_page(page):
    """Yields (suite, groups, processor, date) of a results.md."""
    about = dict(re.findall(r"^\* (\w[\w ]*): (.*)$", page, re.MULTILINE))
    for part in page.split("\n## ")[1:]:
        suite, _, table = part.partition("\n")
        groups = {}
        for row in table.splitlines():
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            what, dot, who = cells[0].rpartition(".")
            if len(cells) != 4 or not dot:
                continue
            low, _, high = cells[3].partition(" .. ")
            groups.setdefault((what, cells[2]), []).append(
                Bar(who, value_of(cells[1]), value_of(low), value_of(high),
                    cells[1]))
        groups = with_peers(groups)
        if groups:
            yield suite, groups, about["processor"], about["date"][:10]


def with_peers(groups):
    """What Troupe and at least one other do."""
    return {what: bars for what, bars in groups.items()
            if len(bars) > 1 and any(bar.who == "troupe" for bar in bars)}

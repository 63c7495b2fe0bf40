#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""plots_test.py FOLDER...: nothing in a plot is cut off, neither in drawn ones
nor in the SVGs of these folders, which must be those of their results.md."""

import pathlib
import sys
import unittest
import xml.etree.ElementTree as tree

sys.dont_write_bytecode = True
import plots  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
# On average no sans-serif message is narrower than the estimate of a label.
LETTER = 0.6


def outside(picture):
    """What stands beyond the edges of an SVG."""
    root = tree.fromstring(picture)
    width, height = float(root.get("width")), float(root.get("height"))
    found = []
    for each in root.iter():
        if each.tag == SVG + "text":
            text = "".join(each.itertext())
            size = float(each.get("font-size", root.get("font-size", 12)))
            x, length = float(each.get("x")), len(text) * size * LETTER
            first = x - length if each.get("text-anchor") == "end" else x
            if first < 0 or first + length > width:
                found.append(text)
            if not size <= float(each.get("y")) <= height:
                found.append(text)
        elif each.tag == SVG + "rect" and each.get("x"):
            if float(each.get("x")) + float(each.get("width")) > width:
                found.append("a bar")
        elif each.tag == SVG + "line":
            if max(float(each.get("x1")), float(each.get("x2"))) > width:
                found.append("a line")
    return found


def drawn(*bars):
    return plots.draw("suite", {("what", "1/s"): list(bars)}, "processor",
                      "2026-01-01")


class Plots(unittest.TestCase):
    def test_the_label_of_the_longest_bar_is_inside(self):
        for label in ("52.1", "52.1 M", "a label that is longer than any"):
            picture = drawn(plots.Bar("troupe", 52.1, 52.0, 53.0, label),
                            plots.Bar("python", 1.0, 0.9, 1.1, "1"))
            self.assertEqual(outside(picture), [])
            self.assertIn(label, picture)

    def test_a_highest_value_far_above_the_median_is_inside(self):
        for highest in (1e3, 1e9, 1e15):
            self.assertEqual(outside(drawn(
                plots.Bar("troupe", 10.0, 0.0, highest, "10"),
                plots.Bar("python", 10.0, 1e-9, 10.0, "10"))), [])

    def test_long_names_and_equal_values_are_inside(self):
        self.assertEqual(outside(plots.draw(
            "suite", {("what " * 30, "bytes per second"): [
                plots.Bar("troupe", 1.0, 1.0, 1.0, "1"),
                plots.Bar("a competitor with a long name " * 3, 1.0, 1.0, 1.0,
                          "1")]}, "a processor " * 10, "2026-01-01")), [])

    def test_what_stands_outside_is_seen(self):
        picture = drawn(plots.Bar("troupe", 52.1, 52.0, 53.0, "52.1"),
                        plots.Bar("python", 1.0, 0.9, 1.1, "1"))
        width = tree.fromstring(picture).get("width")
        self.assertNotEqual(outside(picture.replace(
            f'width="{width}"', f'width="{float(width) * 0.6}"')), [])

    def test_the_plots_of_a_page_are_its_own_and_nothing_is_outside(self):
        for folder in FOLDERS:
            page = (folder / "results.md").read_text()
            suites = set()
            for suite, *what in plots.plots_of_page(page):
                suites.add(suite)
                picture = (folder / f"{suite}.svg").read_text()
                self.assertEqual(outside(picture), [], suite)
                self.assertEqual(picture, plots.draw(suite, *what), suite)
            self.assertEqual(suites,
                             {each.stem for each in folder.glob("*.svg")})


if __name__ == "__main__":
    FOLDERS = [pathlib.Path(each) for each in sys.argv[1:]]
    unittest.main(argv=sys.argv[:1])

"""Makes ``src/logshed/pages/world.json``, the map's outlines, of Natural Earth as the npm package world-atlas has it.

How to make it anew: ``npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz && python tools/world.py package``.
The file holds, in hundredths of a degree: for each country of the small scale (1:110 m) its ISO code and its rings,
each as first point and then steps (x, y, dx, dy, …), cut where they cross the 180th meridian; and for each country of
the medium scale (1:50 m) the middle of its largest part, for events of which the country alone is known.
"""
# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

Point = tuple[float, float]
Ring = list[Point]
TO = Path(__file__).parent.parent / "src" / "logshed" / "pages" / "world.json"
ABOUT = "Made by tools/world.py of Natural Earth 4.1.0 (public domain)"
SCALE = 100
HALF, WHOLE = 180.0, 360.0
POLE = 90.0
CODES = """
AD20 AE784 AF4 AG28 AI660 AL8 AM51 AO24 AQ10 AR32 AS16 AT40 AU36 AW533 AX248 AZ31 BA70 BB52 BD50 BE56 BF854 BG100 BH48
BI108 BJ204 BL652 BM60 BN96 BO68 BR76 BS44 BT64 BW72 BY112 BZ84 CA124 CD180 CF140 CG178 CH756 CI384 CK184 CL152 CM120
CN156 CO170 CR188 CU192 CV132 CW531 CY196 CZ203 DE276 DJ262 DK208 DM212 DO214 DZ12 EC218 EE233 EG818 EH732 ER232 ES724
ET231 FI246 FJ242 FK238 FM583 FO234 FR250 GA266 GB826 GD308 GE268 GG831 GH288 GL304 GM270 GN324 GQ226 GR300 GS239
GT320 GU316 GW624 GY328 HK344 HM334 HN340 HR191 HT332 HU348 ID360 IE372 IL376 IM833 IN356 IO86 IQ368 IR364 IS352 IT380
JE832 JM388 JO400 JP392 KE404 KG417 KH116 KI296 KM174 KN659 KP408 KR410 KW414 KY136 KZ398 LA418 LB422 LC662 LI438
LK144 LR430 LS426 LT440 LU442 LV428 LY434 MA504 MC492 MD498 ME499 MF663 MG450 MH584 MK807 ML466 MM104 MN496 MO446
MP580 MR478 MS500 MT470 MU480 MV462 MW454 MX484 MY458 MZ508 NA516 NC540 NE562 NF574 NG566 NI558 NL528 NO578 NP524
NR520 NU570 NZ554 OM512 PA591 PE604 PF258 PG598 PH608 PK586 PL616 PM666 PN612 PR630 PS275 PT620 PW585 PY600 QA634
RO642 RS688 RU643 RW646 SA682 SB90 SC690 SD729 SE752 SG702 SH654 SI705 SK703 SL694 SM674 SN686 SO706 SR740 SS728 ST678
SV222 SX534 SY760 SZ748 TC796 TD148 TF260 TG768 TH764 TJ762 TL626 TM795 TN788 TO776 TR792 TT780 TW158 TZ834 UA804
UG800 US840 UY858 UZ860 VA336 VC670 VE862 VG92 VI850 VN704 VU548 WF876 WS882 YE887 ZA710 ZM894 ZW716
"""
"""ISO 3166-1: two letters and number of each country that the outlines have."""
NAMED = {"Kosovo": "XK"}
"""Those without a number; databases of places use this code. Others are drawn as land of no country."""
SMALL = {
    "BQ": (-68.3, 12.2), "BV": (3.4, -54.4), "CC": (96.8, -12.2), "CX": (105.7, -10.5), "GF": (-53.1, 3.9),
    "GI": (-5.35, 36.1), "GP": (-61.5, 16.2), "MQ": (-61.0, 14.7), "RE": (55.5, -21.1), "SJ": (16.0, 78.5),
    "TK": (-171.8, -9.2), "TV": (179.2, -8.5), "UM": (-160.0, 0.0), "YT": (45.2, -12.8),
}  # fmt: skip
"""Points of what the outlines do not have, or have as a part of another country: longitude, latitude."""


def codes() -> dict[int, str]:
    """Two letters by number."""
    return {int(word[2:]): word[:2] for word in CODES.split()}


class Atlas:
    """A file of outlines in TopoJSON (its specification: github.com/topojson/topojson-specification).

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        whole = json.loads(path.read_text("utf-8"))
        self.countries: list[dict[str, Any]] = whole["objects"]["countries"]["geometries"]
        self._arcs = [self._line(arc, **whole["transform"]) for arc in whole["arcs"]]

    def rings(self, country: dict[str, Any]) -> list[Ring]:
        """All rings of a country, closed, in degrees; a hole is a ring as well."""
        many = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
        return [self._ring(ring) for polygon in many for ring in polygon]

    @staticmethod
    def _line(arc: list[list[int]], scale: Point, translate: Point) -> Ring:
        """An arc's steps as points."""
        x = y = 0
        line = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            line.append((x * scale[0] + translate[0], y * scale[1] + translate[1]))
        return line

    def _ring(self, numbers: list[int]) -> Ring:
        """Arcs joined; one with a negative number is taken backwards, and joints are there once."""
        joined: Ring = []
        for number in numbers:
            line = self._arcs[number] if number >= 0 else self._arcs[~number][::-1]
            joined += line[1:] if joined else line
        return joined


def unwrapped(ring: Ring) -> Ring:
    """A ring whose longitudes go on beyond 180 degrees and do not jump; one around a pole is closed over it."""
    found = [ring[0]]
    for (before, _), (x, y) in pairwise(ring):
        step = (x - before + HALF) % WHOLE - HALF
        found.append((found[-1][0] + step, y))
    if abs(found[-1][0] - found[0][0]) > HALF:
        pole = -POLE if found[0][1] < 0 else POLE
        found += [(found[-1][0], pole), (found[0][0], pole), found[0]]
    return found


def clipped(ring: Ring, edge: float, side: int) -> Ring:
    """What of a ring lies on one side of a meridian (Sutherland and Hodgman's way, one edge)."""
    found: Ring = []
    for (x0, y0), (x1, y1) in pairwise(ring):
        inside, after = (x0 - edge) * side >= 0, (x1 - edge) * side >= 0
        if inside:
            found.append((x0, y0))
        if inside != after:
            found.append((edge, y0 + (y1 - y0) * (edge - x0) / (x1 - x0)))
    return [*found, found[0]] if found else []


def cut(ring: Ring) -> list[Ring]:
    """A ring as rings of which none crosses the 180th meridian."""
    whole = unwrapped(ring)
    pieces = []
    for turn in (-WHOLE, 0.0, WHOLE):
        piece = clipped(clipped([(x + turn, y) for x, y in whole], -HALF, 1), HALF, -1)
        if len(piece) > 3 and abs(area(piece)) > 1e-6:  # noqa: PLR2004 - a triangle, closed
            pieces.append(piece)
    return pieces


def area(ring: Ring) -> float:
    """Its signed area in square degrees."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


def middle(ring: Ring) -> Point:
    """Its centre of gravity."""
    whole = 6 * area(ring)
    crosses = [(x0 + x1, y0 + y1, x0 * y1 - x1 * y0) for (x0, y0), (x1, y1) in pairwise(ring)]
    return sum(x * one for x, _, one in crosses) / whole, sum(y * one for _, y, one in crosses) / whole


def steps(ring: Ring) -> list[int]:
    """A ring as its first point and steps, in hundredths of a degree."""
    points = [(round(x * SCALE), round(y * SCALE)) for x, y in ring]
    found = [*points[0]]
    for before, at in pairwise(points):
        if at != before:
            found += [at[0] - before[0], at[1] - before[1]]
    return found


def code_of(country: dict[str, Any], known: dict[int, str]) -> str:
    """Its two letters, or none."""
    return known.get(int(country.get("id") or 0), NAMED.get(country["properties"]["name"], ""))


def world(small: Atlas, medium: Atlas) -> dict[str, Any]:
    """What the file holds."""
    known = codes()
    largest: dict[str, Ring] = {}
    for country in medium.countries:
        code = code_of(country, known)
        for ring in (piece for one in medium.rings(country) for piece in cut(one)):
            if code and abs(area(ring)) > abs(area(largest.get(code, ring[:1]))):
                largest[code] = ring
    points = {code: middle(ring) for code, ring in largest.items()} | SMALL
    outlines = [
        {
            "code": code_of(country, known),
            "rings": [steps(piece) for ring in small.rings(country) for piece in cut(ring)],
        }
        for country in small.countries
    ]
    return {
        "about": ABOUT,
        "scale": SCALE,
        "countries": sorted(outlines, key=lambda one: str(one["code"])),
        "points": {code: [round(x * SCALE), round(y * SCALE)] for code, (x, y) in sorted(points.items())},
    }


def main() -> None:
    """Make the file."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and a folder
        sys.exit("usage: python tools/world.py FOLDER-OF-WORLD-ATLAS")
    folder = Path(sys.argv[1])
    made = world(Atlas(folder / "countries-110m.json"), Atlas(folder / "countries-50m.json"))
    text = json.dumps(made, separators=(",", ":"))
    TO.write_text(text.replace('{"code"', '\n{"code"').replace('"points"', '\n"points"') + "\n", "utf-8")
    print(f"{TO.name}: {len(made['countries'])} outlines, {len(made['points'])} points, {TO.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""The world's outlines: cut rightly, in their places, and drawn where they belong."""

from __future__ import annotations

import importlib.util
import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.doors.conftest import Told, opened
from tests.pages.conftest import seen

from logshed.pages.live import FILES, static
from logshed.pages.render import asset

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from logshed.pages.live import File

Ring = list[tuple[float, float]]
CITIES = {
    "FR": (2.35, 48.86), "US": (-96.8, 32.78), "RU": (37.62, 55.75), "FJ": (178.1, -17.8), "AU": (149.1, -35.3),
    "BR": (-47.9, -15.8), "ZA": (28.2, -25.7), "LS": (28.2, -29.6), "AQ": (0.0, -80.0), "GL": (-42.0, 72.0),
    "XK": (20.9, 42.6), "NZ": (175.6, -39.0), "IN": (77.2, 28.6), "CA": (-113.5, 53.5), "IS": (-18.5, 65.0),
}  # fmt: skip
"""A place within each of some countries: longitude, latitude."""
MODULE = "async (call) => { const world = await import('/static/map_world.js'); return %s; }"


@pytest.fixture(scope="module")
def tool() -> Any:
    path = Path(__file__).parent.parent.parent / "tools" / "world.py"
    spec = importlib.util.spec_from_file_location("world", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(asset("world.json"))
    return found


def rings(country: dict[str, Any], scale: int) -> list[Ring]:
    """Its rings in degrees."""
    made = []
    for steps in country["rings"]:
        x = y = 0
        ring = []
        for at in range(0, len(steps), 2):
            x, y = x + steps[at], y + steps[at + 1]
            ring.append((x / scale, y / scale))
        made.append(ring)
    return made


def inside(point: tuple[float, float], found: list[Ring]) -> bool:
    """Whether a point lies within rings, by how many of their edges a ray from it crosses."""
    crossed = 0
    for ring in found:
        for (x0, y0), (x1, y1) in pairwise([*ring, ring[0]]):
            if (y0 > point[1]) != (y1 > point[1]) and point[0] < x0 + (x1 - x0) * (point[1] - y0) / (y1 - y0):
                crossed += 1
    return crossed % 2 == 1


def test_each_place_lies_in_its_country_and_in_no_other(world: dict[str, Any]) -> None:
    for code, place in CITIES.items():
        found = {one["code"] for one in world["countries"] if inside(place, rings(one, world["scale"]))}
        assert found == {code}


def test_no_outline_crosses_the_180th_meridian(world: dict[str, Any]) -> None:
    for country in world["countries"]:
        for ring in rings(country, world["scale"]):
            assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring)
            assert len(ring) >= 3
            along = [abs(x1 - x0) for (x0, y0), (x1, y1) in pairwise([*ring, ring[0]]) if abs(y0) < 89]
            assert max(along) < 60, country["code"]


def test_every_country_of_the_world_has_a_point(world: dict[str, Any], tool: Any) -> None:
    assert set(tool.codes().values()) | tool.SMALL.keys() | {"XK"} == world["points"].keys()
    assert len(world["points"]) == 250
    for outline in world["countries"]:
        assert outline["code"] == "" or outline["code"] in world["points"]
    for code in ("FR", "DE", "BR", "AU", "EG", "SG", "MT"):
        x, y = (value / world["scale"] for value in world["points"][code])
        near = {"FR": (2, 47), "DE": (10, 51), "BR": (-53, -11), "AU": (134, -25), "EG": (30, 27), "SG": (104, 1),
                "MT": (14, 36)}[code]  # fmt: skip
        assert math.dist((x, y), near) < 2


def test_a_ring_across_the_meridian_is_cut_in_two_of_the_same_area(tool: Any) -> None:
    square = [(170.0, -10.0), (-170.0, -10.0), (-170.0, 10.0), (170.0, 10.0), (170.0, -10.0)]
    pieces = tool.cut(square)
    assert sorted(abs(tool.area(piece)) for piece in pieces) == pytest.approx([200, 200])
    assert sorted((min(x for x, _ in one), max(x for x, _ in one)) for one in pieces) == [(-180, -170), (170, 180)]
    whole = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 0.0)]
    assert [abs(tool.area(piece)) for piece in tool.cut(whole)] == [50]


def test_a_ring_around_a_pole_is_closed_over_it(tool: Any) -> None:
    around = [(-180.0, -70.0), (-90.0, -70.0), (0.0, -70.0), (90.0, -70.0), (180.0, -70.0)]
    assert sum(abs(tool.area(piece)) for piece in tool.cut(around)) == pytest.approx(360 * 20)


def test_the_middle_of_a_ring_is_its_centre_of_gravity(tool: Any) -> None:
    corner = [(0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (1.0, 1.0), (1.0, 4.0), (0.0, 4.0), (0.0, 0.0)]
    assert tool.middle(corner) == pytest.approx((19 / 14, 19 / 14))


def test_the_projection_is_equal_earths_and_the_sun_stands_where_it_does(browser: Browser) -> None:
    with opened(Told()) as door, seen(browser) as window:
        window.page.goto(door.url)
        project = MODULE % "call.map((one) => world.project(...one))"
        found = window.page.evaluate(project, [[0, 0], [180, 0], [0, 90], [0, 30], [-90, 60]])
        assert found[:2] == [[0, 0], [pytest.approx(2.7066, abs=1e-4), 0]]
        assert found[2][1] == pytest.approx(1.3173, abs=1e-4)
        # A strip as far as a latitude has its share of half the globe's area, 2 pi sin(latitude).
        strips = window.page.evaluate(project, [[180, at / 10] for at in range(901)])
        for latitude in (30, 60, 90):
            area = sum((a[0] + b[0]) * (b[1] - a[1]) for a, b in pairwise(strips[: latitude * 10 + 1]))
            assert area == pytest.approx(2 * math.pi * math.sin(math.radians(latitude)), rel=1e-4)
        # Solstices and an equinox; at noon in Greenwich the sun stands there, but for the equation of time.
        moments = {
            "2026-06-21T12:00Z": (0.45, 23.44), "2026-12-21T12:00Z": (-0.5, -23.44), "2026-03-20T14:46Z": (-39.6, 0.0),
            "2026-11-03T12:00Z": (-4.1, -15.1),
        }  # fmt: skip
        sun = window.page.evaluate(MODULE % "call.map((one) => world.sun(Date.parse(one)))", list(moments))
        for (longitude, latitude), wanted in zip(sun, moments.values(), strict=True):
            assert (longitude, latitude) == pytest.approx(wanted, abs=0.5)


def test_the_files_are_small_and_hold_no_address_of_others() -> None:
    found: dict[str, File] = static()
    assert tuple(found) == FILES
    assert sum(len(one.content) for one in found.values()) < 200_000
    for name, one in found.items():
        text = one.content.decode().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, name
        assert "innerHTML" not in text, name
        assert "eval(" not in text, name

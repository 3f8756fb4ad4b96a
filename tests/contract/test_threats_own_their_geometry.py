"""No method measures, clips or draws by itself: threats do, so that one may be limited further without their lines.

What the methods' files say is read as syntax. Every exception stands here with its reason; one that is no longer
needed must go.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "algorithms"
FILES = sorted(p for room in ("attacks", "certificates", "scores", "searches") for p in (ROOT / room).rglob("*.py"))

GEOMETRY = {  # of `algorithms.mathematics`: the threat calls these
    "geometry",
    "projections",
    "linear_minimum",
    "least",
    "proximal",
    "shrink",
    "lengths",
    "distance",
    "clip",
    "ascent_direction",
    "sample_ball",
    "sample_sphere",
    "project",
}
ROUNDS_OUTWARDS = "a proof in float64 that accounts for its own roundings, in l2, the norm its theorem is about"
ALLOWED = {
    ("attacks/square/proposals.py", "minimum(maximum)"): "its own cube's faces, which `Threat.hull` made",
    ("attacks/bandits/attack.py", "np.clip"): "a prior between -1 and 1, no input",
    ("searches/climbs/estimated.py", "np.clip"): "into cubes that `Threat.hull` made",
    ("searches/ray_lengths/around.py", "minimum(maximum)"): "directions, no inputs, into the cube of size 1",
    ("searches/walks/drawing_in.py", "minimum(maximum)"): "likewise",
    ("searches/labels/line.py", "np.clip"): "into a cube that `Threat.hull` made",
    ("searches/proofs/radius.py", "np.clip"): "a first radius between those that hints leave open, no input",
    ("searches/proofs/useful_radius.py", "np.clip"): "likewise",
    ("scores/clever/linearity.py", "linalg.norm"): "Cauchy and Schwarz, for a share of what a line can change at most",
    ("certificates/nearest_neighbor/crossings.py", "np.clip"): "offsets into the room that `Threat.limits` leaves",
    ("certificates/nearest_neighbor/crossings.py", "linalg.norm"): ROUNDS_OUTWARDS,
    ("certificates/nearest_neighbor/dual_ascent.py", "np.clip"): "the dual's inner minimum, within that room",
    ("certificates/nearest_neighbor/dual_ascent.py", "linalg.norm"): ROUNDS_OUTWARDS,
    ("certificates/nearest_neighbor/surroundings.py", "linalg.norm"): ROUNDS_OUTWARDS,
}


def offences(source: str) -> Iterator[str]:
    """What a file does that is the threat's to do."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module=module, names=names) if (module or "").startswith("algorithms.mathematics"):
                yield from (f"import {name.name}" for name in names if name.name in GEOMETRY)
            case ast.Call(func=ast.Attribute(attr="clip", value=ast.Name(id="np" | "xp"))):
                yield "np.clip"
            case ast.Call(func=ast.Attribute(attr="norm", value=ast.Attribute(attr="linalg"))):
                yield "linalg.norm"
            case ast.Call(func=ast.Attribute(attr="minimum"), args=[ast.Call(func=ast.Attribute(attr="maximum")), *_]):
                yield "minimum(maximum)"
            case ast.Call(func=ast.Attribute(attr="maximum"), args=[ast.Call(func=ast.Attribute(attr="minimum")), *_]):
                yield "maximum(minimum)"
            case ast.Attribute(attr="lower" | "upper", value=ast.Attribute(attr="box") | ast.Name(id="box")):
                yield "box's sides"


def found() -> set[tuple[str, str]]:
    return {(str(path.relative_to(ROOT)), what) for path in FILES for what in offences(path.read_text())}


def test_no_method_measures_or_clips_by_itself():
    assert found() - ALLOWED.keys() == set()


def test_every_exception_is_still_needed():
    assert ALLOWED.keys() - found() == set()


@pytest.mark.parametrize(
    ("line", "offence"),
    [
        ("rows = np.clip(rows, low, high)", "np.clip"),
        ("rows = np.minimum(np.maximum(rows, low), high)", "minimum(maximum)"),
        ("rows = xp.maximum(xp.minimum(rows, high), low)", "maximum(minimum)"),
        ("away = np.linalg.norm(y - x)", "linalg.norm"),
        ("room = threat.box.upper - x", "box's sides"),
        ("room = box.upper - x", "box's sides"),
        ("from algorithms.mathematics.geometry import inner_radius, lengths", "import lengths"),
        ("from algorithms.mathematics.projections import project", "import project"),
        ("from algorithms.mathematics import geometry", "import geometry"),
    ],
)
def test_an_offence_would_be_seen(line, offence):
    assert list(offences(line)) == [offence]

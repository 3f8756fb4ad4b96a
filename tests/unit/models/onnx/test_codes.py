"""Features that are codes are found, tried with codes, and named; rows of a dynamically quantized file stand alone."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.cards import Preprocessing
from models.onnx.classifier import OnnxClassifier
from models.onnx.codes import coded, codes
from models.onnx.copying import own_copy
from models.onnx.gate.check import check
from models.onnx.inspection import inspect
from models.onnx.network import read
from models.onnx.signature import read_entry
from tests.devices import DEVICE
from tests.exports import graph

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
ML = "ai.onnx.ml"
node = helper.make_node
RNG = np.random.default_rng(0)
W, V = (RNG.normal(size=(n, 3)).astype(np.float32) for n in (3, 4))
COLORS = [10, 20, 30, 40]


def ints(*numbers):
    return np.array(numbers, np.int64)


COLUMNS = {"nothing": ints(0), "three": ints(3), "four": ints(4), "axis": ints(1)}
SPLIT = [  # of a row of four the first three numbers, and the code
    node("Slice", ["x", "nothing", "three", "axis"], ["numbers"]),
    node("Slice", ["x", "three", "four", "axis"], ["code"]),
]
ENDS = [
    node("MatMul", ["numbers", "W"], ["by_numbers"]),
    node("Add", ["by_numbers", "by_code"], ["z"]),
]


def encoder(zeros):
    return node("OneHotEncoder", ["whole"], ["one_hot"], domain=ML, cats_int64s=COLORS, zeros=zeros)


CAST, FLAT = node("Cast", ["code"], ["whole"], to=INT64), node("Reshape", ["one_hot", "flat"], ["marks"])
TIMES = node("MatMul", ["marks", "V"], ["by_code"])
TEXT = [
    node("Cast", ["code"], ["text"], to=TensorProto.STRING),
    node("OneHotEncoder", ["text"], ["one_hot"], domain=ML, cats_strings=["10", "20", "30", "40"], zeros=0),
]
EQUAL = [
    node("Equal", ["code", "colors"], ["same"]),  # (N, 1) against (4,)
    node("Cast", ["same"], ["marks"], to=FLOAT),
]
TABLE = [
    node("Cast", ["code"], ["whole"], to=INT64),
    node("Squeeze", ["whole", "axis"], ["which"]),
    node("Gather", ["V", "which"], ["by_code"]),
]
LABELS = [
    CAST,
    node("LabelEncoder", ["whole"], ["which"], domain=ML, keys_int64s=COLORS, values_floats=[0.5, 1.5, -2.0, 3.0]),
    node("MatMul", ["which", "row"], ["by_code"]),
]
FLOOR = [node("Floor", ["code"], ["whole"]), node("MatMul", ["whole", "row"], ["by_code"])]
# name -> (how the code is read, the values that are known of it)
READINGS = {
    "an encoder that refuses what it does not know": ([CAST, encoder(0), FLAT, TIMES], tuple(COLORS)),
    "an encoder that ignores what it does not know": ([CAST, encoder(1), FLAT, TIMES], tuple(COLORS)),
    "categories as text": ([*TEXT, FLAT, TIMES], tuple(COLORS)),
    "comparisons": ([*EQUAL, TIMES], (*COLORS, 41)),
    "a table of weights": (TABLE, (0, 1, 2, 3)),
    "a table of labels": (LABELS, tuple(COLORS)),
    "a cut to whole numbers": (FLOOR, ()),
}


def table(reading):
    constants = {"W": W, "V": V, "row": V[:1], "flat": ints(-1, 4), "colors": np.float32(COLORS), **COLUMNS}
    model = onnx.load_from_string(graph([*SPLIT, *reading, *ENDS], ["N", 4], [("z", FLOAT, ["N", 3])], constants))
    for imported in model.opset_import:
        if imported.domain == ML:
            imported.version = 3
    return model.SerializeToString()


def found_in(data):
    model = own_copy(onnx.load_from_string(data))
    return codes(model, read_entry(model.graph))


@pytest.mark.parametrize(("reading", "values"), READINGS.values(), ids=READINGS)
def test_a_feature_that_is_a_code_is_found_with_its_values_and_named_on_the_card(reading, values):
    data = table(reading)
    assert found_in(data) == {3: values}
    card = inspect(data, preprocessing=None, device=DEVICE)
    assert card.input.whole_features == (3,)
    assert {Access.LABELS, Access.SCORES} <= set(card.offers)


def test_scores_of_rows_with_codes_are_what_the_table_says():
    data = table(READINGS["an encoder that refuses what it does not know"][0])
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    rows = RNG.normal(size=(8, 4)).astype(np.float32)
    rows[:, 3] = np.resize(COLORS, 8)
    np.testing.assert_allclose(model.scores(rows), rows[:, :3] @ W + np.tile(V, (2, 1)), rtol=1e-5)


def test_codes_are_tried_in_the_units_of_the_caller():
    """Behind a division by 10 the rows that are tried hold 100 to 400."""
    data = table(READINGS["an encoder that refuses what it does not know"][0])
    network = read(check(data), Preprocessing(divide=10.0))
    assert set(network.rows[:, 3]) == {100, 200, 300, 400}


def test_categories_that_are_not_seen_to_belong_to_a_feature_are_refused_with_a_way_out():
    """Behind arithmetic nobody can tell which number leads to which category."""
    moved = [node("Mul", ["code", "half"], ["scaled"]), node("Cast", ["scaled"], ["whole"], to=INT64)]
    reading = [*moved, encoder(0), FLAT, TIMES]
    constants = {"W": W, "V": V, "flat": ints(-1, 4), "half": np.float32(0.5), **COLUMNS}
    data = graph([*SPLIT, *reading, *ENDS], ["N", 4], [("z", FLOAT, ["N", 3])], constants)
    with pytest.raises(Refused, match=r"ordinary rows.*handle_unknown=.ignore") as refused:
        inspect(data, preprocessing=None, device=DEVICE)
    assert refused.value.code == "model_invalid"


def test_a_category_that_a_tree_asks_for_is_a_code_and_a_threshold_is_none():
    tree = node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "z"],
        domain=ML,
        nodes_treeids=[0] * 5,
        nodes_nodeids=[0, 1, 2, 3, 4],
        nodes_featureids=[3, 1, 0, 0, 0],
        nodes_values=[20.0, 0.5, 0.0, 0.0, 0.0],
        nodes_modes=["BRANCH_EQ", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 3, 0, 0, 0],
        nodes_falsenodeids=[2, 4, 0, 0, 0],
        class_treeids=[0] * 3,
        class_nodeids=[2, 3, 4],
        class_ids=[0, 1, 2],
        class_weights=[1.0, 1.0, 1.0],
        classlabels_int64s=[0, 1, 2],
        post_transform="NONE",
    )
    assert found_in(graph([tree], ["N", 4], [("z", FLOAT, ["N", 3])], {})) == {3: (20.0,)}


def test_what_is_computed_before_it_is_rounded_is_no_code():
    """As an image is, whose pixels are rounded to 256 steps."""
    nodes = [
        node("Mul", ["x", "steps"], ["scaled"]),
        node("Round", ["scaled"], ["whole"]),
        node("MatMul", ["whole", "V"], ["z"]),
    ]
    assert found_in(graph(nodes, ["N", 4], [("z", FLOAT, ["N", 3])], {"steps": np.float32(255), "V": V})) == {}


def test_every_value_of_every_code_is_among_the_rows_that_are_tried():
    rows = coded(np.zeros((16, 3), np.float32), {0: (1.0, 2.0), 1: (), 2: (5.0, 6.0, 7.0)})
    assert (set(rows[:, 0]), set(rows[:, 1]), set(rows[:, 2])) == ({1, 2}, {0}, {5, 6, 7})


QUANTIZED = [
    node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
    node("MatMulInteger", ["q", "eighths", "zero"], ["sums"]),
    node("Cast", ["sums"], ["whole"], to=FLOAT),
    node("Mul", ["whole", "scale"], ["z"]),
]
EIGHTHS = {"eighths": RNG.integers(-8, 8, (4, 3)).astype(np.int8)}


def alone(rows):
    """The definition of DynamicQuantizeLinear, row by row: 8 bits from the row's own least to its largest number."""
    scores = []
    for row in rows:
        low, high = min(0, row.min()), max(0, row.max())
        scale = (high - low) / 255
        zero = np.clip(np.rint(-low / scale), 0, 255)
        scores.append((np.clip(np.rint(row / scale) + zero, 0, 255) - zero) @ EIGHTHS["eighths"] * scale)
    return np.array(scores)


def test_a_dynamically_quantized_file_is_asked_row_by_row_and_answers_alike_in_any_company():
    data = graph(QUANTIZED, ["N", 4], [("z", FLOAT, ["N", 3])], EIGHTHS)
    card = inspect(data, preprocessing=None, device=DEVICE)
    assert card.input.batch == 1
    assert "DynamicQuantizeLinear" in {w.offer: w.reason for w in card.withheld}[Access.GRADIENTS]
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    rows = RNG.normal(size=(9, 4)).astype(np.float32) * np.geomspace(0.1, 10, 9, dtype=np.float32)[:, None]
    together = model.scores(rows)
    np.testing.assert_allclose(together, alone(rows), rtol=1e-4, atol=1e-4)
    for i in range(9):
        np.testing.assert_array_equal(model.scores(rows[i : i + 1])[0], together[i])
        np.testing.assert_array_equal(model.scores(rows[::-1])[8 - i], together[i])


def test_a_dynamically_quantized_file_for_several_rows_at_a_time_is_refused_with_the_way_out():
    with pytest.raises(Refused, match=r"DynamicQuantizeLinear.*4 rows at a time.*free batch axis"):
        inspect(graph(QUANTIZED, [4, 4], [("z", FLOAT, [4, 3])], EIGHTHS), preprocessing=None, device=DEVICE)

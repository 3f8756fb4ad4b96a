"""Names of classes found in files: by the operators that serve them, and by what the metadata say."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from algorithms.errors import Refused
from models.onnx.classes import named_classes
from models.onnx.naming import names_by_column
from tests.exports import graph

ML = "ai.onnx.ml"
COEFFICIENTS = {"coefficients": [1.0] * 12, "intercepts": [0.0] * 3}


def linear(**labels: Any) -> onnx.NodeProto:
    return helper.make_node("LinearClassifier", ["x"], ["label", "scores"], domain=ML, **COEFFICIENTS, **labels)


def ml(op: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, [output], domain=ML, **attributes)


def plain(op: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs, [output], **attributes)


INTS, WORDS = {"classlabels_ints": [1, 2, 3]}, {"classlabels_strings": ["no", "yes", "so"]}
ENCODED = {"keys_int64s": [0, 1, 2], "values_strings": ["cat", "dog", "emu"]}
ARGMAX = [plain("Gemm", ["x", "W"], "scores"), plain("ArgMax", ["scores"], "index", axis=1, keepdims=0)]
GRAPHS: dict[str, tuple[list[onnx.NodeProto], str, tuple[Any, ...] | None]] = {
    "a classifier's label": ([linear(**INTS)], "label", (1, 2, 3)),
    "a classifier's scores": ([linear(**INTS)], "scores", (1, 2, 3)),
    "behind casts": (
        [linear(**INTS), plain("Cast", ["label"], "a", to=7), plain("Identity", ["a"], "out")],
        "out",
        (1, 2, 3),
    ),
    "behind a normalizer": ([linear(**WORDS), ml("Normalizer", ["scores"], "out")], "out", ("no", "yes", "so")),
    "a zip map's own": (
        [linear(classlabels_ints=[0, 1, 2]), ml("ZipMap", ["scores"], "out", classlabels_strings=["a", "b", "c"])],
        "out",
        ("a", "b", "c"),
    ),
    "classes[argmax]": ([*ARGMAX, ml("ArrayFeatureExtractor", ["labels", "index"], "out")], "out", (7, 8, 9)),
    "classes[argmax] of text": ([*ARGMAX, plain("Gather", ["words", "index"], "out")], "out", ("a", "b", "c")),
    "an encoded argmax": ([*ARGMAX, ml("LabelEncoder", ["index"], "out", **ENCODED)], "out", ("cat", "dog", "emu")),
    "encoded classes": (
        [linear(**INTS), ml("LabelEncoder", ["label"], "out", keys_int64s=[3, 1, 2], values_strings=["c", "a", "b"])],
        "out",
        ("a", "b", "c"),
    ),
    "an old encoder": (
        [*ARGMAX, ml("LabelEncoder", ["index"], "out", classes_strings=["a", "b", "c"])],
        "out",
        ("a", "b", "c"),
    ),
    "an encoder with a gap": (
        [*ARGMAX, ml("LabelEncoder", ["index"], "out", keys_int64s=[0, 2], values_strings=["a", "c"])],
        "out",
        None,
    ),
    "whole numbers in float": ([*ARGMAX, plain("Gather", ["floats", "index"], "out")], "out", (1, 2, 3)),
    "a bare argmax": (ARGMAX, "index", None),
    "bare scores": (ARGMAX, "scores", None),
    "a column of scores": ([*ARGMAX, plain("Gather", ["scores", "one"], "out", axis=1)], "out", None),
}
CONSTANTS = {
    "W": np.ones((4, 3), np.float32),
    "labels": np.array([7, 8, 9]),
    "words": np.array(["a", "b", "c"], object),
    "floats": np.array([1, 2, 3], np.float32),
    "one": np.array(1),
}


def made(nodes: list[onnx.NodeProto], *outputs: str, **metadata: str) -> onnx.ModelProto:
    declared = [(name, TensorProto.FLOAT, None) for name in outputs]
    model = onnx.ModelProto.FromString(graph(nodes, ["N", 4], declared, CONSTANTS))
    helper.set_model_props(model, metadata)
    return model


@pytest.mark.parametrize("name", GRAPHS)
def test_the_class_list_is_that_of_the_operator_that_makes_the_output(name: str) -> None:
    nodes, output, expected = GRAPHS[name]
    assert named_classes(made(nodes, output), output) == expected


@pytest.mark.parametrize(
    ("key", "text", "names"),
    [
        ("classes", '["cat", "dog", "emu"]', ("cat", "dog", "emu")),
        ("names", "{0: 'cat', 1: 'dog', 2: 'emu'}", ("cat", "dog", "emu")),
        ("names", '{"2": "emu", "0": "cat", "1": "dog"}', ("cat", "dog", "emu")),
        ("class_to_idx", '{"emu": 2, "cat": 0, "dog": 1}', ("cat", "dog", "emu")),
        ("Labels", "cat, dog,emu", ("cat", "dog", "emu")),
        ("class_names", "cat\ndog\nemu\n", ("cat", "dog", "emu")),
        ("class_names", "('cat', 'dog', 'emu')", ("cat", "dog", "emu")),
        ("classes", "[1, 2, 3]", ("1", "2", "3")),
        ("classes", "1,2,3", ("1", "2", "3")),
        ("classes", "3", None),  # how many there are
        ("classes", '["cat", "dog"]', None),
        ("classes", '["cat", "dog", "cat"]', None),
        ("names", "{2: 'dog', 1: 'cat', 3: 'emu'}", ("1", "2", "3")),  # whole numbers are labels, and these are theirs
        ("label2id", '{"cat": 10, "dog": 7, "emu": 30}', ("7", "10", "30")),
        ("names", "{1: 'cat', 1.5: 'dog', 2: 'emu'}", None),
        ("classes", "[1.0, 2.0, 3.0]", ("1", "2", "3")),
        ("names", "__import__('os').getcwd(), 1, 2", ("__import__('os').getcwd()", "1", "2")),  # read, never run
        ("names", "[" * 5000, None),
        ("classes", '["cat", ["dog"], "emu"]', None),
        ("classes", '["cat", "dog", "' + "e" * 65 + '"]', None),
        ("author", '["cat", "dog", "emu"]', None),
    ],
)
def test_names_are_read_from_the_metadata(key: str, text: str, names: tuple[str, ...] | None) -> None:
    assert names_by_column(made(ARGMAX, "scores", **{key: text}), "scores", 3) == names


def test_descriptions_that_contradict_each_other_name_nothing() -> None:
    same, other = {"names": "a,b,c", "classes": '["a", "b", "c"]'}, {"labels": "c,b,a"}
    assert names_by_column(made(ARGMAX, "scores", **same), "scores", 3) == ("a", "b", "c")
    assert names_by_column(made(ARGMAX, "scores", **same, **other), "scores", 3) is None


def test_what_operators_list_counts_for_more_than_a_description() -> None:
    described = {"names": "cat,dog,emu"}
    assert names_by_column(made([linear(**INTS)], "scores", **described), "scores", 3) == ("1", "2", "3")
    from_zero = linear(classlabels_ints=[0, 1, 2])
    assert names_by_column(made([from_zero], "scores", **described), "scores", 3) == ("cat", "dog", "emu")
    assert names_by_column(made([from_zero], "scores"), "scores", 3) == ("0", "1", "2")


def test_the_label_beside_the_scores_names_them() -> None:
    nodes = [*ARGMAX, ml("LabelEncoder", ["index"], "word", **ENCODED)]
    assert names_by_column(made(nodes, "scores", "word"), "scores", 3) == ("cat", "dog", "emu")
    assert names_by_column(made(nodes, "scores", "word"), "scores", 4) is None, "it is about other classes"


def test_what_the_label_serves_is_what_its_classes_are_called() -> None:
    model = made([linear(**INTS)], "scores", names="cat,dog,emu")
    assert names_by_column(model, "scores", 3, (3, 1, 2)) == ("3", "1", "2")
    assert names_by_column(model, "scores", 3, ("a", "b", "c")) == ("a", "b", "c")
    assert names_by_column(model, "scores", 3, (0, 1, 2)) == ("cat", "dog", "emu")


def test_names_that_no_card_can_hold_are_left_out_only_where_labels_need_none() -> None:
    long = ["a", "b", "c" * 65]
    assert names_by_column(made([linear(classlabels_strings=long)], "scores"), "scores", 3) is None
    for listed in (["1", "1.0", "2"], ["1", "2", "c" * 65]):
        with pytest.raises(Refused, match="names its classes by numbers"):
            names_by_column(made([linear(classlabels_strings=listed)], "scores"), "scores", 3)

"""The rule of each operator. What has none is unknown, and so is what depends on it, until a linear layer maps it."""

from models.onnx.reading.operation import RangeRule
from models.onnx.reading.rules import affine, curves, learned, rows, selection

RULES: dict[str, RangeRule] = {**affine.RULES, **curves.RULES, **rows.RULES, **selection.RULES}
LEARNED: dict[str, RangeRule] = learned.RULES

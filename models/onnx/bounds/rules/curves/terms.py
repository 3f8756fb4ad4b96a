"""What a value is of another one: scalars and known curves, read back through the nodes that they are written in."""

from dataclasses import dataclass

from models.onnx.bounds.graph.node import Node

CURVES = ("Abs", "Erf", "Exp", "Sigmoid", "Softplus", "Tanh")
LIMITS = ((1, "min"), (2, "max"))


@dataclass(frozen=True)
class Term:
    """A term is scale * core + shift, its core x itself, a power of it, or a curve of another term."""

    scale: float
    shift: float
    core: str  # "x", the name of a curve, "power" or "sum"
    of: tuple["Term", ...] = ()
    power: float = 1.0

    def times(self, factor: float) -> "Term":
        return Term(self.scale * factor, self.shift * factor, self.core, self.of, self.power)

    def plus(self, number: float) -> "Term":
        return Term(self.scale, self.shift + number, self.core, self.of, self.power)

    @property
    def is_line(self) -> bool:
        return self.core == "x"

    @property
    def is_multiple(self) -> bool:
        """Tell a multiple of x, or of a power or a curve, from one with a shift."""
        return self.shift == 0


def read(node: Node, name: str, base: str, depth: int) -> Term | None:
    """Read what a value is of the base; None where it is not made of it by scalars and known curves alone."""
    if name == base:
        return Term(1.0, 0.0, "x")
    maker = node.trace.makers.get(name)
    if maker is None or not depth:
        return None
    rows = [source for source in maker.input if source in node.trace.shapes]
    if not rows or any(source not in node.trace.constants for source in maker.input if source and source not in rows):
        return None
    terms = [read(node, source, base, depth - 1) for source in rows]
    known = [term for term in terms if term is not None]
    if len(known) != len(rows):
        return None
    if len(rows) == 2:
        return _of_two(maker.op_type, known[0], known[1])
    return _of_one(Node(maker, node.trace, node.opset, node.device), known[0])


def _of_two(op: str, one: Term, other: Term) -> Term | None:
    if op == "Add":
        return Term(1.0, 0.0, "sum", (one, other))
    powers = [term.power if term.core == "power" else 1.0 for term in (one, other)]
    if op == "Mul" and all(term.core in ("x", "power") and term.is_multiple for term in (one, other)):
        return Term(one.scale * other.scale, 0.0, "power", (), sum(powers))
    return None


def _of_one(node: Node, term: Term) -> Term | None:
    op = node.proto.op_type
    if op == "HardSigmoid":
        return _clipped(term.times(node.attribute("alpha", 0.2)).plus(node.attribute("beta", 0.5)), 0.0, 1.0)
    if op == "Clip":
        limits = [node.attribute(name, None) if node.array(i) is None else _number(node, i) for i, name in LIMITS]
        return _clipped(term, *limits)
    if op in CURVES:
        return Term(1.0, 0.0, op, (term,))
    if op == "Neg":
        return term.times(-1.0)
    number = _number(node, 1 if node.depends(0) else 0)
    if number is None:
        return None
    if op == "Pow" and node.depends(0):
        is_power = term.is_line and term.is_multiple and number == 3
        return Term(term.scale**3, 0.0, "power", (), 3.0) if is_power else None
    if op == "Add":
        return term.plus(number)
    if op == "Sub":
        return term.plus(-number) if node.depends(0) else term.times(-1.0).plus(number)
    if op == "Mul":
        return term.times(number)
    return term.times(1 / number) if op == "Div" and node.depends(0) and number else None


def _clipped(term: Term, least: float | None, most: float | None) -> Term | None:
    """max(0, min(top, term)): `power` keeps the top."""
    return Term(1.0, 0.0, "Clip", (term,), most) if least == 0 and most else None


def _number(node: Node, i: int) -> float | None:
    """A constant operand that is one number."""
    found = node.array(i)
    return float(found.flat[0]) if found is not None and found.size == 1 else None

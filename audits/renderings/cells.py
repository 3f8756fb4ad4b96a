"""One sample's numbers as a table shows them: `≤` a point that was found, `≥` a proof, `≈` only an estimate. Pure."""

from collections.abc import Sequence

from algorithms.seam.claims import Kind
from audits.document.estimates import SampleEstimate
from audits.document.report import Report
from audits.document.rows import MethodResult, SampleRow
from audits.renderings.words import NOTHING, at_least, at_most, nearly, number, share, spaced


def is_wrong(row: SampleRow) -> bool:
    """The model gets the sample wrong before any change."""
    return not row.is_correct or row.lower_by == "misclassified"


def is_contradicted(row: SampleRow) -> bool:
    """A point was found where none can be."""
    return row.lower is not None and row.upper is not None and row.lower > row.upper


def class_name(report: Report, column: int) -> str:
    """Names the class of a column; nothing where the model tells no names, or where they are the columns' numbers."""
    names = report.model.classes_named or ()
    return names[column] if 0 <= column < len(names) and names[column] != str(column) else ""


def certified(row: SampleRow) -> str:
    return proven(row.lower) if not is_wrong(row) else number(row.lower)


def certified_by(row: SampleRow) -> str:
    """Names the method, and says how sure it is where it is not certain."""
    if row.lower_by is None or row.lower_confidence is None or row.lower_confidence >= 1:
        return row.lower_by or ""
    return f"{row.lower_by} at {share(row.lower_confidence, 3)}"


def found(row: SampleRow) -> str:
    return broken(row.upper) if not is_wrong(row) else number(row.upper)


def score_remark(estimate: SampleEstimate) -> str:
    """Says the interval of the score, and its status where that tells something."""
    between = [f"{nearly(estimate.interval[0])} to {nearly(estimate.interval[1])}"] if estimate.interval else []
    return ", ".join([*between, *([spaced(estimate.status)] if estimate.status not in (None, "ok") else [])])


def sureness(estimate: SampleEstimate) -> str:
    """Says the confidence of a certificate of another classifier."""
    return "" if estimate.value is None or estimate.confidence is None else share(estimate.confidence, 3)


def estimating(rows: Sequence[SampleRow], kind: str) -> list[str]:
    """Names the methods whose estimates of a kind stand beside the brackets."""
    told = (name for row in rows for name, estimate in row.estimates.items() if estimate.kind == kind)
    return list(dict.fromkeys(told))


def finding(result: MethodResult) -> str:
    """Says what one method found of one sample, or why it found nothing."""
    match result.kind:
        case Kind.UPPER_BOUND:
            return broken(result.value)
        case Kind.LOWER_BOUND | Kind.SMOOTHED_LOWER_BOUND:
            return proven(result.value)
        case Kind.ESTIMATE:
            return estimated(result.value)
        case Kind.MISCLASSIFIED:
            return "misclassified"
        case Kind.ABSTAINED | Kind.FOOLED:  # a class is fooled, and no audit is about classes
            return spaced(result.reason or str(result.kind))


def proven(value: float | None) -> str:
    return NOTHING if value is None else f"≥ {at_least(value)}"


def broken(value: float | None) -> str:
    return NOTHING if value is None else f"≤ {at_most(value)}"


def estimated(value: float | None) -> str:
    return NOTHING if value is None else f"≈ {nearly(value)}"

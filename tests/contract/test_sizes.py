"""What may not grow unseen: the driver and its seam, any one file of the program, and the forms of one sample.

Lines of code are lines that hold any: comments, docstrings and blank lines do not count. `seam/questions/` is left out,
for a kind of question may always be added.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
DRIVER_AND_SEAM = sorted([*(ROOT / "algorithms/driver").glob("*.py"), *(ROOT / "algorithms/seam").glob("*.py")])
PROGRAM = ("algorithms", "audits", "benchmarks", "brinell", "jobs", "models", "service", "tools", "workers")
WRITTEN_BY_A_PROGRAM = "brinell/records.py"
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()


def lines_of_code(source: str) -> int:
    bodies = (getattr(node, "body", None) for node in ast.walk(ast.parse(source)))
    stated = [node for body in bodies if isinstance(body, list) for node in body if _is_text(node)]
    told = {line for node in stated for line in range(node.lineno, node.end_lineno + 1)}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    coded = {line for t in tokens if t.type not in NO_CODE for line in range(t.start[0], t.end[0] + 1)}
    return len(coded - told)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_lines_are_counted_where_they_hold_code() -> None:
    assert (
        lines_of_code('"""A file."""\n\n# why\nx = [\n    1,  # one\n]\n\ndef f():\n    """Do."""\n    return x\n') == 5
    )


def test_driver_and_seam_are_at_most_700_lines_of_code() -> None:
    assert sum(lines_of_code(file.read_text()) for file in DRIVER_AND_SEAM) <= 700


def test_the_architecture_lists_each_file_of_driver_and_seam() -> None:
    rows = [line for line in ARCHITECTURE.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+\.py)`", row.split("|")[1])}
    assert {file.name for file in DRIVER_AND_SEAM if file.read_text()} - listed == set()


def test_no_file_of_the_program_is_longer_than_300_lines() -> None:
    files = [file for package in PROGRAM for file in (ROOT / package).rglob("*.py")]
    lengths = {file.relative_to(ROOT).as_posix(): file.read_text().count("\n") for file in files}
    assert {name for name, length in lengths.items() if length > 300} == {WRITTEN_BY_A_PROGRAM}


def test_a_sample_takes_at_most_14_forms_and_each_is_where_the_architecture_says() -> None:
    section = ARCHITECTURE.partition("## The forms of one sample")[2].partition("\n## ")[0]
    forms = re.findall(r"^\| (\d+) \|.*\| `([\w/.]+)(?:: (\w+))?` \|$", section, re.MULTILINE)
    assert [int(number) for number, _, _ in forms] == list(range(1, len(forms) + 1))
    assert 0 < len(forms) <= 14
    missing = [
        (file, name) for _, file, name in forms if not re.search(rf"(class|def) {name}", (ROOT / file).read_text())
    ]
    assert missing == []

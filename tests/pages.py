"""What each page of docs/adding-*.md adds to the code, literally: new files, and lines in files that were there."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Addition:
    """`name`: what is added. `files`: {path: whole text}, as they are afterwards, the new thing's own file first."""

    name: str
    files: dict[str, str]

    @property
    def own(self) -> str:
        return next(iter(self.files))

    @property
    def code(self) -> tuple[str, ...]:
        """What is held to the form of the code: not the tests, and no prose."""
        return tuple(file for file in self.files if file.endswith(".py") and not file.startswith("tests/"))


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of docs/`page` in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", _text(f"docs/{page}"), re.DOTALL | re.MULTILINE)


def a_method() -> Addition:
    page = _text("docs/adding-a-method.md")
    (code,), (text,) = blocks("adding-a-method.md", "python"), blocks("adding-a-method.md", "markdown")
    (file,) = re.findall(r"^`(algorithms/attacks/\w+\.py)`:$", page, re.MULTILINE)
    (described,) = re.findall(r"^`(docs/methods/\w+\.md)`: ", page, re.MULTILINE)
    return Addition(Path(file).stem, {file: code, described: text})


def a_question() -> Addition:
    """The question, the method that asks it, the model that answers, and the double of that model in the tests."""
    question, answer, double, method = blocks("adding-a-question.md", "python")
    page = _text("docs/adding-a-question.md")
    asked, asks = re.findall(r"^`(algorithms/\w+/\w+(?:/\w+)?\.py)`:$", page, re.MULTILINE)
    files = {asks: method, asked: question}
    imported = f"from {asked.removesuffix('.py').replace('/', '.')} import Crowd, Radii\n"
    for file, written, end in (
        ("models/neighbors/classifier.py", answer, "    def _vote(self"),
        ("tests/nearest.py", double, "    def labels(self"),
    ):
        text = _put(_text(file), "from algorithms.seam.questions.neighbors import", imported)
        files[file] = _put(text, end, written + "\n")
    return Addition(Path(asks).stem, files)


def a_model_kind() -> Addition:
    page = _text("docs/adding-a-model-kind.md")
    classifier, opening, row = blocks("adding-a-model-kind.md", "python")
    (paragraph,) = blocks("adding-a-model-kind.md", "markdown")
    files = re.findall(r"`(models/\w+/\w+\.py)`[^`]*:\n\n```python", page)
    folder = Path(files[1]).parent
    kinds = _put(_text("models/kinds.py"), "\nKINDS: ", row)
    return Addition(
        folder.name,
        {
            files[1]: opening,
            files[0]: classifier,
            f"{folder}/__init__.py": "",
            "models/kinds.py": _put(kinds, ")}\nUPLOADED", f", {folder.name.upper()}"),
            "docs/api.md": _put(_text("docs/api.md"), "**Endpoints.**", paragraph + "\n"),
        },
    )


def a_work_kind() -> Addition:
    code, _ = blocks("adding-a-work-kind.md", "python")
    (file,) = re.findall(r"^`(workers/work/\w+\.py)`:$", _text("docs/adding-a-work-kind.md"), re.MULTILINE)
    return Addition(Path(file).stem, {file: code})


def request_of(page: str) -> dict[str, object]:
    """The one JSON body that docs/`page` shows."""
    (body,) = blocks(page, "json")
    asked: dict[str, object] = json.loads(body)
    return asked


def _text(file: str) -> str:
    return (ROOT / file).read_text()


def _put(text: str, before: str, what: str) -> str:
    """Inserts in front of the first place that reads so."""
    assert before in text, before
    return text.replace(before, what + before, 1)

"""A public docstring begins with a sentence, which is understood without the signature.

A sentence has a verb. So the first one either begins with what a function does ("Returns the card", or for a command
"Show the card"), or holds a word that can be nothing but a verb; and it does not begin with a value or in the middle.
Lists of words cannot prove grammar, but they catch what we used to write: "None where there is no such file", "With its
jobs".
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("jobs", "service", "brinell", "tools")  # where every public thing has a docstring
REREAD = (*PACKAGES, "algorithms", "audits", "benchmarks", "models", "workers")  # where each begins with a sentence
WRITTEN_BY_A_PROGRAM = {"brinell/records.py"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a function does, in the third person; without its ending it is what a command is told to do.
DOES = _words("""
    adds admits allows answers asks audits begins blocks bounds brings builds calls cancels catches changes charges
    checks chooses climbs clips closes collects commits compares composes computes concludes confirms connects
    converts copies counts creates cuts decides declares decodes deletes describes differentiates divides draws drops
    encodes
    encrypts ends estimates expects extends fetches fills finds fits flattens follows forgets frees gathers gives
    goes groups guesses halves hands has hashes hides holds indexes inserts inspects is joins judges keeps knows
    lays leads lets lists loads locates looks makes maps marks measures merges moves multiplies names notes opens
    packs parses picks plans prepares presses prints projects proves puts raises ranks reaches reads rebuilds
    receives refuses registers releases remembers removes renders replaces reports reserves returns revokes runs
    samples saves says scales scores sends serves sets settles shortens shows shrinks skips sleeps solves sorts
    speaks splits stands starts stops stores streams sums sweeps takes tells traces transposes tries turns undoes
    unpacks uploads uses waits walks widens wires wraps writes yields
""")
# Words that are verbs wherever they stand, unlike "answers" and "samples".
FINITE = _words("""
    adds answers are becomes begins belongs bounds can climbs closes comes contains could depends describes did do
    does exists finds fits follows gets gives goes had happens has have holds is keeps knows lets lies listens looks
    makes may means might must needs offers owns proves raises ran reads refuses returns said says sets shall should
    shows sits speaks stands takes tells tries was went were will would writes
""")


# What begins no sentence of ours: a value of which one has to guess whose it is, or half of a thought.
FRAGMENTS = _words("also false like likewise none nothing true")


def docstrings(packages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Where it stands (file and name), and its text: of every public module, class, function and method."""
    files = (file for package in packages for file in sorted((ROOT / package).rglob("*.py")))
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        if file.name == "__init__.py" or name in WRITTEN_BY_A_PROGRAM:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield name, ast.get_docstring(tree) or ""
        yield from ((f"{name} {place}", text) for place, text in _within(tree, ""))


def _within(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, str]]:
    for node in parent.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield prefix + node.name, ast.get_docstring(node) or ""
            if isinstance(node, ast.ClassDef):
                yield from _within(node, f"{prefix}{node.name}.")


def first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s", paragraph, maxsplit=1)[0]


def has_a_verb(sentence: str) -> bool:
    words = re.findall(r"[a-z']+", re.sub(r"`[^`]*`", "", sentence).lower())
    if not words or words[0] in FRAGMENTS:
        return False
    does = {words[0], words[0] + "s", words[0] + "es", re.sub("y$", "ies", words[0])}
    return not DOES.isdisjoint(does) or not FINITE.isdisjoint(words)


def test_every_public_thing_says_what_it_is() -> None:
    assert [place for place, text in docstrings(PACKAGES) if not text] == []


def test_every_docstring_begins_with_something_that_ends() -> None:
    assert [
        place
        for place, text in docstrings(REREAD)
        if text and not first_sentence(text).endswith((".", "?", "!", ":", "…"))
    ] == []


def test_every_function_and_class_begins_with_a_sentence() -> None:
    told = [(place, first_sentence(text)) for place, text in docstrings(REREAD) if text and " " in place]
    assert [f"{place}: {said}" for place, said in told if not has_a_verb(said)] == []


@pytest.mark.parametrize(
    "fragment", ["None where there is none.", "With its jobs.", "Likewise.", "A few lines.", "", "`x`."]
)
def test_a_fragment_is_seen(fragment: str) -> None:
    assert not has_a_verb(fragment)


@pytest.mark.parametrize(
    "sentence",
    ["Returns a job.", "Show a job.", "A deadline is a number of seconds.", "An error says why a job ended."],
)
def test_a_sentence_is_seen(sentence: str) -> None:
    assert has_a_verb(sentence)

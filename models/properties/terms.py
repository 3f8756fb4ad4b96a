"""VNN-LIB as nested lists of words, each with the line it stands in. Every limit is checked before anything grows."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from algorithms.errors import Refused

TEXT, WORDS, DEEPEST = 2**23, 2**20, 32  # characters, words, lists in lists
TOKEN = re.compile(r'[()]|;[^\n]*|"[^"\n]*"|\[[^][()\n;]*\]|[^\s();"\[\]]+|\S')
SHOWN = 40  # characters of a word that a sentence quotes


class Word(NamedTuple):
    """A word may have numbers in brackets behind it: an index, or a shape."""

    text: str
    line: int
    numbers: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return repr(self.text[:SHOWN].encode("ascii", "replace").decode())


class Group(NamedTuple):
    """A group is what stands between two parentheses."""

    parts: tuple["Word | Group", ...]
    line: int

    @property
    def head(self) -> str:
        """Give the first word, or nothing where it is none."""
        return self.parts[0].text if self.parts and isinstance(self.parts[0], Word) else ""

    def __str__(self) -> str:
        return f"({self.head[:SHOWN].encode('ascii', 'replace').decode()} ...)"


Phrase = Word | Group


def refusal(what: str, line: int) -> Refused:
    """Make the refusal that says in which line what was found."""
    return Refused(f"The property cannot be read, line {line}: {what}. Mend it and send VNN-LIB 1.0 or 2.0 again.")


def statements(text: str) -> Iterator[Group]:
    """Yield the groups that stand in no other. Raises Refused."""
    if len(text) > TEXT:
        raise refusal(f"the text has more than {TEXT:,} characters", 1)
    open_: list[list[Phrase]] = []
    began: list[int] = []
    for word in _words(text):
        if word.text == "(":
            if len(open_) == DEEPEST:
                raise refusal(f"parentheses are nested more than {DEEPEST} deep", word.line)
            open_.append([])
            began.append(word.line)
        elif not open_:
            raise refusal(f"{word} stands outside of all statements", word.line)
        elif word.text == ")":
            whole = Group(tuple(open_.pop()), began.pop())
            if open_:
                open_[-1].append(whole)
            else:
                yield whole
        elif word.text.startswith("["):
            open_[-1].append(_indexed(open_[-1], word))
        else:
            open_[-1].append(word)
    if open_:
        raise refusal("a parenthesis is not closed", began[-1])


def _words(text: str) -> Iterator[Word]:
    line, at, count = 1, 0, 0
    for found in TOKEN.finditer(text):
        word = found.group()
        if word.startswith(";"):
            continue
        line, at, count = line + text.count("\n", at, found.start()), found.start(), count + 1
        if count > WORDS:
            raise refusal(f"the text has more than {WORDS:,} words", line)
        yield Word(word, line)


def _indexed(before: list[Phrase], brackets: Word) -> Word:
    """Take the word before brackets out again, for it to have their numbers."""
    numbers = [part.strip() for part in brackets.text.strip("[]").split(",")]
    are_whole = all(re.fullmatch(r"\d{1,9}", number, re.ASCII) for number in numbers) or numbers == [""]
    if not are_whole or not before or not isinstance(before[-1], Word) or before[-1].numbers is not None:
        raise refusal(f"{brackets} is no list of whole numbers behind a name or a type", brackets.line)
    word = before.pop()
    assert isinstance(word, Word)
    return word._replace(numbers=tuple(map(int, numbers)) if numbers != [""] else ())

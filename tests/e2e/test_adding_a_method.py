"""The end of docs/adding-a-method.md, literally: the new method is shown and run like any other."""

import shlex

import pytest

from tests.e2e.command_line import make_folder, run, up
from tests.following import Copy
from tests.pages import a_method, blocks

pytestmark = pytest.mark.slow


def test_the_method_of_the_page_is_listed_shown_and_run(tmp_path):
    added = a_method()
    copy = Copy(tmp_path / "checkout")
    copy.add(added)
    here = make_folder(tmp_path / "here")
    *_, commands = blocks("adding-a-method.md", "bash")
    show, go = (shlex.split(line)[1:] for line in commands.splitlines())
    with up(here, python=copy.interpreter):
        listed = run("methods", "list", folder=here, python=copy.interpreter)
        shown = run(*show, folder=here, python=copy.interpreter)
        code, out, err = run(*go, "--limit", "2", folder=here, python=copy.interpreter)
    assert (listed[0], shown[0], code) == (0, 0, 0), err
    assert added.name in listed[1] and "halvings" in shown[1]
    assert f"{added.name}: 2 samples (2 upper bounds)" in out, out

"""The one command that measures a card ends with a sentence where there is none."""

import pytest
import torch

from benchmarks import card


@pytest.mark.parametrize("asked", ["cuda", "auto"])
def test_without_a_card_it_says_so_and_ends(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRINELL_DEVICE", asked)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        card.need()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Skipped: ")


def test_on_the_processor_the_script_itself_can_be_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRINELL_DEVICE", "cpu")
    card.need()  # neither ends nor says anything
    assert capsys.readouterr().out == ""

"""Tables fit a narrow terminal, and what is copied from them stands on one line."""

from brinell.printing.terminal import print_table


def test_an_id_stands_on_one_line_and_other_columns_give_way(capsys):
    job = "job_" + 22 * "x"
    print_table(
        ["id", "method", "state", "created"],
        [[job, "frank_wolfe_black_box", "succeeded, 3 of 3 samples", "2026-11-28T19:01:59.277000Z"]],
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{job} ") for line in lines)
    assert max(map(len, lines)) <= 80

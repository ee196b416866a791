"""What a preview shows of a command is read back as it was written."""

from __future__ import annotations

from configs.deploy import bundle, numbered, script
from configs.deploy.reading import file_variables, parameters, rows, unbundled

ODD = {"A": 'it\'s "$HOME"\nB=1\n', "B_1": "", "DIR": "/x y/z", "Z": "plain"}


def test_parameters_come_back_as_they_went_in() -> None:
    assert parameters(script("files", **ODD)) == ODD
    assert parameters("# a script\nA=1\n") == {}, "only those in front"
    assert parameters("") == {}


def test_a_table_comes_back_as_it_went_in() -> None:
    table = [{"ROLE": f"role-{n}", "RELOAD": f"docker restart {n}"} for n in range(12)]
    assert rows(parameters(script("project", HOST="x", **numbered(table)))) == table
    assert rows({}) == []


def test_files_come_back_in_their_order_and_all_of_them() -> None:
    one, other = {"a": "1\n\n2\n", "b/c": "x\n"}, {"a": "again\n"}
    text = bundle(one, whole=False) + bundle(other)
    assert unbundled(text) == [*one.items(), *other.items()]
    assert unbundled("no files") == []


def test_variables_with_files_stand_in_the_order_of_the_command() -> None:
    names = ["SCRIPT", "FILES_AGENT_2", "FILES", "FILESYSTEM", "FILES_AGENT", "MY_FILES"]
    assert file_variables(names) == ["FILES", "FILES_AGENT", "FILES_AGENT_2"]

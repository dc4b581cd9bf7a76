"""`make test` says of each test what became of it, also where it had to run twice."""

from pathlib import Path

from tests.system.run import outcomes, summary

A, B = ("tests/api/test_a.py", "test_one"), ("tests/api/test_a.py", "test_two")


def _report(folder: Path, name: str, *cases: tuple[str, str]) -> None:
    told = "".join(f'<testcase classname="tests.api.test_a" name="{test}">{what}</testcase>' for test, what in cases)
    (folder / f"{name}.xml").write_text(f"<testsuites><testsuite>{told}</testsuite></testsuites>")


def test_what_fails_twice_has_failed(tmp_path: Path) -> None:
    _report(tmp_path, "lane-1", ("test_one", "<failure/>"), ("test_two", ""))
    first = outcomes(tmp_path)
    _report(tmp_path, "again", ("test_one", "<failure/>"), ("test_two", ""))
    assert outcomes(tmp_path) == {A: "failed", B: "passed"}
    assert summary(first, outcomes(tmp_path), 1).splitlines()[1:] == [
        "FAILED tests/api/test_a.py::test_one",
        "===== 1 failed, 1 passed in 1.00s =====",
    ]


def test_what_holds_only_the_second_time_is_named(tmp_path: Path) -> None:
    _report(tmp_path, "lane-1", ("test_one", "<error/>"), ("test_two", ""))
    first = outcomes(tmp_path)
    _report(tmp_path, "again", ("test_one", ""), ("test_two", ""))
    assert summary(first, outcomes(tmp_path), 1).splitlines()[1:] == [
        "ONLY THE SECOND TIME tests/api/test_a.py::test_one",
        "===== 2 passed in 1.00s =====",
    ]


def test_what_fails_for_the_first_time_at_the_second_has_failed(tmp_path: Path) -> None:
    _report(tmp_path, "lane-1", ("test_one", "<failure/>"), ("test_two", ""))
    _report(tmp_path, "again", ("test_one", ""), ("test_two", "<failure/>"))
    assert outcomes(tmp_path) == {A: "passed", B: "failed"}


def test_trouble_after_a_test_that_passed_counts(tmp_path: Path) -> None:
    _report(tmp_path, "lane-1", ("test_one", ""), ("test_one", "<error/>"))
    assert outcomes(tmp_path) == {A: "error"}

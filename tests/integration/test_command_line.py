"""What a shell sees of leat: exit codes, and which words go where."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.lib.leat import ROOT, Leat

CONFIG = """\
pipelines:
  shop:
    source:
      type: postgres
      url: postgresql://user:${env:SECRET}@localhost/shop
      tables: [public.orders]
    sinks:
      - type: delta
        location: ./lake/{schema}/{table}
"""


def test_help_goes_to_stdout(leat: Leat) -> None:
    for words in (["help"], ["--help"], ["help", "config"], ["config", "--help"]):
        done = leat.run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: leat ")
    assert leat.run("help", "config").stdout == leat.run("config", "-h").stdout


def test_the_version_is_one_line(leat: Leat) -> None:
    done = leat.run("--version")
    assert done.returncode == 0
    name, version = done.stdout.split()
    assert name == "leat"
    assert f"version: '{version}'" in (ROOT / "meson.build").read_text()


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ([], "no command given", "try 'leat help'"),
        (["confg"], 'unknown command "confg"; did you mean "config"?', "try 'leat help'"),
        (
            ["help", "confg"],
            'unknown command "confg"; did you mean "config"?',
            "try 'leat help help'",
        ),
        (
            ["config", "--cnofig"],
            'unknown option "--cnofig"; did you mean "--config"?',
            "try 'leat help config'",
        ),
        (
            ["config", "shwo"],
            '"config": unknown argument "shwo"',
            "try 'leat help config'",
        ),
    ],
)
def test_misuse_says_what_is_wrong_and_where_help_is(
    leat: Leat, words: list[str], problem: str, hint: str
) -> None:
    done = leat.run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"leat: {problem}\n{hint}\n"


def test_a_missing_configuration_is_named(leat: Leat) -> None:
    done = leat.run("config", "show")
    assert done.returncode == 2
    assert done.stderr == 'leat: cannot open "leat.yaml": No such file or directory\n'


def test_a_bad_configuration_is_an_error_with_its_place(leat: Leat) -> None:
    leat.config_path.write_text(CONFIG.replace("tables:", "tabels:"))
    done = leat.run("config", "show", SECRET="s3cret")
    assert done.returncode == 2
    assert ':6:7: unknown key "tabels" in source; did you mean "tables"?\n' in done.stderr
    assert "try" not in done.stderr


def test_a_missing_secret_is_named_and_a_present_one_is_not_shown(leat: Leat) -> None:
    leat.config_path.write_text(CONFIG)
    done = leat.run("config", "show")
    assert done.returncode == 2
    assert ':5:12: environment variable "SECRET" is not set\n' in done.stderr
    done = leat.run("config", "show", SECRET="s3cret")
    assert done.returncode == 0
    assert "s3cret" not in done.stdout + done.stderr
    assert 'url: "postgresql://user:***@localhost/shop"' in done.stdout
    assert "# default" in done.stdout


def test_the_failure_of_a_service_is_a_log_line(leat: Leat) -> None:
    leat.config_path.write_text(CONFIG + "observe: {metrics: '192.0.2.1:1', health: off}\n")
    done = leat.run("run", SECRET="s3cret")
    assert done.returncode == 2
    last = json.loads(done.stderr.splitlines()[-1])
    assert (last["level"], last["kind"]) == ("error", "config")
    assert 'cannot listen on "192.0.2.1:1"' in last["error"]


def test_output_that_cannot_be_written_is_a_failure(leat: Leat) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            leat.command("config", "docs"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot write to standard output: No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("words", "page"),
    [(["config", "docs"], "configuration"), (["config", "docs", "metrics"], "metrics")],
)
def test_the_reference_pages_are_what_the_program_says(
    leat: Leat, words: list[str], page: str
) -> None:
    done = leat.run(*words)
    assert done.returncode == 0
    assert done.stdout == (ROOT / "docs" / "reference" / f"{page}.md").read_text()

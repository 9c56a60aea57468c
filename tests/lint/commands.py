# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a checker over every C file as the build compiles it, on all cores."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess

import tree


def entries(build):
    """(path, arguments of the compiler) for each C file of the build, once, but for what is
    generated."""
    with open(pathlib.Path(build, "compile_commands.json"), encoding="utf-8") as stream:
        database = json.load(stream)
    found, generated = {}, pathlib.Path(build).resolve()
    for entry in database:
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.suffix == ".c" and path.is_relative_to(tree.ROOT) and not path.is_relative_to(generated):
            found.setdefault(path.relative_to(tree.ROOT), shlex.split(entry["command"]))
    return sorted(found.items())


def without_output(arguments):
    """The arguments but for the compiler (and ccache before it, where that is installed), the file
    and where results go."""
    kept, skip = [], False
    for argument in arguments[2 if pathlib.Path(arguments[0]).name == "ccache" else 1:]:
        if skip:
            skip = False
        elif argument in ("-o", "-MF", "-MQ", "-c"):
            skip = argument != "-c"
        elif not argument.startswith("-M"):
            kept.append(argument)
    return kept[:-1]


def run_all(build, command_of, count_as_problem):
    """command_of(path, arguments) is run for each file, in the build's directory; what it says is a
    problem when count_as_problem(status, text) says so. The problems, and how many files there
    were."""
    def one(entry):
        path, arguments = entry
        result = subprocess.run(command_of(path, arguments), cwd=build, capture_output=True, text=True, check=False)
        return result.stdout + result.stderr if count_as_problem(result.returncode, result.stdout + result.stderr) else None

    todo = entries(build)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [said.strip() for said in pool.map(one, todo) if said is not None], len(todo)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which file calls which, as the objects of a build say: what each defines, and what it wants. A
call through a pointer is none, and files whose functions one header declares are one thing."""

import collections
import json
import pathlib
import re
import shlex
import subprocess
import tempfile

import commands
import includes
import tree

SOURCES = (".c", ".S")
# A declaration begins in the first column; what is static in a header is no part of any object.
DECLARED = re.compile(r"^(?!static\b|typedef\b)[A-Za-z_].*$", re.MULTILINE)
LINKER_ONLY = ("-Wl,", "-nostdlib", "-static", "@")


def _below(root, build, path):
    """What is generated is nobody's source."""
    path = pathlib.Path(path).resolve()
    ours = path.is_relative_to(root) and not path.is_relative_to(build.resolve())
    return path.relative_to(root) if ours and path.suffix in SOURCES else None


def compiled(root, build, folder):
    """(source below @root, object) for all that the build compiles one by one; what it has not yet
    compiled is compiled into @folder."""
    database = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    for number, entry in enumerate(database):
        here = pathlib.Path(entry["directory"])
        path = _below(root, build, here / entry["file"])
        if path and path.parts[0] != "tests":
            arguments = shlex.split(entry["command"])
            made = here / arguments[arguments.index("-o") + 1]
            if not made.exists():
                made = folder / f"{number}.o"
                subprocess.run([arguments[0], *commands.without_output(arguments), "-c", "-o", str(made), str(root / path)],
                               cwd=here, check=True)
            yield path, made


def programs(root, build):
    """(name, command without files and links, sources below @root) of each program that the build
    makes by a command of its own, as it does for what runs in no process."""
    targets = build / "meson-info/intro-targets.json"
    for target in json.loads(targets.read_text(encoding="utf-8")) if targets.exists() else []:
        for group in target["target_sources"]:
            sources = [path for one in group.get("sources", []) if (path := _below(root, build, one))]
            if target["type"] == "custom" and any(path.suffix == ".c" for path in sources):
                command = [word for word in group["compiler"] if word != "-o" and not word.startswith(LINKER_ONLY)]
                yield target["name"], command, sources


def compile_apart(root, command, sources, folder):
    """(source, object in @folder) of each, with the flags of the program they are one of."""
    for number, path in enumerate(sources):
        result = folder / f"apart-{number}.o"
        subprocess.run([*command, "-c", "-o", str(result), str(root / path)], check=True)
        yield path, result


def symbols(objects):
    """{object: (what it defines, what it wants)}, by nm."""
    found = {path: (set(), set()) for path in objects}
    if found:
        said = subprocess.run(["nm", "-A", "-P", "-g", *map(str, found)], check=True, capture_output=True, text=True).stdout
        for line in said.splitlines():
            path, name, kind = re.match(r"(.*): (\S+) (\S)", line).groups()
            if name != "main":
                found[pathlib.Path(path)][kind in "Uwv"].add(name)
    return found


def declared(text):
    """The functions that a header declares, and the data."""
    names = set()
    for line in DECLARED.findall(text):
        names.update(re.findall(r"\w+" if line.startswith("extern") else r"(\w+)\(", line))
    return names


class Program:
    """The files of one program, or of several that are linked from one folder's."""

    def __init__(self, pairs):
        by_object = symbols(sorted({made for _, made in pairs}))
        self.defines, self.wants = collections.defaultdict(set), collections.defaultdict(set)
        for path, made in pairs:
            self.defines[includes.unit(path)] |= by_object[made][0]
            self.wants[includes.unit(path)] |= by_object[made][1]
        self.owners = collections.defaultdict(set)
        for one, names in self.defines.items():
            for name in names:
                self.owners[name].add(one)
        self.groups = {one: {one} for one in self.defines}

    def share(self, names):
        """Those whose names one header declares are one thing."""
        group = set().union(*(self.groups[one] for name in names for one in self.owners.get(name, ())))
        for one in group:
            self.groups[one] = group

    def name(self, one):
        """The first of those that are one thing stands for them."""
        first, *others = sorted(self.groups[one])
        return f"{first} with {len(others)} that share a header" if others else first

    def edges(self):
        """{file or files: {file or files that it calls: who calls what of whom}}"""
        edges = collections.defaultdict(dict)
        for one, names in self.wants.items():
            for name in sorted(names - self.defines[one]):
                for owner in self.owners.get(name, ()):
                    grouped = len(self.groups[one]) + len(self.groups[owner]) > 2
                    why = f"{one} calls {name} of {owner}" if grouped else name
                    edges[self.name(one)].setdefault(self.name(owner), why)
        return edges


def all_programs(root, build):
    """A Program for each part of the tree, and for each program that is made in one go."""
    pairs = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        for path, made in compiled(root, build, folder):
            pairs[path.parts[0]].append((path, made))
        for name, command, sources in programs(root, build):
            pairs[name] = list(compile_apart(root, command, sources, folder))
        return [Program(found) for found in pairs.values()]


def share_headers(root, program, headers):
    """With the headers of its own part of the tree: another's may have the same names."""
    tops = {one.split("/")[0] for one in program.defines}
    for path in headers:
        if path.parts[0] in tops:
            program.share(declared(tree.text(path, root)))

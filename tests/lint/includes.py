# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the files of a tree include, and which header of the tree each include means. It judges by
the table of floors that it is given."""

import collections
import pathlib
import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def of(root, path):
    """(whether it is in angle brackets, what is included) for each include of a file."""
    return [(bracket == "<", name) for bracket, name in INCLUDE.findall(tree.text(path, root) or "")]


def folder_of(path):
    return str(path.parent)


def unit(path):
    """A source and its header are one thing."""
    return str(path.with_suffix(""))


class Includes:
    """Of all the files below the folders of the table."""

    def __init__(self, root, layers, sources):
        self.layers = layers
        self.problems = []
        self.headers = collections.defaultdict(list)
        for path in sources:
            if path.suffix == ".h":
                self.headers[path.name].append(path)
        self.system = {path: [name for bracket, name in of(root, path) if bracket] for path in sources}
        self.allowed = collections.defaultdict(set)  # the headers that a file includes, and may
        self.edges = collections.defaultdict(dict)  # unit: unit it includes: the header's name
        for path in sources:
            for bracket, name in of(root, path):
                if not bracket:
                    self._add(path, name)
        self._check_names()

    def _add(self, path, name):
        candidates = self.headers.get(pathlib.PurePath(name).name, [])
        visible = [one for one in candidates if folder_of(one) in self.layers.visible(folder_of(path))]
        # Two programs may each have a header of one name.
        own = [one for one in candidates if one.parts[0] == path.parts[0]]
        meant = visible or own or candidates
        names = " or ".join(map(str, meant))
        if not candidates:
            self.problems.append(f'{path}: includes "{name}", which is no header of the tree')
        elif not visible:
            self.problems.append(f"{path}: includes {names}, which {folder_of(path)} does not see")
        elif len(visible) > 1:
            self.problems.append(f'{path}: includes "{name}", which may be {names}')
        else:
            self.allowed[path].add(visible[0])
        if len(meant) == 1:
            self.edges[unit(path)][unit(meant[0])] = name

    def _check_names(self):
        for paths in self.headers.values():
            for number, path in enumerate(paths):
                self.problems += [f"{path} and {other}: two headers of one name"
                                  for other in paths[number + 1:] if other.parts[0] == path.parts[0]]

    def _reached(self, path):
        """The headers of the tree that a file gets to read."""
        found, todo = [], [path]
        while todo:
            for header in sorted(self.allowed.get(todo.pop(), ())):
                if header not in found:
                    found.append(header)
                    todo.append(header)
        return found

    def check_libraries(self):
        """Whether each library that a file sees, by its own include or a header's, is its
        folder's."""
        problems = []
        for path, names in self.system.items():
            allowed = self.layers.allowed(folder_of(path))
            for name in names:
                libraries = self.layers.libraries(name)
                if not libraries:
                    problems.append(f"{path}: includes <{name}>, which is of no library in {self.layers.name}")
                elif not libraries & allowed:
                    problems.append(f"{path}: includes <{name}>, and {folder_of(path)} does not see {min(libraries)}")
            for header in self._reached(path):
                for name in self.system[header]:
                    libraries = self.layers.libraries(name)
                    if libraries and not libraries & (allowed | self._refused(header)):
                        problems.append(f"{path}: reads <{name}> in {header}, and {folder_of(path)} does not see {min(libraries)}")
        return problems

    def _refused(self, header):
        """The libraries that a header itself may not have: it is told so, and its readers not."""
        allowed = self.layers.allowed(folder_of(header))
        return {one for name in self.system[header] for one in self.layers.libraries(name)
                if not self.layers.libraries(name) & allowed}


def check_manner(root, paths):
    """What no table allows: a source that is included, and a path, which meson knows."""
    problems = []
    for path in paths:
        for bracket, name in of(root, path):
            if name.endswith(".c"):
                problems.append(f"{path}: includes {name}, a source file")
            if bracket and name.startswith("../") or not bracket and "/" in name and path.parts[0] != "tests":
                problems.append(f"{path}: includes {name} by a path: meson knows the folders")
    return problems

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of floors: which folder of C may include which, and which library is seen where. It
judges the table alone, and no source."""

import tomllib


class Layers:
    def __init__(self, path):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        self.name = path.name
        self.known_by = table["libraries"]
        self.folders = table["folders"]

    def visible(self, folder):
        """The folders that a file of @folder may include from."""
        return {folder, *self.folders[folder]["sees"]}

    def allowed(self, folder):
        return set(self.folders[folder]["libraries"])

    def libraries(self, header):
        """The names of the libraries that <header> is known to belong to."""
        length, found = 0, set()
        for library, patterns in self.known_by.items():
            for pattern in patterns:
                if header == pattern or pattern.endswith("/") and header.startswith(pattern):
                    if len(pattern) > length:
                        length, found = len(pattern), set()
                    if len(pattern) == length:
                        found.add(library)
        return found

    def problems(self, inhabited):
        """What is wrong with the table itself, @inhabited being the folders that have C in them."""
        problems, below = [], set()
        for folder, entry in self.folders.items():
            for seen in entry["sees"]:
                if seen not in self.folders:
                    problems.append(f"{self.name}: {folder} sees {seen}, which is not in the table")
                elif seen not in below:
                    problems.append(f"{self.name}: {folder} sees {seen}, which is not below it")
            problems += [f"{self.name}: {folder} sees {library}, which is no library of the table"
                         for library in entry["libraries"] if library not in self.known_by]
            if folder not in inhabited:
                problems.append(f"{self.name}: {folder} has no C in it")
            below.add(folder)
        return problems + [f"{folder}: has C in it, and is not in {self.name}" for folder in sorted(inhabited - below)]

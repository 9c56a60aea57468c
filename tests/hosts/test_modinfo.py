# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalogue against the modules of all kernels, both vendors', as they lie in Debian's
packages; nothing is booted."""

import itertools
import sys
import unittest

import catalog
import image
import kernels

# How many parameters a module has at least: those of Linux 6.1.
FEWEST = {"kvm": 22, "kvm_amd": 16, "kvm_intel": 25}

# What came, went or became something else between these kernels; each fact is asked of the modules
# themselves.
FACTS = [
    # kernel, module, parameter, type in the module, kind in the catalogue
    ("6.1", "kvm_amd", "avic", "bool", "bool"),
    ("6.12", "kvm_amd", "avic", "bool", "bool"),
    ("sid", "kvm_amd", "avic", "bool", "choice"),
    ("6.1", "kvm_amd", "vnmi", None, None),
    ("6.12", "kvm_amd", "vnmi", "bool", "bool"),
    ("6.12", "kvm_amd", "enable_ipiv", None, None),
    ("sid", "kvm_amd", "enable_ipiv", "bool", "bool"),
    ("6.12", "kvm_amd", "gmet", None, None),
    ("sid", "kvm_amd", "gmet", "bool", "bool"),
    ("6.1", "kvm_intel", "enable_ipiv", "bool", "bool"),
    ("6.1", "kvm_intel", "nested_early_check", "bool", "bool"),
    ("6.12", "kvm_intel", "nested_early_check", "bool", "bool"),
    ("sid", "kvm_intel", "nested_early_check", None, None),
    ("6.12", "kvm_intel", "enable_device_posted_irqs", None, None),
    ("sid", "kvm_intel", "enable_device_posted_irqs", "bool", "bool"),
    ("6.12", "kvm_intel", "mbec", None, None),
    ("sid", "kvm_intel", "mbec", "bool", "bool"),
    ("6.1", "kvm", "lapic_timer_advance_ns", "int", "int"),
    ("6.1", "kvm", "lapic_timer_advance", None, None),
    ("6.12", "kvm", "lapic_timer_advance_ns", None, None),
    ("6.12", "kvm", "lapic_timer_advance", "bool", "bool"),
    ("6.1", "kvm", "enable_virt_at_load", None, None),
    ("6.12", "kvm", "enable_virt_at_load", "bool", "bool"),
    ("6.12", "kvm", "kvmclock_periodic_sync", "bool", "bool"),
    ("sid", "kvm", "kvmclock_periodic_sync", None, None),
]


class Modinfo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.releases, cls.types, cls.catalogs = {}, {}, {}
        for kernel in kernels.SUITES:
            for path in sorted((kernels.get(kernel) / "kvm").iterdir()):
                cls.releases[kernel], types = catalog.modinfo(path)
                cls.types.update(((kernel, image.module_name(path), name), kind) for name, kind in types.items())
            cls.catalogs[kernel] = catalog.read(cls.releases[kernel])

    def test_all_modules_are_there(self):
        for kernel, (module, fewest) in itertools.product(kernels.SUITES, FEWEST.items()):
            names = [name for k, m, name in self.types if (k, m) == (kernel, module)]
            self.assertGreaterEqual(len(names), fewest, f"{kernel} {module}")
            self.assertEqual("nested" in names, module != "kvm")
        self.assertRegex(self.releases["bookworm"], r"^6\.1\.")
        self.assertRegex(self.releases["trixie"], r"^6\.12\.")
        self.assertRegex(self.releases["sid"], r"^([7-9]|[1-9][0-9])\.")

    def test_no_type_contradicts_the_catalogue(self):
        for (kernel, module, name), kind in self.types.items():
            entry = self.catalogs[kernel].get((module, name))
            if entry:
                with self.subTest(kernel=self.releases[kernel], parameter=f"{module}.{name}", type=kind):
                    self.assertIn((entry.kind, entry.kept), catalog.TYPES[kind])
                    if kind in catalog.RANGES:
                        self.assertEqual(entry.allowed, catalog.RANGES[kind])

    def test_what_the_catalogue_does_not_know(self):
        """Unstable's kernel gets new parameters at any time: those are told, and break nothing."""
        for (kernel, module, name), kind in self.types.items():
            if (module, name) in self.catalogs[kernel] or (module, name) in catalog.LEFT_OUT:
                continue
            print(f"the catalogue does not know {module}.{name} ({kind}) of Linux {self.releases[kernel]}", file=sys.stderr)
            self.assertEqual(kernel, "sid", f"{module}.{name}")

    def test_what_is_left_out_is_not_in_the_catalogue_and_in_some_kernel(self):
        for module, name in catalog.LEFT_OUT:
            self.assertTrue(any((kernel, module, name) in self.types for kernel in kernels.SUITES), name)
            for known in self.catalogs.values():
                self.assertNotIn((module, name), known)

    def test_what_came_went_and_changed(self):
        for version, module, name, kind, shown in FACTS:
            kernel = kernels.suite_of(version)
            with self.subTest(kernel=self.releases[kernel], parameter=f"{module}.{name}"):
                self.assertEqual(self.types.get((kernel, module, name)), kind)
                if shown:
                    self.assertEqual(self.catalogs[kernel][module, name].kind, shown)


if __name__ == "__main__":
    unittest.main()

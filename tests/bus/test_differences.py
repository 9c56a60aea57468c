# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing guests' definitions where what shows their difference can't be loaded: all but that is
as ever, and why there is none is said."""

import os

from clients import DRY_RUN
from harness import without_libgit2
from tap import main
from test_editing import Editing


class WithoutLibgit2(Editing):
    def setUp(self):
        super().setUp()
        self.program, self.version = without_libgit2(self.folder, os.environ["NESTVIRTD_FAKE"])

    def start_fake(self, *options, **keywords):
        return super().start_fake(*options, program=self.program, **keywords)

    def assert_said(self, result):
        self.assertEqual(result["Diff"], "")
        self.assertRegex(result["DiffMissing"], rf"libgit2, .* is missing .*libgit2-{self.version}\b.*: libgit2\.so-{self.version}: ")

    def test_a_dry_run_tells_what_would_be_done(self):
        self.begin()
        plan = self.set(self.nobody, DRY_RUN, Nested=True)
        self.assertEqual((plan["Outcome"], plan["Steps"]), ("planned", ["require svm"]))
        self.assert_said(plan)
        plan = self.prepare("kvm", DRY_RUN)
        self.assertEqual(plan["Outcome"], "planned")
        self.assert_said(plan)
        self.assert_untouched()

    def test_it_is_changed(self):
        self.begin()
        result = self.set(Nested=True)
        self.assertEqual(result["Outcome"], "applied")
        self.assert_said(result)
        self.assertIn("name='svm'", self.xml.read_text())
        result = self.prepare("proxmox")
        self.assertEqual(result["Outcome"], "applied")
        self.assert_said(result)

    def test_nothing_to_do_is_nothing_to_show(self):
        self.begin()
        plan = self.set(self.nobody, DRY_RUN, Mode="custom")
        self.assertEqual((plan["Outcome"], plan["Diff"]), ("unchanged", ""))
        self.assertNotIn("DiffMissing", plan)

    def test_a_module_is_changed(self):
        self.begin()
        self.observer.set({"kvm_amd": {"nested": "0"}})
        self.assertEqual(self.value("kvm_amd", "nested"), "0")


if __name__ == "__main__":
    main()

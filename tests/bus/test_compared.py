# SPDX-License-Identifier: LGPL-2.1-or-later
"""When what libvirt says of guests' CPUs is asked anew: over a hypervisor made of files."""

import os

from clients import GUEST, guest_path, wait_for
from tap import main
from test_guests import ONE
from test_reprobe import Reprobe, amd


class Compared(Reprobe):
    """What libvirt says of a <cpu> that it holds against the host goes by what KVM gives."""

    def setUp(self):
        super().setUp()
        self.guest(ONE, name="0", defined="custom EPYC require", compared="fits")

    def compared(self):
        """How often all was compared anew."""
        self.rest()
        return self.calls().count("compare")

    def next_start(self):
        return self.observer.get("NextStart", GUEST, guest_path(ONE))

    def assert_fails(self):
        wait_for(lambda: self.next_start() == "fails", "the verdict")
        self.assertIn("what this host lacks: vme.", self.observer.get("Reason", GUEST, guest_path(ONE)))

    def test_when(self):
        """With another nested, and when libvirt was made to look again; by whoever, and once."""
        self.begin()
        self.assertEqual((self.compared(), self.next_start()), (0, "yes"))
        self.guest(ONE, name="0", defined="custom EPYC require", compared="lacks vme")
        self.observer.set(amd(npt=0))
        self.assertEqual(self.compared(), 1)
        self.assert_fails()
        self.observer.set(amd(npt=0))
        self.observer.call("Refresh", ("t", 0))
        self.assertEqual(self.compared(), 1)
        self.guest(ONE, name="0", defined="custom EPYC require", compared="fits")
        self.load_by_hand(nested=0)
        self.assertEqual(self.compared(), 2)
        wait_for(lambda: self.next_start() == "no", "the verdict")

    def test_nothing_was_compared(self):
        self.guest(ONE, name="0", defined="custom EPYC require")
        self.begin()
        self.observer.set(amd(nested=0))
        self.assertEqual(self.compared(), 0)

    def test_with_the_connection(self):
        """A new one has all of it by itself."""
        self.begin()
        self.guest(ONE, name="0", defined="custom EPYC require", compared="lacks vme")
        self.tell("lost")
        self.assert_fails()
        self.assertEqual(self.compared(), 0)

    def test_a_change_waits_for_its_end(self):
        """libvirt's QEMU may have /dev/kvm open for it."""
        self.begin()
        os.mkfifo(self.fake / "hang")
        self.observer.set(amd(nested=0))
        pending = self.observer.start_set(amd(nested=1))
        for _ in range(100):  # what does not wait is done by then
            self.assertEqual(self.observer.get("Nested"), "off")
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.assertEqual(pending.result()[0]["Outcome"], "applied")
        self.assertEqual(self.compared(), 2)

    def test_a_libvirt_that_hangs_is_asked_again(self):
        self.begin("--guest-patience=100000")
        os.mkfifo(self.fake / "hang")
        self.observer.set(amd(nested=0))
        self.assertEqual(self.observer.set(amd(npt=0))["Outcome"], "applied")
        self.guest(ONE, name="0", defined="custom EPYC require", compared="lacks vme")
        with open(self.fake / "hang", "w", encoding="utf-8"):
            (self.fake / "hang").unlink()
        self.assert_fails()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""nestvirtd on the real kvm_amd as Debian's packages bring it, from before the installation to
after the purge, with a boot in between."""

import unittest

import carried
from nestvirt import KEPT, RUNTIME, Nestvirt

FILE = "/etc/nestvirt/50-site.conf"
# But for what dpkg and systemd note while they work.
FILES = """find / /run /etc /var -xdev \\( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /var/lib/systemd -o \
-path /run/systemd -o -path /run/log -o -path /run/udev -o -path /run/dbus -o -path /run/credentials -o -path /tmp -o -path /var/tmp -o \
-path /run/nestvirt-test \\) -prune -o -print | sort -u"""


class Life(unittest.TestCase):
    def setUp(self):
        self.host = carried.make()
        self.addCleanup(self.host.close)
        self.host.boot(bare=True)
        self.nestvirt = Nestvirt(self, self.host)

    def desired(self):
        return self.nestvirt.value("nested"), self.nestvirt.lines()

    def test_from_the_installation_to_the_purge(self):
        check = self.host.check
        check(f"mkdir -p /etc/nestvirt; printf '[Parameters]\\nnested=off\\n' >{FILE}; mkdir -p /run/modprobe.d")
        before = check(FILES).splitlines()

        # What is desired waits for a boot, or for who says so: neither installation nor upgrade
        # does anything to KVM.
        loads = self.nestvirt.loads()
        for command in (carried.INSTALL, carried.UPGRADE):
            check(command, timeout=300)
            self.assertEqual((self.desired(), self.nestvirt.loads()), (("1", []), loads))
            self.assertEqual(self.host.run("systemctl is-active nestvirtd nestvirt-apply").stdout, "inactive\ninactive\n")

        self.host.power_off()
        self.host.boot(bare=True)
        self.assertEqual(self.desired(), ("0", ["options kvm_amd nested=0"]))
        self.assertEqual(check("systemctl is-active nestvirtd nestvirt-apply"), "active\nactive\n")
        self.nestvirt.ctl("apply --check=effective", user="root")
        self.assertEqual(self.nestvirt.json("apply", user="root")["outcome"], "unchanged")

        self.nestvirt.ctl("set npt=off --runtime", user="root")
        kept = check(f"cat {KEPT} {RUNTIME}")
        check(carried.REMOVE, timeout=300)
        self.assertEqual(check(f"cat {KEPT} {RUNTIME}"), kept)
        self.assertEqual(self.host.run("systemctl is-active nestvirtd nestvirt-apply").stdout, "inactive\ninactive\n")

        loads = self.nestvirt.loads()
        said = check(carried.PURGE, timeout=300)
        self.assertEqual([path for path in (KEPT, RUNTIME) if f"removing {path}" not in said], [])
        self.assertEqual(sorted(set(check(FILES).splitlines()) ^ set(before)), [])
        self.assertEqual((self.nestvirt.loads(), check(f"cat {FILE}")), (loads, "[Parameters]\nnested=off\n"))
        self.host.finish()


if __name__ == "__main__":
    unittest.main()

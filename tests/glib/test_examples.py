# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of the library's README, as they stand there.

The environment says where it is: GLIB_README; and the library, by GI_TYPELIB_PATH, LD_LIBRARY_PATH
and PKG_CONFIG_PATH.
"""

import os
import pathlib
import re
import subprocess
import sys

from harness import BusTest
from tap import main

README = pathlib.Path(os.environ["GLIB_README"]).read_text(encoding="utf-8")


def example(language):
    code, = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return code


class Examples(BusTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def out_of(self, *command, **keywords):
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=True, stdout=subprocess.PIPE, text=True,
                              **keywords).stdout

    def test_python(self):
        self.assertEqual(self.out_of(sys.executable, "-c", example("python")).splitlines(), [
            "Nested virtualization:", "on", "unload kvm_amd", "unload kvm if nothing else uses it", "load kvm", "load kvm_amd with nested=0",
            "write /etc/modprobe.d/zz-nestvirt.conf"])

    def test_c(self):
        (self.folder / "example.c").write_text(example("c"))
        command, = re.findall(r"^cc .*$", README, re.MULTILINE)
        self.out_of("sh", "-ec", command.replace("cc ", "cc -Wall -Wextra -Werror ", 1), cwd=self.folder)
        self.assertEqual(self.out_of(self.folder / "example"), "Nested virtualization: on\n")


if __name__ == "__main__":
    main()

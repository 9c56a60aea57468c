# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real libvirtd with the QEMU driver, for the tests: a session daemon of its own below a folder,
as a user who owns nothing else.

As root it runs as nobody, since a privileged one would take the machine's own places. It ends with
the test.
"""

import os
import pathlib
import pwd
import select
import subprocess
import tempfile

import libvirt

LIBVIRTD = "/usr/sbin/libvirtd"
TIMEOUT = 60


def quiet():
    """libvirt's binding prints every error, also those that a test asks for."""
    libvirt.registerErrorHandler(lambda context, error: None, None)


class Session:
    """@definitions: of guests that are there when it starts, XML by name, as libvirt itself would
    have written it."""

    def __init__(self, definitions=()):
        quiet()
        # The path of a socket has 107 characters at most.
        self.folder = tempfile.TemporaryDirectory(prefix="libvirt-", dir="/tmp")
        folder = pathlib.Path(self.folder.name)
        user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        for name in ("run", "config", "cache"):
            (folder / name).mkdir(mode=0o700)
        definitions_folder = folder / "config/libvirt/qemu"
        definitions_folder.mkdir(parents=True)
        for name, text in dict(definitions).items():
            (definitions_folder / f"{name}.xml").write_text(text)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"),
                            "XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache")}
        if user:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid)
        self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        self.pid_file = folder / "run/libvirtd.pid"
        self.log = folder / "run/log"
        self.uri = f"qemu+unix:///session?socket={folder}/run/libvirt/libvirt-sock"
        self.start()

    def start(self):
        # It says that it serves by closing what a shell would wait for: it goes to the background.
        started = subprocess.run([LIBVIRTD, "--daemon", "--pid-file", self.pid_file], env=self.environment, cwd=self.folder.name,
                                 timeout=TIMEOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self.user)
        if started.returncode:
            raise RuntimeError(f"libvirtd did not start: {started.stderr}")
        self.connection = libvirt.open(self.uri)

    def signal(self, number):
        os.kill(int(self.pid_file.read_text()), number)

    def stop(self, number=15):
        """Ends the daemon alone; its guests go on."""
        descriptor = os.pidfd_open(int(self.pid_file.read_text()))
        self.signal(number)
        try:
            # Readable when it has ended.
            if not select.select([descriptor], [], [], TIMEOUT)[0]:
                raise RuntimeError("libvirtd does not end")
        finally:
            os.close(descriptor)

    def close(self):
        for domain in self.connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            domain.destroy()
        self.connection.close()
        self.stop()
        self.folder.cleanup()

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts on one machine, without a virtual machine: each has name spaces, a system bus, polkit and a
nestvirtd of its own, over a tree of files, and is reached by the real ssh and sshd, which talk
through a pipe: no address, no port.

Owns what a host sees of the machine, and ssh's configuration. Where the programs are is told by the
environment, as in tests/bus.
"""

import os
import pathlib
import shutil
import subprocess
import uuid

from test_fingerprint import OFFERED

FIXTURES = pathlib.Path(os.environ["FIXTURES"])
# Where nestvirtctl is found, on a host as on the controller.
PATH = f"{pathlib.Path(os.environ['NESTVIRTCTL']).parent}:{os.environ['PATH']}"
HELPERS = os.environ["HELPER_DIR"]
# Nothing waits for it unless it fails.
TIMEOUT = 300

# The first process of a host. /etc is the machine's, but what is written there is the host's own,
# and of nestvirt and modprobe the tree's. polkit knows our actions alone, and the rule that is an
# example: alice may log in, carol is in the group of the rule, and bob is shown no programs.
START = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/dbus /run/sshd /run/upper /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
mkdir -p /etc/nestvirt /etc/modprobe.d /etc/modules-load.d "$TREE/etc/nestvirt" "$TREE/etc/modprobe.d" "$TREE/etc/modules-load.d"
for folder in nestvirt modprobe.d modules-load.d; do mount --bind "$TREE/etc/$folder" "/etc/$folder"; done
cp "$BUS_POLICY" /etc/dbus-1/system.d/
for user in alice:4711 bob:4712 carol:4713; do
        echo "${user%:*}:x:${user#*:}:${user#*:}::/:/bin/sh" >>/etc/passwd
        echo "${user%:*}:*:20000::::::" >>/etc/shadow
done
echo 'nestvirt:x:4720:carol' >>/etc/group
mount -t tmpfs -o mode=755 tmpfs /etc/polkit-1/rules.d
cp "$RULES" /etc/polkit-1/rules.d/
mount -t tmpfs -o mode=755 tmpfs /usr/share/polkit-1/rules.d
mount -t tmpfs -o mode=755 tmpfs /usr/share/polkit-1/actions
cp "$POLICY" /usr/share/polkit-1/actions/
hostname "$NAME"
dbus-daemon --system --fork --nopidfile
/usr/lib/polkit-1/polkitd --no-debug &
"$@" &
for name in org.freedesktop.PolicyKit1 org.nestvirt1; do gdbus wait --system --timeout 120 $name; done
echo ready
wait
"""

SSHD = """
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv PATH={folder}/bin:{path}
Subsystem sftp internal-sftp
Match User bob
SetEnv PATH=/nonexistent
"""

SSH = """
Host nowhere
ProxyCommand false
Host *
IdentityFile {folder}/key
IdentitiesOnly yes
UserKnownHostsFile {folder}/known_hosts
StrictHostKeyChecking no
LogLevel ERROR
BatchMode yes
"""

# Into the host's name spaces; sshd ends when ssh closes the pipe.
PROXY = """
Host {name}
ProxyCommand nsenter --target {pid} --mount --uts --ipc --net --pid /usr/sbin/sshd -i -f {folder}/sshd_config
"""

# The features that KVM offers on an AMD host to guests that have guests.
WITH_NPT, WITHOUT_NPT = "0x00000009", "0x00000008"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class Host:
    def __init__(self, fleet, name, fixture):
        self.name, self.tree = name, fleet.folder / name
        if fixture:
            shutil.copytree(FIXTURES / fixture, self.tree, symlinks=True)
            daemon = [os.environ["NESTVIRTD"], f"--root={self.tree}"]
        else:
            (self.tree / "fake/guests").mkdir(parents=True)
            (self.tree / "fake/xml").mkdir()
            (self.tree / "fake/libvirt").touch()
            daemon = [os.environ["NESTVIRTD_FAKE"], self.tree, "--guests"]
        environment = {**os.environ, "NAME": name, "TREE": str(self.tree)}
        environment.pop("DBUS_SYSTEM_BUS_ADDRESS", None)
        self.log = open(fleet.folder / f"{name}.log", "w+", encoding="utf-8")
        apart = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self.process = subprocess.Popen([*apart, "sh", "-c", START, "sh", *daemon, f"--helper-dir={HELPERS}"], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def wait(self):
        """Until it is there."""
        if self.process.stdout.readline() != "ready\n":
            self.stop()
            self.log.seek(0)
            raise AssertionError(f"{self.name} did not start:\n{self.log.read()}")
        (self.pid,) = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    @property
    def bus(self):
        """The address of its bus, from outside."""
        return f"unix:path=/proc/{self.pid}/root/run/dbus/system_bus_socket"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def read(self, path):
        found = self.tree / path
        return found.read_text() if found.exists() else None

    def options(self):
        """What our file of modprobe.d says."""
        return [line for line in (self.read("etc/modprobe.d/zz-nestvirt.conf") or "").splitlines() if line.startswith("options")]

    def add_guest(self, name):
        """One of libvirt's, which fake-hypervisor.h plays."""
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, name)
        (self.tree / f"fake/guests/{identity}").write_text(f"[guest]\nname={name}\npersistent=true\n")
        (self.tree / f"fake/xml/{identity}").write_text(
            f"<domain type='kvm'><name>{name}</name><uuid>{identity}</uuid><os><type arch='x86_64'>hvm</type></os>"
            "<cpu mode='host-model'/></domain>")

    def definition(self, name):
        return self.read(f"fake/xml/{uuid.uuid5(uuid.NAMESPACE_DNS, name)}")

    def offer(self, features):
        """What a daemon that has not been asked yet will find."""
        write(self.tree / "facts/kvm-cpuid", OFFERED.format(features=features))

    def hold(self, module="kvm_amd"):
        """A process that has /dev/kvm open, as /proc and the module show it."""
        folder = self.tree / "proc/4242"
        (folder / "fd").mkdir(parents=True)
        for name, text in {"comm": "qemu-system-x86\n", "status": "Name:\tqemu\nUid:\t0\t0\t0\t0\n",
                           "cgroup": "0::/machine.slice/web1.scope\n", "cmdline": ""}.items():
            (folder / name).write_text(text)
        (folder / "fd/3").symlink_to("/dev/kvm")
        (self.tree / "sys/module" / module / "refcnt").write_text("1\n")

    def release(self, module="kvm_amd"):
        (self.tree / "sys/module" / module / "refcnt").write_text("0\n")
        shutil.rmtree(self.tree / "proc/4242")


class Fleet:
    """@fixtures: name -> the tree that the real daemon looks at, or None: an AMD host whose modules
    the daemon of tests/bus loads and unloads. `ssh` is a configuration with which they are reached
    by their names."""

    def __init__(self, folder, fixtures):
        self.folder, self.ssh = folder, folder / "ssh_config"
        for key in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True, stdin=subprocess.DEVNULL)
        # For who would load modules on a host: the kernel is the machine's.
        write(folder / "bin/modprobe", "#!/bin/sh\n").chmod(0o755)
        (folder / "sshd_config").write_text(SSHD.format(folder=folder, path=PATH))
        self.hosts = {name: Host(self, name, fixture) for name, fixture in fixtures.items()}
        for host in self.hosts.values():
            host.wait()
        proxies = [PROXY.format(name=host.name, pid=host.pid, folder=folder) for host in self.hosts.values()]
        self.ssh.write_text("".join([*proxies, SSH.format(folder=folder)]))

    def stop(self):
        for host in self.hosts.values():
            host.stop()

    def run(self, name, *words, user="root"):
        """A command on a host, by ssh."""
        return subprocess.run(["ssh", "-F", self.ssh, f"{user}@{name}", "--", *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=TIMEOUT, check=False)

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The root image of the emulated host: Debian of the machine's own release, made once and kept in a
cache.

Owns the recipe: packages, users, masked units, the files below root/. Knows nothing of the
emulator, nor of the build under test: that is laid over the image at boot.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import cache

HERE = pathlib.Path(__file__).resolve().parent

# What a host needs, over Debian's essential packages. More hosts to try things on need only more
# names here.
PACKAGES = [
    "busybox-static",  # the initramfs is made of it, see initramfs.py
    "dbus",
    "hostname",
    "kmod",
    "libpam-systemd",
    "libvirt-clients",  # virt-host-validate, which the benchmark compares with
    "libvirt-daemon-driver-qemu",  # a host with guests, see l1.py
    "libvirt-daemon-system",
    "linux-image-cloud-amd64",
    "login",
    "passwd",
    "polkitd",
    "procps",
    "qemu-system-x86",
    "strace",
    "systemd",
    "systemd-sysv",
    "udev",
]

# Libraries that the daemon, its modules and the client are linked with, but for those that come
# with libvirt. Their names carry the version of the ABI and differ between releases, so each is
# given as a pattern and the newest match of the release is taken.
LIBRARIES = [
    r"libglib2\.0-0(t64)?",
    r"libgit2-1\.\d+",
    r"libjson-c\d+",
    r"libkmod2",
    r"libsystemd0",
]

# alice may do all, bob nothing (root/etc/polkit-1/rules.d), for carol the defaults of the actions
# hold.
USERS = ["alice", "bob", "carol"]

# The hostname, and root's password on the console and for polkit's agents.
HOSTNAME = "amdhost"
ROOT_PASSWORD = "root"

# libvirt's units, which most tests do without, as a host without libvirt is the rule; see l1.py.
LIBVIRT = ["libvirt-guests.service", "libvirtd.service", "libvirtd.socket", "libvirtd-admin.socket", "libvirtd-ro.socket"]

# Units that only cost time here.
MASKED = [
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "ldconfig.service",
    "logrotate.timer",
    "serial-getty@ttyS0.service",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-journal-catalog-update.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-pcrphase.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-repart.service",
    "systemd-timesyncd.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
]

# Kernel modules that the initramfs loads to reach the disks and the agent's port, by the kind of
# both.
BOOT_MODULES = {
    "virtio": ["virtio_pci", "virtio_blk", "virtio_console", "ext4"],
    "ata": ["ata_piix", "sd_mod", "ext4"],
}
# Those that are looked at without being loaded, by test_modinfo.py.
KVM_MODULES = ["kvm", "kvm_amd", "kvm_intel"]

DISK_SIZE = "3G"  # sparse

# Of what makes a root. Its Python is Debian's, whatever others there are: it starts one for each
# package. Debian's own initramfs would never be used: INITRD=No saves its making.
ENVIRONMENT_OF_APT = dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin", INITRD="No", DEBIAN_FRONTEND="noninteractive")


class ImageError(Exception):
    """The image can't be made; the text says why and what to do."""


def release():
    """The machine's own Debian release, such as bookworm."""
    text = pathlib.Path("/etc/os-release").read_text()
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)', text, re.M)
    if not match or not re.search(r'^ID="?debian"?$', text, re.M):
        raise ImageError("the emulated host is made from Debian's packages and needs a Debian machine to be made on")
    return match[1]


def apt_targets():
    """Address, name and codename of each release of Debian that the machine's own apt knows with
    the component main."""
    fields = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN) $(CODENAME)"
    for line in output("apt-get", "indextargets", "--format", fields, "Created-By: Packages").splitlines():
        uri, name, component, origin, *codename = line.split()
        if component == "main" and origin in ("Debian", "$(ORIGIN)"):  # a name stays as it is before the first update
            yield uri, name, *codename


def apt_sources(suite):
    """The machine's own sources of the release, security and updates with it, a line each."""
    wanted = {suite, f"{suite}-updates", f"{suite}-security"}
    lines = {f"deb {uri} {name} main" for uri, name, *codename in apt_targets() if wanted.intersection([name, *codename])}
    if not lines:
        raise ImageError(f"apt has no source of Debian {suite} with the component main: see /etc/apt/sources.list.d")
    return sorted(lines)


def apt_archive():
    """Where the machine's apt has its own release from; Debian's other releases lie there too."""
    suite = release()
    for uri, *names in apt_targets():
        if suite in names:
            return uri
    raise ImageError(f"apt has no source of Debian {suite}: see /etc/apt/sources.list.d")


def library_packages():
    """The patterns of LIBRARIES as names of packages that apt knows on this release."""
    names = output("apt-cache", "pkgnames", "lib").split()
    found = []
    for pattern in LIBRARIES:
        matches = sorted(name for name in names if re.fullmatch(pattern, name))
        if not matches:
            raise ImageError(f"apt knows no package like {pattern}: run apt-get update")
        found.append(matches[-1])
    return found


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def step(log, *command, **kwargs):
    """Run one step of the build; its output goes to the log, whose end is shown when it fails."""
    with open(log, "ab") as stream:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, **kwargs).returncode
    if status:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise ImageError(f"{command[0]} failed with status {status}; the end of its output:\n{tail}")


def make_root(root, suite, log):
    sources = apt_sources(suite)
    command = [
        # What it mounts goes with it, also when it is killed: whoever removes the half of a root
        # must not find /sys in it.
        *("unshare", "--mount"),
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
        "--aptopt=APT::Install-Recommends \"false\"",
        "--include=" + ",".join(PACKAGES + library_packages()),
    ]
    for path in ("doc", "info", "locale", "man"):
        command.append(f"--dpkgopt=path-exclude=/usr/share/{path}/*")
    step(log, *command, suite, str(root), *sources, env=ENVIRONMENT_OF_APT)


def customise(root, log):
    for name in MASKED + LIBVIRT:
        unit = root / "etc/systemd/system" / name
        unit.unlink(missing_ok=True)
        unit.symlink_to("/dev/null")
    for name in USERS:
        step(log, "chroot", root, "useradd", "--create-home", "--shell=/bin/bash", name)
    step(log, "chroot", root, "sh", "-c", f"echo root:{ROOT_PASSWORD} | chpasswd")
    (root / "etc/hostname").write_text(HOSTNAME + "\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {HOSTNAME}\n::1 localhost {HOSTNAME}\n")
    # Empty would mean a first boot, with presets and all; the same for each boot is what tests
    # want.
    (root / "etc/machine-id").write_text(hashlib.md5(HOSTNAME.encode()).hexdigest() + "\n")
    # Sources may name a mirror of the machine's owner; nothing is installed from inside.
    (root / "etc/apt/sources.list").write_text("")
    for source in (HERE / "root").rglob("*"):
        target = root / source.relative_to(HERE / "root")
        if source.is_dir():
            target.mkdir(exist_ok=True, parents=True)
        else:
            shutil.copy(source, target)
            os.chown(target, 0, 0)


def kernel_version(modules):
    versions = sorted(path.name for path in modules.iterdir())
    if len(versions) != 1:
        raise ImageError(f"expected one kernel in {modules}, found {versions}")
    return versions[0]


def module_name(path):
    return pathlib.Path(path).name.split(".")[0].replace("-", "_")


def read_dependencies(modules):
    """What each module file below `modules` needs, by its path, as depmod wrote it down."""
    lines = (line.partition(":") for line in (modules / "modules.dep").read_text().splitlines())
    return {path: rest.split() for path, _, rest in lines}


def dependency_order(modules, names):
    """Module files below `modules` for `names`, each after those that it needs; none for what is
    built in."""
    needs = read_dependencies(modules)
    by_name = {module_name(path): path for path in needs}
    built_in = set(map(module_name, (modules / "modules.builtin").read_text().split()))
    order = []
    for name in names:
        if name in built_in:
            continue
        path = by_name.get(name)
        if path is None:
            raise ImageError(f"the kernel {modules.name} has no module {name}")
        order += [item for item in [*reversed(needs[path]), path] if item not in order]
    return order


def copy_kernel(vmlinuz, modules, busybox, folder):
    """What a boot of this kernel takes besides the disk, and the modules of KVM to look at."""
    shutil.copy(vmlinuz, folder / "vmlinuz")
    shutil.copy(busybox, folder / "busybox")
    for kind, names in BOOT_MODULES.items():
        target = folder / "modules" / kind
        target.mkdir(parents=True)
        for number, path in enumerate(dependency_order(modules, names)):
            shutil.copy(modules / path, target / f"{number:02}-{pathlib.Path(path).name}")
    (folder / "kvm").mkdir()
    for path in read_dependencies(modules):
        if module_name(path) in KVM_MODULES:
            shutil.copy(modules / path, folder / "kvm")


def fill(folder, root, log):
    """The image of a root that has been made: what a boot takes, and the disk."""
    customise(root, log)
    version = kernel_version(root / "lib/modules")
    copy_kernel(root / "boot" / f"vmlinuz-{version}", root / "lib/modules" / version, root / "bin/busybox", folder)
    disk = folder / "root.ext4"
    step(log, "mke2fs", "-q", "-t", "ext4", "-m0", "-d", root, disk, DISK_SIZE)
    shutil.rmtree(root)


def build(folder, suite):
    if os.geteuid() != 0:
        raise ImageError("the emulated host's image can only be made as root")
    log = folder / "build.log"
    root = folder / "root"
    root.mkdir()
    print(f"Making the emulated host from Debian {suite}'s packages (half a minute or so)…", file=sys.stderr, flush=True)
    make_root(root, suite, log)
    fill(folder, root, log)


def copied():
    """The files that a root gets besides its packages."""
    return sorted(path for path in (HERE / "root").rglob("*") if path.is_file())


def get(rebuild=False):
    """The folder of the image: root.ext4, vmlinuz, busybox, modules/, kvm/. Made first when it is
    not there."""
    suite = release()
    recipe = [HERE / "image.py", *copied()]
    return cache.get("image", f"{suite}-{cache.key(suite, files=recipe)}", lambda folder: build(folder, suite), rebuild)


if __name__ == "__main__":
    try:
        print(get(rebuild="--rebuild" in sys.argv[1:]))
    except ImageError as error:
        sys.exit(f"image.py: {error}")

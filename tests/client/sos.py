# SPDX-License-Identifier: LGPL-2.1-or-later
"""What sos report(1) takes of a host: the files that its plugins kernel, processor and libvirt copy
(sos 4.0 as Debian has it, sos/report/plugins), at their paths, and what some commands say."""

import shutil

from harness import write

# Of the paths beneath the root; what is a folder comes with all that is in it.
COPIED = (
    "proc/cpuinfo", "proc/cmdline", "proc/modules", "proc/sys/kernel/random/boot_id", "proc/sys/kernel/tainted",
    "sys/module/*/parameters", "sys/module/*/initstate", "sys/module/*/refcnt", "sys/module/*/taint", "sys/module/*/version",
    "sys/devices/system/cpu", "lib/modules/*/modules.dep", "etc/modprobe.conf", "etc/modprobe.d", "etc/modules-load.d",
    "etc/modules", "etc/libvirt/qemu/*.xml", "run/libvirt",
)


def collect(host, parent, name="sosreport-host1-2026-11-30-abcdefg"):
    """A report of the tree @host, unpacked in the folder @parent."""
    report = parent / name
    for pattern in COPIED:
        for path in host.glob(pattern):
            target = report / path.relative_to(host)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, symlinks=True)
            else:
                shutil.copy(path, target)
    # Of the modes sos keeps those of sysfs, for which a fixture has an executable file.
    for path in report.glob("sys/module/*/parameters/*"):
        path.chmod(0o644 if path.stat().st_mode & 0o100 else 0o444)
    release = (host / "proc/sys/kernel/osrelease").read_text().strip()
    write(report / "version.txt", "sosreport: 4.0\nkernel: unversioned\n")
    write(report / "sos_commands/kernel/uname_-a", f"Linux host1 {release} SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n")
    (report / "uname").symlink_to("sos_commands/kernel/uname_-a")
    if not (report / "proc/modules").exists():
        write(report / "proc/modules", "".join(proc_modules(host)))
    return report


def proc_modules(host):
    """The lines of /proc/modules, which a fixture may lack: kernel/module/procfs.c, m_show()."""
    for module in sorted(host.glob("sys/module/*")):
        if (module / "initstate").exists():
            holders = "".join(f"{path.name}," for path in sorted(module.glob("holders/*")))
            refcnt = (module / "refcnt").read_text().strip() if (module / "refcnt").exists() else "0"
            yield f"{module.name} 16384 {refcnt} {holders or '-'} Live 0x0000000000000000\n"

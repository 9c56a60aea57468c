/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about parameters and their configuration. */

#include <string.h>

#include "check-row.h"

#define BOOTED "cpu 1 2 3\nbtime 3000\n"
#define ADMIN "etc/modprobe.d/admin.conf"
#define IMAGE "boot/initrd.img-6.1.0-38-amd64"
#define DRACUT "boot/initramfs-6.1.0-38-amd64.img"
#define ERRATA "sys/devices/system/cpu/vulnerabilities/"
#define VIRT(value) .release = "6.12.0-1-amd64", .loaded = "kvm.enable_virt_at_load=" value " kvm_amd.nested=1"

/* clang-format off */
static const CheckRow rows[] = {
        { "nested only looks off", { .loaded = "kvm_amd.nested=0", .ours = "options kvm_amd nested=0\n", .kvm_kept = true },
          .id = "kvm-kept", "warn", "stayed loaded", "nestvirtctl reload" },
        { "nested is on again", { AMD_LOADED, .kvm_kept = true }, .id = "kvm-kept" },

        { "a change waits", { AMD_LOADED, .ours = "options kvm_amd nested=0\n", .pending = "kvm_amd.nested=0" }, .id = "pending",
          "info", "nested=off waits until nobody uses kvm_amd", NULL },
        { "what waits does not differ besides", { AMD_LOADED, .ours = "options kvm_amd nested=0\n",
          .pending = "kvm_amd.nested=0" }, .id = "parameter-differs" },

        { "as desired", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n",
          .files = PAIRS("etc/nestvirt/50.conf", "[Parameters]\nnested=on\n") }, .id = "desired-state" },
        { "not as desired", { AMD_LOADED, .files = PAIRS("etc/nestvirt/50.conf", "[Parameters]\nnested=off\n") },
          .id = "desired-state", "warn", "kvm_amd.nested is not as desired: desired is 0, configured nothing, in effect on",
          "nestvirtctl apply" },
        { "not as desired, with the next boot", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n",
          .files = PAIRS("etc/nestvirt/50.conf", "[Parameters]\nnested=off\n[Apply]\nWhen=boot\n") }, .id = "desired-state" },
        { "not as desired, when idle", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n", .pending = "kvm_amd.nested=0",
          .files = PAIRS("etc/nestvirt/50.conf", "[Parameters]\nnested=off\n") }, .id = "desired-state" },
        { "a slip in what is desired", { AMD_LOADED, .files = PAIRS("usr/lib/nestvirt/50.conf", "[Parameters]\nnested=of\n") },
          .id = "desired-state", "fail", "The desired state can't be applied: /usr/lib/nestvirt/50.conf:2: nested can be on or off, not "
          "\"of\"", NULL },
        { "what the other vendor has", { AMD_LOADED, .files = PAIRS("etc/nestvirt/50.conf", "[Parameters]\nept=off\n") },
          .id = "desired-state", "fail", "write it below [kvm_intel]", NULL },

        { "a value that the module won't load with", { AMD_LOADED, .modprobe = "options kvm_amd nested=Y\n" },
          .id = "parameter-refused", "warn", "write nested=1 there", NULL },
        { "and it is not loaded", { AMD_LOADABLE, .modprobe = "options kvm_amd nested=Y\n" }, .id = "parameter-refused", "fail",
          "kvm_amd.nested: With \"nested=Y\"", NULL },

        { "asked for and the CPU lacks it", { .loaded = "kvm_amd.avic=N", .modprobe = "options kvm_amd avic=1\n" },
          .id = "parameter-unsupported", "warn", "kvm_amd.avic is off. The CPU lacks avic", NULL },
        { "a default that the CPU lacks", { .loaded = "kvm_amd.vgif=0" }, .id = "parameter-unsupported" },
        { "auto asks for nothing", { .release = "7.2.0", .loaded = "kvm_amd.avic=N", .modprobe = "options kvm_amd avic=auto\n" },
          .id = "parameter-unsupported" },

        { "asked for and another is off", { .flags = "svm npt avic", .loaded = "kvm_amd.npt=N kvm_amd.avic=N",
          .modprobe = "options kvm_amd npt=0 avic=1\n" }, .id = "parameter-needs", "warn", "It needs npt", NULL },
        { "taken along by another", { INTEL, .loaded = "kvm_intel.ept=N kvm_intel.eptad=N",
          .modprobe = "options kvm_intel ept=0\n" }, .id = "parameter-needs" },

        { "configured and not in effect", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n" }, .id = "parameter-differs",
          "warn", "kvm_amd.nested is on. kvm_amd was loaded before", "nestvirtctl reload" },
        { "configured and writable", { .loaded = "kvm.ignore_msrs+=N kvm_amd.nested=1", .modprobe = "options kvm ignore_msrs=1\n" },
          .id = "parameter-differs", "warn", "kvm.ignore_msrs is off", "nestvirtctl set ignore_msrs=on" },
        { "kvm keeps an old value", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_FLAGS " vapic_reg vid posted_intr",
          .loaded = "kvm_intel.enable_apicv=N",
          .modprobe = "options kvm_intel enable_apicv=1\n" }, .id = "parameter-differs", "warn", "kvm keeps its value",
          "nestvirtctl reload" },
        { "kvm keeps a value that nobody asked for", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_FLAGS " vapic_reg vid posted_intr",
          .loaded = "kvm_intel.enable_apicv=N" },
          .id = "parameter-differs", "info", "kvm keeps its value", "nestvirtctl reload" },
        { "all as configured", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 npt=1\n" }, .id = "parameter-differs" },

        { "nested off by hand will be on after a boot", { .loaded = "kvm_amd.nested=0" }, .id = "parameter-by-hand", "warn",
          "It is on as a rule", "nestvirtctl set nested=off" },
        { "tuned by hand", { .loaded = "kvm.halt_poll_ns+=0 kvm_amd.nested=1" }, .id = "parameter-by-hand", "info",
          "kvm.halt_poll_ns is 0", NULL },
        { "chosen by the kernel", { .loaded = "kvm.mmio_caching=N kvm_amd.nested=1" }, .id = "parameter-by-hand" },

        { "a name that the kernel does not know", { AMD_LOADED, .modprobe = "options kvm_amd nestd=1\n" }, .id = "parameter-unknown",
          "warn", "no parameter \"nestd\" and ignores it (/etc/modprobe.d/admin.conf:1)", NULL },
        { "another kernel's, set with nestvirtctl", { AMD_LOADED, .ours = "options kvm_amd vls=0\n" }, .id = "parameter-unknown",
          "warn", "no parameter \"vls\" and ignores it (/etc/modprobe.d/zz-nestvirt.conf:1)", "nestvirtctl reset kvm_amd.vls" },
        { "nobody's, in our file", { AMD_LOADED, .ours = "options kvm_amd nestd=1\n" }, .id = "parameter-unknown", "warn",
          "no parameter \"nestd\"", NULL },
        { "on the kernel command line too", { .cmdline = "kvm.nestd=1",
          .loaded = "kvm_amd.nested=1 kvm.ignore_msrs=N" }, .id = "parameter-unknown", "warn", "(the kernel command line)", NULL },
        { "the other vendor's module is another matter", { AMD_LOADED, .modprobe = "options kvm_intel banana=1\n" },
          .id = "parameter-unknown" },
        { "a module whose parameters are not known", { .flags = "svm", .modprobe = "options kvm_amd nested=1\n" },
          .id = "parameter-unknown" },
        { "what every module takes", { AMD_LOADED, .modprobe = "options kvm_amd dyndbg=+p\n" }, .id = "parameter-unknown" },

        { "for the other vendor's module alone", { AMD_LOADED, .modprobe = "options kvm_intel nested=0\n" }, .id = "other-vendor", "warn",
          "kvm_amd.nested, which is on", "nestvirtctl set nested=off" },

        { "a later line beats ours", { AMD_LOADED, .ours = "options kvm_amd nested=0\n", .late = "options kvm_amd nested=1\n" },
          .id = "parameter-overridden", "warn", "zzzz-late.conf:1 (on) wins over /etc/modprobe.d/zz-nestvirt.conf:1, which says "
          "otherwise and was written by nestvirtd", NULL },
        { "ours beats an earlier line", { AMD_LOADED, .ours = "options kvm_amd nested=1\n", .modprobe = "options kvm_amd nested=0\n" },
          .id = "parameter-overridden", "info", "zz-nestvirt.conf:1 (on) wins over /etc/modprobe.d/admin.conf:1", NULL },
        { "the last of those that contradict is named", { AMD_LOADED, .ours = "options kvm_amd nested=1\n",
          .modprobe = "options kvm_amd nested=1\noptions kvm_amd nested=0\n" }, .id = "parameter-overridden", "info",
          "wins over /etc/modprobe.d/admin.conf:2", NULL },
        { "two that say the same", { INTEL, .loaded = "kvm_intel.nested=Y", .modprobe = "options kvm_intel nested=1\n",
          .late = "options kvm_intel nested=Y\n" }, .id = "parameter-overridden" },

        { "other parameters are another matter", { .loaded = "kvm_amd.nested=1 kvm_amd.npt=N",
          .modprobe = "options kvm_amd nested=1 npt=0\noptions kvm_intel nested=0\noptions kvm_amd nested=1\n" },
          .id = "parameter-overridden" },

        { "modprobe.d for a built-in module", { .builtin = "kvm. kvm_amd.nested=1", .modprobe = "options kvm_amd nested=0\n" },
          .id = "builtin-options", "warn", "put kvm_amd.nested=0 on the kernel command line", NULL },

        { "an install line", { AMD_LOADED, .modprobe = "\ninstall kvm_amd modprobe -i kvm_amd; logger x\n" }, .id = "install-command",
          "warn", "\"install kvm_amd …\" in /etc/modprobe.d/admin.conf:2 replaces the plain loading", NULL },
        { "an install line that switches it off", { AMD_LOADED, .modprobe = "\ninstall kvm_amd /bin/true\n" }, .id = "install-command",
          "info", "kvm_amd is switched off on purpose at /etc/modprobe.d/admin.conf:2 (\"install kvm_amd /bin/true\")", NULL },
        { "a remove line for kvm", { AMD_LOADED, .modprobe = "remove kvm /bin/true\n" }, .id = "install-command", "warn",
          "\"remove kvm …\" in /etc/modprobe.d/admin.conf:1 replaces the plain unloading", NULL },
        { "an install line for something else", { AMD_LOADED, .modprobe = "install floppy /bin/true\n" }, .id = "install-command" },

        { "blacklisted", { AMD_LOADED, .modprobe = "blacklist kvm-amd\n" }, .id = "blacklist", "warn",
          "blacklisted (/etc/modprobe.d/admin.conf:1)", NULL },
        { "the other vendor's is blacklisted", { AMD_LOADED, .modprobe = "blacklist kvm_intel\n" }, .id = "blacklist" },

        { "a line of ours that is commented out", { AMD_LOADED, .ours = "#options kvm_amd nested=0\n" }, .id = "own-file", "warn",
          "zz-nestvirt.conf:1 is commented out", NULL },

        { "a line that modprobe ignores", { AMD_LOADED, .modprobe = "optoins kvm_amd nested=0\n" }, .id = "modprobe-line", "info",
          "/etc/modprobe.d/admin.conf:1: ", NULL },
        { "one in our own file", { AMD_LOADED, .ours = "nonsense\n" }, .id = "modprobe-line", "warn",
          "/etc/modprobe.d/zz-nestvirt.conf:1: ", NULL },

        { "options in modules-load.d", { AMD_LOADED, .files = PAIRS("etc/modules-load.d/kvm.conf", "kvm_amd nested=0\n") },
          .id = "modules-load", "warn", "/etc/modules-load.d/kvm.conf:1", "nestvirtctl set nested=off" },

        { "no image", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n", .files = PAIRS("proc/stat", BOOTED) }, .id = "initramfs" },
        { "a file older than the image", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n", .files = PAIRS("proc/stat", BOOTED,
          IMAGE, ""), .times = PAIRS(IMAGE, "2000", ADMIN, "1000") }, .id = "initramfs" },
        { "changed since the boot", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n", .files = PAIRS("proc/stat", BOOTED,
          IMAGE, ""), .times = PAIRS(IMAGE, "1000", ADMIN, "4000") }, .id = "initramfs" },
        { "in effect all the same", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS("proc/stat", BOOTED,
          IMAGE, ""), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") }, .id = "initramfs" },
        { "an old copy is likely", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n", .files = PAIRS("proc/stat", BOOTED,
          IMAGE, "", "usr/sbin/update-initramfs", ""), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") }, .id = "initramfs", "warn",
          "/etc/modprobe.d/admin.conf has been as it is since before this boot, and kvm_amd.nested is on all the same",
          "update-initramfs -u -k 6.1.0-38-amd64" },
        { "nobody knows when it was booted", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n", .files = PAIRS(IMAGE, ""),
          .times = PAIRS(IMAGE, "1000", ADMIN, "2000") }, .id = "initramfs" },
        { "set by hand since", { .loaded = "kvm_amd.nested=1 kvm.ignore_msrs+=N", .modprobe = "options kvm ignore_msrs=1\n",
          .files = PAIRS("proc/stat", BOOTED, IMAGE, ""), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") }, .id = "initramfs" },
        { "KVM is in an old image", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(IMAGE, "",
          "usr/sbin/update-initramfs", "", "etc/initramfs-tools/modules", "# kvm_intel\n\nkvm-amd nested=0 # early\n"),
          .times = PAIRS(IMAGE, "1000", ADMIN, "2000") }, .id = "initramfs", "warn",
          "/etc/initramfs-tools/modules:3 puts KVM into the initramfs (/boot/initrd.img-6.1.0-38-amd64), and /etc/modprobe.d/admin.conf was "
          "changed after", "update-initramfs -u -k 6.1.0-38-amd64" },
        { "KVM is in a new image", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(IMAGE, "",
          "usr/share/initramfs-tools/modules.d/virtual", "virtio\nkvm_amd\n"), .times = PAIRS(IMAGE, "2000", ADMIN, "1000", "etc/modprobe.d", "1000") },
          .id = "initramfs", "pass", "/usr/share/initramfs-tools/modules.d/virtual:2 puts KVM", NULL },
        { "KVM is in an image that is older than what is left", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(IMAGE,
          "", "usr/sbin/update-initramfs", "", "etc/initramfs-tools/modules", "kvm_amd\n"),
          .times = PAIRS(IMAGE, "2000", ADMIN, "1000", "etc/modprobe.d", "3000") }, .id = "initramfs", "info",
          "files came or went in /etc/modprobe.d after that was built", "update-initramfs -u -k 6.1.0-38-amd64" },
        { "something else is in the image", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(IMAGE, "",
          "etc/initramfs-tools/modules", "# kvm_amd\nvfio kvm_amd\n"), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") },
          .id = "initramfs" },
        { "KVM is in an old image of dracut's", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(DRACUT, "",
          "usr/bin/dracut", "", "etc/dracut.conf.d/x.conf", "hostonly=yes\nforce_drivers+=\" vfio kvm_amd \"\n"),
          .times = PAIRS(DRACUT, "1000", ADMIN, "2000") }, .id = "initramfs", "warn", "/etc/dracut.conf.d/x.conf:2 puts KVM", "dracut -f" },
        { "dracut takes what systemd loads", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(DRACUT, "",
          "usr/bin/dracut", "", "etc/modules-load.d/x.conf", "kvm_amd\n"), .times = PAIRS(DRACUT, "1000", ADMIN, "2000") },
          .id = "initramfs", "warn", "/etc/modules-load.d/x.conf:1 puts KVM", "dracut -f" },
        { "the other vendor's module in the image", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS("proc/stat",
          BOOTED, IMAGE, "", "etc/initramfs-tools/modules", "aesni-intel\nkvm-intel\n"), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") },
          .id = "initramfs" },
        { "kvm alone in the image", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS("proc/stat",
          BOOTED, IMAGE, "", "etc/initramfs-tools/modules", "kvm\n"), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") },
          .id = "initramfs", "warn", "/etc/initramfs-tools/modules:1 puts KVM", NULL },
        { "a folder of which no image has a copy", { AMD_LOADED, .files = PAIRS("proc/stat", BOOTED, IMAGE, "",
          "usr/sbin/update-initramfs", "", "etc/initramfs-tools/modules", "kvm_amd\n",
          "usr/local/lib/modprobe.d/site.conf", "options kvm_amd nested=0\n"), .times = PAIRS(IMAGE, "1000") },
          .id = "initramfs", "warn", "no initramfs has a copy of /usr/local/lib/modprobe.d/site.conf", NULL },
        { "what is to end with the boot is not for an image", { AMD_LOADED, .files = PAIRS("proc/stat", BOOTED, IMAGE, "",
          "etc/initramfs-tools/modules", "kvm_amd\n", "run/modprobe.d/zzz-nestvirt-runtime.conf", "options kvm_amd nested=0\n"),
          .times = PAIRS(IMAGE, "1000", "run/modprobe.d/zzz-nestvirt-runtime.conf", "2000") }, .id = "initramfs", "pass", "after the last change", NULL },
        { "initramfs-tools does not", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(IMAGE, "",
          "usr/sbin/update-initramfs", "", "etc/modules-load.d/x.conf", "kvm_amd\n"), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") },
          .id = "initramfs" },
        { "dracut leaves it out", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(DRACUT, "",
          "usr/bin/dracut", "", "etc/dracut.conf.d/x.conf", "omit_drivers+=\" kvm_amd \"\n"),
          .times = PAIRS(DRACUT, "1000", ADMIN, "2000") }, .id = "initramfs" },
        { "a remark of dracut's", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n", .files = PAIRS(DRACUT, "",
          "usr/bin/dracut", "", "etc/dracut.conf.d/x.conf", "add_drivers+=\" vfio \" # not kvm_amd\n"),
          .times = PAIRS(DRACUT, "1000", ADMIN, "2000") }, .id = "initramfs" },
        { "an image and a KVM that is built in", { .builtin = "kvm. kvm_amd.nested=1", .modprobe = "options kvm_amd nested=1\n",
          .files = PAIRS(IMAGE, "", "etc/initramfs-tools/modules", "kvm_amd\n"), .times = PAIRS(IMAGE, "1000", ADMIN, "2000") },
          .id = "initramfs" },

        { "VirtualBox beside a KVM that keeps the CPU", { VIRT("Y"), .files = PAIRS("sys/module/vboxdrv/initstate", "live\n") },
          .id = "virt-at-load", "warn", "vboxdrv of VirtualBox is loaded (/sys/module/vboxdrv), and kvm.enable_virt_at_load is on: KVM has "
          "the CPU's virtualization as long as it is loaded. VirtualBox from 7.2.10 on wants it so", NULL },
        { "VirtualBox beside a KVM that lets go", { VIRT("N"), .files = PAIRS("sys/module/vboxdrv/initstate", "live\n") },
          .id = "virt-at-load", "warn", "enable_virt_at_load is off: KVM has the CPU's virtualization only while a guest of its own runs. "
          "VirtualBox before 7.2.10 runs guests while KVM runs none. From 7.2.10 on", NULL },
        { "VirtualBox is installed", { VIRT("Y"), .files = PAIRS("lib/modules/6.12.0-1-amd64/modules.dep",
          "kernel/fs/fat.ko:\nupdates/dkms/vboxdrv.ko.xz:\n") }, .id = "virt-at-load", "info",
          "vboxdrv of VirtualBox is installed for kernel 6.12.0-1-amd64 and not loaded", NULL },
        { "VMware beside it", { VIRT("Y"), .files = PAIRS("sys/module/vmmon/initstate", "live\n") }, .id = "virt-at-load", "warn",
          "VMware's own guests need KVM unloaded", NULL },
        { "VMware beside a KVM that lets go", { VIRT("N"), .files = PAIRS("sys/module/vmmon/initstate", "live\n") }, .id = "virt-at-load",
          "warn", "VMware's own guests run while KVM runs none", NULL },
        { "nobody beside it", { VIRT("Y"), .files = PAIRS("lib/modules/6.12.0-1-amd64/modules.dep", "misc/vboxnet.ko:\n") },
          .id = "virt-at-load" },
        { "a kernel that does not know it", { AMD_LOADED, .files = PAIRS("sys/module/vboxdrv/initstate", "live\n") },
          .id = "virt-at-load" },

        { "TuneD's line wins", { AMD_LOADED, .modprobe = "options kvm_amd nested=1\n",
          .files = PAIRS("etc/modprobe.d/tuned.conf", "options kvm_amd nested=0\n") }, .id = "parameter-overridden", "warn",
          "/etc/modprobe.d/tuned.conf:1 (off) wins over /etc/modprobe.d/admin.conf:1, which says otherwise. /etc/modprobe.d/tuned.conf is "
          "TuneD's", NULL },
        { "TuneD's line loses", { AMD_LOADED, .ours = "options kvm_amd nested=1\n",
          .files = PAIRS("etc/modprobe.d/kvm.rt.tuned.conf", "options kvm_amd nested=0\n") }, .id = "parameter-overridden", "info",
          "says otherwise. /etc/modprobe.d/kvm.rt.tuned.conf is TuneD's", NULL },
        { "QEMU's line loses against somebody's", { AMD_LOADED, .files = PAIRS("etc/modprobe.d/qemu-system-x86.conf",
          "options kvm_amd nested=0\n", "etc/modprobe.d/s.conf", "options kvm_amd nested=1\n") }, .id = "parameter-overridden", "warn",
          "/etc/modprobe.d/qemu-system-x86.conf comes with the distribution's QEMU", NULL },
        { "VirtualBox's line is not in effect", { VIRT("Y"), .files = PAIRS("usr/lib/modprobe.d/50-virtualbox.conf",
          "options kvm enable_virt_at_load=0\n") }, .id = "parameter-differs", "warn",
          "/usr/lib/modprobe.d/50-virtualbox.conf comes with VirtualBox", "nestvirtctl reload" },
        { "a package's line is not in effect", { AMD_LOADED, .files = PAIRS("usr/lib/modprobe.d/x.conf",
          "options kvm_amd nested=0\n") }, .id = "parameter-differs", "warn", ". /usr/lib/modprobe.d/x.conf comes with a package",
          "nestvirtctl reload" },
        { "the administrator's line of the distribution's file", { AMD_LOADED, .files = PAIRS("etc/modprobe.d/kvm.conf",
          "options kvm_amd nested=Y\n") }, .id = "parameter-refused", "warn", ". /etc/modprobe.d/kvm.conf is the file of", NULL },
        { "ours can be taken back", { .loaded = "kvm_amd.avic=N", .ours = "options kvm_amd avic=1\n" }, .id = "parameter-unsupported",
          "warn", "The CPU lacks avic", "nestvirtctl reset avic" },
        { "below it is off", { .flags = "hypervisor svm npt", .loaded = "kvm_amd.vgif=0", .modprobe = "options kvm_amd vgif=1\n",
          .files = PAIRS("sys/hypervisor/type", "kvm") }, .id = "parameter-unsupported", "warn",
          "The CPU that this virtual machine is given lacks vgif (on the host below kvm_amd.vgif is off, or it is masked in this machine's "
          "<cpu>): kvm_amd switched it off", NULL },
        { "below nobody gives it", { .flags = "hypervisor svm npt", .loaded = "kvm_amd.avic=0", .modprobe = "options kvm_amd avic=1\n",
          .files = PAIRS("sys/hypervisor/type", "kvm") }, .id = "parameter-unsupported", "warn",
          "lacks avic (no KVM gives it to a virtual machine)", NULL },
        { "below is not KVM", { .flags = "hypervisor svm npt", .loaded = "kvm_amd.vgif=0", .modprobe = "options kvm_amd vgif=1\n",
          .files = PAIRS("sys/hypervisor/type", "microsoft") }, .id = "parameter-unsupported", "warn",
          "lacks vgif (the host below (Hyper-V) does not give it to this virtual machine)", NULL },

        { "huge pages of a CPU with the erratum", { .loaded = "kvm.nx_huge_pages+=N kvm_amd.nested=0",
          .files = PAIRS(ERRATA "itlb_multihit", "KVM: Vulnerable\n") }, .id = "nx-huge-pages", "info",
          "nx_huge_pages is \"off\"; of this CPU the kernel says \"KVM: Vulnerable\" (/sys/devices/system/cpu/vulnerabilities/itlb_multihit)",
          "nestvirtctl set nx_huge_pages=auto" },
        { "huge pages of a CPU without it", { .loaded = "kvm.nx_huge_pages+=N kvm_amd.nested=0",
          .files = PAIRS(ERRATA "itlb_multihit", "Not affected\n") }, .id = "nx-huge-pages", "info", "\"Not affected\"", NULL },
        { "an L1 data cache that leaks", { INTEL, .loaded = "kvm_intel.vmentry_l1d_flush+=never",
          .files = PAIRS(ERRATA "l1tf", "Mitigation: PTE Inversion; VMX: vulnerable\n") }, .id = "l1d-flush", "info",
          "VMX: vulnerable\" (/sys/devices/system/cpu/vulnerabilities/l1tf)", "nestvirtctl set vmentry_l1d_flush=cond" },
        { "an L1 data cache that is flushed", { INTEL, .loaded = "kvm_intel.vmentry_l1d_flush+=cond",
          .files = PAIRS(ERRATA "l1tf", "Mitigation: PTE Inversion; VMX: conditional cache flushes, SMT disabled\n") }, .id = "l1d-flush",
          "info", "conditional cache flushes", NULL },
        { "huge pages", { .loaded = "kvm.nx_huge_pages+=Y kvm_amd.nested=0" }, .id = "nx-huge-pages", "info", "is \"on\"; CPUs with the erratum", NULL },
        { "the L1 data cache", { INTEL, .loaded = "kvm_intel.vmentry_l1d_flush+=not~required" }, .id = "l1d-flush", "info",
          "\"not required\"", NULL },
};
/* clang-format on */

static void test_each_id_is_shown(void) {
        check_rows_assert_cover(rows, G_N_ELEMENTS(rows), "kvm-kept", "l1d-flush", "masked-file");
}

static void test_masked_file(Tree *tree, gconstpointer data) {
        static const char *const others[] = {"libvirt.conf", "my-nestvirt.conf", "qemu-system-x86.conf"};
        const MadeHost made = {AMD_LOADED};
        unsigned n;

        tree_write(tree, "etc/modprobe.d/kvm.conf", "");
        tree_write(tree, "usr/lib/modprobe.d/kvm.conf", "options kvm_amd nested=0\n");
        for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
                g_autofree char *first = g_strconcat("etc/modprobe.d/", others[i], NULL);
                g_autofree char *second = g_strconcat("usr/lib/modprobe.d/", others[i], NULL);
                tree_write(tree, first, "");
                tree_write(tree, second, "options kvm_amd nested=0\n");
        }
        tree_write(tree, "etc/modprobe.d/floppy.conf", "");
        tree_write(tree, "usr/lib/modprobe.d/floppy.conf", "blacklist floppy\n");
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(CheckFacts) facts = check_facts_read(host);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        const Finding *f = check_row_find(findings, "masked-file", &n);
        g_assert_cmpuint(n, ==, 1 + G_N_ELEMENTS(others));
        g_assert_cmpstr(f->status, ==, "info");
        g_assert_nonnull(strstr(f->message, "/usr/lib/modprobe.d/qemu-system-x86.conf is not read"));
}

static void test_many_of_a_kind_are_counted(void) {
        g_autoptr(GString) lines = g_string_new(NULL);
        unsigned n;

        for (unsigned i = 0; i < 1000; i++)
                g_string_append_printf(lines, "options kvm_amd x%u=1\n", i);
        const MadeHost made = {AMD_LOADED, .modprobe = lines->str};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        const Finding *f = check_row_find(findings, "parameter-unknown", &n);
        g_assert_cmpuint(n, ==, 17);
        g_assert_cmpstr(f->message, ==, "and 984 more of this kind");
        g_assert_cmpstr(f->status, ==, "info");
}

static void test_every_bad_line(void) {
        const MadeHost made = {AMD_LOADED, .modprobe = "x\ny\noptions kvm_amd nested=1\nz\n"};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        unsigned n;

        const Finding *f = check_row_find(findings, "modprobe-line", &n);
        g_assert_cmpuint(n, ==, 3);
        g_assert_true(g_str_has_prefix(f->message, "/etc/modprobe.d/admin.conf:4: "));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        check_rows_add(rows, G_N_ELEMENTS(rows));
        g_test_add_func("/check/each-id-of-options-is-shown", test_each_id_is_shown);
        g_test_add("/check/masked-file/hidden", Tree, NULL, tree_set_up, test_masked_file, tree_tear_down);
        g_test_add_func("/check/many-of-a-kind-are-counted", test_many_of_a_kind_are_counted);
        g_test_add_func("/check/every-bad-line", test_every_bad_line);
        return g_test_run();
}

# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of the packages in a clean root, which this runs in, as root: installed, upgraded,
removed, purged. What is wrong is an assertion's text.

There is no systemd here, and no bus: what they do on a host that runs is shown by
tests/hosts/packaged.

    life.py FOLDER    with the packages of it
"""

import pathlib
import subprocess
import sys
import tempfile

import newer

KEPT, RUNTIME = "/etc/modprobe.d/zz-nestvirt.conf", "/run/modprobe.d/zzz-nestvirt-runtime.conf"
SITE = "/etc/nestvirt/50-site.conf"
# As the daemon has it while something waits, and after an apply.
STATE = {KEPT: "options kvm_amd nested=0\n", RUNTIME: "options kvm_amd npt=0\n", "/run/nestvirt/pending": "kvm_amd nested=1\n",
         "/var/lib/nestvirt/applied": "kvm_amd nested=0\n", "/var/lib/nestvirt/lock": ""}

NAMES = ["cockpit-nestvirt", "nestvirt-probe", "nestvirtd"]
UNITS = ["nestvirt-apply-guests.service", "nestvirt-apply.service", "nestvirtd.service"]
WANTS = pathlib.Path("/etc/systemd/system/multi-user.target.wants")


def run(*command, status=0):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == status, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def files():
    """All there are in the root and in /run, but for what dpkg, and man-db after it, note while
    they work."""
    noted = ["-path", "/var/lib/dpkg", "-o", "-path", "/var/log", "-o", "-path", "/var/cache/man"]
    return set(run("find", "/", "/run", "-xdev", "(", *noted, ")", "-prune", "-o", "-print").splitlines())


def state():
    return {path: pathlib.Path(path).read_text() for path in [*STATE, SITE] if pathlib.Path(path).exists()}


def write(path, text):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text)


def installed(packages):
    """The units are enabled, and nothing of KVM has been written, whatever is desired."""
    write(SITE, "[Parameters]\nnested=off\n")
    run("dpkg", "-i", *packages)
    assert sorted(path.name for path in WANTS.iterdir() if path.name.startswith("nestvirt")) == UNITS
    assert state() == {SITE: "[Parameters]\nnested=off\n"}, state()
    # What it is linked with is there, and so is what it opens when it is needed.
    assert run("nestvirtctl", "--version").strip()
    fixture = "/src/tests/fixtures/amd-epyc-6.1"
    assert '"nested":"on"' in run("nestvirtctl", f"--root={fixture}", "--json=short", "status")


def upgraded(packages):
    for path, text in STATE.items():
        write(path, text)
    before = state()
    with tempfile.TemporaryDirectory() as folder:
        run("dpkg", "-i", *(newer.make(package, f"{folder}/{package.name}") for package in packages))
    assert run("dpkg-query", "-W", "-f", "${Version}", "nestvirtd").endswith("+1")
    assert state() == before, state()
    return before


def purged(before):
    run("dpkg", "-r", *NAMES)
    assert state() == before, state()
    assert not pathlib.Path("/usr/bin/nestvirtctl").exists()
    said = run("dpkg", "-P", *NAMES)
    assert state() == {SITE: before[SITE]}, state()
    for path in (KEPT, RUNTIME):
        assert f"removing {path}" in said, said


def main():
    packages = [path for path in sorted(pathlib.Path(sys.argv[1]).glob("*.deb")) if "-dbgsym_" not in path.name]
    pathlib.Path("/run/modprobe.d").mkdir()  # made for the service by systemd, and nobody's to remove
    # Manuals and the like are to be seen as well.
    pathlib.Path("/etc/dpkg/dpkg.cfg.d/99mmdebstrap").unlink()
    before = files()
    installed(packages)
    purged(upgraded(packages))
    run("rm", "-r", "/etc/nestvirt")
    left, lost = sorted(files() - before), sorted(before - files())
    assert not left and not lost, f"left behind: {left}, lost: {lost}"
    print(f"{len(packages)} packages installed, upgraded, removed and purged")


main()

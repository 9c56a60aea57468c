# SPDX-License-Identifier: LGPL-2.1-or-later
"""All tests, tier by tier, and one closing line of counts: what `./run test` runs.

Owns the order of the tiers and the sum of their counts; the tests are elsewhere. A tier is a
function that runs its tests, shows their progress and returns a Counter of passed, failed and
skipped.

    tiers.py [TIER…]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter

from meson_log import case_counts, case_failures

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("NESTVIRT_BUILD") or CHECKOUT / "build")

CLANG = {"CC": "clang"}
GCC = {"CC": "gcc"}

FAILED = "=== what failed"

# A text for each test that failed, shown once more at the end: nobody looks for it among some
# thousand lines.
FAILURES = []

# The sources are the same in every build.
NO_LINT = ["--no-suite", "lint"]
# What is otherwise built where its libraries happen to be.
GLIB = ["-Dglib_client=enabled"]
DESKTOP = [*GLIB, "-Dgnome=enabled"]
# Generated code; GLib's objects for Python can't be loaded by what has no sanitizer in it.
NO_GLIB = ["-Dglib_client=disabled", "-Dgnome=disabled"]
# Attacks are long, and count memory.
NO_FIRE = ["--no-suite", "fire"]
# Whole hosts, a browser, a window, with packages that nothing else needs: these have tiers of their
# own.
NO_OTHERS = ["--no-suite", "ansible", "--no-suite", "cockpit", "--no-suite", "desktop"]

HOSTS = CHECKOUT / "tests" / "hosts"
PACKAGES = CHECKOUT / "tests" / "packages"
sys.path[:0] = [str(HOSTS), str(CHECKOUT / "tests" / "cockpit")]

# The release whose userland the tests see besides the machine's own.
NEWER = "trixie"

# Tiers that run while the emulated host does, which keeps one processor busy, whatever there are;
# and the variable that tells them so.
MEANWHILE = ["desktop", "tsan", "userland", "ansible", "packages", "packaged", "trixie-host", "intel"]
BESIDE = "NESTVIRT_BESIDE"


def succeeds(*command, **environment):
    return subprocess.run(list(map(str, command)), env={**os.environ, **environment}, stdin=subprocess.DEVNULL).returncode == 0


def log_counts(path):
    counts = Counter()
    with open(path) as stream:
        for test in map(json.loads, stream):
            counts.update(case_counts(test))
            FAILURES.extend(case_failures(test))
    return counts


def failure(text):
    FAILURES.append(text)
    return Counter(failed=1)


def is_built(build, options, compiler, *targets):
    """Build all and what measures, or the targets; the tree is set up when it is not there."""
    there = (build / "build.ninja").exists()
    prepare = ["configure", build] if there else ["setup", build, CHECKOUT]
    if (options or not there) and not succeeds("meson", *prepare, *options, **compiler):
        return False
    return succeeds("ninja", "-C", build, *(targets or ("all", "bench")))


def meson(build, options, compiler, environment, *arguments, targets=()):
    """Run the tests that meson knows: unit, bus, fuzz corpora, lint."""
    if not is_built(build, options, compiler, *targets):
        return failure("the build failed")
    report = build / "meson-logs" / "testlog.json"
    report.unlink(missing_ok=True)
    # One more than there are processors, of which an emulator may have one: what talks on a bus
    # waits a good part of its time.
    processes = ["--num-processes", str((os.cpu_count() or 1) + (0 if BESIDE in os.environ else 1))]
    good = succeeds("meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *processes, *arguments, **environment)
    counts = log_counts(report) if report.exists() else Counter()
    if good == bool(counts["failed"]) or not counts:
        counts += failure("meson and its log do not agree on whether a test failed")
    return counts


def tier_meson():
    return meson(BUILD, DESKTOP, GCC, {}, *NO_OTHERS)


def tier_cockpit():
    """The page, in a browser."""
    return meson(BUILD, [], GCC, {}, "--suite", "cockpit")


def tier_page():
    """Of the tier `cockpit`, what has the machine's own Cockpit."""
    return meson(BUILD, [], GCC, {}, "--suite", "cockpit", "--no-suite", "unpacked", targets=["cockpit-needs"])


def tier_desktop():
    """The window, on a display of its own."""
    # Others run what is built, which is not set up anew under them.
    return meson(BUILD, [] if BESIDE in os.environ else DESKTOP, GCC, {}, "--suite", "desktop")


def tier_desktop_whole():
    """With a question of polkit's that is closed, and asked again."""
    return meson(BUILD, DESKTOP, GCC, {"NESTVIRT_DESKTOP": "whole"}, "--suite", "desktop")


def tier_gnome():
    """The library for GLib as well, and nothing is warned of."""
    targets = ["desktop-needs", "glib/nestvirt-glib-1.vapi", "nestvirtd-gmo"]
    return meson(BUILD, [*DESKTOP, "-Dwerror=true"], GCC, {}, "--suite", "desktop", "--suite", "glib", targets=targets)


def tier_asan():
    options = ["-Dwerror=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", *NO_GLIB]
    environment = {"ASAN_OPTIONS": "abort_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1"}
    return meson(CHECKOUT / "build-asan", options, CLANG, environment, *NO_LINT, *NO_FIRE, *NO_OTHERS)


def tier_tsan():
    """What has threads; of the rest there is nothing to say."""
    threads = ["--suite", "bus", "--suite", "threads"]
    return meson(CHECKOUT / "build-tsan", ["-Dwerror=true", "-Db_sanitize=thread", *NO_GLIB], GCC, {"TSAN_OPTIONS": "halt_on_error=1"}, *threads)


def tier_unit():
    return meson(BUILD, GLIB, GCC, {}, *NO_LINT, *NO_FIRE, *NO_OTHERS)


def tier_part():
    """Of the tier `unit`, what may differ with the userland."""
    return meson(BUILD, GLIB, GCC, {}, *NO_LINT, *NO_FIRE, *NO_OTHERS, "--no-suite", "fuzz", "--no-suite", "alike")


def tier_fire():
    return meson(BUILD, GLIB, GCC, {"NESTVIRT_FIRE": "whole"}, "--suite", "fire", "--timeout-multiplier", "60")


def tier_ansible():
    return meson(BUILD, [], GCC, {}, "--suite", "ansible")


def tier_modprobe():
    """The reader of modprobe.d against the machine's libkmod, over more trees than each time."""
    return meson(BUILD, GLIB, GCC, {"NESTVIRT_TREES": "5000"}, "options-modprobe", "--timeout-multiplier", "10")


class Timed(unittest.TextTestResult):
    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        self.stream.writeln(f"    {time.monotonic() - self.began:.1f} s")
        super().stopTest(test)


def case_tests(folder, pattern="test*.py"):
    suite = unittest.TestLoader().discover(str(folder), pattern)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Timed).run(suite)
    FAILURES.extend(f"{test.id()}:\n{text}" for test, text in result.failures + result.errors)
    FAILURES.extend(f"{test.id()}: passed, which was not expected" for test in result.unexpectedSuccesses)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    return Counter(failed=failed, skipped=skipped, passed=max(0, result.testsRun - failed - skipped))


def host_tests(folder, pattern="test*.py"):
    if not is_built(BUILD, [], GCC):
        return failure("the build failed")
    import shared

    try:
        return case_tests(HOSTS / folder, pattern)
    finally:
        shared.close()


def tier_host():
    return host_tests(".")


def tier_intel():
    return host_tests("intel")


def tier_verdicts():
    """All that is foretold of starts, on the libvirt of the machine, of Debian 13, of unstable."""
    os.environ["NESTVIRT_VERDICTS"] = "whole"
    return host_tests(".", "test_verdicts.py")


def in_root(suite, root, build, *command, kept=()):
    """What another run of this program counts in the root of another Debian release, whose packages
    are told; it builds anew. What it would get from elsewhere are folders of the cache."""
    import debian

    shutil.rmtree(build, ignore_errors=True)
    for folder in kept:
        shutil.copytree(folder, build / "cache" / folder.name)
    print(f"Debian {suite}: {debian.versions(root)}", flush=True)
    with tempfile.TemporaryFile("w+") as output:
        entered = debian.command(root, CHECKOUT, build, "env", "NESTVIRT_CACHE=/build/cache", *command)
        status = subprocess.run(entered, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT).returncode
        return told_counts(output, status)


def in_debian(suite):
    """The tier `unit` in a root of the release."""
    import debian

    return in_root(suite, debian.get(suite, debian.packages()), CHECKOUT / f"build-{suite}", "/src/run", "test", "unit")


def tier_userland():
    """The tier `part` in a root of the newer release."""
    import other_release

    root, build = other_release.root(NEWER), other_release.build_folder(NEWER)
    return in_root(NEWER, root, build, "/usr/bin/python3", "/src/tests/tiers.py", "part")


def tier_trixie():
    return in_debian("trixie")


def tier_trixie_host():
    """A host that is Debian 13 throughout."""
    return host_tests("trixie")


def tier_fleet():
    """The tier `ansible` with the Ansible of the newer release, and other people's collections, of
    tasks as well as of what a host says of itself."""
    import debian

    root = debian.get(NEWER, debian.packages("NESTVIRT_FLEET_PACKAGES"))
    there = ["env", "NESTVIRT_FLEET=whole", "/usr/bin/python3", "/src/tests/tiers.py", "ansible"]
    return in_root(NEWER, root, CHECKOUT / f"build-fleet-{NEWER}", *there) + host_tests("fleet")


def tier_cockpit_newest():
    """Cockpit of unstable as it is today, whole, with the browser that is there."""
    import axe
    import debian

    root, build = debian.get("sid", debian.packages("NESTVIRT_COCKPIT_PACKAGES")), CHECKOUT / "build-cockpit-sid"
    return in_root("sid", root, build, "/usr/bin/python3", "/src/tests/tiers.py", "page", kept=[axe.folder()])


def tier_desktop_newest():
    """The tier `gnome` in roots of the newer release, and of unstable."""
    import debian

    def there(suite):
        root = debian.get(suite, debian.packages("NESTVIRT_DESKTOP_PACKAGES"))
        return in_root(suite, root, CHECKOUT / f"build-desktop-{suite}", "/usr/bin/python3", "/src/tests/tiers.py", "gnome")

    return there(NEWER) + there("sid")


def tier_packages():
    """The source tarball, and the packages of the machine's own release."""
    return case_tests(PACKAGES)


def tier_packaged():
    """A host that nestvirtd comes to as packages of its release, until they are purged."""
    return host_tests("packaged", "test_life.py")


def tier_packages_whole():
    """The packages of the newer release, in whose build their tests run; and all that is tested of
    a host that they are installed on, where the power fails at each step of an apply."""
    os.environ["NESTVIRT_CUTS"] = "whole"
    counts = host_tests("packaged")
    os.environ.update(NESTVIRT_RELEASE=NEWER, DEB_BUILD_OPTIONS="")
    return counts + case_tests(PACKAGES)


def tier_newest():
    return in_debian("sid")


TIERS = {"meson": tier_meson, "cockpit": tier_cockpit, "desktop": tier_desktop, "asan": tier_asan, "tsan": tier_tsan,
         "userland": tier_userland, "ansible": tier_ansible, "host": tier_host, "packages": tier_packages, "packaged": tier_packaged,
         "trixie-host": tier_trixie_host, "intel": tier_intel}
# When they are named.
ON_DEMAND = {"fire": tier_fire, "modprobe": tier_modprobe, "unit": tier_unit, "part": tier_part, "trixie": tier_trixie,
             "newest": tier_newest, "cockpit-newest": tier_cockpit_newest, "fleet": tier_fleet, "verdicts": tier_verdicts,
             "packages-whole": tier_packages_whole, "page": tier_page, "gnome": tier_gnome, "desktop-newest": tier_desktop_newest,
             "desktop-whole": tier_desktop_whole}


def of_tier(tier):
    from image import ImageError

    try:
        return tier()
    except ImageError as error:
        return failure(str(error))


def run(name):
    print(f"=== {name}", flush=True)
    start = time.monotonic()
    before = len(FAILURES)
    counts = of_tier({**TIERS, **ON_DEMAND}[name])
    FAILURES[before:] = [f"{name}: {text}" for text in FAILURES[before:]]
    sys.stdout.flush()
    print(f"=== {name}: {line(counts)} ({time.monotonic() - start:.0f} s)", flush=True)
    return counts


def told_counts(output, status):
    """Shows what another run of this program has said, and takes its counts and failures over."""
    output.seek(0)
    *text, last = output.read().splitlines() or [""]
    text, _, failures = "\n".join(text).partition(f"\n{FAILED}\n")
    FAILURES.extend([failures] if failures else [])
    print(text, flush=True)
    counts = Counter({word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped)", last)})
    if not counts:
        print(last, flush=True)
    if status != 0 and not counts["failed"] and not counts["skipped"]:
        counts += failure(f"the tests ended with {status}")
    return counts


class Beside:
    """Tiers that run in a process of their own meanwhile; what they say is shown when they have
    ended."""

    def __init__(self, names):
        self.output = tempfile.TemporaryFile("w+")
        command = ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, __file__, *names]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
                                        env={**os.environ, BESIDE: "yes"})

    def end(self):
        self.process.wait()
        return told_counts(self.output, self.process.returncode)


def main(names):
    known = [*TIERS, *ON_DEMAND]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"tiers.py: no tier {', '.join(unknown)}; there are {', '.join(known)}")

    names = [name for name in known if name in names] if names else list(TIERS)
    total = Counter()
    meanwhile = [name for name in MEANWHILE if name in names] if "host" in names and is_built(BUILD, [], GCC) else []
    for name in names:
        if name in meanwhile:
            continue
        beside = Beside(meanwhile) if name == "host" and meanwhile else None
        total.update(run(name))
        if beside:
            total.update(beside.end())
    if FAILURES:
        print("\n".join([FAILED, *FAILURES]), flush=True)
    print(line(total), flush=True)
    return 1 if total["failed"] or total["skipped"] or not total["passed"] else 0


def line(counts):
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{counts['passed']} passed, {counts['failed']} failed{skipped}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

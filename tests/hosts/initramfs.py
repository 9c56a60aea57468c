# SPDX-License-Identifier: LGPL-2.1-or-later
"""The initramfs of the emulated host: busybox, the modules that reach the disks, guest/init and the
test agent.

Made from the files beside the image, in well under a second, so a change of the agent needs no new
image.
"""

import gzip
import hashlib
import lzma
import os
import pathlib
import subprocess

from image import HERE, ImageError

GUEST = HERE / "guest"
AGENT_FLAGS = ["-std=c17", "-O2", "-Wall", "-Wextra", "-Werror"]


def entry(name, mode, data=b""):
    """One member of a cpio archive of the kind that the kernel unpacks (newc)."""
    numbers = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = "070701" + "".join(f"{number:08x}" for number in numbers) + name + "\0"
    head = head.encode()
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def module_text(path):
    """A kernel module as insmod wants it; newer releases keep them compressed."""
    data = path.read_bytes()
    if path.suffix == ".ko":
        return data
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    raise ImageError(f"{path.name}: modules compressed in this way are not known here")


def agent_binary(folder):
    """The agent, compiled for the machine's own release, which is the image's too."""
    binary = folder / f"agent.{os.getpid()}"
    command = ["cc", *AGENT_FLAGS, "-o", str(binary), str(GUEST / "agent.c")]
    subprocess.run(command, check=True)
    data = binary.read_bytes()
    binary.unlink()
    return data


def pack(files):
    """The archive of these files, each a mode and its data by its name, and of the folders that
    they lie in."""
    folders = sorted({name.rpartition("/")[0] for name in files} - {""} | {"dev"})
    parts = [entry(folder, 0o040755) for folder in folders]
    parts += [entry(name, 0o100000 | mode, data) for name, (mode, data) in files.items()]
    return b"".join(parts + [entry("TRAILER!!!", 0)])


def boot_files(image, init, kind):
    """What every initramfs has: the first process, busybox, and the modules that reach the disks,
    in their order."""
    files = {"init": (0o755, init.read_bytes()), "bin/busybox": (0o755, (image / "busybox").read_bytes())}
    for path in sorted((image / "modules" / kind).iterdir()):
        files["modules/" + path.name.split(".")[0]] = (0o644, module_text(path))
    return files


def archive(image, kind):
    files = boot_files(image, GUEST / "init", kind)
    files["agent/agent"] = (0o755, agent_binary(image))
    files["agent/nestvirt-test-agent.service"] = (0o644, (GUEST / "nestvirt-test-agent.service").read_bytes())
    return pack(files)


def get(image, kind="virtio"):
    """The initramfs for this image, on a machine with disks of this kind; kept beside it until one
    of its sources changes."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(GUEST.iterdir())))
    digest.update(pathlib.Path(__file__).read_bytes())
    path = image / f"initramfs-{kind}-{digest.hexdigest()[:16]}"
    if not path.exists():
        half = image / f"{path.name}.{os.getpid()}"
        half.write_bytes(archive(image, kind))
        half.rename(path)
    return path

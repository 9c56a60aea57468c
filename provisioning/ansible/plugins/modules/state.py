#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE above, or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The desired state of a host's nested virtualization: nestvirtctl apply."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: state
short_description: Bring about the desired state of nested virtualization
version_added: "0.2.0"
description:
  - Sets parameters of KVM's modules, and the CPUs of libvirt's guests, as nestvirt.conf(5) words it,
    by one call of C(nestvirtctl apply) on the host.
  - Parameters are set in one transaction, then guests are defined one after the other. What is so
    already is left alone.
  - Without O(content) and O(path) it is what the files in C(/etc/nestvirt) and C(/usr/lib/nestvirt)
    say; only then what they say no more is reset.
options:
  content:
    description:
      - Sections of nestvirt.conf(5), and in each its keys and values. A value may be C(true) or
        C(false); of several values, as C(Except) of C(Guests) takes them, it may be a list.
    type: dict
  path:
    description:
      - A file on the host that says it.
    type: path
  when:
    description:
      - When it is to be in effect, instead of what the files say (there C(idle) is the default).
      - With V(idle) at once if nobody uses KVM, else as soon as nobody does.
      - With V(now) it fails while somebody does, and says who.
      - With V(boot) it is with the next load of the modules.
    type: str
    choices: [idle, now, boot]
  only:
    description:
      - Of both alone the parameters, or the guests.
    type: str
    choices: [parameters, guests]
attributes:
  check_mode:
    description: Says what would be changed, and changes nothing.
    support: full
  diff_mode:
    description: Shows what was configured, in effect and waiting, and will be.
    support: full
author:
  - nestvirtd's authors (@nestvirt)
"""

EXAMPLES = r"""
- name: No nesting, on hosts of both vendors
  nestvirt.host.state:
    content:
      Parameters:
        nested: false

- name: Nesting for one guest, at once or not at all
  nestvirt.host.state:
    when: now
    content:
      Parameters:
        nested: true
      kvm_intel:
        enable_shadow_vmcs: true
      Guests:
        Nested: false
        Except: [lab1]

- name: What the files in /etc/nestvirt say
  nestvirt.host.state:
"""

RETURN = r"""
changes:
  description: What was changed, or would be; for each what was C(before) and is C(after).
  returned: success
  type: list
  elements: dict
  sample:
    - module: kvm_amd
      name: nested
      before: {configured: "", effective: "on", pending: "", source: ""}
      after: {configured: "0", effective: "off", pending: "", source: "/etc/modprobe.d/zz-nestvirt.conf:3"}
drift:
  description:
    - What is not as desired, also when it is only waiting (C(pending)); in check mode, what is not so now.
  returned: success
  type: list
  elements: dict
  sample: []
pending:
  description: Whether something waits until nobody uses KVM, or for the next boot.
  returned: success
  type: bool
  sample: false
outcome:
  description: One of unchanged, applied, configured (for the next load), deferred (until nobody uses KVM), planned.
  returned: success
  type: str
  sample: applied
steps:
  description: What was done to the modules and files, in words.
  returned: success
  type: list
  elements: str
  sample: [unloaded kvm_amd, unloaded kvm, loaded kvm, loaded kvm_amd with nested=0]
notes:
  description: What was left out, and why.
  returned: success
  type: list
  elements: str
  sample: []
guests:
  description: For each guest that was asked for what came of it.
  returned: when guests are asked for
  type: dict
  sample: {}
error:
  description: The name of the error on D-Bus, as C(org.nestvirt1.Error.Busy).
  returned: failure
  type: str
  sample: org.nestvirt1.Error.Busy
holders:
  description: Who uses KVM, when that is in the way.
  returned: failure
  type: list
  elements: dict
  sample:
    - {pid: 4242, uid: 0, command: qemu-system-x86, unit: web1.scope, guest: web1, nested_claim: ""}
rc:
  description: The exit status of nestvirtctl.
  returned: failure
  type: int
  sample: 5
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.nestvirt.host.plugins.module_utils.client import call, diff


def word(module, section, value):
    """A value as nestvirt.conf(5) has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ";".join(word(module, section, item) for item in value)
    if isinstance(value, dict) or value is None or "\n" in str(value):
        module.fail_json(msg="content: section %s: a value is one word or number, not %r" % (section, value))
    return str(value)


def key_file(module, content):
    lines = []
    for section, keys in content.items():
        if not isinstance(keys, dict) or set("[]\n") & set(section):
            module.fail_json(msg="content: %s is no section with keys and values" % section)
        lines.append("[%s]" % section)
        lines += ["%s=%s" % (key, word(module, section, value)) for key, value in keys.items()]
    return "".join(line + "\n" for line in lines)


def command(module):
    """The words for nestvirtctl, and what it is to read from standard input."""
    params, words, data = module.params, ["apply"], None
    if module.check_mode:
        words.append("--dry-run")
    words += ["--%s=%s" % (name, params[name]) for name in ("when", "only") if params[name]]
    if params["content"] is not None:
        words.append("-")
        data = key_file(module, params["content"])
    elif params["path"]:
        words += ["--", params["path"]]
    return words, data


def main():
    module = AnsibleModule(
        argument_spec={
            "content": {"type": "dict"},
            "path": {"type": "path"},
            "when": {"type": "str", "choices": ["idle", "now", "boot"]},
            "only": {"type": "str", "choices": ["parameters", "guests"]},
        },
        mutually_exclusive=[("content", "path")],
        supports_check_mode=True,
    )
    words, data = command(module)
    answer = call(module, words, data, allowed=(0, 1))
    result = {name: answer[name] for name in ("changed", "changes", "drift", "outcome", "steps", "notes")}
    result["guests"] = answer.get("guests", {})
    result["pending"] = any(entry["pending"] for entry in answer["drift"])
    result["diff"] = diff(answer["changes"])
    failed = sorted(name for name, guest in result["guests"].items() if guest.get("error"))
    if failed:
        said = ["guest %s: %s" % (name, result["guests"][name]["error"]) for name in failed]
        module.fail_json(msg="; ".join(said), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()

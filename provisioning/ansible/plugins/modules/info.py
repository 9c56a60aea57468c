#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE above, or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What nestvirtctl tells of a host, as facts."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: info
short_description: Tell the state of nested virtualization, as facts
version_added: "0.2.0"
description:
  - Asks nestvirtd by one call of C(nestvirtctl). Nothing is changed, and no right is needed.
  - What waits until nobody uses KVM is otherwise a moment later, so don't trust these facts when they
    come from a cache.
options:
  gather:
    description:
      - V(status) is the host, its modules, parameters and guests.
      - V(findings) is what is wrong, or may surprise, each with the command that mends it.
      - V(fingerprint) is what guests that are to have guests are offered, as C(nestvirtctl compare) reads it.
    type: str
    choices: [status, findings, fingerprint]
    default: status
attributes:
  check_mode:
    description: It changes nothing.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
  facts:
    description: They are in C(ansible_facts).
    support: full
author:
  - nestvirtd's authors (@nestvirt)
"""

EXAMPLES = r"""
- name: What there is
  nestvirt.host.info:

- name: Go on only where guests can be hypervisors
  ansible.builtin.assert:
    that: ansible_facts.nestvirt.nested == "on"

- name: What there is to mend
  nestvirt.host.info:
    gather: findings
"""

RETURN = r"""
ansible_facts:
  description: What was gathered, with the keys of nestvirtctl's JSON.
  returned: success
  type: dict
  contains:
    nestvirt:
      description: The host, as C(nestvirtctl status) tells it.
      returned: with O(gather=status)
      type: dict
      sample: {nested: "on", vendor: amd, mmu: tdp, drift: []}
    nestvirt_findings:
      description: A list of findings, with id, status, subject, message, fix.
      returned: with O(gather=findings)
      type: list
      elements: dict
      sample: []
    nestvirt_fingerprint:
      description: The fingerprint.
      returned: with O(gather=fingerprint)
      type: dict
      sample: {sha256: "0f"}
error:
  description: The name of the error on D-Bus, as C(org.nestvirt1.Error.Unsupported).
  returned: failure
  type: str
  sample: org.nestvirt1.Error.Unsupported
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.nestvirt.host.plugins.module_utils.client import call


def main():
    module = AnsibleModule(
        argument_spec={
            "gather": {"type": "str", "choices": ["status", "findings", "fingerprint"], "default": "status"},
        },
        supports_check_mode=True,
    )
    gather = module.params["gather"]
    if gather == "findings":
        # 3: something is wrong, which is the answer.
        facts = {"nestvirt_findings": call(module, ["check"], allowed=(0, 3))["findings"]}
    elif gather == "fingerprint":
        facts = {"nestvirt_fingerprint": call(module, ["fingerprint"])}
    else:
        facts = {"nestvirt": call(module, ["status"])}
    module.exit_json(changed=False, ansible_facts=facts)


if __name__ == "__main__":
    main()

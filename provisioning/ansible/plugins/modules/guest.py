#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE above, or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The virtual CPU of one guest: nestvirtctl set-cpu."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: guest
short_description: Let a guest of libvirt's run guests of its own, or not
version_added: "0.2.0"
description:
  - Changes the CPU that a guest is defined with, by one call of C(nestvirtctl set-cpu). A guest that
    runs has it after it was switched off and on.
  - For several guests, and for those whose names are not known, M(nestvirt.host.state) is the better
    way.
options:
  name:
    description:
      - The name of the guest, or its UUID.
    type: str
    required: true
  nested:
    description:
      - Whether it may run guests.
    type: bool
  mode:
    description:
      - The mode of the CPU.
    type: str
    choices: [host-model, host-passthrough, maximum, custom]
  model:
    description:
      - The model of the CPU; the mode is then C(custom).
    type: str
attributes:
  check_mode:
    description: Says what would be changed, and changes nothing.
    support: full
  diff_mode:
    description: Shows the difference of the definitions, without what may be secret in them.
    support: full
author:
  - nestvirtd's authors (@nestvirt)
"""

EXAMPLES = r"""
- name: The guest that tests a hypervisor
  nestvirt.host.guest:
    name: lab1
    nested: true
    mode: host-passthrough
"""

RETURN = r"""
changes:
  description: What was changed, or would be; for each what was C(before) and is C(after).
  returned: success
  type: list
  elements: dict
  sample:
    - {guest: lab1, name: svm, before: {configured: ""}, after: {configured: require}}
restart_needed:
  description: Whether the guest runs with another CPU, until it is switched off and on.
  returned: success
  type: bool
  sample: true
advice:
  description: What else there is to know, or to do.
  returned: success
  type: list
  elements: str
  sample: []
outcome:
  description: One of unchanged, applied, planned.
  returned: success
  type: str
  sample: applied
steps:
  description: What was done to the definition, in words.
  returned: success
  type: list
  elements: str
  sample: [require svm]
error:
  description: The name of the error on D-Bus, as C(org.nestvirt1.Error.NoSuchGuest).
  returned: failure
  type: str
  sample: org.nestvirt1.Error.NoSuchGuest
rc:
  description: The exit status of nestvirtctl.
  returned: failure
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.nestvirt.host.plugins.module_utils.client import call


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "nested": {"type": "bool"},
            "mode": {"type": "str", "choices": ["host-model", "host-passthrough", "maximum", "custom"]},
            "model": {"type": "str"},
        },
        required_one_of=[("nested", "mode", "model")],
        supports_check_mode=True,
    )
    params, words = module.params, ["set-cpu"]
    # To the client these would be a pattern, and the answer one about many.
    if set("*?[\\") & set(params["name"]):
        module.fail_json(msg="name: %s is a pattern, not the name of a guest" % params["name"])
    if module.check_mode:
        words.append("--dry-run")
    if params["nested"] is not None:
        words.append("--nested=%s" % ("yes" if params["nested"] else "no"))
    words += ["--%s=%s" % (name, params[name]) for name in ("mode", "model") if params[name]]
    answer = call(module, words + ["--", params["name"]])
    result = {name: answer[name] for name in ("changed", "changes", "restart_needed", "advice", "outcome", "steps")}
    module.exit_json(diff={"prepared": answer["diff"]}, **result)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE beside, or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One call of nestvirtctl, and what becomes of its answer: what all modules share. It knows neither
D-Bus nor what a parameter is."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json


def call(module, words, data=None, allowed=(0,)):
    """The answer of nestvirtctl to these words; an error of its own ends the module."""
    command = [module.get_bin_path("nestvirtctl", required=True), "--json=short", "--no-ask-password"]
    status, out, err = module.run_command(command + words, data=data, binary_data=False,
                                          environ_update={"LC_ALL": "C.UTF-8"})
    try:
        answer = json.loads(out)
    except ValueError:
        module.fail_json(msg="nestvirtctl ended with %d, without an answer: %s" % (status, err.strip() or out.strip()),
                         rc=status)
    if "error" in answer:
        error = answer["error"]
        module.fail_json(msg=error["message"], error=error["name"], holders=error.get("holders", []), rc=status)
    if status not in allowed:
        module.fail_json(msg="nestvirtctl ended with %d" % status, rc=status, **answer)
    return answer


def text(changes, when):
    """A line for each value, as it was before or is after: what diff mode shows."""
    lines = []
    for change in changes:
        of = change.get("module") or "guest %s" % change.get("guest")
        for view, value in sorted(change[when].items()):
            lines.append("%s.%s %s=%s" % (of, change["name"], view, value))
    return "".join(line + "\n" for line in lines)


def diff(changes):
    return {"before": text(changes, "before"), "after": text(changes, "after")}

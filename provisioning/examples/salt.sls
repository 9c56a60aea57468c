# SPDX-License-Identifier: LGPL-2.1-or-later
# The check needs no right and changes nothing, so that test=True tells the truth; what waits until
# nobody uses KVM satisfies it.
/etc/nestvirt/50-site.conf:
  file.managed:
    - contents: |
        [Parameters]
        nested=off

        [kvm_intel]
        enable_shadow_vmcs=off

nestvirtctl apply:
  cmd.run:
    - unless: nestvirtctl --quiet apply --check
    - require:
      - file: /etc/nestvirt/50-site.conf

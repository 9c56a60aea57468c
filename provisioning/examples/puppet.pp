# SPDX-License-Identifier: LGPL-2.1-or-later
# The check needs no right and changes nothing, so that --noop tells the truth; what waits until
# nobody uses KVM satisfies it.
file { '/etc/nestvirt/50-site.conf':
  content => "[Parameters]\nnested=off\n\n[kvm_intel]\nenable_shadow_vmcs=off\n",
}

exec { 'nestvirtctl apply':
  path    => '/usr/local/bin:/usr/bin:/bin',
  unless  => 'nestvirtctl --quiet apply --check',
  require => File['/etc/nestvirt/50-site.conf'],
}

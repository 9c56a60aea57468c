/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rules behind the findings, for check.c alone: a function for each id, which finds nothing, or
 * one thing, or several. */

#include <stdbool.h>

#include "check-findings.h"
#include "host.h"

/* All processors have the feature that the vendor's module needs, and the firmware is not known to
 * have it off. (check-cpu.c) */
bool check_cpu_can(const Host *host);

/* check-cpu.c */
void rule_cpu(Check *check);
void rule_firmware(Check *check);
void rule_cpu_features(Check *check);
void rule_cpu_sources(Check *check);
void rule_cpus_differ(Check *check);

/* check-desired.c */
void rule_desired_state(Check *check);

/* check-host.c */
void rule_degraded(Check *check);
void rule_journal_damaged(Check *check);
void rule_level(Check *check);
void rule_kvm(Check *check);
void rule_vendor_module(Check *check);
void rule_module_files(Check *check);
void rule_modules_disabled(Check *check);
void rule_builtin(Check *check);
void rule_device(Check *check);
void rule_device_access(Check *check);
void rule_nested(Check *check);
void rule_paging(Check *check);

/* check-options.c */
void rule_kvm_kept(Check *check);
void rule_pending(Check *check);
void rule_parameter_refused(Check *check);
void rule_parameter_unsupported(Check *check);
void rule_parameter_needs(Check *check);
void rule_parameter_differs(Check *check);
void rule_parameter_by_hand(Check *check);
void rule_parameter_overridden(Check *check);
void rule_builtin_options(Check *check);
void rule_install_command(Check *check);
void rule_blacklist(Check *check);
void rule_masked_file(Check *check);
void rule_nx_huge_pages(Check *check);
void rule_l1d_flush(Check *check);

/* check-lines.c */
void rule_parameter_unknown(Check *check);
void rule_other_vendor(Check *check);
void rule_modules_load(Check *check);
void rule_own_file(Check *check);
void rule_modprobe_line(Check *check);

/* check-below.c */
void rule_below(Check *check);

/* check-around.c */
void rule_lockdown(Check *check);
void rule_virt_at_load(Check *check);
void rule_initramfs(Check *check);
void rule_windows_nests(Check *check);
void rule_guests_left_out(Check *check);

/* check-reading.c */
void rule_reading_failed(Check *check);

/* check-probe.c */
void rule_probe(Check *check);

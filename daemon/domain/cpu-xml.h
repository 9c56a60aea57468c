/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The virtual CPU in a guest's definition (libvirt's domain XML,
 * https://libvirt.org/formatdomain.html#cpu-model-and-topology): what it says, and how it is made
 * to say something else. Pure: text in, text out, no libvirt. Nothing here knows whether the host
 * can deliver.
 *
 * All of these refuse with InvalidArgs what is not well-formed, not UTF-8, no <domain>, has a DTD,
 * or is larger than 4 MiB. */

#include <glib.h>
#include <stdbool.h>

/* What the XML says, as it is spelled there; "" for what it does not say. libvirt fills some in: a
 * <cpu> with a model and no mode is custom; a feature without policy is required (here:
 * "require"). */
typedef struct DomainXml DomainXml; /* domain-xml.h */

typedef struct CpuXml {
        char *name, *uuid;                      /* the texts of domain/name and domain/uuid */
        char *type, *arch, *machine, *emulator; /* domain/@type, os/type/@arch and @machine, devices/emulator */
        char *mode, *model, *match, *check;     /* cpu/@mode, the text of cpu/model, cpu/@match, cpu/@check */
        char *vendor;                           /* the text of cpu/vendor */
        char *argument;                         /* of QEMU's, that gives the CPU instead of this: cpu-beside.h */
        char *launch;                           /* launchSecurity/@type */
        char *hyperv;                           /* of the enlightenments for Hyper-V: cpu-beside.h */
        char *policy; /* of the feature that makes a hypervisor, "" when it is not named, or the vendor is not known */
        GHashTable *features; /* name -> policy, char * both; the first of duplicates */
        bool has_cpu;         /* there is a <cpu>, which may say nothing of mode, model and features */
        bool windows;         /* os-xml.h */
} CpuXml;

/* "vmx" for "intel", "svm" for "amd", NULL for anything else. */
const char *cpu_xml_feature(const char *vendor);

/* @vendor: "intel", "amd", or anything else when that is not known. */
CpuXml *cpu_xml_read(const char *xml, const char *vendor, GError **error);
/* The same of what was read already. */
CpuXml *cpu_xml_of(const DomainXml *domain, const char *vendor);
void cpu_xml_free(CpuXml *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuXml, cpu_xml_free)

typedef struct CpuEdit {
        /* "intel", "amd": of the CPU that the guest is to run on. Else that of cpu-vendor.h, and
         * after it @otherwise. */
        const char *vendor, *otherwise;
        /* "host-model", "host-passthrough", "maximum", "custom"; NULL: leave it, or custom when
         * there is a @model */
        const char *mode;
        const char *model; /* NULL: leave it */
        int nested;        /* 1: the guest may run guests, 0: it may not, -1: leave it */
        /* The features of the model that the guest will have, as libvirt lists them; NULL: not
         * known */
        const char *const *listed;
} CpuEdit;

/* The XML with another CPU in it; byte for byte the same outside of <cpu>, and all of it when
 * nothing is to be changed. Of <cpu>, what the edit does not name stays: topology, numa, cache,
 * maxphysaddr, check, other features, comments, unknown elements. @steps gets in words (char *)
 * what was done, and where nothing had to be done, why. InvalidArgs: an edit that contradicts
 * itself. Unsupported: a guest that can't have it (no x86, no KVM), or in which something has to be
 * decided by hand first; the message says what. */
char *cpu_xml_edit(const char *xml, const CpuEdit *edit, GPtrArray *steps, GError **error);

/* The XML for people, for a diff of two: by one serialiser, and without what may be secret
 * (passwords, cookies, arguments of QEMU and of the kernel, metadata, sysinfo, comments, anything
 * of another namespace). */
char *cpu_xml_redact(const char *xml, GError **error);
/* The same of what was read already, which is of no use after that but to be freed. */
char *cpu_xml_redact_read(DomainXml *domain, GError **error);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libvirt tells of a guest: its state and vendor (the first part of the input), its definition,
 * the XML it runs with, of its managed save and of a snapshot. What the interface shows of it is
 * UTF-8 and of the words that are documented, and follows from what was told alone; none of it
 * stays when the guest goes. libvirt itself is the functions at the top. */

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "describe-guest.h"
#include "fuzz.h"
#include "libvirt-facts.h"

typedef struct Answers {
        bool active, persistent, saved, snapshot;
        char *definition, *live, *save, *snapshot_xml;
} Answers;

static Answers answers;

static char *tell(const char *text) {
        return *text ? strdup(text) : NULL;
}

int virDomainGetUUIDString(virDomainPtr domain, char *uuid) {
        g_strlcpy(uuid, "11111111-2222-3333-4444-555555555555", VIR_UUID_STRING_BUFLEN);
        return 0;
}

unsigned int virDomainGetID(virDomainPtr domain) {
        return answers.active ? 1 : (unsigned) -1;
}

const char *virDomainGetName(virDomainPtr domain) {
        return "web\xff";
}

int virDomainIsPersistent(virDomainPtr domain) {
        return answers.persistent;
}

int virDomainHasManagedSaveImage(virDomainPtr domain, unsigned int flags) {
        return answers.saved;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags) {
        return tell(flags & VIR_DOMAIN_XML_INACTIVE ? answers.definition : answers.live);
}

char *virDomainManagedSaveGetXMLDesc(virDomainPtr domain, unsigned int flags) {
        return tell(answers.save);
}

int virDomainSnapshotNum(virDomainPtr domain, unsigned int flags) {
        return answers.snapshot;
}

int virDomainListAllSnapshots(virDomainPtr domain, virDomainSnapshotPtr **snapshots, unsigned int flags) {
        *snapshots = calloc(1, sizeof **snapshots);
        return answers.snapshot;
}

const char *virDomainSnapshotGetName(virDomainSnapshotPtr snapshot) {
        return "before";
}

char *virDomainSnapshotGetXMLDesc(virDomainSnapshotPtr snapshot, unsigned int flags) {
        return tell(answers.snapshot_xml);
}

int virDomainSnapshotFree(virDomainSnapshotPtr snapshot) {
        return 0;
}

virConnectPtr virDomainGetConnect(virDomainPtr domain) {
        return NULL;
}

int virConnectIsAlive(virConnectPtr connection) {
        return 1;
}

/* It has no such question. */
int virConnectGetLibVersion(virConnectPtr connection, unsigned long *version) {
        return -1;
}

int virDomainGetControlInfo(virDomainPtr domain, virDomainControlInfoPtr info, unsigned int flags) {
        return -1;
}

virErrorPtr virGetLastError(void) {
        return NULL;
}

static void assert_word(GVariant *guest, const char *key, const char *words) {
        g_auto(GStrv) all = g_strsplit(words, " ", -1);
        const char *word;

        g_assert_true(g_variant_lookup(guest, key, "&s", &word));
        g_assert_true(g_strv_contains((const char *const *) all, word) || g_str_equal(word, words));
}

static void check_words(GVariant *guest, const GuestHost *host) {
        const char *next;

        g_assert_true(g_variant_is_normal_form(guest));
        assert_word(guest, "NextStart", "yes no fails unknown");
        assert_word(guest, "Now", answers.active ? "yes no unknown" : "");
        assert_word(guest, "Using", answers.active ? "yes has no unknown" : "");
        assert_word(guest, "Mmu", "ept-on-ept shadow-on-ept npt-on-npt shadow-on-npt shadow-on-shadow ");
        g_assert_true(g_variant_lookup(guest, "NextStart", "&s", &next));
        if (g_str_equal(host->nested, "off"))
                g_assert_cmpstr(next, !=, "yes");
}

/* What GLib interns stays for good, and a definition names what it likes. Other words may be some
 * that GLib has by itself. */
static void assert_not_interned(const char *word) {
        if (word && g_str_has_prefix(word, "unheard-of"))
                g_assert_cmpuint(g_quark_try_string(word), ==, 0);
}

static void check(const GuestHost *host) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GuestFacts) facts = libvirt_facts_read(NULL, host->vendor, &error), again = NULL;

        g_assert_no_error(error);
        again = libvirt_facts_read(NULL, host->vendor, &error);
        g_autoptr(GVariant) guest = g_variant_ref_sink(describe_guest(facts, host)),
                            same = g_variant_ref_sink(describe_guest(again, host));
        g_assert_cmpvariant(guest, same);
        check_words(guest, host);
        assert_not_interned(facts->type);
        assert_not_interned(facts->arch);
        assert_not_interned(facts->machine);
        assert_not_interned(facts->live.model);
        if (!*answers.definition && answers.persistent)
                g_assert_null(facts->defined.mode);
        if (!facts->active)
                g_assert_null(facts->live.mode);
        if (!facts->managed_save)
                g_assert_null(facts->saved.mode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *choice = fuzz_take(&data, &size, NULL), *definition = fuzz_take(&data, &size, NULL),
                        *live = fuzz_take(&data, &size, NULL), *save = fuzz_take(&data, &size, NULL),
                        *snapshot = fuzz_take_rest(&data, &size, NULL);
        const unsigned c = (unsigned char) choice[0];
        const GuestHost host = {
                        .vendor = c & 16 ? "intel" : "amd",
                        .nested = c & 32 ? "off" : "on",
                        .mmu = c & 16 ? "ept" : "npt",
                        .live = true,
                        .cpu_has = true,
        };

        answers = (Answers) {.active = c & 1,
                             .persistent = !(c & 1) || c & 2,
                             .saved = c & 4,
                             .snapshot = c & 8,
                             .definition = definition,
                             .live = live,
                             .save = save,
                             .snapshot_xml = snapshot};
        check(&host);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A journal that is damaged is known as damaged, whichever byte it is, and never acted on. */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "change-fixture.h"
#include "error.h"
#include "host.h"
#include "journal.h"
#include "recover.h"

#define DAMAGED_FILE JOURNAL_DAMAGED_PATH
#define SETTLED_FILE "var/lib/nestvirt/" JOURNAL_SETTLED_NAME

static char *make_journal(Fixture *fixture, JournalPhase phase) {
        g_autoptr(Plan) plan = fixture_plan(fixture, "kvm_amd.nested=0", 0, NULL);

        g_assert_true(journal_write(fixture->root, plan, phase, NULL));
        return fake_host_read(fixture->directory, JOURNAL_FILE);
}

/* What one fault makes of a text at @at; NULL when it is the same. */
static char *damage(const char *text, size_t at, unsigned kind, size_t *ret_size) {
        static const char replacements[] = {0, '\n', '0', '=', '#', '\xff'};
        const size_t size = strlen(text);
        g_autofree char *copy = g_strdup(text);

        *ret_size = size;
        if (kind == 0) /* truncated */
                *ret_size = at;
        else if (kind == 1) { /* gone */
                memmove(copy + at, copy + at + 1, size - at);
                *ret_size = size - 1;
        } else if (kind < 10) /* a bit */
                copy[at] = (char) (copy[at] ^ 1 << (kind - 2));
        else
                copy[at] = replacements[kind - 10];
        return memcmp(copy, text, *ret_size) == 0 && *ret_size == size ? NULL : g_steal_pointer(&copy);
}

#define KINDS 16U

static void test_every_byte(Fixture *fixture, gconstpointer data) {
        unsigned n = 0;

        for (JournalPhase phase = JOURNAL_BEGUN; phase <= JOURNAL_DEGRADED; phase++) {
                g_autofree char *text = make_journal(fixture, phase);
                JournalPhase read;
                g_autoptr(GKeyFile) whole = journal_phase_parse(text, strlen(text), &read, NULL);
                g_assert_nonnull(whole);
                g_assert_cmpint(read, ==, phase);
                for (size_t at = 0; text[at]; at++)
                        for (unsigned kind = 0; kind < KINDS; kind++) {
                                g_autoptr(GError) error = NULL;
                                size_t size;
                                g_autofree char *damaged = damage(text, at, kind, &size);
                                if (!damaged)
                                        continue;
                                g_autoptr(GKeyFile) file = journal_phase_parse(damaged, size, &read, &error);
                                if (file)
                                        g_error("%s, kind %u at %zu is believed", text, kind, at);
                                g_assert_true(error->domain == CONDITION);
                                g_assert_true(g_utf8_validate(error->message, -1, NULL));
                                n++;
                        }
        }
        g_assert_cmpuint(n, >, 40000);
}

/* It does not run by what it says, whatever phase that is. */
static void test_nothing_is_done(Fixture *fixture, gconstpointer data) {
        for (JournalPhase phase = JOURNAL_BEGUN; phase <= JOURNAL_DEGRADED; phase++) {
                g_autofree char *text = make_journal(fixture, phase);
                g_autofree char *before = NULL;
                text[strlen(text) / 2] ^= 1;
                fake_host_write(fixture->directory, JOURNAL_FILE, NULL);
                before = fixture_dump(fixture);
                fake_host_write(fixture->directory, JOURNAL_FILE, text);
                g_string_truncate(fixture->loader->calls, 0);

                g_autoptr(ChangeResult) result = recover_run(fixture->root, &fixture->loader->parent);
                g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);
                assert_text_has(result->error->message, DAMAGED_FILE);
                assert_text_has(result->error->message, "nestvirtctl reload");
                g_assert_cmpstr(fixture->loader->calls->str, ==, "");
                g_autofree char *kept = fake_host_read(fixture->directory, DAMAGED_FILE);
                g_assert_cmpstr(kept, ==, text);
                fake_host_write(fixture->directory, DAMAGED_FILE, NULL);
                g_autofree char *after = fixture_dump(fixture);
                g_assert_cmpstr(before, ==, after);
        }
}

static void damage_journal(Fixture *fixture) {
        fake_host_write(fixture->directory, JOURNAL_FILE, "[change]\nversion=2\nphase=begun\n");
        g_autoptr(ChangeResult) result = recover_run(fixture->root, &fixture->loader->parent);
        g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);
}

static void test_changes_are_refused_until_a_reload(Fixture *fixture, gconstpointer data) {
        static const char *const refused[] = {"kvm_amd.nested=0", "kvm.ignore_msrs=1",
                                              "kvm_amd.npt=0 kvm_amd.nested=0"};
        static const uint64_t flags[] = {0, REQUEST_NEXT_BOOT, REQUEST_RUNTIME};

        damage_journal(fixture);
        g_autofree char *before = fixture_dump(fixture);
        for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autoptr(ChangeResult) result = fixture_change(fixture, refused[i], flags[i]);
                g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);
                assert_text_has(result->error->message, "nestvirtctl reload");
        }
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);

        fixture->loader->fail_at = "load kvm_amd";
        fixture->loader->fail_times = 1;
        g_autoptr(ChangeResult) failed = fixture_change(fixture, "reload:kvm_amd", 0);
        g_assert_error(failed->error, CONDITION, CONDITION_RELOAD_FAILED);
        fixture_assert_line(fixture, SETTLED_FILE, NULL);
        g_autoptr(ChangeResult) reloaded = fixture_change(fixture, "reload:kvm_amd", 0);
        assert_outcome(reloaded, "applied");
        fixture_assert_line(fixture, DAMAGED_FILE, NULL);
        fixture_assert_line(fixture, SETTLED_FILE, "version=2");
        g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(set, "applied");
}

static void test_a_reset_settles_it_too(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.nested=0", 0);
        assert_outcome(set, "applied");
        damage_journal(fixture);
        g_autoptr(ChangeResult) reset = fixture_change(fixture, "", 0);
        assert_outcome(reset, "applied");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
        fixture_assert_line(fixture, DAMAGED_FILE, NULL);
}

/* It may have been cut short between the unloading and the load. */
static void test_kvm_is_loaded_with_what_is_configured(Fixture *fixture, gconstpointer data) {
        g_autoptr(ChangeResult) set = fixture_change(fixture, "kvm_amd.npt=0 kvm.enable_pmu=0", 0);
        bool busy;

        assert_outcome(set, "applied");
        g_assert_true(fixture->loader->parent.unload(&fixture->loader->parent, "kvm_amd", &busy, NULL));
        g_assert_true(fixture->loader->parent.unload(&fixture->loader->parent, "kvm", &busy, NULL));
        damage_journal(fixture);
        fixture_assert_value(fixture, "kvm_amd", "npt", "N");
        fixture_assert_value(fixture, "kvm", "enable_pmu", "N");
        fixture_assert_value(fixture, "kvm_amd", "nested", "1");
}

static void test_what_is_switched_off_stays_so(Fixture *fixture, gconstpointer data) {
        bool busy;

        fake_host_write(fixture->directory, "etc/modprobe.d/off.conf", "install kvm_amd /bin/false\n");
        g_assert_true(fixture->loader->parent.unload(&fixture->loader->parent, "kvm_amd", &busy, NULL));
        fake_host_write(fixture->directory, JOURNAL_FILE, "[change]\nversion=2\nphase=begun\n");
        g_string_truncate(fixture->loader->calls, 0);
        g_autoptr(ChangeResult) result = recover_run(fixture->root, &fixture->loader->parent);
        g_assert_error(result->error, CONDITION, CONDITION_HOST_DEGRADED);
        assert_text_has(result->error->message, "switched off on purpose at /etc/modprobe.d/off.conf:1");
        g_assert_cmpstr(fixture->loader->calls->str, ==, "");
}

/* A link to itself: what can't be looked at may well be there, and is not said to be. */
static void test_one_that_cannot_be_looked_at(Fixture *fixture, gconstpointer data) {
        g_autofree char *path = g_build_filename(fixture->directory, DAMAGED_FILE, NULL);

        damage_journal(fixture);
        g_assert_cmpint(g_unlink(path), ==, 0);
        g_assert_cmpint(symlink("change.damaged", path), ==, 0);
        g_autoptr(ChangeResult) refused = fixture_change(fixture, "kvm_amd.nested=0", 0);
        g_assert_error(refused->error, CONDITION, CONDITION_INTERNAL);
        assert_text_has(refused->error->message, "can't be told");
}

/* That of nestvirtd 0.1 has neither a version nor a checksum. */
static void test_one_of_0_1_is_read(Fixture *fixture, gconstpointer data) {
        g_autofree char *before = fixture_dump(fixture);
        g_autofree char *text = make_journal(fixture, JOURNAL_BEGUN);
        g_auto(GStrv) parts = g_strsplit(text, "version=2\n", 2);
        g_autofree char *old = g_strconcat(parts[0], parts[1], NULL);

        *strstr(old, "# sha256 ") = 0;
        fake_host_write(fixture->directory, JOURNAL_FILE, old);
        g_autoptr(ChangeResult) result = recover_run(fixture->root, &fixture->loader->parent);
        g_assert_no_error(result->error);
        g_autofree char *after = fixture_dump(fixture);
        g_assert_cmpstr(before, ==, after);
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*run)(Fixture *fixture, gconstpointer data);
        } tests[] = {
                        {"every-byte", test_every_byte},
                        {"nothing-is-done", test_nothing_is_done},
                        {"changes-are-refused-until-a-reload", test_changes_are_refused_until_a_reload},
                        {"a-reset-settles-it-too", test_a_reset_settles_it_too},
                        {"kvm-is-loaded-with-what-is-configured", test_kvm_is_loaded_with_what_is_configured},
                        {"what-is-switched-off-stays-so", test_what_is_switched_off_stays_so},
                        {"one-that-cannot-be-looked-at", test_one_that_cannot_be_looked_at},
                        {"one-of-0.1-is-read", test_one_of_0_1_is_read},
        };

        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/damage/", tests[i].name, NULL);
                g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].run, fixture_tear_down);
        }
        return g_test_run();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may be said, and what was said last. It reads no file, and knows no host: whether this one
 * can do it is told when it is applied. */

#include <string.h>

#include "catalog.h"
#include "desired-text.h"
#include "desired.h"
#include "error.h"

#define MODEL_MAX 64U

static const char *const whens[] = {"idle", "now", "boot", NULL};
static const char *const modes[] = {"host-model", "host-passthrough", "maximum", "custom", NULL};
static const char *const switches[] = {"yes", "no", "on", "off", "true", "false", "1", "0", NULL};

static void key_free(gpointer data) {
        DesiredKey *key = data;

        g_free(key->section);
        g_free(key->name);
        g_free(key->value);
        g_free(key->file);
        g_free(key);
}

Desired *desired_new(void) {
        Desired *desired = g_new(Desired, 1);

        desired->keys = g_ptr_array_new_with_free_func(key_free);
        desired->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        return desired;
}

void desired_free(Desired *desired) {
        if (!desired)
                return;
        g_hash_table_unref(desired->index);
        g_ptr_array_unref(desired->keys);
        g_free(desired);
}

bool desired_blame(const DesiredKey *key, GError **error) {
        g_prefix_error(error, "%s:%u: ", key->file, key->line);
        return false;
}

/* What may be said */

static bool is_module(const char *section) {
        for (unsigned i = 0; i < n_catalog; i++)
                if (g_str_equal(catalog[i].module, section))
                        return true;
        return false;
}

bool desired_is_of_parameters(const char *section) {
        return g_str_equal(section, DESIRED_PARAMETERS) || is_module(section);
}

const char *desired_guest(const char *section) {
        const char *name =
                        g_str_has_prefix(section, DESIRED_GUEST_PREFIX) ? section + strlen(DESIRED_GUEST_PREFIX) : "";

        return *name ? name : NULL;
}

static bool check_section(const char *section, GError **error) {
        if (desired_is_of_parameters(section) || desired_guest(section) || g_str_equal(section, DESIRED_APPLY) ||
            g_str_equal(section, DESIRED_GUESTS))
                return true;
        g_autofree char *quoted = error_quote(section);
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                    "There is no section [%s]; there are [Parameters], [kvm], [kvm_intel], [kvm_amd], [Apply], "
                    "[Guests] "
                    "and [Guest NAME]",
                    quoted);
        return false;
}

static bool fail_key(const DesiredKey *key, const char *allowed, GError **error) {
        g_autofree char *quoted = error_quote(key->name);

        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "[%s] has no key \"%s\"; it has %s", key->section, quoted,
                    allowed);
        return false;
}

static bool check_word(const DesiredKey *key, const char *const *words, GError **error) {
        if (g_strv_contains(words, key->value))
                return true;
        g_autofree char *quoted = error_quote(key->value), *allowed = g_strjoinv(", ", (char **) words);
        g_set_error(error, CONDITION, CONDITION_INVALID_VALUE, "%s can't be \"%s\"; allowed: %s", key->name, quoted,
                    allowed);
        return false;
}

/* A few have been of another kind in other kernels, and another vendor's of the same name may be:
 * any of them will do until it is known which. */
static bool check_parameter(const DesiredKey *key, GError **error) {
        const bool any = g_str_equal(key->section, DESIRED_PARAMETERS);
        g_autoptr(GError) refused = NULL;

        for (unsigned i = 0; i < n_catalog; i++) {
                const Parameter *p = &catalog[i];
                if (!g_str_equal(p->name, key->name) || !(any || g_str_equal(p->module, key->section)))
                        continue;
                g_autofree char *normal = catalog_normalise(p, NULL, key->value, refused ? NULL : &refused);
                if (normal)
                        return true;
        }
        if (refused) {
                g_propagate_error(error, g_steal_pointer(&refused));
                return false;
        }
        g_autofree char *quoted = error_quote(key->name);
        g_set_error(error, CONDITION, CONDITION_NO_SUCH_PARAMETER, "No parameter%s%s is called \"%s\"",
                    any ? "" : " of ", any ? "" : key->section, quoted);
        return false;
}

/* As libvirt's names are made. */
static bool check_model(const DesiredKey *key, GError **error) {
        const size_t length = strlen(key->value);

        if (length > 0 && length <= MODEL_MAX &&
            strspn(key->value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-") == length)
                return true;
        g_autofree char *quoted = error_quote(key->value);
        g_set_error(error, CONDITION, CONDITION_INVALID_VALUE, "\"%s\" can be no name of a CPU model", quoted);
        return false;
}

static bool check_guest(const DesiredKey *key, GError **error) {
        const bool all = g_str_equal(key->section, DESIRED_GUESTS);

        if (g_str_equal(key->name, "Nested"))
                return check_word(key, switches, error);
        if (g_str_equal(key->name, "Mode"))
                return check_word(key, modes, error);
        if (g_str_equal(key->name, "Model"))
                return check_model(key, error);
        if (all && g_str_equal(key->name, "Except"))
                return true;
        return fail_key(key, all ? "Nested, Mode, Model and Except" : "Nested, Mode and Model", error);
}

static bool check_key(const DesiredKey *key, GError **error) {
        if (desired_is_of_parameters(key->section))
                return check_parameter(key, error);
        if (!g_str_equal(key->section, DESIRED_APPLY))
                return check_guest(key, error);
        return g_str_equal(key->name, "When") ? check_word(key, whens, error) : fail_key(key, "When", error);
}

/* What was said */

static char *index_of(const char *section, const char *name) {
        return g_strdup_printf("%s\n%s", section, name);
}

/* Takes @key over: in the place of the one before, so that the order stays. */
static void put_key(Desired *desired, DesiredKey *key) {
        char *index = index_of(key->section, key->name);
        DesiredKey *before = g_hash_table_lookup(desired->index, index);

        if (before) {
                DesiredKey old = *before;
                *before = *key;
                *key = old;
                key_free(key);
                g_free(index);
                return;
        }
        g_ptr_array_add(desired->keys, key);
        (void) g_hash_table_insert(desired->index, index, key);
}

static bool add_key(Desired *desired, GKeyFile *file, DesiredKey *key, GError **error) {
        g_autoptr(GError) refused = NULL;

        key->value = g_key_file_get_string(file, key->section, key->name, &refused);
        if (!key->value) {
                error_make_valid(&refused);
                g_set_error(error, CONDITION, CONDITION_INVALID_VALUE, "%s", refused->message);
        } else if (desired->keys->len >= DESIRED_KEYS_MAX)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "There are more than %u keys", DESIRED_KEYS_MAX);
        else {
                (void) g_strchomp(key->value);
                if (check_key(key, error)) {
                        put_key(desired, key);
                        return true;
                }
        }
        (void) desired_blame(key, error);
        key_free(key);
        return false;
}

static bool add_section(Desired *desired, GKeyFile *file, const char *shown, GHashTable *lines, const char *section,
                        GError **error) {
        g_auto(GStrv) names = g_key_file_get_keys(file, section, NULL, NULL);

        if (!check_section(section, error)) {
                g_prefix_error(error, "%s:%u: ", shown, desired_line(lines, section, NULL));
                return false;
        }
        for (char **name = names; name && *name; name++) {
                DesiredKey *key = g_new0(DesiredKey, 1);
                *key = (DesiredKey) {
                                .section = g_strdup(section),
                                .name = g_strdup(*name),
                                .file = g_strdup(shown),
                                .line = desired_line(lines, section, *name),
                };
                if (!add_key(desired, file, key, error))
                        return false;
        }
        return true;
}

bool desired_add_text(Desired *desired, const char *file, const char *text, GError **error) {
        g_autoptr(GHashTable) lines = desired_lines(file, text, error);
        g_autoptr(GKeyFile) keys = g_key_file_new();
        g_autoptr(GError) problem = NULL;

        if (!lines)
                return false;
        if (*text && !g_key_file_load_from_data(keys, text, strlen(text), G_KEY_FILE_NONE, &problem)) {
                error_make_valid(&problem);
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s is no key file: %s", file, problem->message);
                return false;
        }
        g_auto(GStrv) sections = g_key_file_get_groups(keys, NULL);
        for (char **section = sections; *section; section++)
                if (!add_section(desired, keys, file, lines, *section, error))
                        return false;
        return true;
}

const DesiredKey *desired_find(const Desired *desired, const char *section, const char *name) {
        g_autofree char *index = index_of(section, name);

        return g_hash_table_lookup(desired->index, index);
}

const char *desired_when(const Desired *desired) {
        const DesiredKey *when = desired_find(desired, DESIRED_APPLY, "When");

        return when ? when->value : whens[0];
}

static bool has(const Desired *desired, bool (*is)(const char *section)) {
        for (unsigned i = 0; i < desired->keys->len; i++)
                if (is(((const DesiredKey *) g_ptr_array_index(desired->keys, i))->section))
                        return true;
        return false;
}

static bool is_of_guests(const char *section) {
        return g_str_equal(section, DESIRED_GUESTS) || desired_guest(section);
}

bool desired_is_yes(const DesiredKey *key) {
        static const char *const yes[] = {"yes", "on", "true", "1", NULL};

        return g_strv_contains(yes, key->value);
}

bool desired_has_parameters(const Desired *desired) {
        return has(desired, desired_is_of_parameters);
}

bool desired_has_guests(const Desired *desired) {
        return has(desired, is_of_guests);
}

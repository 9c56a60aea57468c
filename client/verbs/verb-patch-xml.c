/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl patch-xml: a guest's definition in, the same with another CPU out, for pipelines. It
 * needs neither daemon nor libvirt, and must print nothing but the result. */

#include <string.h>

#include "change-result.h"
#include "diff.h"
#include "error.h"
#include "guest-call.h"
#include "input.h"
#include "names.h"
#include "plugin.h"
#include "verbs.h"
#include "xml-module.h"

/* One byte more than the editor takes, so that it is the one to refuse. */
#define INPUT_MAX ((gsize) 4 * 1024 * 1024 + 1)

static int fail(const Client *client, const char *name, const char *message) {
        const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, message);

        return client_fail(client, "patch the XML", &error);
}

/* 0, or an exit status. @file NULL or "-": standard input. */
static int read_input(const Client *client, const char *file, GString *text) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        return input_read(file, INPUT_MAX, text, &error) ? 0 : client_fail(client, "patch the XML", &error);
}

/* Also the names by which CPUs call themselves, and libvirt calls them. Hygon's have svm, Zhaoxin's
 * vmx (arch/x86/kernel/cpu/hygon.c; zhaoxin.c, which sets VMX up as intel.c does). */
static const char *vendor_of(const char *word) {
        static const char *const names[][2] = {
                        {"intel", "intel"},        {"GenuineIntel", "intel"}, {"zhaoxin", "intel"},
                        {"CentaurHauls", "intel"}, {"Shanghai", "intel"},     {"amd", "amd"},
                        {"AuthenticAMD", "amd"},   {"hygon", "amd"},          {"HygonGenuine", "amd"}};

        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
                if (g_ascii_strcasecmp(word, names[i][0]) == 0)
                        return names[i][1];
        return NULL;
}

static int check(const Client *client, XmlPatch *patch) {
        const GuestOptions *guest = &client->guest;

        if (client->host)
                return client_usage(client, "patch-xml takes no --host: it is a filter");
        if (!guest->mode && !guest->model && !guest->nested && !guest->recipe)
                return client_usage(client, "patch-xml needs --nested, --mode, --model or --recipe");
        patch->vendor = guest->vendor ? vendor_of(guest->vendor) : NULL;
        if (guest->vendor && !patch->vendor)
                return client_usage(client, "--vendor is intel, amd, hygon or zhaoxin, not \"%s\"", guest->vendor);
        if (guest->release && !guest->recipe)
                return client_usage(client, "--release is for --recipe");
        patch->nested = guest->nested ? guest_call_switch(guest->nested) : -1;
        if (guest->nested && patch->nested < 0)
                return client_usage(client, "--nested is yes or no, not \"%s\"", guest->nested);
        if (guest->recipe && patch->nested == 0)
                return client_usage(client, "--nested=no contradicts --recipe: it makes a host of the guest");
        return 0;
}

static void print_lines(Output *out, const GPtrArray *lines) {
        for (unsigned i = 0; i < lines->len; i++) {
                output_text(out, STYLE_PLAIN, g_ptr_array_index(lines, i));
                output_newline(out);
        }
}

typedef struct Patched {
        const char *before, *after;
        const char *diff;    /* printed instead of the XML; NULL: the XML */
        const char *missing; /* why @diff is "" though something changes; "" when it is not */
        GPtrArray *steps, *advice;
} Patched;

static void print_for_people(const Client *client, const Patched *patched) {
        if (!patched->diff) {
                output_document(client->out, patched->after);
                return;
        }
        print_lines(client->out, patched->steps);
        print_lines(client->out, patched->advice);
        change_print_diff(client, patched->diff, patched->missing);
}

static void print_as_json(const Client *client, const Patched *patched) {
        g_autoptr(Value) result = value_new(VALUE_DICTIONARY);

        value_add_boolean(result, "Changed", !g_str_equal(patched->before, patched->after));
        value_take_texts(result, "Steps", patched->steps);
        value_take_texts(result, "Advice", patched->advice);
        value_add_text(result, patched->diff ? "Diff" : "Xml", patched->diff ?: patched->after);
        if (*patched->missing)
                value_add_text(result, "DiffMissing", patched->missing);
        client_print_json(client, result);
}

static void print_result(const Client *client, const char *name, const Patched *what) {
        g_autoptr(GError) problem = NULL;
        g_autofree char *diff = NULL;
        Patched patched = *what;

        if (client->flags & FLAG_DRY_RUN) {
                diff = diff_unified(patched.before, patched.after, name, &problem);
                patched.diff = diff ?: "";
        }
        patched.missing = problem ? problem->message : "";
        if (client->json == JSON_OFF)
                print_for_people(client, &patched);
        else
                print_as_json(client, &patched);
}

int verb_patch_xml(Client *client, char **words) {
        const GuestOptions *guest = &client->guest;
        XmlPatch patch = {
                        .mode = guest->mode, .model = guest->model, .recipe = guest->recipe, .release = guest->release};
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free),
                             advice = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        g_autofree char *result = NULL;
        XmlModulePatch module;
        int status;

        status = check(client, &patch) ?: read_input(client, *words, text);
        if (status != 0)
                return status;
        plugin_library_apart(XML_MODULE_LIBRARY);
        module = (XmlModulePatch) plugin_symbol(XML_MODULE, XML_MODULE_PATCH, &error);
        result = module ? module(text->str, &patch, steps, advice, &error) : NULL;
        if (!result)
                return fail(client, condition_to_name(condition_of(error)), error->message);
        print_result(client, *words ?: "-",
                     &(Patched) {.before = text->str, .after = result, .steps = steps, .advice = advice});
        return 0;
}

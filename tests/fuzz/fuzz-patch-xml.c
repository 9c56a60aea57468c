/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl patch-xml as it is run, with its two streams in memory: the words after the verb, a
 * line each, and the XML are the parts of the input. A failure is one of the documented statuses,
 * says why in lines that a terminal can show, and prints nothing else; a result is XML that the
 * same run leaves as it is, or JSON. */

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client-main.h"
#include "cpu-xml.h"
#include "diff-module.h"
#include "fuzz.h"
#include "json-module.h"
#include "plugin.h"
#include "xml-module.h"

#define XML_PATH "definition.xml"
#define WORDS_MAX 16U

typedef struct Run {
        int status;
        char *out, *err;
        size_t out_size, err_size;
} Run;

/* The modules are part of this program. */
gpointer plugin_symbol(const char *file, const char *symbol, GError **error) {
        if (g_str_equal(symbol, XML_MODULE_PATCH))
                return (gpointer) xml_module_patch;
        if (g_str_equal(symbol, JSON_MODULE_APPEND))
                return (gpointer) json_module_append;
        g_assert_cmpstr(symbol, ==, DIFF_MODULE_HUNKS);
        return (gpointer) diff_module_hunks;
}

void plugin_library_apart(const char *library) {
}

static Run run_client(char **words) {
        g_autofree char *path = root_absolute(fuzz_root(), XML_PATH);
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        FILE *out = stdout, *err = stderr;
        Run result = {};

        g_ptr_array_add(argv, (gpointer) "nestvirtctl");
        g_ptr_array_add(argv, (gpointer) "--no-pager");
        g_ptr_array_add(argv, (gpointer) "patch-xml");
        g_ptr_array_add(argv, path);
        for (unsigned i = 0; words[i] && i < WORDS_MAX; i++)
                g_ptr_array_add(argv, words[i]);
        g_ptr_array_add(argv, NULL);
        stdout = open_memstream(&result.out, &result.out_size);
        stderr = open_memstream(&result.err, &result.err_size);
        optind = 0;
        result.status = client_main((int) argv->len - 1, (char **) argv->pdata);
        (void) fclose(stdout);
        (void) fclose(stderr);
        stdout = out;
        stderr = err;
        return result;
}

static void run_clear(Run *run) {
        free(run->out);
        free(run->err);
}

static void check_lines(const char *text) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++)
                fuzz_assert_line(*line);
}

static void check_json(const Run *run) {
        json_object *read = NULL;

        check_lines(run->out);
        read = json_tokener_parse(run->out);
        g_assert_nonnull(read);
        json_object_put(read);
}

/* What came out is what comes out again. */
static void check_xml(char **words, const Run *run) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CpuXml) cpu = cpu_xml_read(run->out, "amd", &error);

        g_assert_no_error(error);
        g_assert_nonnull(cpu);
        fuzz_write(XML_PATH, run->out, run->out_size);
        Run again = run_client(words);
        g_assert_cmpint(again.status, ==, 0);
        g_assert_cmpstr(run->out, ==, again.out);
        run_clear(&again);
}

/* Some option but those that choose the edit. */
static bool has_other(char **words) {
        for (unsigned i = 0; words[i] && i < WORDS_MAX; i++)
                if (!g_str_has_prefix(words[i], "--n") && !g_str_has_prefix(words[i], "--m") &&
                    !g_str_has_prefix(words[i], "--rec") && !g_str_has_prefix(words[i], "--rel") &&
                    !g_str_has_prefix(words[i], "--ven"))
                        return true;
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *options = fuzz_take(&data, &size, NULL), *xml = fuzz_take_rest(&data, &size, &length);
        g_auto(GStrv) words = g_strsplit(options, "\n", -1);

        fuzz_write(XML_PATH, xml, length);
        Run run = run_client(words);
        const bool json = run.out[0] == '{';
        g_assert_true(run.status == 0 || run.status == 1 || run.status == 2 || run.status == 6);
        check_lines(run.err);
        if (json)
                check_json(&run);
        g_assert_true(json || (run.status == 0) == (run.err_size == 0));
        g_assert_true(json || run.status == 0 || run.out_size == 0);
        if (run.status == 0 && !has_other(words))
                check_xml(words, &run);
        run_clear(&run);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the form of what is printed. It is written by hand in either form: keys are known, all else
 * is numbers and short strings, which both forms spell alike. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "print.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define DENIED "org.freedesktop.DBus.Error.AccessDenied"

static const char *const words[RESULT_MAX] = {
                [RESULT_ON] = "on",         [RESULT_OFF] = "off",   [RESULT_UNSUPPORTED] = "unsupported",
                [RESULT_BROKEN] = "broken", [RESULT_HANG] = "hang", [RESULT_DENIED] = "denied",
};

static void put_string(PrintForm form, const char *text) {
        (void) fputc('"', stdout);
        for (const char *c = text; *c; c++)
                if (*c == '"' || *c == '\\')
                        (void) printf("\\%c", *c);
                else if ((unsigned char) *c < ' ')
                        (void) printf("\\u%04x", (unsigned) *c);
                else
                        (void) fputc(*c, stdout);
        (void) fputc('"', stdout);
}

/* Begins a member of an object that has @n already. */
static void put_key(PrintForm form, const char *key, size_t n) {
        if (n > 0)
                (void) fputc(',', stdout);
        put_string(form, key);
        (void) fputc(':', stdout);
}

/* A member of the outermost object: its names, and the type of its value, which only a variant
 * tells. */
static void begin_member(PrintForm form, const char *json, const char *variant, const char *type, size_t n) {
        put_key(form, form == PRINT_JSON ? json : variant, n);
        if (form == PRINT_VARIANT)
                (void) printf("<@%s ", type);
}

static void end_member(PrintForm form) {
        if (form == PRINT_VARIANT)
                (void) fputc('>', stdout);
}

static void put_text(PrintForm form, const char *json, const char *variant, const char *text, size_t n) {
        begin_member(form, json, variant, "s", n);
        put_string(form, text);
        end_member(form);
}

static void put_bool(PrintForm form, const char *json, const char *variant, bool value) {
        begin_member(form, json, variant, "b", 1);
        (void) fputs(value ? "true" : "false", stdout);
        end_member(form);
}

static uint64_t now(void) {
        struct timeval time;

        (void) gettimeofday(&time, NULL);
        return (uint64_t) time.tv_sec * 1000000U + (uint64_t) time.tv_usec;
}

/* Empty when it can't be read. */
static void read_boot_id(char ret[static VALUE_SIZE]) {
        FILE *file = fopen(BOOT_ID, "re");

        ret[0] = '\0';
        if (!file)
                return;
        if (fgets(ret, VALUE_SIZE, file))
                ret[strcspn(ret, "\n")] = '\0';
        (void) fclose(file);
}

static void put_parameters(PrintForm form, const Report *report) {
        begin_member(form, "parameters", "Parameters", "a{ss}", 1);
        (void) fputc('{', stdout);
        for (size_t i = 0; i < report->n_parameters; i++) {
                put_key(form, report->parameters[i].name, i);
                put_string(form, report->parameters[i].value);
        }
        (void) fputc('}', stdout);
        end_member(form);
}

static void put_counts(PrintForm form, const Report *report) {
        begin_member(form, "counts", "Counts", "a{st}", 1);
        (void) fputc('{', stdout);
        for (size_t i = 0; i < report->n_counts; i++) {
                put_key(form, report->counts[i].name, i);
                (void) printf("%" PRIu64, report->counts[i].value);
        }
        (void) fputc('}', stdout);
        end_member(form);
}

static void put_times(PrintForm form, const Report *report) {
        begin_member(form, "times", "Times", "a{sa{st}}", 1);
        (void) fputc('{', stdout);
        for (size_t i = 0; i < report->n_times; i++) {
                const ReportTime *time = &report->times[i];
                put_key(form, time->name, i);
                (void) printf("{\"median\":%" PRIu64 ",\"min\":%" PRIu64 ",\"max\":%" PRIu64 ",\"iterations\":%" PRIu64
                              "}",
                              time->median, time->min, time->max, time->iterations);
        }
        (void) fputc('}', stdout);
        end_member(form);
}

/* A module's directory is another one after each load. */
static void put_loads(PrintForm form) {
        static const char *const modules[] = {"kvm", "kvm_amd", "kvm_intel"};
        char path[64];
        struct stat st;
        size_t n = 0;

        begin_member(form, "loads", "Loads", "a{st}", 1);
        (void) fputc('{', stdout);
        for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
                (void) snprintf(path, sizeof path, "/sys/module/%s/parameters", modules[i]);
                if (stat(path, &st) < 0)
                        continue;
                put_key(form, modules[i], n++);
                (void) printf("%ju", (uintmax_t) st.st_ino);
        }
        (void) fputc('}', stdout);
        end_member(form);
}

static int flush(void) {
        return fflush(stdout) != 0 || ferror(stdout) ? -(errno ?: EIO) : 0;
}

static int print_denied(const Report *report) {
        const PrintForm form = PRINT_JSON;

        (void) fputs("{\"error\":{", stdout);
        put_text(form, "name", NULL, DENIED, 0);
        put_text(form, "message", NULL, report->message, 1);
        (void) fputs("}}\n", stdout);
        return flush();
}

int print_report(PrintForm form, const Report *report) {
        char boot_id[VALUE_SIZE];

        if (report->result == RESULT_DENIED && form == PRINT_JSON)
                return print_denied(report);
        read_boot_id(boot_id);
        (void) fputc('{', stdout);
        put_text(form, "result", "Result", words[report->result], 0);
        begin_member(form, "time", "Time", "t", 1);
        (void) printf("%" PRIu64, now());
        end_member(form);
        put_text(form, "boot_id", "BootId", boot_id, 1);
        put_bool(form, "stale", "Stale", false);
        put_parameters(form, report);
        put_counts(form, report);
        if (report->n_times > 0)
                put_times(form, report);
        if (report->emulated)
                put_bool(form, "emulated", "Emulated", true);
        if (form == PRINT_VARIANT)
                put_loads(form);
        put_text(form, "message", "Message", report->message, 1);
        (void) fputs("}\n", stdout);
        return flush();
}

int print_text(const Report *report) {
        (void) printf("%s\n", report->message);
        for (size_t i = 0; i < report->n_counts; i++)
                (void) printf("%s %" PRIu64 "\n", report->counts[i].name, report->counts[i].value);
        for (size_t i = 0; i < report->n_times; i++)
                (void) printf("%s %" PRIu64 " ns (%" PRIu64 " to %" PRIu64 ")\n", report->times[i].name,
                              report->times[i].median, report->times[i].min, report->times[i].max);
        if (report->emulated)
                (void) printf("Guest code is emulated here: times would mean nothing.\n");
        return flush();
}

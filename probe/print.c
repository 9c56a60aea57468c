/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the form of what is printed. It is written by hand in either form: keys are known, all else is numbers and short strings, which both
 * forms spell alike. */

#include <errno.h>
#include <inttypes.h>
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

typedef struct Writer {
        FILE *stream;
        PrintForm form;
} Writer;

static void put_string(const Writer *writer, const char *text) {
        (void) fputc('"', writer->stream);
        for (const char *c = text; *c; c++)
                if (*c == '"' || *c == '\\')
                        (void) fprintf(writer->stream, "\\%c", *c);
                else if ((unsigned char) *c < ' ')
                        (void) fprintf(writer->stream, "\\u%04x", (unsigned) *c);
                else
                        (void) fputc(*c, writer->stream);
        (void) fputc('"', writer->stream);
}

/* Begins a member of an object that has @n already. */
static void put_key(const Writer *writer, const char *key, size_t n) {
        if (n > 0)
                (void) fputc(',', writer->stream);
        put_string(writer, key);
        (void) fputc(':', writer->stream);
}

/* A member of the outermost object: its names, and the type of its value, which only a variant tells. */
static void begin_member(const Writer *writer, const char *json, const char *variant, const char *type, size_t n) {
        put_key(writer, writer->form == PRINT_JSON ? json : variant, n);
        if (writer->form == PRINT_VARIANT)
                (void) fprintf(writer->stream, "<@%s ", type);
}

static void end_member(const Writer *writer) {
        if (writer->form == PRINT_VARIANT)
                (void) fputc('>', writer->stream);
}

static void put_text(const Writer *writer, const char *json, const char *variant, const char *text, size_t n) {
        begin_member(writer, json, variant, "s", n);
        put_string(writer, text);
        end_member(writer);
}

static void put_bool(const Writer *writer, const char *json, const char *variant, bool value) {
        begin_member(writer, json, variant, "b", 1);
        (void) fputs(value ? "true" : "false", writer->stream);
        end_member(writer);
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

static void put_parameters(const Writer *writer, const Report *report) {
        begin_member(writer, "parameters", "Parameters", "a{ss}", 1);
        (void) fputc('{', writer->stream);
        for (size_t i = 0; i < report->n_parameters; i++) {
                put_key(writer, report->parameters[i].name, i);
                put_string(writer, report->parameters[i].value);
        }
        (void) fputc('}', writer->stream);
        end_member(writer);
}

static void put_counts(const Writer *writer, const Report *report) {
        begin_member(writer, "counts", "Counts", "a{st}", 1);
        (void) fputc('{', writer->stream);
        for (size_t i = 0; i < report->n_counts; i++) {
                put_key(writer, report->counts[i].name, i);
                (void) fprintf(writer->stream, "%" PRIu64, report->counts[i].value);
        }
        (void) fputc('}', writer->stream);
        end_member(writer);
}

static void put_times(const Writer *writer, const Report *report) {
        begin_member(writer, "times", "Times", "a{sa{st}}", 1);
        (void) fputc('{', writer->stream);
        for (size_t i = 0; i < report->n_times; i++) {
                const ReportTime *time = &report->times[i];
                put_key(writer, time->name, i);
                (void) fprintf(writer->stream,
                               "{\"median\":%" PRIu64 ",\"min\":%" PRIu64 ",\"max\":%" PRIu64 ",\"iterations\":%" PRIu64
                               "}",
                               time->median, time->min, time->max, time->iterations);
        }
        (void) fputc('}', writer->stream);
        end_member(writer);
}

/* A module's directory is another one after each load. */
static void put_loads(const Writer *writer) {
        static const char *const modules[] = {"kvm", "kvm_amd", "kvm_intel"};
        char path[64];
        struct stat st;
        size_t n = 0;

        begin_member(writer, "loads", "Loads", "a{st}", 1);
        (void) fputc('{', writer->stream);
        for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
                (void) snprintf(path, sizeof path, "/sys/module/%s/parameters", modules[i]);
                if (stat(path, &st) < 0)
                        continue;
                put_key(writer, modules[i], n++);
                (void) fprintf(writer->stream, "%ju", (uintmax_t) st.st_ino);
        }
        (void) fputc('}', writer->stream);
        end_member(writer);
}

static int flush(FILE *stream) {
        return fflush(stream) != 0 || ferror(stream) ? -(errno ?: EIO) : 0;
}

static int print_denied(FILE *stream, const Report *report) {
        const Writer writer = {.stream = stream, .form = PRINT_JSON};

        (void) fputs("{\"error\":{", stream);
        put_text(&writer, "name", NULL, DENIED, 0);
        put_text(&writer, "message", NULL, report->message, 1);
        (void) fputs("}}\n", stream);
        return flush(stream);
}

int print_report(FILE *stream, PrintForm form, const Report *report) {
        const Writer writer = {.stream = stream, .form = form};
        char boot_id[VALUE_SIZE];

        if (report->result == RESULT_DENIED && form == PRINT_JSON)
                return print_denied(stream, report);
        read_boot_id(boot_id);
        (void) fputc('{', stream);
        put_text(&writer, "result", "Result", words[report->result], 0);
        begin_member(&writer, "time", "Time", "t", 1);
        (void) fprintf(stream, "%" PRIu64, now());
        end_member(&writer);
        put_text(&writer, "boot_id", "BootId", boot_id, 1);
        put_bool(&writer, "stale", "Stale", false);
        put_parameters(&writer, report);
        put_counts(&writer, report);
        if (report->n_times > 0)
                put_times(&writer, report);
        if (report->emulated)
                put_bool(&writer, "emulated", "Emulated", true);
        if (form == PRINT_VARIANT)
                put_loads(&writer);
        put_text(&writer, "message", "Message", report->message, 1);
        (void) fputs("}\n", stream);
        return flush(stream);
}

int print_text(FILE *stream, const Report *report) {
        (void) fprintf(stream, "%s\n", report->message);
        for (size_t i = 0; i < report->n_counts; i++)
                (void) fprintf(stream, "%s %" PRIu64 "\n", report->counts[i].name, report->counts[i].value);
        for (size_t i = 0; i < report->n_times; i++)
                (void) fprintf(stream, "%s %" PRIu64 " ns (%" PRIu64 " to %" PRIu64 ")\n", report->times[i].name,
                               report->times[i].median, report->times[i].min, report->times[i].max);
        if (report->emulated)
                (void) fprintf(stream, "Guest code is emulated here: times would mean nothing.\n");
        return flush(stream);
}

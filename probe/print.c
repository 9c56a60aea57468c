/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the form of what is printed. JSON is written by hand: the keys are known, all else is numbers and short strings. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "print.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define DENIED "org.freedesktop.DBus.Error.AccessDenied"

static const char *const words[RESULT_MAX] = {
                [RESULT_ON] = "on",         [RESULT_OFF] = "off",   [RESULT_UNSUPPORTED] = "unsupported",
                [RESULT_BROKEN] = "broken", [RESULT_HANG] = "hang",
};

static void put_string(const char *text) {
        (void) putchar('"');
        for (const char *c = text; *c; c++)
                if (*c == '"' || *c == '\\')
                        (void) printf("\\%c", *c);
                else if ((unsigned char) *c < ' ')
                        (void) printf("\\u%04x", (unsigned) *c);
                else
                        (void) putchar(*c);
        (void) putchar('"');
}

/* Begins the member @name of an object that has @n already. */
static void put_key(const char *name, size_t n) {
        if (n > 0)
                (void) putchar(',');
        put_string(name);
        (void) putchar(':');
}

static void put_member(const char *name, const char *text) {
        put_key(name, 1);
        put_string(text);
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

static void put_parameters(const Report *report) {
        put_key("parameters", 1);
        (void) putchar('{');
        for (size_t i = 0; i < report->n_parameters; i++) {
                put_key(report->parameters[i].name, i);
                put_string(report->parameters[i].value);
        }
        (void) putchar('}');
}

static void put_counts(const Report *report) {
        put_key("counts", 1);
        (void) putchar('{');
        for (size_t i = 0; i < report->n_counts; i++) {
                put_key(report->counts[i].name, i);
                (void) printf("%" PRIu64, report->counts[i].value);
        }
        (void) putchar('}');
}

static void put_times(const Report *report) {
        put_key("times", 1);
        (void) putchar('{');
        for (size_t i = 0; i < report->n_times; i++) {
                const ReportTime *time = &report->times[i];
                put_key(time->name, i);
                (void) printf("{\"median\":%" PRIu64 ",\"min\":%" PRIu64 ",\"max\":%" PRIu64 ",\"iterations\":%" PRIu64
                              "}",
                              time->median, time->min, time->max, time->iterations);
        }
        (void) putchar('}');
}

static int flush(void) {
        return fflush(stdout) != 0 || ferror(stdout) ? -(errno ?: EIO) : 0;
}

int print_json(const Report *report) {
        char boot_id[VALUE_SIZE];

        if (report->result == RESULT_DENIED) {
                (void) printf("{\"error\":{\"name\":\"" DENIED "\"");
                put_member("message", report->message);
                (void) printf("}}\n");
                return flush();
        }
        read_boot_id(boot_id);
        (void) printf("{\"result\":\"%s\",\"time\":%" PRIu64, words[report->result], now());
        put_member("boot_id", boot_id);
        (void) printf(",\"stale\":false");
        put_parameters(report);
        put_counts(report);
        if (report->n_times > 0)
                put_times(report);
        put_member("message", report->message);
        (void) printf("}\n");
        return flush();
}

int print_text(const Report *report) {
        (void) printf("%s\n", report->message);
        return flush();
}

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
        if (report->emulated)
                (void) printf(",\"emulated\":true");
        put_member("message", report->message);
        (void) printf("}\n");
        return flush();
}

/* What is in the table, from left to right and from top to bottom. */
static const char *const groups[] = {"one-level",  "shadow-on-shadow", "shadow-on-npt",
                                     "npt-on-npt", "shadow-on-ept",    "ept-on-ept"};

typedef struct Line {
        const char *name, *label;
} Line;

static const Line lines[] = {
                {"round_trip", "cpuid, to L1 and back"},
                {"port", "port access, to this program and back"},
                {"fresh_page", "first access to a page"},
                {"fresh_page_cold", "the same, the very first time"},
                {"cr3_reload", "CR3 read and written"},
                {"fault", "page fault of L2, and unmapping"},
                {"workload", "16 processes with 64 such faults each"},
};

#define COUNT_OF(array) (sizeof array / sizeof array[0])
#define LABEL_WIDTH 40
#define COLUMN_WIDTH 17

static bool has_count(const Report *report, const char *group, const char *name) {
        uint64_t unused;

        return report_get_count(report, group, name, &unused);
}

static const ReportTime *find_time(const Report *report, const char *group, const char *name) {
        char wanted[NAME_SIZE];

        (void) snprintf(wanted, sizeof wanted, "%s.%s", group, name);
        for (size_t i = 0; i < report->n_times; i++)
                if (strcmp(report->times[i].name, wanted) == 0)
                        return &report->times[i];
        return NULL;
}

/* Cells are at the right; @print_cell prints one of the group and the line. */
static void print_table(const Report *report, const char *title, size_t n_lines,
                        void (*print_cell)(const Report *report, const char *group, const char *name)) {
        (void) printf("\n%-*s", LABEL_WIDTH, title);
        for (size_t i = 0; i < COUNT_OF(groups); i++)
                if (has_count(report, groups[i], lines[0].name))
                        (void) printf("%*s", COLUMN_WIDTH, groups[i]);
        (void) putchar('\n');
        for (size_t i = 0; i < n_lines; i++) {
                (void) printf("%-*s", LABEL_WIDTH, lines[i].label);
                for (size_t j = 0; j < COUNT_OF(groups); j++)
                        if (has_count(report, groups[j], lines[0].name))
                                print_cell(report, groups[j], lines[i].name);
                (void) putchar('\n');
        }
}

static void print_count(const Report *report, const char *group, const char *name) {
        uint64_t value;

        if (report_get_count(report, group, name, &value))
                (void) printf("%*" PRIu64, COLUMN_WIDTH, value);
        else
                (void) printf("%*s", COLUMN_WIDTH, "-");
}

static void print_time(const Report *report, const char *group, const char *name) {
        const ReportTime *time = find_time(report, group, name);
        char text[64] = "-";

        if (time)
                (void) snprintf(text, sizeof text, "%" PRIu64 " ±%" PRIu64, time->median, (time->max - time->min) / 2);
        /* The sign is one column in two bytes. */
        (void) printf("%*s", COLUMN_WIDTH + (time ? 1 : 0), text);
}

int print_text(const Report *report) {
        (void) printf("%s\n", report->message);
        if (has_count(report, groups[0], lines[0].name))
                print_table(report, "Exits to the host", COUNT_OF(lines), print_count);
        if (report->n_times > 0)
                print_table(report, "Nanoseconds", 6, print_time);
        if (report->emulated)
                (void) printf("\nGuest code is emulated here: times would mean nothing.\n");
        return flush();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers go on in turns, each from where it was; what is not at its end is dropped once. */

#include <glib.h>

#include "pieces.h"

typedef struct Answer {
        GString *log;
        char name;
        unsigned left; /* pieces */
} Answer;

static bool next_piece(gpointer data) {
        Answer *answer = data;

        g_assert_cmpuint(answer->left, >, 0);
        g_string_append_c(answer->log, answer->name);
        return --answer->left == 0;
}

static void drop(gpointer data) {
        const Answer *answer = data;

        g_string_append_printf(answer->log, "-%c", answer->name);
}

static void run(sd_event *event) {
        int r;

        while ((r = sd_event_run(event, 0)) > 0)
                ;
        g_assert_cmpint(r, ==, 0);
}

static void test_in_turns(void) {
        g_autoptr(GString) log = g_string_new(NULL);
        Answer answers[] = {{log, 'a', 4}, {log, 'b', 1}, {log, 'c', 2}, {log, 'd', 3}};
        sd_event *event;

        g_assert_cmpint(sd_event_new(&event), >=, 0);
        Pieces *pieces = pieces_new(event);
        for (gsize i = 0; i < G_N_ELEMENTS(answers); i++)
                pieces_add(pieces, next_piece, drop, &answers[i]);
        g_assert_cmpstr(log->str, ==, "abcd");
        run(event);
        g_assert_cmpstr(log->str, ==, "abcdacdada");
        pieces_free(pieces);
        g_assert_cmpstr(log->str, ==, "abcdacdada");
        (void) sd_event_unref(event);
}

static void test_dropped(void) {
        g_autoptr(GString) log = g_string_new(NULL);
        Answer answers[] = {{log, 'a', 4}, {log, 'b', 1}, {log, 'c', 2}};
        sd_event *event;

        g_assert_cmpint(sd_event_new(&event), >=, 0);
        Pieces *pieces = pieces_new(event);
        for (gsize i = 0; i < G_N_ELEMENTS(answers); i++)
                pieces_add(pieces, next_piece, drop, &answers[i]);
        pieces_free(pieces);
        g_assert_cmpstr(log->str, ==, "abc-a-c");
        run(event);
        (void) sd_event_unref(event);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/pieces/in-turns", test_in_turns);
        g_test_add_func("/pieces/dropped", test_dropped);
        return g_test_run();
}

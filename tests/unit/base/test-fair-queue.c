/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fair queue: uid 0 first, the others in turns, each in their own order, and nobody is lost. */

#include "fair-queue.h"

static void push(FairQueue *queue, uid_t uid, const char *name) {
        fair_queue_push(queue, uid, (gpointer) name);
}

static char *pop_all(FairQueue *queue) {
        GString *order = g_string_new(NULL);
        const char *name;

        while ((name = fair_queue_pop(queue)))
                g_string_append_printf(order, "%s%s", order->len > 0 ? " " : "", name);
        g_assert_true(fair_queue_is_empty(queue));
        return g_string_free(order, FALSE);
}

static G_GNUC_NORETURN void nobody(gpointer data) {
        g_assert_not_reached();
}

static void test_in_turns(void) {
        static const char *const many[] = {"a1", "a2", "a3", "a4"};
        FairQueue *queue = fair_queue_new();

        g_assert_true(fair_queue_is_empty(queue));
        g_assert_null(fair_queue_pop(queue));
        for (unsigned i = 0; i < G_N_ELEMENTS(many); i++)
                push(queue, 1000, many[i]);
        push(queue, 1001, "b1");
        push(queue, 1001, "b2");
        push(queue, 0, "r1");
        push(queue, 1002, "c1");
        push(queue, 0, "r2");
        g_assert_false(fair_queue_is_empty(queue));
        g_autofree char *order = pop_all(queue);
        g_assert_cmpstr(order, ==, "r1 r2 a1 b1 c1 a2 b2 a3 a4");
        fair_queue_free(queue, nobody);
}

/* Who comes while others are served waits for one of each of them. */
static void test_latecomer(void) {
        FairQueue *queue = fair_queue_new();

        push(queue, 1000, "a1");
        push(queue, 1000, "a2");
        push(queue, 1000, "a3");
        push(queue, 1001, "b1");
        g_assert_cmpstr(fair_queue_pop(queue), ==, "a1");
        push(queue, 1002, "c1");
        push(queue, 0, "r1");
        g_autofree char *order = pop_all(queue);
        g_assert_cmpstr(order, ==, "r1 b1 a2 c1 a3");
        fair_queue_free(queue, nobody);
}

static void test_remove(void) {
        FairQueue *queue = fair_queue_new();
        const char *const a1 = "a1", *const a2 = "a2", *const b1 = "b1", *const r1 = "r1";

        push(queue, 1000, a1);
        push(queue, 1000, a2);
        push(queue, 1001, b1);
        push(queue, 0, r1);
        g_assert_false(fair_queue_remove(queue, 1001, (gpointer) a1));
        g_assert_false(fair_queue_remove(queue, 1002, (gpointer) a1));
        g_assert_true(fair_queue_remove(queue, 1000, (gpointer) a1));
        g_assert_false(fair_queue_remove(queue, 1000, (gpointer) a1));
        g_assert_true(fair_queue_remove(queue, 1001, (gpointer) b1));
        g_assert_true(fair_queue_remove(queue, 0, (gpointer) r1));
        push(queue, 1001, "b2");
        g_autofree char *order = pop_all(queue);
        g_assert_cmpstr(order, ==, "a2 b2");
        fair_queue_free(queue, nobody);
}

static void test_free(void) {
        FairQueue *queue = fair_queue_new();

        /* A leak would be the sanitizer's to find. */
        fair_queue_push(queue, 0, g_strdup("r1"));
        fair_queue_push(queue, 1000, g_strdup("a1"));
        fair_queue_push(queue, 1000, g_strdup("a2"));
        fair_queue_free(queue, g_free);
        fair_queue_free(NULL, g_free);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/fair-queue/in-turns", test_in_turns);
        g_test_add_func("/fair-queue/latecomer", test_latecomer);
        g_test_add_func("/fair-queue/remove", test_remove);
        g_test_add_func("/fair-queue/free", test_free);
        return g_test_run();
}

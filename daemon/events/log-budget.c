/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A bucket for each user, which is there until it is full again, and one timer for all. What an
 * entry says is not known here. */

#include <string.h>

#include "log.h"
#include "log-budget.h"

#define ACCURACY_USEC (100U * 1000U)

typedef struct Bucket {
        uid_t uid;
        unsigned taken;    /* of LOG_BUDGET_BURST */
        unsigned left_out; /* not told yet */
        uint64_t since;    /* the last time that it got one back (CLOCK_MONOTONIC) */
} Bucket;

struct LogBudget {
        sd_event_source *timer;
        bool armed;          /* somebody's entries have been left out */
        GHashTable *buckets; /* uid -> Bucket* */
        uint64_t refill_usec;
        LogBudgetTell tell;
};

static void arm(LogBudget *budget) {
        int r = sd_event_source_set_time_relative(budget->timer, budget->refill_usec);

        if (r >= 0)
                r = sd_event_source_set_enabled(budget->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set the timer of what the journal is not told: %s", strerror(-r));
        budget->armed = r >= 0;
}

static void refill(const LogBudget *budget, Bucket *bucket) {
        const uint64_t now = (uint64_t) g_get_monotonic_time(), count = (now - bucket->since) / budget->refill_usec;

        bucket->taken -= (unsigned) MIN(count, bucket->taken);
        bucket->since += count * budget->refill_usec;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        LogBudget *budget = userdata;
        bool more = false;
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, budget->buckets);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                Bucket *bucket = value;
                refill(budget, bucket);
                if (bucket->left_out > 0 && bucket->taken < LOG_BUDGET_BURST) {
                        budget->tell(bucket->uid, bucket->left_out);
                        bucket->left_out = 0;
                        bucket->taken++;
                }
                more |= bucket->left_out > 0;
                if (bucket->taken == 0)
                        g_hash_table_iter_remove(&i);
        }
        budget->armed = false;
        if (more)
                arm(budget);
        return 0;
}

LogBudget *log_budget_new(sd_event *event, uint64_t refill_usec, LogBudgetTell tell) {
        LogBudget *budget = g_new(LogBudget, 1);

        *budget = (LogBudget) {
                        .buckets = g_hash_table_new_full(NULL, NULL, NULL, g_free),
                        .refill_usec = refill_usec,
                        .tell = tell,
        };
        int r = sd_event_add_time_relative(event, &budget->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_timer, budget);
        if (r >= 0)
                r = sd_event_source_set_enabled(budget->timer, SD_EVENT_OFF);
        if (r < 0)
                g_clear_pointer(&budget, log_budget_free);
        return budget;
}

void log_budget_free(LogBudget *budget) {
        GHashTableIter i;
        gpointer value;

        if (!budget)
                return;
        g_hash_table_iter_init(&i, budget->buckets);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Bucket *bucket = value;
                if (bucket->left_out > 0)
                        budget->tell(bucket->uid, bucket->left_out);
        }
        (void) sd_event_source_disable_unref(budget->timer);
        g_hash_table_unref(budget->buckets);
        g_free(budget);
}

/* Those that are full again say nothing that a new one does not. */
static gboolean is_full(gpointer uid, gpointer value, gpointer userdata) {
        Bucket *bucket = value;

        refill(userdata, bucket);
        return bucket->taken == 0 && bucket->left_out == 0;
}

bool log_budget_take(LogBudget *budget, uid_t uid) {
        if (uid == 0)
                return true;
        (void) g_hash_table_foreach_remove(budget->buckets, is_full, budget);
        Bucket *bucket = g_hash_table_lookup(budget->buckets, GUINT_TO_POINTER(uid));
        if (!bucket) {
                bucket = g_new(Bucket, 1);
                *bucket = (Bucket) {.uid = uid, .since = (uint64_t) g_get_monotonic_time()};
                (void) g_hash_table_insert(budget->buckets, GUINT_TO_POINTER(uid), bucket);
        }
        /* What was left out is told first. */
        if (bucket->left_out == 0 && bucket->taken < LOG_BUDGET_BURST) {
                bucket->taken++;
                return true;
        }
        bucket->left_out++;
        if (!budget->armed)
                arm(budget);
        return false;
}

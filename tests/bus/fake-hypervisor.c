/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files in, facts out. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "fake-files.h"
#include "fake-hypervisor.h"
#include "guest-edit.h"

static struct {
        pthread_mutex_t mutex;
        HypervisorEvent event; /* under the mutex */
        gpointer userdata;
        char *connection; /* the one that is open */
} listener = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* A question to QEMU that is out, as libvirt 11.3 has it: until it is answered nothing is told of
 * what runs but that it does. */
static int out;

static void ask_qemu(void) {
        (void) g_atomic_int_add(&out, 1);
        fake_hang("qemu");
        (void) g_atomic_int_add(&out, -1);
}

static bool withholds(void) {
        g_autofree char *path = fake_file("withhold");

        return g_atomic_int_get(&out) > 0 && g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Before anybody can think of writing into it: that would make a file. */
static int open_events(void) {
        g_autofree char *path = fake_file("events");
        int fd;

        if (mkfifo(path, 0600) < 0 && errno != EEXIST)
                g_error("Cannot make %s: %s", path, g_strerror(errno));
        fd = open(path, O_RDWR | O_CLOEXEC);
        g_assert_cmpint(fd, >=, 0);
        return fd;
}

static void tell(const char *line) {
        (void) pthread_mutex_lock(&listener.mutex);
        if (listener.event)
                listener.event(g_str_equal(line, "lost") ? NULL : line, listener.userdata);
        (void) pthread_mutex_unlock(&listener.mutex);
}

/* Not a stream of the C library's: exit() waits for whoever reads one (glibc 2.41). */
static gpointer read_events(gpointer data) {
        const int fd = GPOINTER_TO_INT(data);
        g_autoptr(GString) line = g_string_new(NULL);
        char byte;

        while (read(fd, &byte, 1) == 1) {
                if (byte != '\n') {
                        g_string_append_c(line, byte);
                        continue;
                }
                tell(line->str);
                g_string_truncate(line, 0);
        }
        return NULL;
}

static gpointer fake_open(const char *uri, HypervisorEvent event, gpointer userdata, GError **error) {
        static bool begun;

        if (!fake_answers("open", error))
                return NULL;
        (void) pthread_mutex_lock(&listener.mutex);
        listener.event = event;
        listener.userdata = userdata;
        listener.connection = g_strdup(uri);
        (void) pthread_mutex_unlock(&listener.mutex);
        if (!begun)
                g_thread_unref(g_thread_new("events", read_events, GINT_TO_POINTER(open_events())));
        begun = true;
        return listener.connection;
}

static unsigned fake_peer(gpointer connection) {
        g_autofree char *path = fake_file("peer"), *text = NULL;

        return g_file_get_contents(path, &text, NULL, NULL) ? (unsigned) g_ascii_strtoull(text, NULL, 10) : 0;
}

static void fake_close(gpointer connection) {
        (void) pthread_mutex_lock(&listener.mutex);
        if (listener.connection == connection) {
                listener.event = NULL;
                listener.connection = NULL;
        }
        (void) pthread_mutex_unlock(&listener.mutex);
        g_free(connection);
}

static gpointer fake_second(gpointer connection) {
        return g_strdup(connection);
}

static char *get(GKeyFile *file, const char *key, const char *normally) {
        return g_key_file_get_string(file, "guest", key, NULL) ?: g_strdup(normally);
}

static const char *keep(GuestFacts *facts, GKeyFile *file, const char *key, const char *normally) {
        g_autofree char *value = get(file, key, normally);

        return guest_facts_keep(facts, value);
}

/* "mode model policy check mmu" */
static GuestCpu get_cpu(GuestFacts *facts, GKeyFile *file, const char *key) {
        GuestCpu cpu = guest_cpu_empty();
        const char **fields[] = {&cpu.mode, &cpu.model, &cpu.policy, &cpu.check, &cpu.mmu_policy};
        g_autofree char *value = get(file, key, "");
        g_auto(GStrv) words = g_strsplit(value, " ", (int) G_N_ELEMENTS(fields));

        for (unsigned i = 0; words[i]; i++)
                if (!g_str_equal(words[i], "-"))
                        *fields[i] = guest_facts_keep(facts, words[i]);
        return cpu;
}

/* As the XML says, when there is one. */
static void apply_definition(GuestFacts *facts, const char *vendor) {
        char *xml = fake_definitions.read(facts->uuid, NULL);
        g_autoptr(CpuXml) cpu = xml ? cpu_xml_read(xml, vendor, NULL) : NULL;

        guest_edit_wipe(&xml);
        if (cpu)
                facts->defined = guest_cpu_from_xml(cpu, vendor, guest_facts_words(facts));
}

static void withhold(GuestFacts *facts) {
        facts->untold = true;
        facts->type = facts->arch = facts->machine = facts->emulator = "";
        facts->defined = facts->live = (GuestCpu) {};
}

/* "lacks vme", "unknown because", "fits"; the question is what is defined. */
static Comparison *get_comparison(const GuestFacts *facts, GKeyFile *file) {
        static const char *const words[] = {
                        [COMPARISON_UNKNOWN] = "unknown", [COMPARISON_FITS] = "fits", [COMPARISON_LACKS] = "lacks"};
        g_autofree char *value = g_key_file_get_string(file, "guest", "compared", NULL);
        g_auto(GStrv) parts = value ? g_strsplit(value, " ", 2) : NULL;
        CpuQuestion *question;
        Comparison *comparison;

        if (!value)
                return NULL;
        question = g_new0(CpuQuestion, 1);
        question->emulator = g_strdup(facts->emulator);
        question->arch = g_strdup(facts->arch);
        question->cpu = get(file, "defined", "");
        comparison = comparison_new(question);
        for (int i = COMPARISON_UNKNOWN; i <= COMPARISON_LACKS; i++)
                if (g_str_equal(words[i], parts[0]))
                        comparison->result = (ComparisonResult) i;
        comparison->detail = g_strdup(parts[1]);
        return comparison;
}

static GuestFacts *read_guest(const char *uuid, const char *vendor) {
        g_autofree char *folder = fake_file("guests"), *path = g_build_filename(folder, uuid, NULL);
        g_autoptr(GKeyFile) file = g_key_file_new();

        if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
                return NULL;
        g_autofree char *persistent = get(file, "persistent", "yes");
        GuestFacts *facts = guest_facts_new();
        facts->name = get(file, "name", uuid);
        facts->uuid = g_strdup(uuid);
        facts->type = keep(facts, file, "type", "kvm");
        facts->arch = keep(facts, file, "arch", "x86_64");
        facts->machine = keep(facts, file, "machine", "pc-q35-7.2");
        facts->emulator = keep(facts, file, "emulator", "");
        g_autofree char *windows = get(file, "windows", "no");
        facts->windows = g_str_equal(windows, "yes");
        facts->persistent = !g_str_equal(persistent, "no");
        facts->defined = get_cpu(facts, file, "defined");
        facts->active = g_key_file_has_key(file, "guest", "live", NULL);
        facts->live = get_cpu(facts, file, "live");
        facts->managed_save = g_key_file_has_key(file, "guest", "saved", NULL);
        facts->saved = get_cpu(facts, file, "saved");
        apply_definition(facts, vendor);
        facts->comparison = get_comparison(facts, file);
        if (facts->active && withholds())
                withhold(facts);
        return facts;
}

static GPtrArray *read_guests(const char *question, const char *vendor, GError **error) {
        g_autofree char *folder = fake_file("guests");
        g_autoptr(GPtrArray) guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        const char *name;

        if (!fake_answers(question, error))
                return NULL;
        GDir *entries = g_dir_open(folder, 0, NULL);
        while (entries && (name = g_dir_read_name(entries))) {
                GuestFacts *facts = hypervisor_is_uuid(name) ? read_guest(name, vendor) : NULL;
                if (facts)
                        g_ptr_array_add(guests, facts);
        }
        g_clear_pointer(&entries, g_dir_close);
        return g_steal_pointer(&guests);
}

static GPtrArray *fake_list(gpointer connection, const char *vendor, GError **error) {
        return read_guests("list", vendor, error);
}

static GPtrArray *fake_survey(gpointer connection, GError **error) {
        return read_guests("survey", "", error);
}

static GuestFacts *find_guest(const char *question, const char *name, const char *vendor, GError **error) {
        g_autoptr(GPtrArray) guests = read_guests(question, vendor, error);

        for (unsigned i = 0; guests && i < guests->len; i++) {
                const GuestFacts *facts = g_ptr_array_index(guests, i);
                if (g_str_equal(facts->uuid, name) || g_str_equal(facts->name, name))
                        return g_ptr_array_steal_index(guests, i);
        }
        if (guests)
                g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST, "No guest is called \"%s\"", name);
        return NULL;
}

static GuestFacts *fake_find(gpointer connection, const char *name, const char *vendor, GError **error) {
        return find_guest("find", name, vendor, error);
}

static Capabilities *fake_capabilities(gpointer connection, GError **error) {
        g_autofree char *path = fake_file("capabilities"), *next = fake_file("capabilities-next"), *xml = NULL;

        if (!fake_answers("capabilities", error))
                return NULL;
        fake_append("calls", "capabilities");
        if (g_file_get_contents(path, &xml, NULL, NULL)) {
                (void) rename(next, path);
                return capabilities_parse(xml, error);
        }
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "%s is not there", path);
        return NULL;
}

static GHashTable *fake_compare(gpointer connection) {
        GHashTable *compared = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) comparison_unref);
        g_autoptr(GPtrArray) guests = read_guests("compare", "", NULL);

        fake_append("calls", "compare");
        for (unsigned i = 0; guests && i < guests->len; i++) {
                const GuestFacts *facts = g_ptr_array_index(guests, i);
                if (facts->comparison)
                        (void) g_hash_table_replace(compared, facts->comparison->key,
                                                    comparison_ref(facts->comparison));
        }
        return compared;
}

/* By the other thread. */
static GKeyFile *open_guest(const char *uuid) {
        g_autofree char *folder = fake_file("guests"), *path = g_build_filename(folder, uuid, NULL);
        GKeyFile *file = g_key_file_new();

        if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
                g_clear_pointer(&file, g_key_file_free);
        return file;
}

static gint64 get_number(GKeyFile *file, const char *key) {
        g_autofree char *value = g_key_file_get_string(file, "guest", key, NULL);

        return value ? g_ascii_strtoll(value, NULL, 10) : -1;
}

static void add_statistics(const char *uuid, GPtrArray *guests) {
        g_autoptr(GKeyFile) file = open_guest(uuid);

        if (!file || !g_key_file_has_key(file, "guest", "live", NULL))
                return;
        GuestFacts *facts = guest_facts_new();
        facts->uuid = g_strdup(uuid);
        facts->nested_run = get_number(file, "run");
        facts->guest_mode = get_number(file, "inside");
        g_ptr_array_add(guests, facts);
}

static GPtrArray *fake_statistics(gpointer connection, const GPtrArray *uuids) {
        GPtrArray *guests = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        g_autofree char *folder = fake_file("guests");
        const char *name;

        if (!fake_answers("statistics", NULL))
                return guests;
        ask_qemu();
        for (unsigned i = 0; i < uuids->len; i++)
                add_statistics(g_ptr_array_index(uuids, i), guests);
        GDir *entries = uuids->len == 0 ? g_dir_open(folder, 0, NULL) : NULL;
        while (entries && (name = g_dir_read_name(entries)))
                add_statistics(name, guests);
        g_clear_pointer(&entries, g_dir_close);
        return guests;
}

/* "exits 5 nested_run 7" */
static GHashTable *read_counters(GKeyFile *file) {
        GHashTable *counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_autofree char *value = g_key_file_get_string(file, "guest", "counters", NULL);
        g_auto(GStrv) words = g_strsplit(value ?: "", " ", -1);

        for (unsigned i = 0; words[i] && words[i + 1]; i += 2) {
                guint64 *number = g_new(guint64, 1);
                *number = g_ascii_strtoull(words[i + 1], NULL, 10);
                (void) g_hash_table_insert(counters, g_strdup(words[i]), number);
        }
        return counters;
}

static GHashTable *fake_count(gpointer connection, const char *uuid, GError **error) {
        if (!fake_answers("count", error))
                return NULL;
        ask_qemu();
        g_autoptr(GKeyFile) file = open_guest(uuid);
        if (file)
                return read_counters(file);
        g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST, "No guest is called \"%s\"", uuid);
        return NULL;
}

static GuestPlan *make_plan(const GuestOrder *order, GError **error) {
        GuestFacts *facts = find_guest("plan", order->uuid, order->vendor, error);
        const bool untold = facts && facts->untold;
        char *xml = facts && !untold ? fake_definitions.read(facts->uuid, error) : NULL;
        GuestPlan *plan = NULL;

        if (untold)
                g_set_error(error, CONDITION, CONDITION_TIMED_OUT, "The QEMU of %s does not answer", facts->name);
        if (xml)
                plan = guest_edit_plan(xml, order->edit, facts, order->vendor, NULL, error);
        else
                guest_facts_free(facts);
        guest_edit_wipe(&xml);
        return plan;
}

static GuestFacts *fake_define(gpointer connection, const GuestPlan *plan, const char *vendor, GError **error) {
        char *xml = NULL;

        if (!fake_answers("define", error) ||
            !guest_edit_carry_out(plan, &fake_definitions, plan->facts->uuid, vendor, &xml, error))
                return NULL;
        guest_edit_wipe(&xml);
        return find_guest("find", plan->facts->uuid, vendor, error);
}

static bool fake_edit(gpointer connection, GuestOrder *order, GError **error) {
        order->plan = make_plan(order, error);
        if (!order->plan || !order->begin || guest_plan_is_unchanged(order->plan))
                return order->plan;
        if (order->begin(order->userdata, error))
                order->facts = fake_define(connection, order->plan, order->vendor, error);
        return order->facts;
}

const Hypervisor *fake_hypervisor(const char *directory) {
        static const Hypervisor hypervisor = {
                        .open = fake_open,
                        .second = fake_second,
                        .list = fake_list,
                        .survey = fake_survey,
                        .find = fake_find,
                        .statistics = fake_statistics,
                        .count = fake_count,
                        .edit = fake_edit,
                        .define = fake_define,
                        .capabilities = fake_capabilities,
                        .compare = fake_compare,
                        .peer = fake_peer,
                        .close = fake_close,
        };

        fake_files_begin(directory);
        return &hypervisor;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks through all processes for those that hold KVM, and says who they are. What a descriptor is
 * decides descriptors.c. */

#include <string.h>

#include "descriptors.h"
#include "module.h"
#include "qemu.h"
#include "unit.h"
#include "users.h"

#define STATUS_MAX ((size_t) 64 * 1024)
/* Of a name that is shown. */
#define NAME_MAX_CHARACTERS 64

/* QEMU opens the device early, so that it is among the first descriptors even where there are tens
 * of thousands: whatever else somebody opens, those of everybody are looked at. */
static const Bounds bounds_usual = {
                .first = 128,
                .each = 4096,
                .all = 256 * 1024,
                .each_usec = G_USEC_PER_SEC / 4,
                .all_usec = 2 * G_USEC_PER_SEC,
};

/* What others have named, to be shown in a line. */
static char *shown(const char *name) {
        g_autofree char *valid = g_utf8_make_valid(name, -1);

        if (g_utf8_strlen(valid, -1) <= NAME_MAX_CHARACTERS)
                return g_steal_pointer(&valid);
        *g_utf8_offset_to_pointer(valid, NAME_MAX_CHARACTERS - 1) = 0;
        return g_strconcat(valid, "…", NULL);
}

static bool read_number(const char *status, const char *name, unsigned *ret) {
        const char *line = strstr(status, name);

        if (line)
                *ret = (unsigned) g_ascii_strtoull(line + strlen(name), NULL, 10);
        return line;
}

static bool read_status(const Root *root, const char *pid, unsigned *ret_uid, unsigned *ret_parent) {
        g_autofree char *path = g_strdup_printf("proc/%s/status", pid), *text = NULL;

        *ret_parent = 0;
        if (!root_read(root, path, STATUS_MAX, &text, NULL, NULL) || !read_number(text, "\nUid:", ret_uid))
                return false;
        (void) read_number(text, "\nPPid:", ret_parent);
        return true;
}

bool user_read_uid(const Root *root, const char *pid, unsigned *ret) {
        unsigned parent;

        return read_status(root, pid, ret, &parent);
}

/* What makes a guest a hypervisor, by the vendor's module that is there; NULL: there is none. */
static const char *read_feature(const Root *root) {
        return root_exists(root, "sys/module/kvm_amd")     ? "svm"
               : root_exists(root, "sys/module/kvm_intel") ? "vmx"
                                                           : NULL;
}

static User *user_new(const Root *root, const char *pid, const char *feature) {
        g_autofree char *path = g_strdup_printf("proc/%s/comm", pid), *command = root_read_line(root, path);
        unsigned uid, parent;

        if (!command || !read_status(root, pid, &uid, &parent))
                return NULL;
        g_autofree char *unit = unit_read(root, pid);
        g_auto(QemuClaims) claims = {};
        qemu_read_claims(root, pid, feature, &claims);
        User *user = g_new0(User, 1);
        user->pid = (unsigned) g_ascii_strtoull(pid, NULL, 10);
        user->uid = uid;
        user->parent = parent;
        user->command = shown(command);
        user->unit = shown(unit);
        user->guest = shown(claims.name);
        user->nested = claims.nested;
        return user;
}

static int compare_users(const void *a, const void *b) {
        const User *x = *(User *const *) a, *y = *(User *const *) b;

        return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static Users *users_new(void) {
        Users *users = g_new0(Users, 1);

        users->references = 1;
        users->holders = g_ptr_array_new_with_free_func((GDestroyNotify) user_free);
        return users;
}

Users *users_ref(Users *users) {
        g_atomic_int_inc(&users->references);
        return users;
}

void users_unref(Users *users) {
        if (!users || !g_atomic_int_dec_and_test(&users->references))
                return;
        g_ptr_array_unref(users->holders);
        g_free(users);
}

/* Only one of them can have KVM (virt/kvm/kvm_main.c, kvm_init(): "already loaded vendor module"
 * in arch/x86/kvm/x86.c), and each holder has a reference to it. */
static bool is_free(const Root *root) {
        static const char *const vendors[] = {"kvm_amd", "kvm_intel"};
        bool told = false;

        for (unsigned i = 0; i < G_N_ELEMENTS(vendors); i++)
                switch (module_read_use(root, vendors[i])) {
                case MODULE_USED:
                        return false;
                case MODULE_FREE:
                        told = true;
                        break;
                case MODULE_UNTOLD:
                default:
                        break;
                }
        return told;
}

typedef struct Scan {
        Users *users;
        unsigned max;        /* so many are kept */
        const char *feature; /* read_feature() */
        Descriptors descriptors;
} Scan;

static void add(Scan *scan, const char *pid) {
        User *user = NULL;

        if (scan->users->holders->len >= scan->max)
                scan->users->omitted++;
        else if ((user = user_new(scan->descriptors.root, pid, scan->feature)))
                g_ptr_array_add(scan->users->holders, user);
}

/* Those of the processes @names that have more descriptors than were looked at. */
static GPtrArray *look(Scan *scan, char *const *names, unsigned from, unsigned to) {
        GPtrArray *more = g_ptr_array_new();
        Descriptors *descriptors = &scan->descriptors;

        for (char *const *name = names; *name && !descriptors_spent(descriptors); name++)
                switch ((*name)[strspn(*name, "0123456789")] ? HOLDING_NOT
                                                             : descriptors_look(descriptors, *name, from, to)) {
                case HOLDING_KVM:
                        add(scan, *name);
                        break;
                case HOLDING_MORE:
                        g_ptr_array_add(more, *name);
                        break;
                case HOLDING_NOT:
                default:
                        break;
                }
        return more;
}

Users *users_scan_within(const Root *root, const Bounds *bounds, unsigned max) {
        Users *users = users_new();

        if (is_free(root))
                return users;
        Scan scan = {.users = users, .max = max, .feature = read_feature(root)};
        descriptors_begin(&scan.descriptors, root, bounds);
        g_auto(GStrv) names = root_list(root, "proc");
        g_autoptr(GPtrArray) more = look(&scan, names, 0, bounds->first);
        g_ptr_array_add(more, NULL);
        g_autoptr(GPtrArray) rest = look(&scan, (char *const *) more->pdata, bounds->first, bounds->each);
        g_ptr_array_sort(users->holders, compare_users);
        users->looked = scan.descriptors.looked;
        /* /proc of a machine that has no process at all could not be read. */
        users->perhaps_more = scan.descriptors.cut || rest->len > 0 || (!*names && root_is_machine(root));
        return users;
}

Users *users_scan(const Root *root) {
        return users_scan_within(root, &bounds_usual, USERS_MAX);
}

void user_free(User *user) {
        if (!user)
                return;
        g_free(user->command);
        g_free(user->unit);
        g_free(user->guest);
        g_free(user);
}

static void append_user(GString *text, const User *user) {
        g_string_append_printf(text, "%spid %u %s", text->len > 0 ? ", " : "", user->pid, user->command);
        if (*user->unit && *user->guest)
                g_string_append_printf(text, " (%s, guest %s)", user->unit, user->guest);
        else if (*user->unit)
                g_string_append_printf(text, " (%s)", user->unit);
        else if (*user->guest)
                g_string_append_printf(text, " (guest %s)", user->guest);
}

Users *users_scan_shared(UsersScan *scan, const Root *root, gint64 asked) {
        if (!scan->users || scan->begun <= asked) {
                g_clear_pointer(&scan->users, users_unref);
                scan->begun = g_get_monotonic_time();
                scan->users = users_scan(root);
        }
        return users_ref(scan->users);
}

static User *user_copy(const User *from) {
        User *user = g_new(User, 1);

        *user = (User) {
                        .pid = from->pid,
                        .uid = from->uid,
                        .parent = from->parent,
                        .command = g_strdup(from->command),
                        .unit = g_strdup(from->unit),
                        .guest = g_strdup(from->guest),
                        .nested = from->nested,
        };
        return user;
}

Users *users_of(const Users *users, unsigned uid) {
        Users *own = users_new();

        own->omitted = users->omitted;
        own->perhaps_more = users->perhaps_more;
        for (unsigned i = 0; i < users->holders->len; i++) {
                const User *user = g_ptr_array_index(users->holders, i);
                if (user->uid == uid)
                        g_ptr_array_add(own->holders, user_copy(user));
                else
                        own->others++;
        }
        return own;
}

char *users_to_string(const Users *users, unsigned max) {
        g_autoptr(GString) text = g_string_new(NULL);
        const unsigned shown = MIN(users->holders->len, max), more = users->holders->len - shown + users->omitted;

        for (unsigned i = 0; i < shown; i++)
                append_user(text, g_ptr_array_index(users->holders, i));
        if (more > 0)
                g_string_append_printf(text, "%s%u more", shown > 0 ? " and " : "", more);
        if (users->others > 0)
                g_string_append_printf(text, "%s%u of other users", text->len > 0 ? " and " : "", users->others);
        if (users->perhaps_more)
                g_string_append(text, text->len > 0 ? ", and perhaps more" : "perhaps somebody who was not looked at");
        return g_string_free(g_steal_pointer(&text), FALSE);
}

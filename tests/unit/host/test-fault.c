/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A host of which one file can't be read, whichever: the reading is void, with the path and the
 * error, or it is the one that would have been made without; it is never another one. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "describe.h"
#include "error.h"
#include "fault-injector.h"
#include "journal-phase.h"
#include "made-host.h"
#include "plan-draft.h"
#include "request.h"
#include "unpacked.h"

static void free_loader(Loader *loader) {
        loader->free(loader);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, free_loader)

static void print(GString *text, Packed *described) {
        g_autoptr(GVariant) value = unpacked(described);
        g_autofree char *printed = g_variant_print(value, false);

        g_string_append_printf(text, "%s\n", printed);
}

static void print_options(GString *text, const Options *options) {
        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *o = g_ptr_array_index(options->options, i);
                g_string_append_printf(text, "%s %s=%s (%d) %s:%u\n", o->module, o->name, o->value, o->bare,
                                       o->path ?: "", o->line);
        }
        for (unsigned i = 0; i < options->commands->len; i++) {
                const Command *c = g_ptr_array_index(options->commands, i);
                g_string_append_printf(text, "%s %s %s:%u\n", c->verb, c->module, c->path ?: "", c->line);
        }
        for (unsigned i = 0; i < options->bad->len; i++) {
                const BadLine *b = g_ptr_array_index(options->bad, i);
                g_string_append_printf(text, "%s:%u %s\n", b->path, b->line, b->why);
        }
        for (char **masked = options->masked; *masked; masked++)
                g_string_append_printf(text, "masked %s\n", *masked);
}

static void print_modules(GString *text, const Host *host) {
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *m = g_ptr_array_index(host->modules, i);
                g_autofree char *holders = g_strjoinv(",", m->holders);
                print(text, describe_module(host, m));
                g_string_append_printf(text, "refcnt %d, holders %s, %u values\n", m->refcnt, holders,
                                       g_hash_table_size(m->values));
        }
}

static guint length(const GArray *array) {
        return array ? array->len : 0;
}

/* All that was read, as text. */
static char *host_text(const Host *host) {
        GString *text = g_string_new(NULL);
        const Cpu *cpu = host->cpu;

        print(text, describe_manager(host));
        print_modules(text, host);
        print_options(text, host->options);
        g_string_append_printf(text, "%s %s, %s, %u processors, %u and %u odd, flags %d %d\n", host->release,
                               host->boot_id, cpu->architecture, cpu->processors, cpu->spread->len,
                               cpu->facts->spread->len, cpu->has_vmx_flags, cpu->flags_cleared);
        g_string_append_printf(text, "facts %u %u %u %u\n", length(cpu->facts->cpuid), length(cpu->facts->msr),
                               length(cpu->facts->kvm_cpuid), length(cpu->facts->kvm_msr));
        g_string_append_printf(text, "nomodule %d, disabled %d, files %d, kept %d, degraded %d, unreadable %d\n",
                               host->nomodule, host->modules_disabled, host->has_module_files, host->kvm_kept,
                               host->degraded, host->journal_damaged);
        return g_string_free(text, FALSE);
}

static void assert_void(const Fault *fault, const Root *root, int errnum) {
        g_autofree char *path = root_absolute(root, "");

        g_assert_nonnull(fault);
        g_assert_cmpint(fault->errnum, ==, errnum);
        g_assert_true(g_str_has_prefix(fault->path, path) && strlen(fault->path) > strlen(path));
}

/* The first of @text that is not so in @expected. */
static const char *difference(char *text, const char *expected) {
        size_t i = 0;

        while (text[i] && text[i] == expected[i])
                i++;
        i -= MIN(i, 40);
        text[i + strnlen(text + i, 200)] = '\0';
        return text + i;
}

/* A host is read with each call of it failing in turn; how many readings were void. */
static unsigned fail_each(Root *root, const Loader *loader, int errnum, bool lasting) {
        g_autoptr(Host) whole = host_read(root, loader);
        g_autofree char *expected = host_text(whole);
        unsigned n, voids = 0;

        g_assert_null(whole->fault);
        for (n = 1;; n++) {
                fault_inject(n, errnum, lasting);
                g_autoptr(Host) host = host_read(root, loader);
                const unsigned calls = fault_injected();
                if (host->fault) {
                        assert_void(host->fault, root, errnum);
                        g_assert_true(host->unknown);
                        voids++;
                } else {
                        g_autofree char *text = host_text(host);
                        if (!g_str_equal(text, expected))
                                g_test_message("call %u of %u, %s: %s", n, calls, g_strerror(errnum),
                                               difference(text, expected));
                        g_assert_true(g_str_equal(text, expected));
                }
                if (calls < n)
                        break;
        }
        g_assert_cmpuint(n, >, 50);
        return voids;
}

static const char *const fixtures[] = {"amd-epyc-6.1",    "intel-skylake-server", "loadable",
                                       "builtin-kvm-pvm", "cpu-sources-disagree", "no-kvm"};

static void test_each_call(gconstpointer data) {
        Tree tree = {};

        tree_set_up(&tree, data);
        g_autoptr(Loader) loader = loader_kmod_new(tree.root, NULL);
        for (unsigned i = 0; i < 4; i++)
                g_assert_cmpuint(fail_each(tree.root, loader, i % 2 ? EMFILE : EIO, i / 2), >, 50);
        tree_tear_down(&tree, data);
}

static const int errors[] = {EMFILE, ENFILE, ENOMEM, EIO, ETIMEDOUT, ESTALE, ENOTCONN, EBADMSG, EUCLEAN, EREMOTEIO};

static void write_everything(const Tree *tree) {
        const MadeHost made = {
                        .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y kvm.ignore_msrs+=N",
                        .modprobe = "options kvm_amd npt=1\nblacklist kvm_intel\n",
                        .late = "options kvm_amd nested=1\ninstall kvm_amd /bin/true\n",
                        .ours = "options kvm_amd nested=0\n",
                        .cmdline = "nomodule kvm.ignore_msrs=1 clearcpuid=1",
                        .cpuid = "CPU 0:\n   0x00000001 0x00: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n",
                        .msr = "CPU 0:\n0x0000003a 0x0000000000000005\n",
                        .files = PAIRS("run/nestvirt/probe", "{'Result': <'works'>, 'BootId': <'b'>}",
                                       "usr/lib/modprobe.d/admin.conf", "options kvm_amd npt=0\n",
                                       "proc/sys/kernel/random/boot_id", "b\n", "sys/hypervisor/type", "xen\n"),
                        .pending = "kvm_amd.nested=0",
                        .kvm_kept = true,
                        .modules_disabled = true,
                        .degraded = true,
        };
        g_autoptr(Host) host = made_host_read(&made, tree);

        g_assert_true(host->degraded && host->kvm_kept && host->modules_disabled);
        tree_link(tree, "etc/modprobe.d/masked.conf", "/dev/null");
        tree_folder(tree, "dev");
}

static void test_each_error(Tree *tree, gconstpointer data) {
        write_everything(tree);
        for (gsize i = 0; i < G_N_ELEMENTS(errors); i++)
                g_assert_cmpuint(fail_each(tree->root, NULL, errors[i], false), >, 50);
        (void) fail_each(tree->root, NULL, EINTR, false);
}

/* What a file says of itself by an error is no fault. */
static void test_words(void) {
        static const int words[] = {ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, EISDIR, ENXIO, EFBIG, EINVAL, ENODEV};

        for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
                g_assert_false(fault_is("proc/cpuinfo", words[i]));
        for (gsize i = 0; i < G_N_ELEMENTS(errors); i++)
                g_assert_true(fault_is("proc/17/fd", errors[i]));
        g_assert_false(fault_is("proc/17/fd", ESRCH));
        g_assert_true(fault_is("proc/sys/kernel/osrelease", ESRCH));
}

/* The next descriptor that is given out: there is none left when the limit is that. */
static rlim_t next_descriptor(void) {
        const int fd = open("/", O_PATH | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        (void) close(fd);
        return (rlim_t) fd;
}

/* With the kernel's own EMFILE, which libkmod sees as well: however few there are left. */
static void test_few_descriptors(gconstpointer data) {
        Tree tree = {};
        struct rlimit before, few;
        unsigned voids = 0;

        tree_set_up(&tree, data);
        g_autoptr(Loader) loader = loader_kmod_new(tree.root, NULL);
        g_autoptr(Host) whole = host_read(tree.root, loader);
        g_autofree char *expected = host_text(whole);
        g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
        few = before;
        for (unsigned more = 0; more < 8; more++) {
                few.rlim_cur = next_descriptor() + more;
                g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
                g_autoptr(Host) host = host_read(tree.root, loader);
                g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
                g_autofree char *text = host_text(host);
                if (!host->fault)
                        g_assert_cmpstr(text, ==, expected);
                voids += host->fault != NULL;
        }
        g_assert_cmpuint(voids, >, 0);
        g_assert_cmpuint(voids, <, 8);
        tree_tear_down(&tree, data);
}

static char *findings_text(const GPtrArray *findings) {
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *f = g_ptr_array_index(findings, i);
                g_string_append_printf(text, "%s %s %s %s\n", f->status, f->id, f->message, f->fix);
        }
        return g_string_free(text, FALSE);
}

static void test_findings(gconstpointer data) {
        Tree tree = {};

        tree_set_up(&tree, data);
        g_autoptr(Host) host = host_read(tree.root, NULL);
        g_autoptr(CheckFacts) whole = check_facts_read(host);
        g_autoptr(GPtrArray) all = check_host(host, whole, "");
        g_autofree char *expected = findings_text(all);
        for (unsigned n = 1, calls = n; calls >= n; n++) {
                fault_inject(n, EMFILE, false);
                g_autoptr(CheckFacts) facts = check_facts_read(host);
                calls = fault_injected();
                g_autoptr(GPtrArray) findings = check_host(host, facts, "");
                const Finding *first = g_ptr_array_index(findings, 0);
                g_autofree char *text = findings_text(findings);
                if (!facts->fault)
                        g_assert_cmpstr(text, ==, expected);
                else {
                        g_assert_cmpuint(findings->len, ==, 1);
                        g_assert_cmpstr(first->id, ==, "reading-failed");
                        g_assert_nonnull(strstr(first->message, facts->fault->path));
                }
        }
        tree_tear_down(&tree, data);
}

static void assert_refused(const Host *host) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Request) request = request_new(0);
        Plan *plan = plan_new(host, NULL, request, &error);

        g_assert_null(plan);
        g_assert_error(error, CONDITION, CONDITION_INTERNAL);
        g_assert_nonnull(strstr(error->message, host->fault->path));
        g_assert_nonnull(strstr(error->message, "Too many open files"));
}

/* What was known stays, with the fault beside it, until it can be read again. */
static void test_the_one_before_stays(Tree *tree, gconstpointer data) {
        write_everything(tree);
        Host *host = host_read(tree->root, NULL);
        g_autofree char *expected = host_text(host);

        for (unsigned i = 0; i < 2; i++) {
                fault_inject(7, EMFILE, true);
                host = host_succeed(host, host_read(tree->root, NULL));
                (void) fault_injected();
                g_autofree char *text = host_text(host);
                g_assert_cmpstr(text, ==, expected);
                g_assert_false(host->unknown);
                assert_void(host->fault, tree->root, EMFILE);
                assert_refused(host);
        }
        host = host_succeed(host, host_read(tree->root, NULL));
        g_assert_null(host->fault);
        g_assert_true(host_is_read(host, NULL));
        host_free(host);
}

static void test_there_is_none_before(Tree *tree, gconstpointer data) {
        write_everything(tree);
        fault_inject(1, EMFILE, true);
        Host *host = host_read(tree->root, NULL);
        (void) fault_injected();
        assert_refused(host);
        g_assert_cmpstr(host_nested(host), ==, "unknown");
        g_assert_cmpstr(host->device, ==, "unknown");
        g_assert_cmpstr(module_state_to_string(host_module(host, "kvm")->state), ==, "unknown");

        g_autoptr(CheckFacts) facts = check_facts_read(host);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        g_assert_cmpuint(findings->len, ==, 1);
        host = host_succeed(host, host_read(tree->root, NULL));
        g_assert_cmpstr(host_nested(host), ==, "on");
        g_assert_false(host->unknown);
        host_free(host);
}

#define ADD(path, function) g_test_add(path, Tree, NULL, tree_set_up, function, tree_tear_down)

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/fault/words", test_words);
        for (gsize i = 0; i < G_N_ELEMENTS(fixtures); i++) {
                g_autofree char *each = g_strconcat("/fault/each-call/", fixtures[i], NULL);
                g_autofree char *few = g_strconcat("/fault/few-descriptors/", fixtures[i], NULL);
                g_autofree char *findings = g_strconcat("/fault/findings/", fixtures[i], NULL);
                g_test_add_data_func(each, fixtures[i], test_each_call);
                g_test_add_data_func(few, fixtures[i], test_few_descriptors);
                g_test_add_data_func(findings, fixtures[i], test_findings);
        }
        ADD("/fault/each-error", test_each_error);
        ADD("/fault/the-one-before-stays", test_the_one_before_stays);
        ADD("/fault/there-is-none-before", test_there_is_none_before);
        return g_test_run();
}

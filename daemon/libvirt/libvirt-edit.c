/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read with SECURE, since without it libvirt leaves passwords out, and defining what is left would
 * lose them.
 *
 * Defined without VALIDATE, for which libvirt (virXMLValidatorInit() in src/util/virxml.c, 9.0 to
 * 11.3) compiles its schema anew each time: five times the work of all else. What this libvirt does
 * not know it then drops instead of refusing it: that is found when the definition is read back
 * (guest_edit_carry_out()). All else in the text is libvirt's own. */

#include <libvirt/virterror.h>
#include <string.h>

#include "error.h"
#include "guest-edit.h"
#include "libvirt-busy.h"
#include "libvirt-edit.h"
#include "libvirt-error.h"
#include "libvirt-facts.h"
#include "sort.h"

/* What a GuestStore keeps definitions of. */
typedef struct Guest {
        virDomainPtr domain;
        LibvirtOwn *own;
        const char *uuid;
} Guest;

static char *read_definition(gpointer data, GError **error) {
        const Guest *guest = data;
        char *text = virDomainGetXMLDesc(guest->domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE), *copy;

        if (!text) {
                const virError *last = virGetLastError();
                libvirt_error(error,
                              last && last->code == VIR_ERR_NO_DOMAIN ? CONDITION_NO_SUCH_GUEST
                                                                      : CONDITION_LIBVIRT_UNAVAILABLE,
                              "libvirt does not tell the definition");
                return NULL;
        }
        copy = g_strdup(text);
        explicit_bzero(text, strlen(text));
        free(text);
        return copy;
}

/* libvirt's own reasons, and not those of the way to it. */
static bool is_refusal(void) {
        const virError *last = virGetLastError();

        return last && last->domain != VIR_FROM_RPC && last->domain != VIR_FROM_REMOTE &&
               last->code != VIR_ERR_SYSTEM_ERROR && last->code != VIR_ERR_INTERNAL_ERROR;
}

static bool write_definition(gpointer data, const char *xml, GError **error) {
        const Guest *guest = data;

        libvirt_own_expect(guest->own, guest->uuid);
        virDomainPtr defined = virDomainDefineXML(virDomainGetConnect(guest->domain), xml);
        if (!defined) {
                libvirt_error(error, is_refusal() ? CONDITION_UNSUPPORTED : CONDITION_LIBVIRT_UNAVAILABLE,
                              "libvirt does not take the new definition");
                return false;
        }
        (void) virDomainFree(defined);
        return true;
}

static const GuestStore store = {.read = read_definition, .write = write_definition};

/* libvirt itself looks at the start only, which such a guest does not survive; names that QEMU
 * alone knows end there as well. */
static bool check_model(virDomainPtr domain, const char *model, const char *arch, GError **error) {
        g_auto(GStrv) models = NULL;
        int n = virConnectGetCPUModelNames(virDomainGetConnect(domain), arch, &models, 0);

        /* One that can't tell, or takes any. */
        if (n <= 0 || g_strv_contains((const char *const *) models, model))
                return true;
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                    "libvirt knows no CPU model \"%s\"; those that it knows: virsh cpu-models %s", model, arch);
        return false;
}

/* The baseline of one model is that model, with its features by the names that this libvirt knows.
 * NULL when it does not tell. */
static GStrv list_features(virDomainPtr domain, const char *model, const char *arch) {
        g_autofree char *cpu = g_markup_printf_escaped("<cpu><arch>%s</arch><model>%s</model></cpu>", arch, model);
        const char *const all[] = {cpu};
        char *text = virConnectBaselineCPU(virDomainGetConnect(domain), (const char **) all, 1,
                                           VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
        g_autofree char *whole = text ? g_strconcat("<domain>", text, "</domain>", NULL) : NULL;
        g_autoptr(CpuXml) listed = whole ? cpu_xml_read(whole, "", NULL) : NULL;

        free(text);
        return listed ? sorted_keys_copy(listed->features) : NULL;
}

static bool is_told(virDomainPtr domain, GError **error) {
        if (!libvirt_busy(domain))
                return true;
        g_set_error(error, CONDITION, CONDITION_TIMED_OUT,
                    "The QEMU of %s does not answer, and until it does libvirt tells no definition of it",
                    virDomainGetName(domain));
        return false;
}

/* Takes @facts over. */
static GuestPlan *make_plan(virDomainPtr domain, const char *xml, const CpuXml *cpu, const GuestOrder *order,
                            GuestFacts *facts, GError **error) {
        const GuestEdit *edit = order->edit;
        const char *model = cpu ? guest_edit_model(cpu, edit) : NULL;
        g_auto(GStrv) listed = model ? list_features(domain, model, facts->arch) : NULL;
        g_autoptr(GuestPlan) plan =
                        guest_edit_plan(xml, edit, facts, order->vendor, (const char *const *) listed, error);

        if (!plan || (edit->model && !check_model(domain, edit->model, plan->facts->arch, error)))
                return NULL;
        return g_steal_pointer(&plan);
}

static GuestPlan *plan_on_definition(const Guest *guest, const GuestOrder *order, GError **error) {
        virDomainPtr domain = guest->domain;
        char *xml = is_told(domain, error) ? read_definition((gpointer) guest, error) : NULL;
        g_autoptr(CpuXml) cpu = xml ? cpu_xml_read(xml, order->vendor, NULL) : NULL;
        GuestFacts *facts;
        GuestPlan *plan;

        if (!xml)
                return NULL;
        facts = order->bare ? libvirt_facts_new(domain) : libvirt_facts_state(domain);
        libvirt_facts_complete(domain, cpu, order->vendor, !order->bare && virDomainSnapshotNum(domain, 0) > 0, facts);
        plan = make_plan(domain, xml, cpu, order, facts, error);
        guest_edit_wipe(&xml);
        return plan;
}

/* What libvirt has kept, and no event has to tell. Where that failed, how far it came is not known
 * here. */
static GuestFacts *finish(const Guest *guest, bool done, char *xml, const char *vendor, bool snapshots,
                          GuestFacts *facts) {
        g_autoptr(CpuXml) cpu = done ? cpu_xml_read(xml, vendor, NULL) : NULL;

        guest_edit_wipe(&xml);
        if (!done) {
                libvirt_own_forget(guest->own, guest->uuid);
                guest_facts_free(facts);
                return NULL;
        }
        libvirt_facts_complete(guest->domain, cpu, vendor, snapshots, facts);
        return facts;
}

bool libvirt_edit(virDomainPtr domain, LibvirtOwn *own, GuestOrder *order, GError **error) {
        const Guest guest = {.domain = domain, .own = own, .uuid = order->uuid};
        char *xml = NULL;
        bool done;

        order->plan = plan_on_definition(&guest, order, error);
        if (!order->plan || !order->begin || guest_plan_is_unchanged(order->plan))
                return order->plan;
        if (!order->begin(order->userdata, error))
                return false;
        done = guest_edit_write(order->plan, &store, (gpointer) &guest, order->vendor, &xml, error);
        order->facts = finish(&guest, done, xml, order->vendor, order->plan->facts->snapshots,
                              libvirt_facts_new(domain));
        return done;
}

GuestFacts *libvirt_edit_define(virDomainPtr domain, LibvirtOwn *own, const GuestPlan *plan, const char *vendor,
                                GError **error) {
        const Guest guest = {.domain = domain, .own = own, .uuid = plan->facts->uuid};
        g_autoptr(GuestFacts) facts = libvirt_facts_state(domain);
        char *xml = NULL;
        bool done;

        /* It may have been saved since it was planned. */
        if (!is_told(domain, error) || !guest_plan_allows(facts, error))
                return NULL;
        done = guest_edit_carry_out(plan, &store, (gpointer) &guest, vendor, &xml, error);
        return finish(&guest, done, xml, vendor, done && virDomainSnapshotNum(domain, 0) > 0, g_steal_pointer(&facts));
}

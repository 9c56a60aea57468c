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

static char *read_definition(gpointer domain, GError **error) {
        char *text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE), *copy;

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

static bool write_definition(gpointer domain, const char *xml, GError **error) {
        virDomainPtr defined = virDomainDefineXML(virDomainGetConnect(domain), xml);

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

GuestPlan *libvirt_edit_plan(virDomainPtr domain, const GuestEdit *edit, const char *vendor, GError **error) {
        char *xml = is_told(domain, error) ? read_definition(domain, error) : NULL;
        g_autofree char *model = xml ? guest_edit_model(xml, edit) : NULL;
        g_auto(GStrv) listed = NULL;
        g_autoptr(GuestPlan) plan = NULL;
        GuestFacts *facts;

        if (!xml)
                return NULL;
        facts = libvirt_facts_state(domain);
        libvirt_facts_complete(domain, xml, vendor, facts);
        listed = model ? list_features(domain, model, facts->arch) : NULL;
        plan = guest_edit_plan(xml, edit, facts, vendor, (const char *const *) listed, error);
        guest_edit_wipe(&xml);
        if (!plan || (edit->model && !check_model(domain, edit->model, plan->facts->arch, error)))
                return NULL;
        return g_steal_pointer(&plan);
}

GuestFacts *libvirt_edit_define(virDomainPtr domain, const GuestPlan *plan, const char *vendor, GError **error) {
        g_autoptr(GuestFacts) facts = libvirt_facts_state(domain);
        char *xml;

        /* It may have been saved since it was planned. */
        if (!is_told(domain, error) || !guest_plan_allows(facts, error) ||
            !guest_edit_carry_out(plan, &store, domain, vendor, &xml, error))
                return NULL;
        libvirt_facts_complete(domain, xml, vendor, facts);
        guest_edit_wipe(&xml);
        return g_steal_pointer(&facts);
}

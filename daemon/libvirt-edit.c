/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read with SECURE, since without it libvirt leaves passwords out, and defining what is left would lose them; defined with VALIDATE, so that
 * what this libvirt does not know is refused and not dropped. */

#include <libvirt/virterror.h>
#include <string.h>

#include "error.h"
#include "guest-edit.h"
#include "libvirt-edit.h"
#include "libvirt-facts.h"

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
        virDomainPtr defined = virDomainDefineXMLFlags(virDomainGetConnect(domain), xml, VIR_DOMAIN_DEFINE_VALIDATE);

        if (!defined) {
                libvirt_error(error, is_refusal() ? CONDITION_UNSUPPORTED : CONDITION_LIBVIRT_UNAVAILABLE,
                              "libvirt does not take the new definition");
                return false;
        }
        (void) virDomainFree(defined);
        return true;
}

static const GuestStore store = {.read = read_definition, .write = write_definition};

GuestPlan *libvirt_edit_plan(virDomainPtr domain, const GuestEdit *edit, const char *vendor, GError **error) {
        g_autoptr(GuestFacts) facts = libvirt_facts_read(domain, vendor, error);
        GuestPlan *plan;
        char *xml;

        if (!facts || !guest_plan_allows(facts, error))
                return NULL;
        libvirt_facts_add_own_statistics(domain, facts);
        xml = read_definition(domain, error);
        if (!xml)
                return NULL;
        plan = guest_edit_plan(xml, edit, g_steal_pointer(&facts), vendor, error);
        explicit_bzero(xml, strlen(xml));
        g_free(xml);
        return plan;
}

GuestFacts *libvirt_edit_define(virDomainPtr domain, const GuestPlan *plan, const char *vendor, GError **error) {
        g_autoptr(GuestFacts) before = libvirt_facts_read(domain, vendor, error);
        GuestFacts *facts;

        /* It may have been saved since it was planned. */
        if (!before || !guest_plan_allows(before, error) || !guest_edit_carry_out(plan, &store, domain, vendor, error))
                return NULL;
        facts = libvirt_facts_read(domain, vendor, error);
        if (facts)
                libvirt_facts_add_own_statistics(domain, facts);
        else
                g_prefix_error(error, "The definition of %s is now as it was asked for, but then: ", plan->facts->name);
        return facts;
}

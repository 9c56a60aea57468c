/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the hints. It must not know what follows from them. */

#include "os-xml.h"

#define LIBOSINFO "http://libosinfo.org/xmlns/libvirt/domain/1.0"
#define WINDOWS "http://microsoft.com/win/"

#define STR(xml) ((const char *) (xml))

/* domain_xml_child() in the namespace of libosinfo. */
static const xmlNode *libosinfo_child(const xmlNode *parent, const char *name) {
        for (const xmlNode *node = parent ? parent->children : NULL; node; node = node->next)
                if (node->type == XML_ELEMENT_NODE && node->ns && g_str_equal(STR(node->ns->href), LIBOSINFO) &&
                    g_str_equal(STR(node->name), name))
                        return node;
        return NULL;
}

/* With a mode that has all of KVM's, or with one of them; vendor_id alone is none (QEMU's
 * hyperv.rst). */
static bool is_enlightened(const xmlNode *hyperv) {
        g_autofree char *mode = domain_xml_attribute(hyperv, "mode");

        if (*mode && !g_str_equal(mode, "custom"))
                return true;
        for (const xmlNode *node = hyperv ? hyperv->children : NULL; node; node = node->next) {
                g_autofree char *state = NULL;
                if (node->type != XML_ELEMENT_NODE || g_str_equal(STR(node->name), "vendor_id"))
                        continue;
                state = domain_xml_attribute(node, "state");
                if (g_str_equal(state, "on"))
                        return true;
        }
        return false;
}

bool os_xml_is_windows(const DomainXml *domain) {
        const xmlNode *metadata = domain_xml_child(domain->root, "metadata");
        const xmlNode *os = libosinfo_child(libosinfo_child(metadata, "libosinfo"), "os");
        g_autofree char *id = domain_xml_attribute(os, "id");

        return *id ? g_str_has_prefix(id, WINDOWS)
                   : is_enlightened(domain_xml_grandchild(domain->root, "features", "hyperv"));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A guest's definition without what may be secret. Rather too little is shown than too much: a diff
 * is about CPU, memory and devices. It must not be used to define anything. */

#include "cpu-xml.h"
#include "domain-xml.h"

/* Shown as empty elements. Arguments, credentials in strings of the firmware, what programs have
 * stored, what opens a disk. */
static const char *const hidden_elements[] = {"metadata", "description", "sysinfo",        "cmdline",
                                              "initarg",  "initenv",     "launchSecurity", "cookies",
                                              "auth",     "secret",      "encryption",     NULL};
/* And those of any element. */
static const char *const hidden_attributes[] = {"passwd", "password", "secret", "key", "keyfile", "token", NULL};

static void hide_attributes(xmlNode *node) {
        for (xmlAttr *attribute = node->properties, *next; attribute; attribute = next) {
                next = attribute->next;
                if (g_strv_contains(hidden_attributes, (const char *) attribute->name))
                        (void) xmlSetNsProp(node, attribute->ns, attribute->name, (const xmlChar *) "(hidden)");
        }
}

static void empty(xmlNode *node) {
        xmlNodeSetContent(node, NULL);
        xmlFreePropList(node->properties);
        node->properties = NULL;
}

static void redact(xmlNode *parent);

static void redact_node(xmlNode *node) {
        const bool element = node->type == XML_ELEMENT_NODE;

        if (element && !node->ns && !g_strv_contains(hidden_elements, (const char *) node->name)) {
                hide_attributes(node);
                redact(node);
        } else if (element)
                empty(node);
        else if (node->type != XML_TEXT_NODE) {
                xmlUnlinkNode(node);
                xmlFreeNode(node);
        }
}

/* As deep as the parser lets a document be, 256. */
static void redact(xmlNode *parent) {
        for (xmlNode *node = parent->children, *next; node; node = next) {
                next = node->next;
                redact_node(node);
        }
}

char *cpu_xml_redact_read(DomainXml *domain, GError **error) {
        g_autoptr(GString) text = g_string_new(NULL);

        hide_attributes(domain->root);
        redact(domain->root);
        if (!domain_text_append(text, domain->root, '"', error))
                return NULL;
        g_string_append_c(text, '\n');
        return g_string_free(g_steal_pointer(&text), FALSE);
}

char *cpu_xml_redact(const char *xml, GError **error) {
        g_autoptr(DomainXml) domain = domain_xml_parse(xml, error);

        return domain ? cpu_xml_redact_read(domain, error) : NULL;
}

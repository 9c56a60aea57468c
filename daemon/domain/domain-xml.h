/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A guest's definition as a tree that remembers its text: what is not touched is written back byte
 * for byte, and what is touched is written by libxml2. For the editors of this folder only; whoever
 * uses them sees no libxml2. It knows of no element but <domain>. */

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

/* Larger documents are refused: libvirt's protocol carries no longer string
 * (src/remote/remote_protocol.x, REMOTE_STRING_MAX). */
#define DOMAIN_XML_MAX ((gsize) 4 * 1024 * 1024)
/* And an element with more attributes: up to libxml2 2.11, each is compared with all others.
 * libvirt knows of about fifteen. */
#define DOMAIN_XML_ATTRIBUTES_MAX 256

typedef struct DomainXml {
        char *text;
        xmlDoc *doc;
        xmlNode *root;
        GArray *spans; /* where each element lies in the text, in the order of the text */
        bool changed;
} DomainXml;

/* Refuses with InvalidArgs what is not well-formed, not UTF-8, not <domain>, has a DTD, or is
 * larger than these. */
DomainXml *domain_xml_parse(const char *text, GError **error);
void domain_xml_free(DomainXml *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainXml, domain_xml_free)

/* The text after all changes; the very text that came in when there were none. NULL: out of
 * memory. */
char *domain_xml_write(const DomainXml *domain, GError **error);

/* The first child element called @name, of no namespace; NULL also when @parent is. */
xmlNode *domain_xml_child(const xmlNode *parent, const char *name);
/* Of the namespace @uri. */
xmlNode *domain_xml_foreign_child(const xmlNode *parent, const char *uri, const char *name);
/* The next one of the same name and namespace. */
xmlNode *domain_xml_next(const xmlNode *node);
/* A child of a child: "os", "type". */
xmlNode *domain_xml_grandchild(const xmlNode *parent, const char *child, const char *name);
/* "" when there is none, or no @node. */
char *domain_xml_attribute(const xmlNode *node, const char *name);
bool domain_xml_has_attribute(const xmlNode *node, const char *name);
/* The text in @node without the white space around it, "" when there is no @node. */
char *domain_xml_content(const xmlNode *node);

/* The changes. What is so already is no change. */
void domain_xml_set_attribute(DomainXml *domain, xmlNode *node, const char *name, const char *value);
void domain_xml_remove_attribute(DomainXml *domain, xmlNode *node, const char *name);
void domain_xml_set_content(DomainXml *domain, xmlNode *node, const char *content);
void domain_xml_remove(DomainXml *domain, xmlNode *node);
/* A new element in a line of its own where the others have theirs, after @after, or as the first
 * child when that is NULL. */
xmlNode *domain_xml_add(DomainXml *domain, xmlNode *parent, xmlNode *after, const char *name);

/* For domain-xml.c and domain-text.c: what node->_private points to. */
typedef struct DomainSpan {
        gsize begin, content, end; /* of the start tag, of what follows it, behind the end tag */
        bool empty;                /* <a/> */
        bool touched;              /* to be written by libxml2 */
        bool inside;               /* something in it is */
} DomainSpan;

/* The spans of all elements of a text that is well-formed and has no DTD. */
GArray *domain_text_spans(const char *text);
/* Some tag of a text that may be anything has more than @most attributes. */
bool domain_text_is_crowded(const char *text, unsigned most);
/* @node as libxml2 writes it, in UTF-8, its attributes in @quote, '"' or '\'', where that can
 * be. */
bool domain_text_append(GString *out, xmlNode *node, char quote, GError **error);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tree of a guest's definition: reading it safely, looking things up, changing them. It must
 * not know what the elements mean. */

#include <libxml/parser.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "domain-xml.h"
#include "error.h"

#define STR(xml) ((const char *) (xml))
#define XML(str) ((const xmlChar *) (str))

/* libxml2 says so by a null pointer; GLib, which all the rest is made with, ends the process. */
static void *need(void *memory) {
        if (!memory)
                g_error("Out of memory");
        return memory;
}

/* Definitions have passwords in them, and libxml2 frees its buffers and its nodes as they are: all
 * of its memory is wiped instead. It stays malloc()'s, so that it is the same to libvirt, which
 * uses libxml2 in the daemon's process as well. */
static void wipe_block(void *block) {
        if (block)
                explicit_bzero(block, malloc_usable_size(block));
        free(block);
}

static void *move_block(void *block, size_t size) {
        void *other = malloc(size);

        if (other && block) {
                memcpy(other, block, MIN(size, malloc_usable_size(block)));
                wipe_block(block);
        }
        return other;
}

static gpointer set_memory_up(gpointer data) {
        return GINT_TO_POINTER(xmlMemSetup(wipe_block, malloc, move_block, strdup) == 0);
}

static void refuse_dtd(void *data, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
        xmlParserCtxt *parser = data;
        bool *dtd = parser->_private;

        *dtd = true;
        xmlStopParser(parser);
}

static void set_parse_error(const xmlError *reason, bool dtd, GError **error) {
        g_autofree char *message =
                        reason && reason->message ? g_strchomp(g_utf8_make_valid(reason->message, -1)) : NULL;

        if (dtd)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The XML has a document type declaration, which no guest's definition needs: it is not "
                            "read");
        else if (reason && reason->code == XML_ERR_DOCUMENT_END)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "After the first document there is more, at line %d. virt-install prints one for each step "
                            "of an "
                            "installation: take one of them, with --print-xml=1 or --print-xml=2",
                            reason->line);
        else
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "This is not XML: line %d: %s",
                            reason ? reason->line : 1, message ?: "it can't be read");
}

/* Neither the network nor another file is looked at, and no entity is put in. Short texts are kept
 * in their nodes, of which libxml2 knows wherever it changes one. */
static xmlDoc *parse(const char *text, gsize length, GError **error) {
        xmlParserCtxt *parser = need(xmlNewParserCtxt());
        bool dtd = false;
        xmlDoc *doc;

        parser->_private = &dtd;
        parser->sax->internalSubset = refuse_dtd;
        doc = xmlCtxtReadMemory(parser, text, (int) length, NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
        if (dtd || !doc) {
                set_parse_error(xmlCtxtGetLastError(parser), dtd, error);
                g_clear_pointer(&doc, xmlFreeDoc);
        }
        xmlFreeParserCtxt(parser);
        return doc;
}

/* Most have ASCII alone, which is told in a fraction of the time. */
static bool is_utf8(const char *text, gsize length) {
        unsigned char bits = 0;

        for (gsize i = 0; i < length; i++)
                bits |= (unsigned char) text[i];
        return bits < 0x80 || g_utf8_validate(text, (gssize) length, NULL);
}

static bool check_text(const char *text, gsize length, GError **error) {
        if (length > DOMAIN_XML_MAX)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The XML is larger than %" G_GSIZE_FORMAT " MiB",
                            DOMAIN_XML_MAX / 1024 / 1024);
        else if (length == 0)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "There is no XML: the input is empty");
        else if (!is_utf8(text, length))
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The XML is not in UTF-8: convert it, with iconv(1)");
        else if (domain_text_is_crowded(text, DOMAIN_XML_ATTRIBUTES_MAX))
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The XML has an element with more than %d attributes", DOMAIN_XML_ATTRIBUTES_MAX);
        else
                return true;
        return false;
}

static bool check_document(const xmlDoc *doc, const xmlNode *root, GError **error) {
        const char *encoding = STR(doc->encoding) ?: "UTF-8";

        /* Where bytes lie in the text can only be told when the parser has read these very
         * bytes. */
        if (g_ascii_strcasecmp(encoding, "UTF-8") != 0 && g_ascii_strcasecmp(encoding, "US-ASCII") != 0)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The XML says that it is in %s: convert it to UTF-8, with iconv(1)", encoding);
        else if (!root || !g_str_equal(STR(root->name), "domain"))
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The XML is no guest's: it begins with <%s>, not with <domain>",
                            root ? STR(root->name) : "");
        else if (root->ns)
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The XML is no guest's: its <domain> is in the namespace %s", STR(root->ns->href));
        else
                return true;
        return false;
}

/* Of a document that does not name one, libxml2 writes letters beyond ASCII in attributes as
 * numbers. */
static void name_encoding(xmlDoc *doc) {
        if (!doc->encoding)
                doc->encoding = need(xmlStrdup(XML("UTF-8")));
}

/* The next element in the order of the text. */
static xmlNode *walk(xmlNode *node) {
        do {
                if (node->type == XML_ELEMENT_NODE && node->children)
                        node = node->children;
                else {
                        while (node && node->type != XML_DOCUMENT_NODE && !node->next)
                                node = node->parent;
                        node = node && node->type != XML_DOCUMENT_NODE ? node->next : NULL;
                }
        } while (node && node->type != XML_ELEMENT_NODE);
        return node;
}

static bool attach_spans(DomainXml *domain, GError **error) {
        guint n = 0;

        for (xmlNode *node = domain->root; node; node = walk(node), n++)
                if (n < domain->spans->len)
                        node->_private = &g_array_index(domain->spans, DomainSpan, n);
        if (n == domain->spans->len)
                return true;
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "The XML has %u elements, of which %u were found in its text",
                    n, domain->spans->len);
        return false;
}

DomainXml *domain_xml_parse(const char *text, GError **error) {
        static GOnce once = G_ONCE_INIT;
        const gsize length = strnlen(text, DOMAIN_XML_MAX + 1);
        g_autoptr(DomainXml) domain = g_new0(DomainXml, 1);

        (void) g_once(&once, set_memory_up, NULL);
        if (!check_text(text, length, error))
                return NULL;
        domain->doc = parse(text, length, error);
        if (!domain->doc)
                return NULL;
        domain->root = xmlDocGetRootElement(domain->doc);
        if (!check_document(domain->doc, domain->root, error))
                return NULL;
        name_encoding(domain->doc);
        domain->text = g_strdup(text);
        domain->spans = domain_text_spans(domain->text);
        return attach_spans(domain, error) ? g_steal_pointer(&domain) : NULL;
}

void domain_xml_free(DomainXml *domain) {
        if (!domain)
                return;
        /* The large ones first: malloc() puts all together that is free when one is given back. */
        g_clear_pointer(&domain->spans, g_array_unref);
        if (domain->text)
                explicit_bzero(domain->text, strlen(domain->text));
        g_free(domain->text);
        g_clear_pointer(&domain->doc, xmlFreeDoc);
        g_free(domain);
}

/* "" is no namespace. */
static const char *namespace_of(const xmlNode *node) {
        return node->ns && node->ns->href ? STR(node->ns->href) : "";
}

static xmlNode *find(xmlNode *node, const char *uri, const char *name) {
        for (; node; node = node->next)
                if (node->type == XML_ELEMENT_NODE && g_str_equal(namespace_of(node), uri) &&
                    g_str_equal(STR(node->name), name))
                        return node;
        return NULL;
}

xmlNode *domain_xml_child(const xmlNode *parent, const char *name) {
        return domain_xml_foreign_child(parent, "", name);
}

xmlNode *domain_xml_foreign_child(const xmlNode *parent, const char *uri, const char *name) {
        return parent ? find(parent->children, uri, name) : NULL;
}

xmlNode *domain_xml_next(const xmlNode *node) {
        return find(node->next, namespace_of(node), STR(node->name));
}

xmlNode *domain_xml_grandchild(const xmlNode *parent, const char *child, const char *name) {
        return domain_xml_child(domain_xml_child(parent, child), name);
}

static char *take(xmlChar *string) {
        char *copy = g_strdup(string ? STR(string) : "");

        xmlFree(string);
        return copy;
}

char *domain_xml_attribute(const xmlNode *node, const char *name) {
        return node ? take(xmlGetNoNsProp(node, XML(name))) : g_strdup("");
}

bool domain_xml_has_attribute(const xmlNode *node, const char *name) {
        return xmlHasNsProp(node, XML(name), NULL) != NULL;
}

char *domain_xml_content(const xmlNode *node) {
        return node ? g_strstrip(take(xmlNodeGetContent(node))) : g_strdup("");
}

/* A new element is written whole, and so is what is in it. */
static void touch(DomainXml *domain, xmlNode *node) {
        DomainSpan *span = node->_private;

        domain->changed = true;
        if (span)
                span->touched = true;
        for (node = node->parent; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
                span = node->_private;
                if (span)
                        span->inside = true;
        }
}

void domain_xml_set_attribute(DomainXml *domain, xmlNode *node, const char *name, const char *value) {
        g_autofree char *old = domain_xml_attribute(node, name);

        if (g_str_equal(old, value) && domain_xml_has_attribute(node, name))
                return;
        (void) need(xmlSetNsProp(node, NULL, XML(name), XML(value)));
        touch(domain, node);
}

void domain_xml_remove_attribute(DomainXml *domain, xmlNode *node, const char *name) {
        if (xmlUnsetNsProp(node, NULL, XML(name)) == 0)
                touch(domain, node);
}

void domain_xml_set_content(DomainXml *domain, xmlNode *node, const char *content) {
        g_autofree char *old = domain_xml_content(node);

        if (g_str_equal(old, content))
                return;
        xmlNodeSetContent(node, NULL);
        if (*content)
                xmlNodeAddContent(node, XML(content));
        touch(domain, node);
}

static bool is_blank(const xmlNode *node) {
        return node && node->type == XML_TEXT_NODE && xmlIsBlankNode(node);
}

static void discard(xmlNode *node) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
}

void domain_xml_remove(DomainXml *domain, xmlNode *node) {
        xmlNode *parent = node->parent;

        /* Its line goes with it; a parent that has nothing else becomes empty. */
        if (is_blank(node->prev)) {
                if (is_blank(node->next) && node->prev == parent->children && node->next == parent->last)
                        discard(node->next);
                discard(node->prev);
        }
        discard(node);
        touch(domain, parent);
}

/* White space that is written even where the text around it is copied. */
static xmlNode *new_blank(const char *content) {
        static char mark;
        xmlNode *blank = need(xmlNewText(XML(content)));

        blank->_private = &mark;
        return blank;
}

/* "\n" and what @node is indented by; NULL when it has no line of its own. */
static const char *indentation(const xmlNode *node) {
        const char *newline =
                        is_blank(node->prev) && node->prev->content ? strrchr(STR(node->prev->content), '\n') : NULL;

        return newline;
}

/* In a line of its own before the one that the end tag of @parent has, which stays as it is. False:
 * there is more in it, or no such line. */
static bool add_alone(const xmlNode *parent, xmlNode *node) {
        xmlNode *blank = parent->children;
        const DomainSpan *span = parent->_private;
        const char *newline = is_blank(blank) && !blank->next ? strrchr(STR(blank->content), '\n') : NULL;
        g_autofree char *inner = newline ? g_strdup_printf("%s  ", newline) : NULL;

        if (!span || !inner)
                return false;
        (void) xmlAddPrevSibling(blank, node);
        (void) xmlAddPrevSibling(node, new_blank(inner));
        return true;
}

static void add_first(xmlNode *parent, xmlNode *node) {
        const char *outer = indentation(parent);
        g_autofree char *inner = outer ? g_strdup_printf("%s  ", outer) : NULL;
        xmlNode *first = parent->children;

        /* White space alone is as good as nothing. */
        if (is_blank(first) && !first->next) {
                discard(first);
                first = NULL;
        }
        if (is_blank(first)) {
                /* What was before the first one is before the new one now. */
                xmlNode *blank = new_blank(STR(first->content));
                (void) xmlAddNextSibling(first, node);
                (void) xmlAddNextSibling(node, blank);
                return;
        }
        if (first) {
                (void) xmlAddPrevSibling(first, node);
                return;
        }
        (void) xmlAddChild(parent, node);
        if (inner) {
                (void) xmlAddPrevSibling(node, new_blank(inner));
                (void) xmlAddNextSibling(node, new_blank(outer));
        }
}

static void add_after(xmlNode *after, xmlNode *node) {
        const char *indent = indentation(after);

        (void) xmlAddNextSibling(after, node);
        if (indent)
                (void) xmlAddPrevSibling(node, new_blank(indent));
}

xmlNode *domain_xml_add(DomainXml *domain, xmlNode *parent, xmlNode *after, const char *name) {
        xmlNode *node = need(xmlNewDocNode(domain->doc, NULL, XML(name), NULL));
        const DomainSpan *span = parent->_private;

        const bool alone = !after && add_alone(parent, node);

        if (after)
                add_after(after, node);
        else if (!alone)
                add_first(parent, node);
        /* Behind another one, it changes no byte of what is there. */
        if (alone || (after && span && !span->empty))
                touch(domain, node);
        else
                touch(domain, parent);
        return node;
}

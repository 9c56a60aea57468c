/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where elements lie in a text, and the text that is made of old bytes and new elements. The parser has read the text before: here nothing
 * is checked, and nothing is decided about what is changed. */

#include <libxml/xmlsave.h>
#include <string.h>

#include "domain-xml.h"
#include "error.h"

/* Behind the next @mark, or the end of the text. */
static const char *skip_past(const char *p, const char *mark) {
        const char *found = strstr(p, mark);

        return found ? found + strlen(mark) : p + strlen(p);
}

/* Behind the ">" of a tag; one in quotes is text. */
static const char *skip_tag(const char *p) {
        for (char quote = '\0'; *p; p++) {
                if (quote)
                        quote = *p == quote ? '\0' : quote;
                else if (*p == '"' || *p == '\'')
                        quote = *p;
                else if (*p == '>')
                        return p + 1;
        }
        return p;
}

/* The spans that are open, by index, since the array moves while it grows. */
static void open_span(GArray *spans, GArray *open, gsize begin, gsize content, bool empty) {
        const DomainSpan span = {.begin = begin, .content = content, .end = content, .empty = empty};

        if (!empty)
                g_array_append_val(open, spans->len);
        g_array_append_val(spans, span);
}

static void close_span(GArray *spans, GArray *open, gsize end) {
        if (open->len == 0)
                return;
        g_array_index(spans, DomainSpan, g_array_index(open, guint, open->len - 1)).end = end;
        g_array_set_size(open, open->len - 1);
}

GArray *domain_text_spans(const char *text) {
        GArray *spans = g_array_new(FALSE, FALSE, sizeof(DomainSpan));
        g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint));

        for (const char *p = strchr(text, '<'), *next; p; p = strchr(next, '<')) {
                if (g_str_has_prefix(p, "<!--"))
                        next = skip_past(p + strlen("<!--"), "-->");
                else if (g_str_has_prefix(p, "<![CDATA["))
                        next = skip_past(p, "]]>");
                else if (p[1] == '?')
                        next = skip_past(p, "?>");
                else {
                        next = skip_tag(p);
                        if (p[1] == '/')
                                close_span(spans, open, (gsize) (next - text));
                        else
                                open_span(spans, open, (gsize) (p - text), (gsize) (next - text), next[-2] == '/');
                }
        }
        return spans;
}

bool domain_text_append(GString *out, xmlNode *node, GError **error) {
        xmlBuffer *buffer = xmlBufferCreate();
        xmlSaveCtxt *save = buffer ? xmlSaveToBuffer(buffer, "UTF-8", XML_SAVE_NO_DECL) : NULL;
        const bool good = save && xmlSaveTree(save, node) >= 0 && xmlSaveClose(save) >= 0;

        if (good)
                g_string_append(out, (const char *) xmlBufferContent(buffer));
        else
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "The guest's definition could not be written: out of memory");
        xmlBufferFree(buffer);
        return good;
}

static bool append_element(GString *out, const char *text, xmlNode *node, GError **error);

/* The children between @span's tags: old ones with what lies before each of them, new ones between. */
static bool append_children(GString *out, const char *text, const xmlNode *node, const DomainSpan *span,
                            GError **error) {
        gsize at = span->content;

        for (xmlNode *child = node->children; child; child = child->next) {
                const DomainSpan *old = child->type == XML_ELEMENT_NODE ? child->_private : NULL;
                if (old) {
                        g_string_append_len(out, text + at, (gssize) (old->begin - at));
                        at = old->end;
                        if (!append_element(out, text, child, error))
                                return false;
                } else if ((child->type == XML_ELEMENT_NODE || child->_private) &&
                           !domain_text_append(out, child, error))
                        return false;
        }
        g_string_append_len(out, text + at, (gssize) (span->end - at));
        return true;
}

static bool append_element(GString *out, const char *text, xmlNode *node, GError **error) {
        const DomainSpan *span = node->_private;

        if (span->touched)
                return domain_text_append(out, node, error);
        if (!span->inside) {
                g_string_append_len(out, text + span->begin, (gssize) (span->end - span->begin));
                return true;
        }
        g_string_append_len(out, text + span->begin, (gssize) (span->content - span->begin));
        return append_children(out, text, node, span, error);
}

char *domain_xml_write(const DomainXml *domain, GError **error) {
        const DomainSpan *span = domain->root->_private;
        g_autoptr(GString) out = NULL;

        if (!domain->changed)
                return g_strdup(domain->text);
        out = g_string_new_len(domain->text, (gssize) span->begin);
        if (!append_element(out, domain->text, domain->root, error))
                return NULL;
        g_string_append(out, domain->text + span->end);
        return g_string_free(g_steal_pointer(&out), FALSE);
}

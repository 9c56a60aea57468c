/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where elements lie in a text, and the text that is made of old bytes and new elements. The parser
 * has read the text before: here nothing is checked, and nothing is decided about what is
 * changed. */

#include <libxml/xmlsave.h>
#include <string.h>

#include "domain-xml.h"
#include "error.h"

/* By an edit, at most; more is no harm. */
#define ADDED_MAX ((gsize) 64 * 1024)

/* Behind the next @mark, or the end of the text. */
static const char *skip_past(const char *p, const char *mark) {
        const char *found = strstr(p, mark);

        return found ? found + strlen(mark) : p + strlen(p);
}

/* Behind the ">" of a tag; one in quotes is text. @ret_values: how many there are in quotes. */
static const char *skip_tag(const char *p, unsigned *ret_values) {
        unsigned values = 0;

        for (; *p && *p != '>'; p++) {
                if (*p != '"' && *p != '\'')
                        continue;
                const char *const end = strchr(p + 1, *p);
                values += end != NULL;
                p = end ?: p + strlen(p) - 1;
        }
        if (ret_values)
                *ret_values = values;
        return *p ? p + 1 : p;
}

/* Behind a comment, CDATA or processing instruction; NULL when @p is at a tag. */
static const char *skip_other(const char *p) {
        if (p[1] == '?')
                return skip_past(p, "?>");
        if (p[1] != '!')
                return NULL;
        if (g_str_has_prefix(p, "<!--"))
                return skip_past(p + strlen("<!--"), "-->");
        if (g_str_has_prefix(p, "<![CDATA["))
                return skip_past(p, "]]>");
        return NULL;
}

bool domain_text_is_crowded(const char *text, unsigned most) {
        unsigned values = 0;

        for (const char *p = strchr(text, '<'), *next; p && values <= most; p = strchr(next, '<'))
                next = skip_other(p) ?: skip_tag(p, &values);
        return values > most;
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
                next = skip_other(p);
                if (!next) {
                        next = skip_tag(p, NULL);
                        if (p[1] == '/')
                                close_span(spans, open, (gsize) (next - text));
                        else
                                open_span(spans, open, (gsize) (p - text), (gsize) (next - text), next[-2] == '/');
                }
        }
        return spans;
}

/* From @p, whose first character is copied in any case, up to @end. */
static const char *copy_past(GString *out, const char *p, const char *end) {
        g_string_append_len(out, p, end - p);
        return end;
}

/* One tag, with the quotes of the text around it where the values allow it. */
static const char *copy_tag(GString *out, const char *p, char quote) {
        const char *const end = skip_tag(p, NULL);

        while (p < end) {
                const char *const close = *p == '"' ? memchr(p + 1, '"', (size_t) (end - p - 1)) : NULL;
                if (close && !memchr(p, quote, (size_t) (close - p))) {
                        g_string_append_c(out, quote);
                        g_string_append_len(out, p + 1, close - p - 1);
                        g_string_append_c(out, quote);
                        p = close + 1;
                } else
                        p = copy_past(out, p, close ? close + 1 : p + 1);
        }
        return end;
}

/* libxml2 writes double quotes, libvirt writes single ones: what is new must not look like
 * something else. */
static void append_quoted(GString *out, const char *xml, char quote) {
        for (const char *p = xml, *tag; *p;) {
                tag = strchr(p, '<');
                p = copy_past(out, p, tag ?: p + strlen(p));
                if (!tag)
                        return;
                tag = skip_other(p);
                p = tag ? copy_past(out, p, tag) : copy_tag(out, p, quote);
        }
}

/* The first that there is in the tag at @p. */
static char first_quote(const char *p) {
        p += strcspn(p, ">\"'");
        return *p == '\'' ? '\'' : '"';
}

bool domain_text_append(GString *out, xmlNode *node, char quote, GError **error) {
        xmlBuffer *buffer = xmlBufferCreate();
        xmlSaveCtxt *save = buffer ? xmlSaveToBuffer(buffer, "UTF-8", XML_SAVE_NO_DECL) : NULL;
        const bool good = save && xmlSaveTree(save, node) >= 0 && xmlSaveClose(save) >= 0;

        if (good && quote == '\'')
                append_quoted(out, (const char *) xmlBufferContent(buffer), quote);
        else if (good)
                g_string_append(out, (const char *) xmlBufferContent(buffer));
        else
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "The guest's definition could not be written: out of memory");
        xmlBufferFree(buffer);
        return good;
}

typedef struct Writer {
        const char *text;
        GString *out;
        char quote;
} Writer;

static bool write_element(const Writer *writer, xmlNode *node, GError **error);

/* The children between @span's tags: old ones with what lies before each of them, new ones
 * between. */
static bool write_children(const Writer *writer, const xmlNode *node, const DomainSpan *span, GError **error) {
        gsize at = span->content;

        for (xmlNode *child = node->children; child; child = child->next) {
                const DomainSpan *old = child->type == XML_ELEMENT_NODE ? child->_private : NULL;
                if (old) {
                        g_string_append_len(writer->out, writer->text + at, (gssize) (old->begin - at));
                        at = old->end;
                        if (!write_element(writer, child, error))
                                return false;
                } else if ((child->type == XML_ELEMENT_NODE || child->_private) &&
                           !domain_text_append(writer->out, child, writer->quote, error))
                        return false;
        }
        g_string_append_len(writer->out, writer->text + at, (gssize) (span->end - at));
        return true;
}

static bool write_element(const Writer *writer, xmlNode *node, GError **error) {
        const DomainSpan *span = node->_private;
        const gsize end = span->inside ? span->content : span->end;

        if (span->touched)
                return domain_text_append(writer->out, node, writer->quote, error);
        g_string_append_len(writer->out, writer->text + span->begin, (gssize) (end - span->begin));
        return !span->inside || write_children(writer, node, span, error);
}

char *domain_xml_write(const DomainXml *domain, GError **error) {
        const DomainSpan *span = domain->root->_private;
        g_autoptr(GString) out = NULL;
        char *text = NULL;

        if (!domain->changed)
                return g_strdup(domain->text);
        /* With room for what is added: what it had grown out of would be left behind, secrets and
         * all. */
        out = g_string_sized_new(2 * strlen(domain->text) + ADDED_MAX);
        const Writer writer = {.text = domain->text, .out = out, .quote = first_quote(domain->text + span->begin)};
        g_string_append_len(out, domain->text, (gssize) span->begin);
        if (write_element(&writer, domain->root, error)) {
                g_string_append(out, domain->text + span->end);
                text = g_strndup(out->str, out->len);
        }
        explicit_bzero(out->str, out->len);
        return text;
}

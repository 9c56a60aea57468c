/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The row is put into the message as it is made: there may be ten thousand. It decides nothing. */

#include <string.h>

#include "guest-row.h"
#include "guest-verdict.h"
#include "object.h"

#define ROW "osbssssssbs"
#define ROW_LENGTH (sizeof(ROW) - 1)

typedef union Cell {
        const char *text;
        bool boolean;
} Cell;

/* libvirt takes names that are not UTF-8, D-Bus does not. The answer is @text itself when it is
 * good and short enough, else *@ret_made. */
static const char *make_good(const char *text, char **ret_made) {
        if (!text)
                return "";
        if (strlen(text) <= BOUND_NAME && g_utf8_validate(text, -1, NULL))
                return text;
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        return *ret_made = bound_text(valid, BOUND_NAME);
}

/* In a message: the D-Bus specification, Marshaling. */
static gsize row_size(const Cell cells[ROW_LENGTH]) {
        gsize size = 0;

        for (gsize i = 0; i < ROW_LENGTH; i++)
                size = (size + 3) / 4 * 4 + 4 + (ROW[i] == SD_BUS_TYPE_BOOLEAN ? 0 : strlen(cells[i].text) + 1);
        return (size + 7) / 8 * 8;
}

static int append_cell(sd_bus_message *message, char type, const Cell *cell) {
        if (type != SD_BUS_TYPE_BOOLEAN)
                return sd_bus_message_append_basic(message, type, cell->text);
        const int boolean = cell->boolean;
        return sd_bus_message_append_basic(message, type, &boolean);
}

static int append_cells(sd_bus_message *message, const Cell cells[ROW_LENGTH]) {
        int r = sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT, ROW);

        for (gsize i = 0; i < ROW_LENGTH && r >= 0; i++)
                r = append_cell(message, ROW[i], &cells[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int guest_row_append(const GuestFacts *facts, const GuestHost *host, sd_bus_message *message, BoundRows *rows) {
        g_autoptr(GuestVerdict) verdict = guest_verdict_new(facts, host);
        g_autofree char *path = object_guest_path(facts->uuid), *name = NULL, *mode = NULL, *model = NULL;
        g_autofree char *policy = NULL, *saved = NULL;
        const Cell cells[ROW_LENGTH] = {
                        {.text = path},
                        {.text = make_good(facts->name, &name)},
                        {.boolean = facts->active},
                        {.text = make_good(facts->defined.mode, &mode)},
                        {.text = make_good(facts->defined.model, &model)},
                        {.text = make_good(facts->defined.policy, &policy)},
                        {.text = verdict->next_start},
                        {.text = verdict->now},
                        {.text = verdict->using},
                        {.boolean = verdict->restart_needed},
                        {.text = make_good(verdict->saved_state, &saved)},
        };

        return bound_rows_take(rows, row_size(cells), BOUND_ROWS) ? append_cells(message, cells) : 0;
}

int guest_row_append_rest(guint32 omitted, sd_bus_message *message) {
        g_autofree char *count = g_strdup_printf("%u", omitted);

        return sd_bus_message_append(message, "(" ROW ")", "/", count, 0, "", "", "", "", "", "", 0, "");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.freedesktop.LogControl1, by which `systemctl service-log-level` speaks to any service: how
 * much is told, and where. It must not decide what is worth telling.
 *
 * Setting is root's alone: what is not marked as unprivileged is refused by sd-bus to who is
 * neither of our own user nor root. To know that it asks the bus, and waits for the answer; which
 * is why the bus's policy lets nobody else's call come that far. */

#include "log.h"
#include "methods.h"
#include "names.h"

typedef bool (*WordSet)(const char *word);

static int append(sd_bus_message *reply, const char *word) {
        return sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, word);
}

static int set(sd_bus_message *value, WordSet word_set, const char *there_are, sd_bus_error *error) {
        const char *word;
        int r = sd_bus_message_read_basic(value, SD_BUS_TYPE_STRING, &word);

        if (r < 0 || word_set(word))
                return r;
        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "There is no \"%s\" here; there are %s", word,
                                 there_are);
}

static int get_level(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                     void *userdata, sd_bus_error *error) {
        return append(reply, log_level());
}

static int set_level(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *value,
                     void *userdata, sd_bus_error *error) {
        return set(value, log_set_level, "emerg, alert, crit, err, warning, notice, info, debug", error);
}

static int get_target(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        return append(reply, log_target());
}

static int set_target(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *value,
                      void *userdata, sd_bus_error *error) {
        return set(value, log_set_target, "journal, console", error);
}

static int get_identifier(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return append(reply, log_identifier());
}

static const sd_bus_vtable vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", get_level, set_level, 0, 0),
                SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", get_target, set_target, 0, 0),
                SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, 0),
                SD_BUS_VTABLE_END,
};

/* Whoever looks for the reason of something sees here who asked for it. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        if (sd_bus_message_is_method_call(message, NULL, NULL))
                log_debug("%s calls %s of %s", sd_bus_message_get_sender(message) ?: "Somebody",
                          sd_bus_message_get_member(message), sd_bus_message_get_path(message));
        return 0;
}

int log_control_register(sd_bus *bus) {
        int r = sd_bus_add_object_vtable(bus, NULL, PATH_LOG_CONTROL, IFACE_LOG_CONTROL, vtable, NULL);

        return r < 0 ? r : sd_bus_add_filter(bus, NULL, on_message, NULL);
}

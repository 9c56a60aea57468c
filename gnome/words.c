/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "window.h"

const char *words_status(NestvirtManager *manager) {
        const char *nested = nestvirt_manager_get_nested(manager), *why = nestvirt_manager_get_nested_reason(manager);

        if (g_str_equal(nested, "on"))
                return _("Virtual machines that are started now can run virtual machines themselves");
        if (g_str_equal(nested, "off"))
                return _("Virtual machines that are started now cannot run virtual machines");
        return why && *why ? why : _("Not on this computer: see below");
}

char *words_guest(gboolean active, const char *next, const char *now, const char *using, gboolean restart) {
        const char *is = !active                     ? _("Switched off")
                         : g_str_equal(using, "yes") ? _("Runs virtual machines")
                         : g_str_equal(now, "yes")   ? _("Can run virtual machines")
                         : g_str_equal(now, "no")    ? _("Cannot run virtual machines")
                                                     : _("Running");
        const char *will = g_str_equal(next, "fails") ? _("will not start")
                           : g_str_equal(next, "yes") ? _("can run them when it is next started")
                           : g_str_equal(next, "no")  ? _("cannot when it is next started")
                                                      : NULL;
        const gboolean stays = !will || (active && g_str_equal(next, now));

        return g_strconcat(is, stays ? "" : " · ", stays ? "" : will, restart ? " · " : "",
                           restart ? _("changes pending until it is switched off and on") : "", NULL);
}

char *words_setting(const char *name, const char *value) {
        if (!g_str_equal(name, "nested"))
                return g_strdup_printf("%s = %s", name, value);
        return g_strdup(g_str_equal(value, "0") ? _("Nested virtualization off") : _("Nested virtualization on"));
}

const char *words_outcome(const char *outcome) {
        if (g_str_equal(outcome, "applied"))
                return _("Done: in effect now");
        return g_str_equal(outcome, "unchanged") ? _("It is so already") : NULL; /* it is seen to be pending */
}

char *words_error(GError *error) {
        G_GNUC_UNUSED g_autoptr(GError) told = error;
        g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;

        if (!error)
                return NULL;
        (void) g_dbus_error_strip_remote_error(error);
        /* The daemon's words for that are those of a command line. */
        if (g_strcmp0(name, "org.nestvirt1.Error.Busy") == 0)
                return g_strdup(_("Nothing has been changed, as KVM is in use: choose another time, or stop what is in "
                                  "the way"));
        return g_strdup(error->message);
}

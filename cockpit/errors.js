/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What went wrong, for people: the service's sentence, and above it what this page knows of it. */

import { h, notice, said } from "./elements.js";

const _ = cockpit.gettext;

const REFUSED = [
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
];
const GONE = [
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.Disconnected",
];

const TITLES = {
    Busy: _("KVM is in use"),
    Builtin: _("This kernel can only be told at boot"),
    Overridden: _("Another file or the kernel command line would win"),
    Unsupported: _("This host can't do that"),
    NotPermitted: _("The kernel does not permit it"),
    Conflict: _("Something else has been changed meanwhile"),
    ReloadFailed: _("It failed; everything is as it was"),
    HostDegraded: _("It failed, and not everything is as it was"),
    LibvirtUnavailable: _("libvirt can't be reached"),
    TimedOut: _("There was no answer in time"),
    TransientGuest: _("This guest has no definition that could be changed"),
    NoSuchGuest: _("This guest is gone"),
};

export function short_name(error) {
    return (error.name ?? "").replace(/^org\.nestvirt1\.Error\./, "");
}

export function is_refusal(error) {
    return REFUSED.includes(error.name) || error.problem === "access-denied";
}

function title(error) {
    if (is_refusal(error)) return _("You are not allowed to do this");
    if (GONE.includes(error.name) || error.problem) return _("The service has gone away");
    return TITLES[short_name(error)] ?? _("That did not work");
}

export function explained(error) {
    return notice(
        "danger",
        title(error),
        is_refusal(error) &&
            h("p", {}, _("Turn on administrative access, at the top of Cockpit, or have a polkit rule allow it.")),
        said(error.message ?? error.problem ?? "", "p"),
    );
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For who wants to know exactly: every parameter that touches nesting, with what is configured,
 * what is in effect, and why. */

import { fill, h, phrase, said } from "./elements.js";
import { shown } from "./pending.js";
import { service } from "./service.js";

const _ = cockpit.gettext;

const STATES = {
    live: _("loaded"),
    loadable: _("not loaded"),
    builtin: _("part of the kernel"),
    missing: _("not there"),
    unknown: _("unknown"),
};

function cell(label, ...content) {
    return h("td", { "data-label": label }, ...content);
}

function row([name, parameter]) {
    return h(
        "tr",
        {},
        h("th", { scope: "row" }, h("bdi", { dir: "ltr" }, name), said(parameter.Description, "small")),
        cell(_("In effect"), shown(parameter.Effective) || "–"),
        cell(
            _("Configured"),
            parameter.Configured === "" ? _("default") : h("bdi", {}, parameter.Configured),
            parameter.Source && h("small", { dir: "ltr" }, parameter.Source),
        ),
        cell(_("Why"), said(parameter.Reason)),
    );
}

function table(module) {
    const parameters = Object.entries(module.Parameters).sort(([a], [b]) => (a < b ? -1 : 1));
    return (
        parameters.length > 0 &&
        h(
            "table",
            { class: "parameters" },
            h("caption", {}, h("bdi", { dir: "ltr" }, module.Name), " (", STATES[module.State] ?? module.State, ")"),
            h(
                "thead",
                {},
                h(
                    "tr",
                    {},
                    [_("Parameter"), _("In effect"), _("Configured"), _("Why")].map(text =>
                        h("th", { scope: "col" }, text),
                    ),
                ),
            ),
            h("tbody", {}, parameters.map(row)),
        )
    );
}

export function show_details(section) {
    const open = section.querySelector("details")?.open ?? false;
    fill(
        section,
        service.state === "ready" &&
            h(
                "details",
                { open },
                h("summary", { id: "details-summary" }, h("h2", {}, _("Details"))),
                Object.values(service.modules).map(table),
                h("p", { class: "small" }, phrase(_("nestvirtd $0"), service.manager.Version)),
            ),
    );
}

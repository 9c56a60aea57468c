/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked for and not in effect: it waits for idle, or for the next load of the module. It
 * can be taken back, so that all stays as it is now. */

import { button, fill, h, heading, phrase } from "./elements.js";
import { explained } from "./errors.js";
import { DRY_RUN, service } from "./service.js";

const _ = cockpit.gettext;

const SWITCH = { 0: "off", 1: "on" };

function word(parameter, value) {
    return parameter.Kind === "bool" ? (SWITCH[value] ?? value) : value;
}

export function shown(value) {
    return value === "on" ? _("on") : value === "off" ? _("off") : value;
}

function waits(module) {
    return Object.entries(module.Pending).map(([name, value]) => {
        const parameter = module.Parameters[name] ?? {};
        return {
            module: module.Name,
            name,
            value: word(parameter, value),
            idle: true,
            effective: parameter.Effective,
        };
    });
}

/* What the next load brings, where somebody has configured it. What the processor lacks, or
 * something else holds back, is no change that is to come. */
function comes(module) {
    return Object.entries(module.Parameters)
        .filter(
            ([name, parameter]) =>
                module.State === "live" &&
                !(name in module.Pending) &&
                parameter.Configured !== "" &&
                parameter.Effective !== "unknown" &&
                parameter.Supported &&
                word(parameter, parameter.Configured) !== parameter.Effective &&
                word(parameter, parameter.Configured) !== word(parameter, spelled(parameter.Value)),
        )
        .map(([name, parameter]) => ({
            module: module.Name,
            name,
            value: word(parameter, parameter.Configured),
            idle: false,
            source: parameter.Source,
            effective: parameter.Effective,
        }));
}

function spelled(value) {
    return value === "Y" ? "1" : value === "N" ? "0" : value;
}

export function pending_changes() {
    return Object.values(service.modules).flatMap(module => [...waits(module), ...comes(module)]);
}

/* Our line goes when it then stays as it is; else there has to be one that says so. */
async function keep(change) {
    const names = { [change.module]: [change.name] };
    const plan = await service.manage("ResetParameters", "a{sas}t", names, DRY_RUN);
    const after = (plan.Changes ?? []).find(entry => entry.Name === change.name)?.After;
    if (after && after.Effective === change.effective) await service.manage("ResetParameters", "a{sas}t", names, 0);
    else
        await service.manage(
            "SetParameters",
            "a{sa{ss}}t",
            { [change.module]: { [change.name]: change.effective } },
            0,
        );
}

function line(change, failed) {
    const what = `${change.module}.${change.name}`;
    const id = `cancel-${change.module}-${change.name}`;
    const text = change.idle
        ? _("$0 will be $1 as soon as nobody uses KVM")
        : _("$0 will be $1 from the next boot on, or when the module is loaded again");
    const cancel = async event => {
        event.target.disabled = true;
        try {
            await keep(change);
        } catch (error) {
            event.target.disabled = false;
            failed(error);
        }
    };
    return h(
        "li",
        {},
        h(
            "span",
            {},
            phrase(text, what, shown(change.value)),
            change.source && h("small", { dir: "ltr" }, change.source),
        ),
        button(_("Cancel"), { id, "aria-label": cockpit.format(_("Cancel the change of $0"), what), click: cancel }),
    );
}

export function show_pending(section) {
    const changes = service.state === "ready" ? pending_changes() : [];
    const trouble = h("div", {});
    fill(
        section,
        changes.length > 0 && [
            heading(_("Changes pending")),
            h(
                "ul",
                { class: "rows" },
                changes.map(change => line(change, error => fill(trouble, explained(error)))),
            ),
            trouble,
        ],
    );
}

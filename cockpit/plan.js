/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a change would do, as the dry run tells it: steps, whom it concerns, what else there is to
 * say. */

import { h, list, notice, phrase, said } from "./elements.js";

const _ = cockpit.gettext;
const ngettext = cockpit.ngettext;

const KINDS = {
    blocks: _("In the way"),
    "fails-to-start": _("Will not start"),
    "loses-nested": _("Can no longer run virtual machines"),
    "saved-state": _("Has a saved state"),
    unknown: _("Not known"),
};

export function blockers(plan) {
    return (plan.Impact ?? []).filter(entry => entry.Kind === "blocks" || "Omitted" in entry);
}

function concerned(entry) {
    if ("Omitted" in entry) {
        const count = entry.Omitted;
        return h(
            "li",
            {},
            h(
                "span",
                {},
                phrase(ngettext("$0 more process of other users", "$0 more processes of other users", count), count),
            ),
        );
    }
    return h("li", {}, h("div", {}, h("strong", {}, KINDS[entry.Kind] ?? entry.Kind), ": ", said(entry.Message)));
}

function diff_line(line) {
    const kind = /^(@@|---|\+\+\+)/.test(line)
        ? "place"
        : line.startsWith("+")
          ? "added"
          : line.startsWith("-")
            ? "removed"
            : "same";
    return h("span", { class: kind }, line + "\n");
}

export function diff(text) {
    return h(
        "pre",
        { class: "diff", dir: "ltr", lang: "en", tabindex: 0, "aria-label": _("Difference of the definition") },
        text.replace(/\n$/, "").split("\n").map(diff_line),
    );
}

/* Children of a dialog's body. */
export function described(plan) {
    const impact = plan.Impact ?? [];
    const advice = [...(plan.Notes ?? []), ...(plan.Advice ?? [])];
    return [
        impact.length > 0 && notice("warning", _("This concerns others"), h("ul", {}, impact.map(concerned))),
        plan.Changed === false && notice("info", _("Nothing is to be done: it is so already.")),
        plan.Steps.length > 0 && [h("h3", {}, _("What is done")), list(plan.Steps, "steps")],
        plan.Diff && [h("h3", {}, _("What becomes of the definition")), diff(plan.Diff)],
        plan.DiffMissing && said(plan.DiffMissing, "p"),
        advice.length > 0 && [h("h3", {}, _("Good to know")), list(advice, "steps")],
        plan.RestartNeeded &&
            h("p", {}, _("It has its other CPU once it was switched off and on; a reboot inside it is not enough.")),
    ];
}

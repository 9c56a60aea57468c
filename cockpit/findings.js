/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is wrong with this host or may surprise later, the worst first, each with the command that
 * mends it. */

import { Asking } from "./asking.js";
import { button, fill, h, heading, list, phrase, said, spinner } from "./elements.js";
import { explained } from "./errors.js";
import { service } from "./service.js";

const _ = cockpit.gettext;
const ngettext = cockpit.ngettext;

const RANKS = { fail: _("Error"), warn: _("Warning"), info: _("Note") };

function select(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
}

/* Where the browser keeps the clipboard from pages, the text is marked at least. */
async function copy(code, said_so) {
    select(code);
    try {
        await navigator.clipboard.writeText(code.textContent);
        said_so.textContent = _("Copied");
    } catch (error) {
        said_so.textContent = _("Marked: copy it with Ctrl+C");
    }
}

function remedy(finding, index) {
    const code = h("code", { dir: "ltr" }, finding.Fix);
    const done = h("small", { role: "status" });
    return h(
        "div",
        { class: "remedy" },
        code,
        button(
            _("Copy"),
            {
                id: `copy-${index}`,
                "aria-label": cockpit.format(_("Copy the command for “$0”"), finding.Message),
                click: () => copy(code, done),
            },
            "link",
        ),
        done,
    );
}

function item(finding, index) {
    return h(
        "li",
        { class: finding.Status, "data-id": finding.Id },
        h("div", {}, h("strong", { class: "rank" }, RANKS[finding.Status]), " ", said(finding.Message)),
        finding.Fix && remedy(finding, index),
    );
}

export class Findings {
    constructor(section) {
        this.section = section;
        this.turn = 0;
        this.asking = new Asking(() => this.look());
    }

    hide() {
        this.turn++;
        this.asking.stop();
        fill(this.section);
    }

    async look() {
        const turn = this.turn;
        if (this.section.hidden) this.show(spinner(_("Looking for what is wrong…")));
        try {
            const findings = await service.manage("Check", "t", 0);
            if (turn === this.turn) this.show(this.found(findings));
        } catch (error) {
            if (turn === this.turn) this.show(explained(error));
        }
    }

    found(findings) {
        const told = Object.keys(RANKS).flatMap(status => findings.filter(finding => finding.Status === status));
        const passed = findings.filter(finding => finding.Status === "pass");
        return [
            told.length > 0
                ? h("ul", { class: "rows findings" }, told.map(item))
                : h("p", {}, _("Nothing is wrong.")),
            passed.length > 0 &&
                h(
                    "details",
                    { open: this.section.querySelector("details")?.open },
                    h(
                        "summary",
                        { id: "passed" },
                        h(
                            "span",
                            {},
                            phrase(ngettext("$0 check passed", "$0 checks passed", passed.length), passed.length),
                        ),
                    ),
                    list(passed.map(finding => finding.Message)),
                ),
        ];
    }

    show(content) {
        fill(
            this.section,
            heading(_("Findings"), button(_("Check again"), { id: "check", click: () => this.asking.now() }, "link")),
            content,
        );
    }
}

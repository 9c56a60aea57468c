/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The last probe: whether a guest of a guest ran, and how many exits to the host things cost there,
 * as a table and as a picture. */

import { button, fill, h, heading, notice, phrase, said, spinner } from "./elements.js";
import { explained } from "./errors.js";
import { service } from "./service.js";

const _ = cockpit.gettext;

const OPERATIONS = {
    round_trip: _("cpuid, to the guest and back"),
    port: _("Port access, to user space and back"),
    fresh_page: _("First access to a page"),
    fresh_page_cold: _("The same, the very first time"),
    cr3_reload: _("CR3 read and written"),
    fault: _("Page fault, and unmapping"),
    workload: _("16 processes with 64 such faults each"),
};
const COMBINATIONS = ["one-level", "shadow-on-shadow", "shadow-on-npt", "shadow-on-ept", "npt-on-npt", "ept-on-ept"];

function combinations(counts) {
    return COMBINATIONS.filter(name => Object.keys(counts).some(key => key.startsWith(`${name}.`)));
}

function operations(counts) {
    return Object.keys(OPERATIONS).filter(name => combinations(counts).some(group => `${group}.${name}` in counts));
}

function numbers(counts) {
    const groups = combinations(counts);
    return h(
        "table",
        { class: "numbers" },
        h("caption", {}, _("Exits to the host")),
        h(
            "thead",
            {},
            h(
                "tr",
                {},
                h("th", { scope: "col" }, _("What")),
                groups.map(name => h("th", { scope: "col" }, h("bdi", { dir: "ltr" }, name))),
            ),
        ),
        h(
            "tbody",
            {},
            operations(counts).map(name =>
                h(
                    "tr",
                    {},
                    h("th", { scope: "row" }, OPERATIONS[name]),
                    groups.map(group => h("td", { "data-label": group }, counts[`${group}.${name}`] ?? "–")),
                ),
            ),
        ),
    );
}

/* One to the end of the scale, each tenfold as far as the one before. */
function length(count, most) {
    return count < 1 ? 0 : 4 + (196 * Math.log10(count)) / Math.max(1, Math.log10(most));
}

function bar(group, count, most, row) {
    const y = row * 22;
    return h(
        "g",
        {},
        h("rect", { x: 0, y, width: length(count, most), height: 16, rx: 2, class: `bar ${group}` }),
        h("text", { x: length(count, most) + 6, y: y + 13 }, `${count} ${group}`),
    );
}

/* Of what differs most between the combinations: a workload, or else the last thing counted. */
function picture(counts) {
    const groups = combinations(counts);
    const name = operations(counts).at(-1);
    const values = groups.map(group => counts[`${group}.${name}`] ?? 0);
    const most = Math.max(...values);
    const label = cockpit.format(
        _("Exits for “$0”: $1"),
        OPERATIONS[name],
        groups.map((group, index) => `${group} ${values[index]}`).join(", "),
    );
    return h(
        "figure",
        { dir: "ltr" },
        h(
            "figcaption",
            {},
            OPERATIONS[name],
            h("small", {}, _("each step of the scale is ten times the one before")),
        ),
        h(
            "svg",
            { role: "img", "aria-label": label, viewBox: `0 0 340 ${groups.length * 22}`, class: "exits" },
            groups.map((group, index) => bar(group, values[index], most, index)),
        ),
    );
}

function told(result) {
    const counts = result.Counts ?? {};
    const when = new Date(result.Time / 1000).toLocaleString(cockpit.language.replace("_", "-"));
    return [
        said(result.Message, "p"),
        result.Time && h("p", { class: "small" }, phrase(_("Probed at $0"), when)),
        result.Stale && notice("warning", _("The modules have been loaded again since: this was before")),
        operations(counts).length > 0 && h("div", { class: "beside" }, numbers(counts), picture(counts)),
    ];
}

export class Probe {
    constructor(section) {
        this.section = section;
        this.running = false;
        this.error = null;
    }

    async run() {
        this.running = true;
        this.error = null;
        this.show();
        try {
            await service.manage("Probe", "a{sv}t", {}, 0);
        } catch (error) {
            this.error = error;
        }
        this.running = false;
        this.show();
    }

    show() {
        const result = service.manager.ProbeResult ?? {};
        const vendor = service.manager.Vendor;
        fill(
            this.section,
            service.state === "ready" &&
                vendor !== "" && [
                    heading(
                        _("Probe"),
                        button(
                            _("Run the probe"),
                            { id: "run-probe", disabled: this.running, click: () => this.run() },
                            "link",
                        ),
                    ),
                    this.running && spinner(_("A guest is run in a guest for a moment…")),
                    this.error && explained(this.error),
                    result.Message
                        ? told(result)
                        : !this.running &&
                          h(
                              "p",
                              {},
                              _("It has not been tried since the boot."),
                              " ",
                              _("The probe runs a guest in a guest for a moment, and counts what that costs."),
                          ),
                ],
        );
    }
}

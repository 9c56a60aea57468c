/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guests, however many: all of them are kept, and a page of them is shown. They come with one
 * call and follow the signals; several of these in a moment are one look at the list. */

import { Asking } from "./asking.js";
import { button, fill, h, heading, notice, phrase, said, spinner } from "./elements.js";
import { explained, short_name } from "./errors.js";
import { VERDICTS, open_guest } from "./guest.js";
import { service } from "./service.js";

const _ = cockpit.gettext;
const ngettext = cockpit.ngettext;

const PAGE = 20;
const COLUMNS = [
    "path",
    "Name",
    "Active",
    "CpuMode",
    "CpuModel",
    "Policy",
    "NextStart",
    "Now",
    "Using",
    "RestartNeeded",
    "SavedState",
];
/* Milliseconds, after a libvirt that did not answer. */
const AGAIN = 5000;

function cell(label, ...content) {
    return h("td", { "data-label": label }, ...content);
}

function row(guest) {
    return h(
        "tr",
        {},
        h(
            "th",
            { scope: "row" },
            button(
                h("bdi", {}, guest.Name),
                {
                    id: `guest-${guest.path.split("/").pop()}`,
                    "aria-haspopup": "dialog",
                    click: () => open_guest(guest),
                },
                "link",
            ),
            guest.RestartNeeded && [" ", h("span", { class: "badge" }, _("Changes pending"))],
        ),
        cell(_("State"), guest.Active ? _("running") : _("off")),
        cell(_("Can nest at next start"), verdict(guest.NextStart)),
        cell(_("Can nest now"), verdict(guest.Now)),
        cell(_("Runs guests"), VERDICTS[guest.Using] ?? guest.Using),
    );
}

function verdict(word) {
    return h("span", { class: `verdict ${word}` }, VERDICTS[word] ?? word);
}

export class Guests {
    constructor(section) {
        this.section = section;
        this.content = h("div", {});
        this.count = h("p", { class: "small", role: "status" });
        this.search = h("input", {
            type: "search",
            id: "search",
            "aria-label": _("Search for guests"),
            placeholder: _("Name"),
            input: () => this.from(0),
            hidden: true,
        });
        this.guests = [];
        this.first = 0;
        this.turn = 0;
        this.asking = new Asking(() => this.look());
    }

    hide() {
        this.turn++;
        this.asking.stop();
        this.guests = [];
        fill(this.section);
    }

    frame() {
        if (this.section.hidden) fill(this.section, heading(_("Guests"), this.search), this.content, this.count);
    }

    async look() {
        const turn = this.turn;
        this.frame();
        if (this.guests.length === 0) fill(this.content, spinner(_("Asking libvirt for its guests…")));
        try {
            const [rows] = await service.client.call("/org/nestvirt1", "org.nestvirt1.Manager", "ListGuests", [0], {
                type: "t",
            });
            if (turn === this.turn) this.took(rows);
        } catch (error) {
            if (turn === this.turn) this.failed(error);
        }
    }

    took(rows) {
        const last = rows.at(-1);
        this.omitted = last && last[0] === "/" ? Number(rows.pop()[1]) : 0;
        this.guests = rows;
        this.show();
    }

    failed(error) {
        this.guests = [];
        this.count.textContent = "";
        this.search.hidden = true;
        const name = short_name(error);
        if (name === "TimedOut") {
            fill(
                this.content,
                notice(
                    "warning",
                    _("libvirt has not answered yet"),
                    said(error.message, "p"),
                    h("p", {}, _("It is asked again by itself.")),
                ),
            );
            this.asking.soon(AGAIN);
        } else if (name === "LibvirtUnavailable") {
            fill(this.content, h("p", {}, _("There are no guests to be seen here:"), " ", said(error.message)));
        } else if (error.name === "org.freedesktop.DBus.Error.AccessDenied") {
            fill(this.content, h("p", {}, _("On this host guests are shown to administrators only.")));
        } else {
            fill(this.content, explained(error));
        }
    }

    /* A signal about one of them. */
    heard({ path, values }) {
        const found = this.guests.find(guest => guest[0] === path);
        if (!found) return;
        COLUMNS.forEach((name, index) => {
            if (name in values) found[index] = values[name];
        });
        this.painting ??= window.requestAnimationFrame(() => this.show());
    }

    from(first) {
        this.first = first;
        this.show();
    }

    matching() {
        const words = this.search.value.trim().toLowerCase();
        return words === "" ? this.guests : this.guests.filter(guest => guest[1].toLowerCase().includes(words));
    }

    show() {
        this.painting = null;
        const found = this.matching();
        if (this.first >= found.length) this.first = Math.max(0, Math.ceil(found.length / PAGE) - 1) * PAGE;
        const page = found
            .slice(this.first, this.first + PAGE)
            .map(guest => Object.fromEntries(COLUMNS.map((name, index) => [name, guest[index]])));
        this.search.hidden = this.guests.length <= 5 && this.search.value === "";
        fill(
            this.content,
            page.length > 0
                ? [this.table(page), found.length > PAGE && this.pager(found.length)]
                : h("p", {}, this.guests.length > 0 ? _("No guest is called so.") : _("libvirt knows of no guests.")),
        );
        this.count.textContent = this.counted(found.length);
    }

    counted(found) {
        const all = this.guests.length;
        const text =
            found < all
                ? cockpit.format(_("$0 of $1 guests"), found, all)
                : all > 0
                  ? cockpit.format(ngettext("$0 guest", "$0 guests", all), all)
                  : "";
        return this.omitted > 0
            ? cockpit.format(_("$0, and $1 more that the service leaves out"), text, this.omitted)
            : text;
    }

    table(page) {
        const columns = [_("Name"), _("State"), _("Can nest at next start"), _("Can nest now"), _("Runs guests")];
        return h(
            "table",
            {},
            h(
                "thead",
                {},
                h(
                    "tr",
                    {},
                    columns.map(text => h("th", { scope: "col" }, text)),
                ),
            ),
            h("tbody", {}, page.map(row)),
        );
    }

    pager(count) {
        const last = Math.min(count, this.first + PAGE);
        return h(
            "nav",
            { class: "pager", "aria-label": _("Pages of the list of guests") },
            button(_("Previous"), {
                id: "previous",
                disabled: this.first === 0,
                click: () => this.from(this.first - PAGE),
            }),
            h("span", {}, phrase(_("$0 to $1 of $2"), this.first + 1, last, count)),
            button(_("Next"), { id: "next", disabled: last === count, click: () => this.from(this.first + PAGE) }),
        );
    }
}

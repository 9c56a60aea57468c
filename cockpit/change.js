/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dialog of a change to the host: when it shall happen, what would be done then and whom it
 * concerns; and only then the button that does it. */

import { fill_footer, open_dialog } from "./dialog.js";
import { button, fill, h, notice, spinner } from "./elements.js";
import { explained } from "./errors.js";
import { blockers, described } from "./plan.js";
import { DRY_RUN, NEXT_BOOT, WHEN_IDLE } from "./service.js";

const _ = cockpit.gettext;

const TIMES = [
    { id: "now", flag: 0, label: _("Now"), help: _("The modules of KVM are loaded anew, which takes moments") },
    { id: "idle", flag: WHEN_IDLE, label: _("When idle"), help: _("As soon as no guest and no program uses KVM") },
    { id: "boot", flag: NEXT_BOOT, label: _("At the next boot"), help: _("Nothing changes until then") },
];

class Change {
    /* @ask(flags) makes the call; @times are some of TIMES. */
    constructor(title, action, ask, times) {
        this.ask = ask;
        this.action = action;
        this.times = times;
        this.time = times[0];
        this.turn = 0;
        this.plan = h("div", { "aria-live": "polite" });
        this.dialog = open_dialog(title, () => this.turn++);
        fill(this.dialog.body, times.length > 1 && this.choices(), this.plan);
        this.look(true);
    }

    choices() {
        return h(
            "fieldset",
            { class: "choices" },
            h("legend", {}, _("When")),
            this.times.map(time =>
                h(
                    "label",
                    {},
                    h("input", {
                        type: "radio",
                        name: "when",
                        id: `when-${time.id}`,
                        value: time.id,
                        checked: time === this.time,
                        change: () => this.choose(time),
                    }),
                    h("span", {}, time.label, h("small", {}, time.help)),
                ),
            ),
        );
    }

    choose(time) {
        this.time = time;
        this.look(false);
    }

    /* Somebody in the way of what would happen now is no reason to wait for an error: who looks for
     * the first time is shown the way that works. */
    prefer_idle(plan, first) {
        if (!first || this.times.length === 1 || blockers(plan).length === 0) return false;
        const idle = this.times.find(time => time.id === "idle");
        document.getElementById("when-idle").checked = true;
        this.choose(idle);
        return true;
    }

    async look(first) {
        const turn = ++this.turn;
        fill(this.plan, spinner(_("Looking at what would be done…")));
        this.foot(false);
        try {
            const plan = await this.ask(this.time.flag | DRY_RUN);
            if (turn === this.turn && !this.prefer_idle(plan, first)) this.show(plan);
        } catch (error) {
            if (turn === this.turn) fill(this.plan, explained(error));
        }
    }

    show(plan) {
        const blocked = this.time.id === "now" && blockers(plan).length > 0;
        fill(
            this.plan,
            blocked &&
                notice(
                    "warning",
                    _("KVM is in use now"),
                    h("p", {}, _("It is refused as long as that is so. “When idle” waits for the end of it.")),
                ),
            this.time.id === "idle" &&
                blockers(plan).length > 0 &&
                h("p", {}, _("It waits for those who use KVM now, and then happens by itself.")),
            described(plan),
        );
        this.foot(plan.Changed);
    }

    foot(possible) {
        fill_footer(
            this.dialog,
            button(this.action, { id: "dialog-do", disabled: !possible, click: () => this.act() }, "primary"),
        );
    }

    async act() {
        const turn = ++this.turn;
        this.foot(false);
        fill(this.plan, spinner(_("This is being done…")));
        try {
            await this.ask(this.time.flag);
            this.dialog.close();
        } catch (error) {
            if (turn !== this.turn) return;
            fill(this.plan, explained(error));
            this.foot(true);
        }
    }
}

export function open_change(title, action, ask) {
    return new Change(title, action, ask, TIMES);
}

/* What can only be done at once. */
export function open_now(title, action, ask) {
    return new Change(title, action, ask, [TIMES[0]]);
}

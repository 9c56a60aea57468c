/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dialog of one guest: what is so and why, and how it could be otherwise; the difference of its
 * definition is shown before anything is defined. */

import { fill_footer, open_dialog } from "./dialog.js";
import { button, fill, h, notice, phrase, said, spinner, terms } from "./elements.js";
import { explained } from "./errors.js";
import { described } from "./plan.js";
import { DRY_RUN, GUEST, service } from "./service.js";

const _ = cockpit.gettext;

/* What is said of guests, in words. */
export const VERDICTS = {
    yes: _("yes"),
    no: _("no"),
    fails: _("will not start"),
    unknown: _("unknown"),
    has: _("it has"),
    "": "–",
};

/* What a guest may be prepared for: its name, and the releases that differ, the newest first. */
const RECIPES = {
    kvm: { name: "KVM" },
    proxmox: { name: "Proxmox VE" },
    hyperv: { name: "Hyper-V" },
    esxi: { name: "VMware ESXi", releases: ["9.0", "8.0", "7.0", "6.7", "6.5", "6.0", "5.5", "5.1", "5.0"] },
};

function bool(value) {
    return { t: "b", v: value };
}

class Guest {
    constructor({ path, Name }) {
        this.path = path;
        this.name = Name;
        this.turn = 0;
        this.facts = h("div", {});
        this.choices = h("div", {});
        this.plan = h("div", { "aria-live": "polite" });
        this.dialog = open_dialog(h("bdi", {}, Name), () => this.end());
        this.heard = event => event.detail.path === path && this.look();
        service.addEventListener("guest", this.heard);
        fill(this.dialog.body, this.facts, this.choices, this.plan);
        fill_footer(this.dialog, null);
        this.look(true);
    }

    end() {
        this.turn++;
        service.removeEventListener("guest", this.heard);
    }

    async look(first) {
        try {
            const guest = await service.properties(this.path, GUEST);
            fill(this.facts, this.described(guest));
            if (first)
                fill(
                    this.choices,
                    guest.Persistent
                        ? this.possible()
                        : notice(
                              "info",
                              _("This guest has no definition that outlives it: there is nothing to change."),
                          ),
                );
        } catch (error) {
            fill(this.facts, explained(error));
        }
    }

    described(guest) {
        const cpu = [guest.CpuMode, guest.CpuModel].filter(text => text).join(", ");
        return [
            guest.RestartNeeded &&
                notice(
                    "info",
                    _("Changes pending"),
                    h("p", {}, _("It has them when it has been switched off and on again.")),
                ),
            terms([
                [_("State"), guest.Active ? _("running") : _("off")],
                [
                    _("Virtual CPU"),
                    h("bdi", { dir: "ltr" }, cpu || "–"),
                    guest.Policy && h("small", {}, guest.Policy),
                ],
                [_("Can nest at next start"), VERDICTS[guest.NextStart]],
                guest.Now && [_("Can nest now"), VERDICTS[guest.Now]],
                guest.Using && [_("Runs guests"), VERDICTS[guest.Using]],
                guest.Mmu && [_("Memory of its guests"), h("bdi", { dir: "ltr" }, guest.Mmu)],
                guest.SavedState && [_("Saved state"), said(guest.SavedState)],
                [_("Why"), said(guest.Reason)],
            ]),
            "machines" in cockpit.manifests && this.link(),
        ];
    }

    /* What else there is to say of it is on a page of Cockpit's own, where that is installed. */
    link() {
        const place = cockpit.location.encode(["vm"], { connection: "system", name: this.name });
        return button(
            _("Show it under “Virtual machines”"),
            { id: "machine", role: "link", click: () => cockpit.jump(`/machines#${place}`) },
            "link",
        );
    }

    possible() {
        const allow = [
            ["yes", _("Allow nesting")],
            ["no", _("Forbid nesting")],
        ].map(([word, label]) =>
            this.choice(word, label, flags => this.call("SetCpu", "a{sv}t", { Nested: bool(word === "yes") }, flags)),
        );
        const recipes = Object.entries(RECIPES).map(([recipe, about]) => this.recipe(recipe, about));
        return h(
            "fieldset",
            { class: "choices" },
            h("legend", {}, _("Change its definition")),
            allow,
            recipes,
            h(
                "small",
                {},
                _("Preparing is more than to allow: the CPU, and whatever is too small or has no driver there."),
            ),
        );
    }

    /* Which release is asked beside it; to choose one is to choose the recipe. */
    recipe(id, { name, releases }) {
        const options = () => (release ? { Release: { t: "s", v: release.value } } : {});
        const ask = flags => this.call("Prepare", "sa{sv}t", id, options(), flags);
        const release =
            releases &&
            h(
                "select",
                {
                    id: `release-${id}`,
                    "aria-label": cockpit.format(_("Release of $0"), name),
                    change: () => {
                        document.getElementById(`what-${id}`).checked = true;
                        this.show(ask);
                    },
                },
                releases.map(text => h("option", {}, text)),
            );
        return this.choice(id, phrase(_("Prepare for $0"), name), ask, release);
    }

    choice(id, label, ask, ...beside) {
        return h(
            "div",
            { class: "choice" },
            h(
                "label",
                {},
                h("input", { type: "radio", name: "what", id: `what-${id}`, change: () => this.show(ask) }),
                h("span", {}, label),
            ),
            beside,
        );
    }

    call(member, type, ...args) {
        return service.call(this.path, GUEST, member, type, ...args);
    }

    async show(ask) {
        const turn = ++this.turn;
        fill(this.plan, spinner(_("Looking at what would be done…")));
        this.foot(ask, false);
        try {
            const plan = await ask(DRY_RUN);
            if (turn !== this.turn) return;
            fill(this.plan, described(plan));
            this.foot(ask, plan.Changed);
        } catch (error) {
            if (turn === this.turn) fill(this.plan, explained(error));
        }
    }

    foot(ask, possible) {
        fill_footer(
            this.dialog,
            button(
                _("Define it so"),
                { id: "dialog-do", disabled: !possible, click: () => this.act(ask) },
                "primary",
            ),
        );
    }

    async act(ask) {
        const turn = ++this.turn;
        this.foot(ask, false);
        fill(this.plan, spinner(_("This is being done…")));
        try {
            const result = await ask(0);
            if (turn !== this.turn) return;
            fill(
                this.plan,
                notice(
                    "success",
                    _("It is defined so now"),
                    result.RestartNeeded && h("p", {}, _("It has them when it has been switched off and on again.")),
                ),
            );
            fill_footer(this.dialog, null);
        } catch (error) {
            if (turn !== this.turn) return;
            fill(this.plan, explained(error));
            this.foot(ask, true);
        }
    }
}

export function open_guest(guest) {
    return new Guest(guest);
}

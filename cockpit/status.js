/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first thing on the page: in one sentence whether guests can run virtual machines, the switch,
 * and what kind of host this is; or why there is nothing to switch. */

import { access } from "./access.js";
import { open_change, open_now } from "./change.js";
import { button, fill, h, notice, phrase, said, spinner, terms } from "./elements.js";
import { service } from "./service.js";

const _ = cockpit.gettext;

const MMU = { tdp: _("By the hardware (EPT or NPT)"), shadow: _("By KVM, with shadow pages") };
const DEVICES = {
    missing: _("missing"),
    "wrong-node": _("is no device of KVM"),
    denied: _("access denied"),
    broken: _("broken"),
    unknown: _("unknown"),
};

function empty(title, text, ...more) {
    return h("div", { class: "empty" }, h("h2", {}, title), text && h("p", {}, text), ...more);
}

function away() {
    return empty(
        _("The service nestvirtd is not running"),
        _("It is started when it is called for, and this page goes on by itself when it is there again."),
        service.problem?.message && said(service.problem.message, "p", { class: "small" }),
        button(_("Start it"), { id: "connect", click: () => service.connect() }),
    );
}

function firmware_off() {
    const intel = service.manager.Vendor === "intel";
    return empty(
        _("Virtualization is switched off in the firmware"),
        intel
            ? _("Look in the firmware's setup for “Intel Virtualization Technology” or “VT-x”, and switch it on.")
            : _("Look in the firmware's setup for “SVM Mode” or “AMD-V”, and switch it on."),
        h(
            "p",
            {},
            _("To get there with the next boot:"),
            " ",
            h("code", { dir: "ltr" }, "systemctl reboot --firmware-setup"),
        ),
    );
}

function load(module) {
    return empty(
        phrase(_("The module $0 is not loaded"), module.Name),
        _("Without it there are no virtual machines with KVM, and nothing to be nested in them."),
        button(
            phrase(_("Load $0…"), module.Name),
            {
                id: "load",
                click: () =>
                    open_now(phrase(_("Load $0"), module.Name), _("Load"), flags =>
                        service.module(module.Name, "Reload", "t", flags),
                    ),
            },
            "primary",
        ),
    );
}

/* The service has it without a capital letter and a full stop. */
function reason() {
    const text = service.manager.NestedReason;
    return text !== "" && said(text[0].toUpperCase() + text.slice(1) + ".", "p");
}

/* Why nothing can be switched here; null where it can, or where it is on anyway. */
function special() {
    const { Nested, NestedReason, Firmware, Features, Vendor, Level, Hypervisor } = service.manager;
    const feature = { amd: "svm", intel: "vmx" }[Vendor];
    const module = service.nesting;
    if (Nested === "on" || Nested === "off") return null;
    if (NestedReason) return empty(_("Nested virtualization is not switched here"), null, reason());
    if (Firmware === "off") return firmware_off();
    const other = Object.values(service.modules).some(
        one => one.Name !== "kvm" && ["live", "builtin"].includes(one.State),
    );
    if (!other && feature && !Features.includes(feature))
        return Level > 0
            ? empty(
                  _("This virtual machine is not given hardware virtualization"),
                  phrase(_("The hypervisor below ($0) decides: allow nesting for this machine there."), Hypervisor),
              )
            : empty(
                  _("This processor has no hardware virtualization"),
                  _("Virtual machines run on it without KVM, and slowly."),
              );
    if (module?.State === "loadable") return load(module);
    if (Nested === "unknown")
        return empty(_("It can't be told"), _("This host could not be read; what is found below may say why."));
    return empty(_("This host has no KVM that can nest"), _("The running kernel has no such module of KVM."));
}

function sentence() {
    switch (service.manager.Nested) {
        case "on":
            return _("Guests started now can run virtual machines.");
        case "off":
            return _("Guests started now cannot run virtual machines.");
        default:
            return null;
    }
}

function toggle() {
    const on = service.manager.Nested === "on";
    const name = service.nesting.Name;
    const call = flags =>
        service.manage("SetParameters", "a{sa{ss}}t", { [name]: { nested: on ? "0" : "1" } }, flags);
    return h(
        "div",
        { class: "switch-line" },
        h(
            "button",
            {
                type: "button",
                role: "switch",
                id: "nested",
                "aria-checked": String(on),
                "aria-labelledby": "nested-label",
                "aria-haspopup": "dialog",
                click: () =>
                    open_change(
                        on ? _("Turn off nested virtualization") : _("Turn on nested virtualization"),
                        on ? _("Turn off") : _("Turn on"),
                        call,
                    ),
            },
            h("span", { class: "knob" }),
        ),
        h("span", { id: "nested-label" }, _("Nested virtualization")),
        h("span", { class: "small", "aria-hidden": "true" }, on ? _("On") : _("Off")),
    );
}

function place() {
    const { Level, Hypervisor } = service.manager;
    if (Level === 0) return _("On the hardware");
    return Hypervisor === "unknown"
        ? _("Inside a virtual machine")
        : phrase(_("Inside a virtual machine ($0)"), Hypervisor);
}

function facts() {
    const { CpuModel, Mmu, Device } = service.manager;
    return terms([
        [_("Processor"), h("bdi", {}, CpuModel || _("unknown"))],
        [_("This host runs"), place()],
        Mmu && [_("Guest memory"), MMU[Mmu]],
        Device !== "ok" && [h("span", { dir: "ltr" }, "/dev/kvm"), DEVICES[Device]],
    ]);
}

function limited() {
    return (
        access.allowed === false &&
        h(
            "p",
            { class: "small", id: "limited" },
            _("You have limited access: what you change may be refused. Turn on administrative access to be sure."),
        )
    );
}

function ready() {
    const why = special();
    return [
        why ?? h("p", { class: "sentence" }, sentence()),
        !why && (service.nesting ? [toggle(), limited()] : reason()),
        facts(),
    ];
}

export function show_status(section) {
    section.setAttribute("aria-busy", service.state === "connecting");
    fill(
        section,
        h("h1", {}, _("Nested virtualization")),
        service.state === "away" ? away() : service.state === "ready" ? ready() : spinner(_("Asking the service…")),
    );
}

/* What became of a change that had waited. */
export function finished({ outcome, error }) {
    if (error) return notice("danger", _("What had waited for idle has failed"), said(error, "p"));
    return outcome === "applied" && notice("success", _("What had waited for idle is in effect now"));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The frame of every dialog: a title, a body, buttons; closed with Escape; the focus goes back to
 * where it was. */

import { button, fill, h } from "./elements.js";

const _ = cockpit.gettext;

/* Returns { body, footer, close }; @closed is called in the end. */
export function open_dialog(title, closed) {
    const before = document.activeElement?.id;
    const body = h("div", { class: "body" });
    const footer = h("footer", {});
    const dialog = h(
        "dialog",
        { "aria-labelledby": "dialog-title", close: end },
        h("h2", { id: "dialog-title" }, title),
        body,
        footer,
    );

    function end() {
        dialog.remove();
        document.getElementById(before)?.focus();
        closed?.();
    }

    document.body.append(dialog);
    dialog.showModal();
    return { body, footer, close: () => dialog.close() };
}

/* The usual foot: what does it, and what does not. */
export function fill_footer(dialog, action) {
    fill(
        dialog.footer,
        action,
        button(action ? _("Cancel") : _("Close"), { id: "dialog-close", click: dialog.close }, "link"),
    );
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the session has administrative access, as it is said by the bridge whose switch is at the
 * top of Cockpit. cockpit.permission() knows it as well, but loads the page anew when that changes,
 * and what somebody was about to do would be gone. */

class Access extends EventTarget {
    constructor() {
        super();
        this.allowed = null; // as long as it is not known
        this.proxy = cockpit.dbus(null, { bus: "internal" }).proxy("cockpit.Superuser", "/superuser");
        this.proxy.addEventListener("changed", () => this.heard());
    }

    /* While the password is asked for, all stays as it was. */
    heard() {
        const { valid, Current } = this.proxy;
        if (!valid || Current === "init") return;
        const before = this.allowed;
        this.allowed = Current !== "none";
        if (before !== this.allowed)
            this.dispatchEvent(new CustomEvent("changed", { detail: { first: before === null } }));
    }
}

export const access = new Access();

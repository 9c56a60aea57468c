/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the session has administrative access, as it is said by the bridge whose switch is at the
 * top of Cockpit. cockpit.permission() knows it as well, but loads the page anew when that changes,
 * and what somebody was about to do would be gone. */

class Access extends EventTarget {
    constructor() {
        super();
        this.allowed = null; // as long as it is not known
        this.asked = false;
        this.proxy = cockpit.dbus(null, { bus: "internal" }).proxy("cockpit.Superuser", "/superuser");
        this.proxy.addEventListener("changed", () => this.heard());
    }

    /* While the password is asked for, all stays as it was; but what began then waits for the
     * answer, and ends with a wrong one. */
    heard() {
        const { valid, Current } = this.proxy;
        if (!valid) return;
        if (Current === "init") {
            this.asked = true;
            return;
        }
        const [before, asked] = [this.allowed, this.asked];
        this.allowed = Current !== "none";
        this.asked = false;
        if (before !== this.allowed || asked)
            this.dispatchEvent(new CustomEvent("changed", { detail: { first: before === null && !asked } }));
    }
}

export const access = new Access();

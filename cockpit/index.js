/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The page: its parts, and when each of them is drawn. */

import { access } from "./access.js";
import { show_details } from "./details.js";
import { Findings } from "./findings.js";
import { fill, h } from "./elements.js";
import { Guests } from "./guests.js";
import { show_pending } from "./pending.js";
import { Probe } from "./probe.js";
import { service } from "./service.js";
import { finished, show_status } from "./status.js";
import { follow } from "./theme.js";

const _ = cockpit.gettext;

const part = id => document.getElementById(id);
const findings = new Findings(part("findings"));
const guests = new Guests(part("guests"));
const probe = new Probe(part("probe"));

function draw() {
    show_status(part("status"));
    show_pending(part("pending"));
    show_details(part("details"));
    probe.show();
    if (service.state === "ready") {
        /* They may be others after each change. */
        findings.asking.soon();
    } else {
        findings.hide();
        guests.hide();
    }
}

function begin() {
    document.title = _("Nested virtualization");
    /* Cockpit's frame tells its own language, and turns the page about: of that what is said here
     * may have no translation. */
    document.documentElement.lang = cockpit.language.replace("_", "-");
    document.documentElement.dir = cockpit.language_direction;
    document.body.lang = document.documentElement.lang;
    document.body.dataset.texts = cockpit.language_direction;
    follow();
    service.addEventListener("changed", draw);
    service.addEventListener("guests", () => guests.asking.soon());
    service.addEventListener("guest", event => guests.heard(event.detail));
    service.addEventListener("finished", event => fill(part("news"), finished(event.detail)));
    /* With other rights the bridge has to ask again, as somebody else. */
    access.addEventListener("changed", event => (event.detail.first ? draw() : service.connect()));
    part("status").before(h("div", { id: "news", role: "status", hidden: true }));
    draw();
    service.begin();
}

begin();

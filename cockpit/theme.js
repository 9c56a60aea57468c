/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dark or light, as the person has chosen in Cockpit's menu, which a page has to ask for itself. */

const system = window.matchMedia("(prefers-color-scheme: dark)");

function apply(style) {
    const chosen = style ?? window.localStorage.getItem("shell:style") ?? "auto";
    const dark = chosen === "dark" || (chosen !== "light" && system.matches);
    document.documentElement.classList.toggle("dark", dark);
}

export function follow() {
    window.addEventListener("storage", event => event.key === "shell:style" && apply());
    window.addEventListener("cockpit-style", event => apply(event.detail.style));
    system.addEventListener("change", () => apply());
    apply();
}

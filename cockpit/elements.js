/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Elements from names, attributes and children: the only way in which this page makes any, so that
 * no text of a host is ever read as markup. */

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["svg", "rect", "text", "g", "title"];

function place(node, name, value) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
}

/* @attributes: functions are listeners of the event that is called so. Children may be arrays; what
 * is null or false is left out. */
export function h(tag, attributes, ...children) {
    const node = SHAPES.includes(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const name in attributes) place(node, name, attributes[name]);
    node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
    return node;
}

/* What the service says: English whatever the page's language, also where it begins with a name
 * that runs from right to left. */
export function said(text, tag = "span", attributes = {}) {
    return h(tag, { lang: "en", dir: "ltr", ...attributes }, text);
}

/* A text with things in it, each of which runs as it does by itself. */
export function phrase(text, ...things) {
    return text.split(/\$(\d)/).map((part, index) => (index % 2 ? h("bdi", {}, things[part]) : part));
}

export function list(texts, name) {
    return (
        texts.length > 0 &&
        h(
            "ul",
            { class: name },
            texts.map(text => h("li", {}, said(text))),
        )
    );
}

/* Fills a part of the page anew; the keyboard's focus stays on what has the same id. */
export function fill(node, ...children) {
    const focused = node.contains(document.activeElement) ? document.activeElement.id : "";
    const fresh = h("div", {}, ...children);
    node.replaceChildren(...fresh.childNodes);
    node.hidden = node.childNodes.length === 0;
    if (focused) document.getElementById(focused)?.focus();
}

export function heading(text, ...beside) {
    return h("div", { class: "heading" }, h("h2", {}, text), ...beside);
}

export function button(text, attributes, kind = "secondary") {
    return h("button", { type: "button", class: kind, ...attributes }, text);
}

/* A box that says what went wrong, or what one should know. */
export function notice(kind, title, ...more) {
    return h(
        "div",
        { class: `notice ${kind}`, role: kind === "danger" ? "alert" : "note" },
        h("strong", {}, title),
        ...more,
    );
}

export function spinner(text) {
    return h("p", { class: "spinner", role: "status" }, h("span", {}, text));
}

/* A list of terms and what is said of each, without those of which nothing is. */
export function terms(rows) {
    return h(
        "dl",
        {},
        rows
            .filter(row => row && row[1])
            .map(([term, ...what]) => h("div", {}, h("dt", {}, term), h("dd", {}, ...what))),
    );
}

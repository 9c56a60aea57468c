/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What nestvirtd says, as of now: the manager's properties, those of each module, and signals
 * passed on. It is asked by calls and kept up to date by signals; the proxies of cockpit.js are
 * not used: after a restart of the service they go on with what it said before, and with a
 * namespace they have the bridge read all guests.
 *
 * Events: "changed" (something of `state`, `manager` or `modules`), "guest" (detail: path and
 * properties of one that changed), "guests" (there are others), "finished" (of a change that
 * waited). */

const NAME = "org.nestvirt1";
const PATH = "/org/nestvirt1";
const PROPERTIES = "org.freedesktop.DBus.Properties";
export const MANAGER = "org.nestvirt1.Manager";
export const MODULE = "org.nestvirt1.Module";
export const GUEST = "org.nestvirt1.Guest";

export const DRY_RUN = 1;
export const NEXT_BOOT = 4;
export const WHEN_IDLE = 8;

/* Variants become their values, all the way down: nothing here is sent back. */
export function plain(value) {
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    if ("t" in value && "v" in value && Object.keys(value).length === 2) return plain(value.v);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

class Service extends EventTarget {
    constructor() {
        super();
        this.state = "connecting"; // "ready", "away"
        this.manager = {};
        this.modules = {};
        this.problem = null;
        this.client = null;
        this.generation = 0;
    }

    tell(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    /* The bus tells who has the name. A client tells that as well, but not when there was nobody at
     * first: then it is closed and hears no more. */
    begin() {
        this.bus = cockpit.dbus("org.freedesktop.DBus", { bus: "system" });
        this.bus.subscribe(
            { interface: "org.freedesktop.DBus", member: "NameOwnerChanged", arg0: NAME },
            (path, iface, member, args) => (args[2] ? this.connect() : this.gone(null)),
        );
        this.connect();
    }

    /* A client for each owner of the name: nothing that one has said outlives it. */
    connect() {
        const before = this.client;
        const client = cockpit.dbus(NAME, { bus: "system", superuser: "try" });
        this.generation++;
        this.client = client;
        this.state = "connecting";
        before?.close();
        client.addEventListener("close", (event, options) => this.client === client && this.closed(options));
        client.subscribe(
            { path_namespace: PATH },
            (path, iface, member, args) => this.client === client && this.heard(path, iface, member, args),
        );
        this.read();
    }

    /* Of one that has worked it is the bridge that is gone: that with administrative access, when
     * somebody gave that up. Another one is there. */
    closed(problem) {
        if (this.state === "ready") this.connect();
        else this.gone(problem);
    }

    gone(problem) {
        this.generation++;
        this.state = "away";
        this.problem = problem;
        this.tell("changed");
    }

    /* Until nothing was heard meanwhile that what was read may not have. */
    async read() {
        const generation = ++this.generation;
        try {
            let found;
            do {
                this.overtaken = false;
                found = await this.look();
            } while (this.overtaken && generation === this.generation);
            if (generation !== this.generation) return;
            Object.assign(this, found, { state: "ready", problem: null });
            this.tell("changed");
            this.tell("guests");
        } catch (error) {
            if (generation === this.generation) this.gone(error);
        }
    }

    async look() {
        const manager = await this.properties(PATH, MANAGER);
        const [text] = await this.client.call(
            `${PATH}/module`,
            "org.freedesktop.DBus.Introspectable",
            "Introspect",
            [],
        );
        const names = [...text.matchAll(/<node name="([a-z_]+)"/g)].map(match => match[1]);
        const modules = await Promise.all(names.map(name => this.properties(`${PATH}/module/${name}`, MODULE)));
        return { manager, modules: Object.fromEntries(names.map((name, index) => [name, modules[index]])) };
    }

    heard(path, iface, member, args) {
        if (iface === PROPERTIES && member === "PropertiesChanged") this.altered(path, args[0], plain(args[1]));
        else if (member === "ChangeFinished")
            this.tell("finished", { parameters: args[0], outcome: args[1], error: args[2] });
        else if (member.startsWith("Interfaces") && args[0].startsWith(`${PATH}/guest/`)) this.tell("guests");
        else if (member.startsWith("Interfaces")) this.read();
    }

    altered(path, iface, values) {
        if (iface === GUEST) {
            this.tell("guest", { path, values });
            return;
        }
        const name = path.slice(`${PATH}/module/`.length);
        this.overtaken = true;
        if (iface === MANAGER) Object.assign(this.manager, values);
        else if (iface === MODULE && this.modules[name]) Object.assign(this.modules[name], values);
        if (this.state === "ready") this.tell("changed");
    }

    async properties(path, iface) {
        return plain((await this.client.call(path, PROPERTIES, "GetAll", [iface], { type: "s" }))[0]);
    }

    /* A method's first answer, with no variants left in it. */
    async call(path, iface, member, type, ...args) {
        return plain((await this.client.call(path, iface, member, args, { type }))[0]);
    }

    manage(member, type, ...args) {
        return this.call(PATH, MANAGER, member, type, ...args);
    }

    module(name, member, type, ...args) {
        return this.call(`${PATH}/module/${name}`, MODULE, member, type, ...args);
    }

    /* The module that decides: that of the vendor, with a switch called "nested". */
    get nesting() {
        return Object.values(this.modules).find(
            module => module.Name !== "kvm" && module.Parameters.nested?.Kind === "bool",
        );
    }
}

export const service = new Service();

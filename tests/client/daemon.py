# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that says whatever a test wants, to see what the client makes of it."""

from clients import DBUS_ERROR, ERROR, GUEST, MODULE, NAME, PATH, Failure, Gio, GLib, Service, module_path

READING = ("GetAll", "GetManagedObjects", "Introspect", "ListGuests")
INTERACTIVE = Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION


def variants(dictionary):
    """A dictionary of Python's as a{sv}."""
    return {name: to_variant(value) for name, value in dictionary.items()}


def to_variant(value):
    match value:
        case GLib.Variant():
            return value
        case bool():
            return GLib.Variant("b", value)
        case str():
            return GLib.Variant("s", value)
        case int():
            return GLib.Variant("u", value)
        case [*items] if all(isinstance(item, str) for item in items):
            return GLib.Variant("as", items)
    raise TypeError(f"no D-Bus type for {value!r}")


def entry(module="kvm_amd", **changes):
    """A parameter's entry."""
    return variants({
        "Module": module, "Kind": "bool", "Choices": [], "Value": "1", "Effective": "on", "Configured": "", "Default": "1",
        "Source": "", "Overridden": [], "Pending": "", "Supported": True, "Reason": "", "Writable": False,
        "Description": "Does something", **changes})


def module(name, parameters=(), pending=None, state="live", in_use=False):
    entries = {p: entry(name) for p in parameters} if not isinstance(parameters, dict) else parameters
    return variants({"Name": name, "State": state, "InUse": in_use, "Parameters": GLib.Variant("a{sa{sv}}", entries),
                     "Pending": GLib.Variant("a{ss}", pending or {})})


def manager(**changes):
    return variants({
        "Version": "0", "Vendor": "amd", "CpuModel": "A CPU", "Features": ["svm", "npt"], "Firmware": "on", "Level": 0, "Hypervisor": "",
        "Nested": "on", "Mmu": "tdp", "Device": "ok", **changes})


def change(outcome, steps=(), impact=(), values=None):
    return ("a{sv}", variants({
        "Outcome": outcome, "Steps": list(steps), "Impact": GLib.Variant("aa{sv}", [variants(i) for i in impact]),
        "Values": GLib.Variant("a{ss}", values or {})}))


AMD = (module("kvm", ["ignore_msrs", "enable_apicv"]), module("kvm_amd", ["nested", "npt"]))


class FakeDaemon(Service):
    """Owns the name. `answers` as of Service, besides those that tell what there is."""

    def __init__(self, address, host=None, modules=AMD, answers=None):
        self.host, self.modules, self.guests = host or manager(), list(modules), {}
        super().__init__(address, NAME, {"GetAll": self.properties, "Introspect": lambda request: self.children(),
                                         "GetManagedObjects": lambda request: self.objects(),
                                         "ListGuests": lambda request: self.listed(),
                                         "Reload": lambda request: ("a{sv}", {}), **(answers or {})})

    def by_path(self):
        return {module_path(m["Name"].unpack()): {MODULE: m} for m in self.modules}

    def objects(self):
        return ("a{oa{sa{sv}}}", self.by_path() | self.guests)

    def listed(self):
        if not self.guests:
            return Failure(ERROR + "LibvirtUnavailable", "There is none")
        return ("a(osbssssssbs)", [(path, interfaces[GUEST]["Name"].unpack(), False, *[""] * 6, False, "")
                                   for path, interfaces in self.guests.items()])

    def properties(self, request):
        found = {PATH: self.host} | {path: interfaces[MODULE] for path, interfaces in self.by_path().items()}
        return ("a{sv}", found[request.path]) if request.path in found else Failure(DBUS_ERROR + "UnknownObject", "There is none")

    def children(self):
        nodes = "".join(f' <node name="{path.rpartition("/")[2]}"/>\n' for path in self.by_path())
        return ("s", f"<node>\n{nodes}</node>\n")

    @property
    def changes(self):
        """What was asked for besides reading: (member, path, arguments, may polkit ask)."""
        return [(r.member, r.path, r.arguments, bool(r.message.get_flags() & INTERACTIVE)) for r in self.requests
                if r.member not in READING]

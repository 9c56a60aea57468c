# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is made up to be added to a copy of the tree: one of each thing that HACKING.md tells how to
add, as edits of the files that it lists. It edits nothing itself."""

from typing import NamedTuple

from edits import after, before, instead

LICENCE = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n\n"
DOC = "<annotation name=\"org.gtk.GDBus.DocString\" value=\"Made up.\"/>"


class Addition(NamedTuple):
    """@name stands for NAME in a path. In the edits of a file, a string is a new file's text."""
    name: str
    files: dict


PARAMETER = Addition("made_up", {
    "daemon/catalog/catalog-table.c": [
        before(r'^ +KVM\("', """\
        AMD("made_up", BOOL, ALWAYS("1"),
            SAYS("Is made up by a test")),
""")],
})

# It is found where KVM is built in.
FINDING = Addition("made-up", {
    "daemon/findings/check.c": [
        before(r'\{ "device", ', "        { \"made-up\", rule_made_up }, /* made up */\n")],
    "daemon/findings/check-rules.h": [
        before(r"^void rule_device\(", "void rule_made_up(Check *check);\n")],
    "daemon/findings/check-host.c": [
        after(r"\Z", """
void rule_made_up(Check *check) {
        const Module *module = check_module(check->host);

        if (module && module->state == MODULE_BUILTIN)
                check_find(check, "info", "", "%s is made up", module->name);
}
""")],
    "client/man/nestvirtctl.1.in": [
        before(r"^\.TP\n\.B device$", ".TP\n.B made\\-up\nIs made up.\n")],
    "tests/unit/findings/check-row.c": [
        before(r'^ +"device",', "                \"made-up\",\n")],
    "tests/unit/findings/test-check.c": [
        after(r"^static const CheckRow rows\[\] = \{", """\
        { "made up", { .builtin = "kvm. kvm_amd.nested=1" }, .id = "made-up", "info", "is made up", NULL },
        { "not made up", { AMD_LOADED }, .id = "made-up" },
""")],
    "tests/client/test_fixtures.py": [
        instead(r"(?<= )builtin=info(?= )", "builtin=info made-up=info")],
})

VERB = Addition("made-up", {
    "client/verbs/verb-made-up.c": LICENCE + """\
/* nestvirtctl made-up: how many modules there are. */

#include "inventory.h"
#include "verbs.h"

int verb_made_up(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;
        g_autofree char *text = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "count the modules", &error);
        text = g_strdup_printf("Made up of %u modules.", inventory->modules->len);
        output_text(client->out, STYLE_PLAIN, text);
        output_newline(client->out);
        return 0;
}
""",
    "client/verbs/meson.build": [before(r"'verb-monitor\.c'", "        'verb-made-up.c',\n")],
    "client/verbs/verbs.h": [before(r"^int verb_monitor\(", "int verb_made_up(Client *client, char **words);\n")],
    "client/command/command.c": [
        before(r'\{ "monitor", ', "        { \"made-up\", NULL, 0, 0, 0, \"Is made up\", verb_made_up },\n")],
    "client/completion/nestvirtctl.bash": [instead(r'(verbs="[^"]*)\bmonitor\b', r"\1made-up monitor")],
    "client/completion/_nestvirtctl": [before(r"^ +'monitor:", "                'made-up:is made up'\n")],
    "client/man/nestvirtctl.1.in": [before(r"^\.TP\n\.B monitor$", ".TP\n.B made\\-up\nIs made up.\n")],
    "tests/client/test_completion.py": [instead(r'"monitor", ', '"made-up", "monitor", ')],
})

# It is for root alone, unless polkit says something else.
METHOD = Addition("made-up", {
    "dbus/org.nestvirt1.xml": [
        before(r'<method name="GetStatistics">', f"""\
    <method name="MadeUp">
      {DOC}
      <arg name="flags" type="t" direction="in">{DOC}</arg>
      <arg name="text" type="s" direction="out">{DOC}</arg>
    </method>
""")],
    "daemon/methods/method-made-up.c": LICENCE + """\
/* The method MadeUp: a word for who may have it. */

#include "methods.h"
#include "services.h"

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Call *call = userdata;

        if (verdict == VERDICT_YES)
                call_reply(call, g_variant_new("(s)", "made up"));
        else if (verdict == VERDICT_NO)
                call_fail(call, error);
        else
                call_drop(call);
}

int method_made_up(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Services *services = object_services(userdata);
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        Call *call = call_read_flags(message, 0, &flags, &refused) ? call_new(services->calls, message, &refused)
                                                                   : NULL;
        if (!call)
                return call_refuse(error, refused);
        authority_ask(services->authority, message, NULL, on_verdict, call);
        return 1;
}
""",
    "daemon/methods/meson.build": [before(r"'method-probe\.c'", "        'method-made-up.c',\n")],
    "daemon/methods/methods.h": [
        after(r"\Z", """\
/* method-made-up.c */
int method_made_up(sd_bus_message *message, void *userdata, sd_bus_error *error);
""")],
    "daemon/methods/interface-manager.c": [
        before(r'"GetStatistics"', """\
                SD_BUS_METHOD_WITH_ARGS("MadeUp", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("s", text), method_made_up,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
""")],
    "daemon/bus/question.c": [
        before(r'\{IFACE_MANAGER, "Probe"', """\
                {IFACE_MANAGER, "MadeUp", ACTION_PROBE, N_("Authentication is required to make things up")},
""")],
    "po/de.po": [
        after(r"\Z", """
msgid "Authentication is required to make things up"
msgstr "Legitimierung ist erforderlich, um etwas zu erfinden"
""")],
})

# In the order of their names it comes between two others.
RECIPE = Addition("madeup", {
    "daemon/domain/recipe.c": [before(r'\{"proxmox", ', "                {\"madeup\", NULL, 3, 0, NULL, false, false, NULL},\n")],
    "daemon/domain/recipe.h": [instead(r'"kvm", (?="proxmox")', '"kvm", "madeup", '), instead("kvm, (?=proxmox)", "kvm, madeup, ")],
    "dbus/org.nestvirt1.xml": [instead("(?<=&quot;kvm&quot;, )", "&quot;madeup&quot;, ")],
    "client/command/command.c": [instead("(?<=: kvm, )", "madeup, ")],
    "client/completion/nestvirtctl.bash": [instead('"kvm (?=proxmox)', '"kvm madeup ')],
    "client/completion/_nestvirtctl": [instead("kvm (?=proxmox)", "kvm madeup ")],
    "client/man/nestvirtctl.1.in": [instead(r'^\.BR kvm ", " ', r'.BR kvm ", " madeup ", " ')],
    "tests/unit/domain/test-recipe.c": [instead("kvm, (?=proxmox)", "kvm, madeup, "), instead('"kvm", (?="proxmox")', '"kvm", "madeup", ')],
    "tests/client/test_patch_xml.py": [instead("kvm, (?=proxmox)", "kvm, madeup, ")],
    "tests/xml/editing.py": [instead(r'\["kvm"\], ', '["kvm"], ["madeup"], ')],
    "cockpit/guest.js": [before("    proxmox: {", '    madeup: { name: "Made up" },\n')],
})

# By the end of their headings in HACKING.md.
ADDITIONS = {"a parameter": PARAMETER, "a finding": FINDING, "a verb": VERB, "a method": METHOD, "a recipe": RECIPE}

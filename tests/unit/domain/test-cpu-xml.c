/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read from a guest's definition, what of it is refused, and what is shown of it. */

#include <string.h>

#include "cpu-xml.h"
#include "error.h"

static const char *const web1 = "<?xml version='1.0'?>\n"
                                "<!-- <cpu mode='host-model'/> -->\n"
                                "<domain type='kvm' id='3'>\n"
                                "  <name>web1 \xc3\xa9 &lt;cpu&gt;</name>\n"
                                "  <metadata><x:cpu xmlns:x='urn:x' mode='x'><cpu mode='maximum'/></x:cpu></metadata>\n"
                                "  <os>\n    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>\n  </os>\n"
                                "  <cpu mode='custom' match='exact' check='partial'>\n"
                                "    <model fallback='forbid'>\n      EPYC-Rome </model>\n"
                                "    <feature policy='disable' name='svm'/>\n"
                                "    <feature name='vmx'/>\n"
                                "    <feature policy='optional' name='svm'/>\n"
                                "  </cpu>\n"
                                "  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n  </devices>\n"
                                "  <launchSecurity type='sev'><policy>0x3</policy></launchSecurity>\n"
                                "</domain>\n";

static void test_reads_what_is_there(void) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CpuXml) cpu = cpu_xml_read(web1, "amd", &error);

        g_assert_no_error(error);
        g_assert_true(cpu->has_cpu);
        g_assert_cmpstr(cpu->type, ==, "kvm");
        g_assert_cmpstr(cpu->arch, ==, "x86_64");
        g_assert_cmpstr(cpu->machine, ==, "pc-q35-7.2");
        g_assert_cmpstr(cpu->emulator, ==, "/usr/bin/qemu-system-x86_64");
        g_assert_cmpstr(cpu->mode, ==, "custom");
        g_assert_cmpstr(cpu->model, ==, "EPYC-Rome");
        g_assert_cmpstr(cpu->match, ==, "exact");
        g_assert_cmpstr(cpu->check, ==, "partial");
        g_assert_cmpstr(cpu->policy, ==, "disable");
        g_assert_cmpstr(cpu->launch, ==, "sev");
        g_assert_cmpuint(g_hash_table_size(cpu->features), ==, 2);
        g_assert_cmpstr(g_hash_table_lookup(cpu->features, "svm"), ==, "disable");
}

static void test_a_feature_without_policy_is_required(void) {
        g_autoptr(CpuXml) cpu = cpu_xml_read(web1, "intel", NULL);

        g_assert_cmpstr(cpu->policy, ==, "require");
}

#define QEMU "http://libvirt.org/schemas/domain/qemu/1.0"

/* QEMU takes the last of several -cpu, and -global for what no -cpu names. */
static void test_arguments_that_make_another_cpu(void) {
        /* clang-format off */
        static const char *const cases[][2] = {
                { "<q:arg value='-cpu'/><q:arg value='host,+vmx'/>", "-cpu" },
                { "<q:arg value='--cpu'/><q:arg value='host'/>", "-cpu" },
                { "<q:arg value='-usb'/></q:commandline><q:commandline><q:arg value='-cpu'/>", "-cpu" },
                { "<q:env name='A' value='-cpu'/><q:arg value='-cpus'/><arg value='-cpu'/>", "" },
                { "<q:arg value='-global'/><q:arg value='host-x86_64-cpu.svm=on'/>", "-global" },
                { "<q:arg value='-global'/><q:arg value='cpu.svm=on'/>", "-global" },
                { "<q:arg value='-global'/><q:arg value='property=svm,driver=qemu64-x86_64-cpu,value=on'/>", "-global" },
                { "<q:arg value='-global'/><q:arg value='ICH9-LPC.disable_s3=1'/>", "" },
                { "<q:arg value='-global'/><q:arg value='ucpu.a=1'/><q:arg value='-global'/>", "" },
                { "<q:arg value='-global'/><q:arg value='cpu.svm=on'/><q:arg value='-cpu'/><q:arg value='max'/>", "-cpu" },
                { "<q:arg value='-cpu'/><q:arg value='max'/><q:arg value='-global'/><q:arg value='cpu.svm=on'/>", "-cpu" },
                { "<q:arg/>", "" },
        };
        /* clang-format on */

        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *xml = g_strdup_printf("<domain xmlns:q='" QEMU "'><q:commandline>%s"
                                                       "</q:commandline></domain>",
                                                       cases[i][0]);
                g_autoptr(CpuXml) cpu = cpu_xml_read(xml, "amd", NULL);
                g_test_message("%s", xml);
                g_assert_cmpstr(cpu->argument, ==, cases[i][1]);
        }
        g_autoptr(CpuXml) other = cpu_xml_read("<domain xmlns:q='urn:q'><commandline><arg value='-cpu'/></commandline>"
                                               "<q:commandline><q:arg value='-cpu'/></q:commandline></domain>",
                                               "amd", NULL);
        g_assert_cmpstr(other->argument, ==, "");
}

static void test_what_is_not_said_is_empty(void) {
        g_autoptr(CpuXml) cpu = cpu_xml_read("<domain/>", "", NULL);

        g_assert_nonnull(cpu);
        g_assert_false(cpu->has_cpu);
        g_assert_cmpuint(g_hash_table_size(cpu->features), ==, 0);
        const char *const all[] = {cpu->type,  cpu->arch,  cpu->machine, cpu->emulator, cpu->mode,  cpu->model,
                                   cpu->match, cpu->check, cpu->policy,  cpu->argument, cpu->launch};
        for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
                g_assert_cmpstr(all[i], ==, "");
}

static void test_of_an_unknown_vendor_nothing_is_the_feature(void) {
        g_autoptr(CpuXml) cpu = cpu_xml_read(web1, "", NULL);

        g_assert_cmpstr(cpu->policy, ==, "");
        g_assert_cmpuint(g_hash_table_size(cpu->features), ==, 2);
}

typedef struct Refused {
        const char *xml, *words;
} Refused;

/* clang-format off */
static const Refused refused[] = {
        { "", "empty" },
        { "   ", "not XML" },
        { "web1", "not XML" },
        { "<domain>", "line 1" },
        { "<domain>\n<a></b></domain>", "line 2" },
        { "<domain a='1' a='2'/>", "not XML" },
        { "<domain>&frob;</domain>", "not XML" },
        { "<domain>\xff</domain>", "UTF-8" },
        { "<?xml version='1.0' encoding='ISO-8859-1'?><domain/>", "ISO-8859-1" },
        { "<network/>", "<network>" },
        { "<x:domain xmlns:x='urn:x'/>", "namespace urn:x" },
        { "<domain xmlns='urn:x'/>", "namespace urn:x" },
        { "<domain/>\n<domain/>", "--print-xml=1" },
        { "<!DOCTYPE domain><domain/>", "document type declaration" },
        { "<!DOCTYPE domain SYSTEM '/etc/passwd'><domain/>", "document type declaration" },
        { "<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><domain>&a;</domain>", "document type declaration" },
        { "<!DOCTYPE d [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><domain>&b;</domain>", "document type declaration" },
};
/* clang-format on */

static void test_refused(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autoptr(GError) error = NULL, second = NULL;
                g_assert_null(cpu_xml_read(refused[i].xml, "amd", &error));
                g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
                g_test_message("%s", error->message);
                g_assert_nonnull(strstr(error->message, refused[i].words));
                g_assert_null(cpu_xml_redact(refused[i].xml, &second));
                g_assert_error(second, CONDITION, CONDITION_INVALID_ARGS);
        }
}

static char *padded(gsize size) {
        g_autofree char *pad = g_strnfill(size - strlen("<domain></domain>"), ' ');

        return g_strconcat("<domain>", pad, "</domain>", NULL);
}

static void test_size_is_bounded(void) {
        g_autofree char *most = padded((gsize) 4 * 1024 * 1024), *more = padded((gsize) 4 * 1024 * 1024 + 1);
        g_autoptr(GError) error = NULL;
        g_autoptr(CpuXml) cpu = cpu_xml_read(most, "amd", &error);

        g_assert_no_error(error);
        g_assert_nonnull(cpu);
        g_assert_null(cpu_xml_read(more, "amd", &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
}

static void test_depth_is_bounded(void) {
        g_autoptr(GString) deep = g_string_new("<domain>");
        g_autoptr(GError) error = NULL;

        for (unsigned i = 0; i < 100000; i++)
                g_string_append(deep, "<a>");
        g_assert_null(cpu_xml_read(deep->str, "amd", &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
}

static void test_number_of_attributes_is_bounded(void) {
        for (unsigned n = 256; n <= 257; n++) {
                g_autoptr(GString) many = g_string_new("<domain><!-- ' --><a");
                for (unsigned i = 0; i < n; i++)
                        g_string_append_printf(many, " a%u='\">'", i);
                g_string_append(many, "/></domain>");
                g_autoptr(CpuXml) cpu = cpu_xml_read(many->str, "amd", NULL);
                g_assert_true(!!cpu == (n == 256));
        }
}

static const char *const secrets =
                "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
                "  <name>web1</name>\n"
                "  <!-- SECRET -->\n"
                "  <description>SECRET</description>\n"
                "  <metadata><a:b xmlns:a='urn:a'>SECRET</a:b></metadata>\n"
                "  <os><type arch='x86_64'>hvm</type><cmdline>root=SECRET</cmdline><initarg>SECRET</initarg></os>\n"
                "  <sysinfo "
                "type='smbios'><oemStrings><entry>io.systemd.credential:SECRET</entry></oemStrings></sysinfo>\n"
                "  <cpu mode='host-model'/>\n"
                "  <?php SECRET ?>\n"
                "  <launchSecurity type='sev'><session>SECRET</session></launchSecurity>\n"
                "  <devices>\n"
                "    <disk type='network'><auth username='u'><secret type='ceph' uuid='SECRET'/></auth>\n"
                "      <source protocol='https' name='n'><cookies><cookie name='c'>SECRET</cookie></cookies></source>\n"
                "      <encryption format='luks'><secret type='passphrase' uuid='SECRET'/></encryption></disk>\n"
                "    <graphics type='vnc' passwd='SECRET' passwdValidTo='2030-01-01T00:00:00'><listen "
                "type='address'/></graphics>\n"
                "    <graphics type='spice' passwd=\"SECRET\"/>\n"
                "  </devices>\n"
                "  <qemu:commandline><qemu:arg value='-SECRET'/><qemu:env name='A' "
                "value='SECRET'/></qemu:commandline>\n"
                "</domain>";

static void test_nothing_secret_is_shown(void) {
        g_autoptr(GError) error = NULL;
        g_autofree char *shown = cpu_xml_redact(secrets, &error);

        g_assert_no_error(error);
        g_test_message("%s", shown);
        g_assert_null(strstr(shown, "SECRET"));
        g_assert_nonnull(strstr(shown, "<cpu mode=\"host-model\"/>"));
        g_assert_nonnull(strstr(shown, "<listen type=\"address\"/>"));
        g_assert_nonnull(strstr(shown, "<name>web1</name>"));
        g_assert_true(g_str_has_suffix(shown, "</domain>\n"));
}

static void test_what_is_shown_depends_on_the_content_only(void) {
        g_autofree char *a = cpu_xml_redact("<domain  type='kvm'\n><a b=\"1\"></a></domain >", NULL);
        g_autofree char *b = cpu_xml_redact("<?xml version=\"1.0\"?><!-- c --><domain type=\"kvm\"><a b='1'/></domain>",
                                            NULL);

        g_assert_cmpstr(a, ==, b);
}

static void test_letters_stay_letters(void) {
        g_autofree char *a = cpu_xml_redact("<domain a='\xc3\xa9'>\xc3\xa9</domain>", NULL);
        g_autofree char *b = cpu_xml_redact("<?xml version='1.0' encoding='utf-8'?><domain a='&#xe9;'>&#xe9;</domain>",
                                            NULL);

        g_assert_cmpstr(a, ==, "<domain a=\"\xc3\xa9\">\xc3\xa9</domain>\n");
        g_assert_cmpstr(b, ==, a);
}

#define OS(id)                                                                                            \
        "<metadata><libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>" \
        "<libosinfo:os id='" id "'/></libosinfo:libosinfo></metadata>"
#define HYPERV(attributes, rest) "<features><acpi/><hyperv" attributes ">" rest "</hyperv></features>"

static void test_windows(void) {
        static const struct {
                const char *inside;
                bool windows;
        } cases[] = {
                        {OS("http://microsoft.com/win/11"), true},
                        {OS("http://microsoft.com/win/2k22"), true},
                        {OS("http://microsoft.com/win/11") HYPERV("", ""), true},
                        {OS("http://debian.org/debian/12"), false},
                        /* Whatever it has then, it is not. */
                        {OS("http://debian.org/debian/12") HYPERV("", "<relaxed state='on'/>"), false},
                        {OS("") HYPERV("", "<relaxed state='on'/>"), true},
                        {OS("http://microsoft.com/"), false},
                        {HYPERV("", "<relaxed state='on'/>"), true},
                        {HYPERV(" mode='custom'", "<relaxed state='off'/><synic state='on'/>"), true},
                        {HYPERV(" mode='passthrough'", ""), true},
                        {HYPERV(" mode='host-model'", ""), true},
                        {HYPERV("", ""), false},
                        {HYPERV("", "<relaxed state='off'/><!-- on -->"), false},
                        {HYPERV("", "<vendor_id state='on' value='x'/>"), false},
                        {"", false},
                        /* Of another namespace, or of none. */
                        {"<metadata><libosinfo><os id='http://microsoft.com/win/11'/></libosinfo></metadata>", false},
                        {"<metadata><a:libosinfo xmlns:a='urn:a'><a:os id='http://microsoft.com/win/11'/></a:libosinfo>"
                         "</metadata>",
                         false},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *xml = g_strdup_printf("<domain type='kvm'>%s</domain>", cases[i].inside);
                g_autoptr(CpuXml) cpu = cpu_xml_read(xml, "amd", NULL);
                g_test_message("%s", xml);
                g_assert_cmpint(cpu->windows, ==, cases[i].windows);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/cpu-xml/reads-what-is-there", test_reads_what_is_there);
        g_test_add_func("/cpu-xml/a-feature-without-policy-is-required", test_a_feature_without_policy_is_required);
        g_test_add_func("/cpu-xml/arguments-that-make-another-cpu", test_arguments_that_make_another_cpu);
        g_test_add_func("/cpu-xml/what-is-not-said-is-empty", test_what_is_not_said_is_empty);
        g_test_add_func("/cpu-xml/of-an-unknown-vendor-nothing-is-the-feature",
                        test_of_an_unknown_vendor_nothing_is_the_feature);
        g_test_add_func("/cpu-xml/windows", test_windows);
        g_test_add_func("/cpu-xml/refused", test_refused);
        g_test_add_func("/cpu-xml/size-is-bounded", test_size_is_bounded);
        g_test_add_func("/cpu-xml/depth-is-bounded", test_depth_is_bounded);
        g_test_add_func("/cpu-xml/number-of-attributes-is-bounded", test_number_of_attributes_is_bounded);
        g_test_add_func("/cpu-xml/nothing-secret-is-shown", test_nothing_secret_is_shown);
        g_test_add_func("/cpu-xml/what-is-shown-depends-on-the-content-only",
                        test_what_is_shown_depends_on_the_content_only);
        g_test_add_func("/cpu-xml/letters-stay-letters", test_letters_stay_letters);
        return g_test_run();
}

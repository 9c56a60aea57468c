/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules by which <cpu> is changed, one by one: what comes out of which <cpu>, and that all else
 * stays byte for byte. */

#include <string.h>

#include "cpu-xml.h"
#include "error.h"

#define HEAD "<domain type='%s'>\n  <name>a</name>\n  <os>\n    <type arch='%s'>hvm</type>\n  </os>\n"
#define TAIL "  <clock  offset='utc' />\n  <devices>\n    <!-- here -->\n  </devices>\n</domain>\n"

typedef struct Case {
        const char *name, *cpu;
        CpuEdit edit;
        const char *result; /* the new <cpu>, NULL: as it was */
        const char *step;   /* in the steps, NULL: there are none */
} Case;

enum { UNSAID = -1 };

#define INTEL .vendor = "intel"
#define AMD .vendor = "amd"
#define ON .nested = 1
#define OFF .nested = 0
#define LEAVE .nested = UNSAID

static const char *const milan[] = {"avx", "npt", "nrip-save", "svm", NULL};

/* As vagrant-libvirt writes it. */
#define BOTH_WITH(model, vendor, vmx, svm)                                                                \
        "  <cpu mode='custom' match='exact'>\n    <model fallback='allow'>" model "</model>\n    " vendor \
        "\n    <feature name='vmx' policy='" vmx "'/>\n    <feature name='svm' policy='" svm "'/>\n  </cpu>\n"
#define BOTH(model, vendor) BOTH_WITH(model, vendor, "optional", "optional")
#define MACHINE .otherwise = "intel"

/* clang-format off */
static const Case cases[] = {
        /* Nested on. */
        { "on/custom-gets-require", "  <cpu mode='custom'>\n    <model>Haswell</model>\n  </cpu>\n", { INTEL, ON },
          "  <cpu mode=\"custom\">\n    <model>Haswell</model>\n    <feature policy=\"require\" name=\"vmx\"/>\n  </cpu>\n", "require vmx" },
        { "on/a-model-without-mode-is-custom", "  <cpu>\n    <model>Haswell</model>\n  </cpu>\n", { INTEL, ON },
          "  <cpu>\n    <model>Haswell</model>\n    <feature policy=\"require\" name=\"vmx\"/>\n  </cpu>\n", "require vmx" },
        { "on/in-place", "  <cpu mode='host-passthrough'>\n    <feature policy='disable' name='svm'/>\n    <feature policy='disable' name='avx'/>\n  </cpu>\n", { AMD, ON },
          "  <cpu mode=\"host-passthrough\">\n    <feature policy=\"require\" name=\"svm\"/>\n    <feature policy=\"disable\" name=\"avx\"/>\n  </cpu>\n", "require svm" },
        { "on/forbid-becomes-require", "  <cpu mode='host-model'>\n    <feature policy='forbid' name='svm'/>\n  </cpu>\n", { AMD, ON },
          "  <cpu mode=\"host-model\">\n    <feature policy=\"require\" name=\"svm\"/>\n  </cpu>\n", "require svm" },
        { "on/optional-becomes-require", "  <cpu mode='maximum'>\n    <feature policy='optional' name='svm'/>\n  </cpu>\n", { AMD, ON },
          "  <cpu mode=\"maximum\">\n    <feature policy=\"require\" name=\"svm\"/>\n  </cpu>\n", "require svm" },
        { "on/require-stays", "  <cpu mode='custom'><model>EPYC</model><feature name='svm' policy='require'/></cpu>\n", { AMD, ON }, NULL, "already" },
        { "on/no-policy-is-require", "  <cpu mode='custom'><model>EPYC</model><feature name='svm'/></cpu>\n", { AMD, ON }, NULL, "already" },
        { "on/force-stays", "  <cpu mode='custom'><model>EPYC</model><feature name='svm' policy='force'/></cpu>\n", { AMD, ON }, NULL, "force already" },
        { "on/host-passthrough-brings-it", "  <cpu mode='host-passthrough'/>\n", { INTEL, ON }, NULL, "brings it" },
        { "on/host-model-brings-it", "  <cpu mode='host-model' check='partial'/>\n", { INTEL, ON }, NULL, "brings it" },
        { "on/but-not-svm", "  <cpu mode='host-model'/>\n", { AMD, ON }, "  <cpu mode=\"host-model\">\n    <feature policy=\"require\" name=\"svm\"/>\n  </cpu>\n", "require svm" },
        { "on/maximum-brings-it", "  <cpu mode='maximum'/>\n", { AMD, ON }, NULL, "brings it" },
        { "on/the-other-vendor's-feature-is-not-ours", "  <cpu mode='host-model'>\n    <feature policy='disable' name='svm'/>\n  </cpu>\n", { INTEL, ON }, NULL, "brings it" },
        { "on/without-cpu-host-model-is-set", "", { INTEL, ON }, "  <cpu mode=\"host-model\"/>\n", "set the CPU mode to host-model (was not given)" },
        { "on/topology-only-gets-host-model", "  <cpu>\n    <topology sockets='1' dies='1' cores='2' threads='1'/>\n  </cpu>\n", { INTEL, ON },
          "  <cpu mode=\"host-model\">\n    <topology sockets=\"1\" dies=\"1\" cores=\"2\" threads=\"1\"/>\n  </cpu>\n", "host-model" },
        { "on/custom-without-model-is-no-mode", "  <cpu mode='custom' match='exact'/>\n", { INTEL, ON }, "  <cpu mode=\"host-model\"/>\n", "host-model" },
        { "on/duplicates-go", "  <cpu mode='custom'>\n    <model>Haswell</model>\n    <feature policy='disable' name='vmx'/>\n    <feature policy='require' name='avx'/>\n    <feature policy='require' name='vmx'/>\n    <feature name='vmx'/>\n  </cpu>\n", { INTEL, ON },
          "  <cpu mode=\"custom\">\n    <model>Haswell</model>\n    <feature policy=\"require\" name=\"vmx\"/>\n    <feature policy=\"require\" name=\"avx\"/>\n  </cpu>\n", "name vmx once only" },
        { "on/duplicates-go-also-when-the-first-is-right", "  <cpu mode='host-model'>\n    <feature name='vmx'/>\n    <feature policy='disable' name='vmx'/>\n  </cpu>\n", { INTEL, ON },
          "  <cpu mode=\"host-model\">\n    <feature name=\"vmx\"/>\n  </cpu>\n", "name vmx once only" },
        { "on/behind-the-other-features", "  <cpu mode='custom'>\n    <model>Haswell</model>\n    <feature policy='require' name='avx'/>\n    <numa/>\n  </cpu>\n", { INTEL, ON },
          "  <cpu mode=\"custom\">\n    <model>Haswell</model>\n    <feature policy=\"require\" name=\"avx\"/>\n    <feature policy=\"require\" name=\"vmx\"/>\n    <numa/>\n  </cpu>\n", "require vmx" },

        /* Nested off. */
        { "off/host-passthrough", "  <cpu mode='host-passthrough' check='none' migratable='on'/>\n", { AMD, OFF },
          "  <cpu mode=\"host-passthrough\" check=\"none\" migratable=\"on\">\n    <feature policy=\"disable\" name=\"svm\"/>\n  </cpu>\n", "disable svm" },
        { "off/host-model", "  <cpu mode='host-model'>\n  </cpu>\n", { INTEL, OFF },
          "  <cpu mode=\"host-model\">\n    <feature policy=\"disable\" name=\"vmx\"/>\n  </cpu>\n", "disable vmx" },
        { "off/an-epyc-brings-svm", "  <cpu mode='custom'>\n    <model>EPYC</model>\n  </cpu>\n", { AMD, OFF },
          "  <cpu mode=\"custom\">\n    <model>EPYC</model>\n    <feature policy=\"disable\" name=\"svm\"/>\n  </cpu>\n", "disable svm" },
        { "off/intel-models-bring-no-vmx", "  <cpu mode='custom'><model>Haswell</model></cpu>\n", { INTEL, OFF }, NULL, "the CPU model" },
        { "off/no-cpu", "", { AMD, OFF }, NULL, "QEMU's default CPU" },
        { "off/topology-only", "  <cpu><topology sockets='1' cores='2' threads='1'/></cpu>\n", { AMD, OFF }, NULL, "QEMU's default CPU" },
        { "off/in-place", "  <cpu mode='custom'>\n    <model>Haswell</model>\n    <feature policy='require' name='vmx'/>\n  </cpu>\n", { INTEL, OFF },
          "  <cpu mode=\"custom\">\n    <model>Haswell</model>\n    <feature policy=\"disable\" name=\"vmx\"/>\n  </cpu>\n", "disable vmx" },
        { "off/force-becomes-disable", "  <cpu mode='host-model'>\n    <feature policy='force' name='vmx'/>\n  </cpu>\n", { INTEL, OFF },
          "  <cpu mode=\"host-model\">\n    <feature policy=\"disable\" name=\"vmx\"/>\n  </cpu>\n", "disable vmx" },
        { "off/forbid-stays", "  <cpu mode='host-model'><feature policy='forbid' name='vmx'/></cpu>\n", { INTEL, OFF }, NULL, "forbid already" },
        { "off/disable-stays", "  <cpu mode='host-model'><feature policy='disable' name='vmx'/></cpu>\n", { INTEL, OFF }, NULL, "disable already" },
        { "off/in-one-line", "  <cpu mode='host-model'><numa/></cpu>\n", { INTEL, OFF },
          "  <cpu mode=\"host-model\"><numa/><feature policy=\"disable\" name=\"vmx\"/></cpu>\n", "disable vmx" },

        /* What hangs on svm or vmx. */
        { "hang/goes-with-it", "  <cpu mode='custom' check='full'>\n    <model>EPYC-Milan</model>\n    <feature policy='require' name='npt'/>\n    <feature policy='force' name='nrip-save'/>\n    <feature name='svme-addr-chk'/>\n    <feature policy='require' name='x2apic'/>\n    <feature policy='require' name='svm'/>\n  </cpu>\n", { AMD, OFF },
          "  <cpu mode=\"custom\" check=\"full\">\n    <model>EPYC-Milan</model>\n    <feature policy=\"disable\" name=\"npt\"/>\n    <feature policy=\"disable\" name=\"nrip-save\"/>\n    <feature name=\"svme-addr-chk\" policy=\"disable\"/>\n    <feature policy=\"require\" name=\"x2apic\"/>\n    <feature policy=\"disable\" name=\"svm\"/>\n  </cpu>\n", "disable what hangs on svm: npt, nrip-save, svme-addr-chk" },
        { "hang/what-is-no-demand-stays", "  <cpu mode='host-model'>\n    <feature policy='optional' name='npt'/>\n    <feature policy='forbid' name='vgif'/>\n  </cpu>\n", { AMD, OFF },
          "  <cpu mode=\"host-model\">\n    <feature policy=\"optional\" name=\"npt\"/>\n    <feature policy=\"forbid\" name=\"vgif\"/>\n    <feature policy=\"disable\" name=\"svm\"/>\n  </cpu>\n", "disable svm" },
        { "hang/also-where-it-was-taken-before", "  <cpu mode='host-model'><feature policy='disable' name='vmx'/><feature policy='require' name='vmx-ept'/></cpu>\n", { INTEL, OFF },
          "  <cpu mode=\"host-model\"><feature policy=\"disable\" name=\"vmx\"/><feature policy=\"disable\" name=\"vmx-ept\"/></cpu>\n", "disable what hangs on vmx: vmx-ept" },
        { "hang/on-the-vendor's-own", "  <cpu mode='host-model'><feature policy='require' name='vmx-ept'/></cpu>\n", { AMD, OFF },
          "  <cpu mode=\"host-model\"><feature policy=\"require\" name=\"vmx-ept\"/><feature policy=\"disable\" name=\"svm\"/></cpu>\n", "disable svm" },
        { "hang/of-the-model-too", "  <cpu mode='custom' check='full'>\n    <model>EPYC-Milan</model>\n    <feature policy='require' name='npt'/>\n  </cpu>\n", { AMD, OFF, .listed = milan },
          "  <cpu mode=\"custom\" check=\"full\">\n    <model>EPYC-Milan</model>\n    <feature policy=\"disable\" name=\"npt\"/>\n    <feature policy=\"disable\" name=\"svm\"/>\n    <feature policy=\"disable\" name=\"nrip-save\"/>\n  </cpu>\n", "svm: npt, nrip-save" },
        { "hang/unless-it-is-not-compared", "  <cpu mode='custom' check='partial'><model>EPYC-Milan</model></cpu>\n", { AMD, OFF, .listed = milan },
          "  <cpu mode=\"custom\" check=\"partial\"><model>EPYC-Milan</model><feature policy=\"disable\" name=\"svm\"/></cpu>\n", "disable svm" },
        { "hang/comes-back-with-it", "  <cpu mode='custom' check='full'>\n    <model>EPYC-Milan</model>\n    <feature policy='disable' name='npt'/>\n    <feature policy='disable' name='avx'/>\n    <feature policy='disable' name='svm'/>\n    <feature policy='disable' name='nrip-save'/>\n  </cpu>\n", { AMD, ON },
          "  <cpu mode=\"custom\" check=\"full\">\n    <model>EPYC-Milan</model>\n    <feature policy=\"disable\" name=\"avx\"/>\n    <feature policy=\"require\" name=\"svm\"/>\n  </cpu>\n", "no longer disable what hangs on svm: npt, nrip-save" },
        { "hang/named-where-libvirt-would-miss-it-in-the-model", "  <cpu check='full'>\n    <model>EPYC</model>\n    <feature policy='disable' name='npt'/>\n    <feature policy='disable' name='vgif'/>\n    <feature policy='disable' name='svm'/>\n  </cpu>\n", { AMD, ON },
          "  <cpu check=\"full\">\n    <model>EPYC</model>\n    <feature policy=\"require\" name=\"npt\"/>\n    <feature policy=\"require\" name=\"svm\"/>\n  </cpu>\n", "require, as check is full, what hangs on svm: npt" },
        { "hang/who-has-it-all-the-time-means-it", "  <cpu mode='custom'><model>EPYC</model><feature policy='disable' name='npt'/><feature policy='require' name='svm'/></cpu>\n", { AMD, ON }, NULL, "already" },
        { "hang/vmx", "  <cpu mode='custom'><model>Haswell</model><feature policy='disable' name='vmx-ept'/><feature policy='forbid' name='vmx'/></cpu>\n", { INTEL, ON },
          "  <cpu mode=\"custom\"><model>Haswell</model><feature policy=\"require\" name=\"vmx\"/></cpu>\n", "no longer disable what hangs on vmx: vmx-ept" },

        /* Whose CPU it is: the guest's own word, before that of whoever asks. */
        { "whose/both-named-and-a-vendor", BOTH("EPYC", "<vendor>AMD</vendor>"), { MACHINE, OFF }, BOTH_WITH("EPYC", "<vendor>AMD</vendor>", "optional", "disable"), "disable svm" },
        { "whose/a-model-alone", BOTH("Dhyana-v2", ""), { MACHINE, OFF }, BOTH_WITH("Dhyana-v2", "", "optional", "disable"), "disable svm" },
        { "whose/a-vendor-alone", BOTH("kvm64", "<vendor>Hygon</vendor>"), { MACHINE, OFF }, BOTH_WITH("kvm64", "<vendor>Hygon</vendor>", "optional", "disable"), "disable svm" },
        { "whose/Intel's", BOTH("Skylake-Client-IBRS", ""), { .otherwise = "amd", ON }, BOTH_WITH("Skylake-Client-IBRS", "", "require", "optional"), "require vmx" },
        { "whose/Zhaoxin's-has-vmx", BOTH("kvm64", "<vendor>Zhaoxin CentaurHauls</vendor>"), { .otherwise = "amd", ON }, BOTH_WITH("kvm64", "<vendor>Zhaoxin CentaurHauls</vendor>", "require", "optional"), "require vmx" },
        { "whose/nobody-says-so-it-is-the-machine's", BOTH("kvm64", ""), { MACHINE, OFF }, BOTH_WITH("kvm64", "", "disable", "disable"), "disable vmx" },
        { "whose/a-model-that-others-start-too", BOTH("Westmere", ""), { .otherwise = "amd", OFF }, BOTH_WITH("Westmere", "", "disable", "disable"), "disable svm" },
        { "whose/who-asks-knows", BOTH("Westmere", ""), { AMD, OFF }, BOTH_WITH("Westmere", "", "optional", "disable"), "disable svm" },
        { "whose/the-machine's-and-what-is-required", "  <cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>\n", { .otherwise = "amd", OFF },
          "  <cpu mode=\"host-passthrough\"><feature policy=\"disable\" name=\"vmx\"/><feature policy=\"disable\" name=\"svm\"/></cpu>\n", "disable svm" },
        { "whose/with-what-hangs-on-it", "  <cpu mode='maximum'><feature name='vmx'/><feature name='vmx-ept'/><feature name='npt'/></cpu>\n", { AMD, OFF },
          "  <cpu mode=\"maximum\"><feature name=\"vmx\" policy=\"disable\"/><feature name=\"vmx-ept\" policy=\"disable\"/><feature name=\"npt\" policy=\"disable\"/><feature policy=\"disable\" name=\"svm\"/></cpu>\n", "disable what hangs on vmx: vmx-ept" },
        { "whose/only-what-is-named-tells", "  <cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>\n", { .otherwise = "", OFF },
          "  <cpu mode=\"host-passthrough\"><feature policy=\"disable\" name=\"vmx\"/></cpu>\n", "disable vmx" },
        { "whose/one-is-required", "  <cpu mode='custom'><model>kvm64</model><feature policy='require' name='svm'/></cpu>\n", { MACHINE, ON }, NULL, "svm as it is" },
        { "whose/the-model-that-is-asked-for", "  <cpu mode='host-model'/>\n", { MACHINE, ON, .model = "EPYC-Rome" },
          "  <cpu mode=\"custom\" match=\"exact\">\n    <model>EPYC-Rome</model>\n    <feature policy=\"require\" name=\"svm\"/>\n  </cpu>\n", "require svm" },
        { "whose/not-the-model-that-goes", "  <cpu mode='custom'><model>EPYC</model><vendor>AMD</vendor></cpu>\n", { INTEL, OFF, .mode = "host-passthrough" },
          "  <cpu mode=\"host-passthrough\">\n    <feature policy=\"disable\" name=\"vmx\"/>\n  </cpu>\n", "disable vmx" },
        { "whose/under-KVM-a-model-of-Intel's-is-its-host's", "  <cpu mode='custom'><model>Westmere</model></cpu>\n", { AMD, ON },
          "  <cpu mode=\"custom\"><model>Westmere</model><feature policy=\"require\" name=\"svm\"/></cpu>\n", "require svm" },
        { "whose/what-is-left-over-of-the-other-goes-too", "  <cpu mode='host-passthrough'><feature policy='require' name='vmx'/></cpu>\n", { AMD, OFF },
          "  <cpu mode=\"host-passthrough\"><feature policy=\"disable\" name=\"vmx\"/><feature policy=\"disable\" name=\"svm\"/></cpu>\n", "disable vmx" },

        /* Modes. */
        { "mode/custom-to-host-model", "  <cpu mode='custom' match='exact' check='partial'>\n    <model fallback='forbid' vendor_id='AuthenticAMD'>EPYC</model>\n    <vendor>AMD</vendor>\n    <feature policy='disable' name='x2apic'/>\n  </cpu>\n", { LEAVE, .mode = "host-model" },
          "  <cpu mode=\"host-model\" check=\"partial\">\n    <model fallback=\"forbid\" vendor_id=\"AuthenticAMD\"/>\n    <feature policy=\"disable\" name=\"x2apic\"/>\n  </cpu>\n", "set the CPU mode to host-model (was custom EPYC)" },
        { "mode/custom-to-host-model-without-attributes", "  <cpu mode='custom' match='exact'>\n    <model>EPYC</model>\n  </cpu>\n", { LEAVE, .mode = "host-model" },
          "  <cpu mode=\"host-model\"/>\n", "host-model" },
        { "mode/custom-to-host-passthrough", "  <cpu mode='custom' match='minimum'>\n    <model fallback='allow'>EPYC</model>\n    <vendor>AMD</vendor>\n    <numa/>\n  </cpu>\n", { LEAVE, .mode = "host-passthrough" },
          "  <cpu mode=\"host-passthrough\">\n    <numa/>\n  </cpu>\n", "set the CPU mode to host-passthrough (was custom EPYC)" },
        { "mode/custom-to-maximum", "  <cpu mode='custom' match='exact'><model>EPYC</model></cpu>\n", { LEAVE, .mode = "maximum" },
          "  <cpu mode=\"maximum\"/>\n", "maximum" },
        { "mode/host-model-to-host-passthrough", "  <cpu mode='host-model'>\n    <model fallback='forbid'/>\n  </cpu>\n", { LEAVE, .mode = "host-passthrough" },
          "  <cpu mode=\"host-passthrough\"/>\n", "(was host-model)" },
        { "mode/passthrough-to-maximum-keeps-migratable", "  <cpu mode='host-passthrough' migratable='off'/>\n", { LEAVE, .mode = "maximum" },
          "  <cpu mode=\"maximum\" migratable=\"off\"/>\n", "maximum" },
        { "mode/passthrough-to-host-model-drops-migratable", "  <cpu mode='host-passthrough' check='none' migratable='on'/>\n", { LEAVE, .mode = "host-model" },
          "  <cpu mode=\"host-model\"/>\n", "drop check='none'" },
        { "mode/libvirt's-check-goes-with-the-mode", "  <cpu mode='maximum' check='none'/>\n", { LEAVE, .model = "EPYC" },
          "  <cpu mode=\"custom\" match=\"exact\">\n    <model>EPYC</model>\n  </cpu>\n", "which came with maximum" },
        { "mode/libvirt's-check-stays-with-the-host's-cpu", "  <cpu mode='host-passthrough' check='none'/>\n", { LEAVE, .mode = "maximum" },
          "  <cpu mode=\"maximum\" check=\"none\"/>\n", "maximum" },
        { "mode/another-check-is-somebody's", "  <cpu mode='host-passthrough' check='full'/>\n", { LEAVE, .mode = "host-model" },
          "  <cpu mode=\"host-model\" check=\"full\"/>\n", "host-model" },
        { "mode/and-so-is-that-of-another-mode", "  <cpu mode='custom' check='none'><model>EPYC</model></cpu>\n", { LEAVE, .mode = "host-model" },
          "  <cpu mode=\"host-model\" check=\"none\"/>\n", "host-model" },
        { "mode/none-to-host-passthrough", "", { LEAVE, .mode = "host-passthrough" }, "  <cpu mode=\"host-passthrough\"/>\n", "(was not given)" },
        { "mode/same", "  <cpu mode='host-passthrough'  />\n", { LEAVE, .mode = "host-passthrough" }, NULL, NULL },
        { "mode/same-custom", "  <cpu mode='custom' match='strict'><model>EPYC</model></cpu>\n", { LEAVE, .mode = "custom" }, NULL, NULL },
        { "model/to-custom", "  <cpu mode='host-passthrough' migratable='on'>\n    <numa/>\n  </cpu>\n", { LEAVE, .model = "Haswell-noTSX" },
          "  <cpu mode=\"custom\" match=\"exact\">\n    <model>Haswell-noTSX</model>\n    <numa/>\n  </cpu>\n", "set the CPU mode to custom Haswell-noTSX (was host-passthrough)" },
        { "model/keeps-fallback", "  <cpu mode='host-model'>\n    <model fallback='forbid'/>\n  </cpu>\n", { LEAVE, .mode = "custom", .model = "EPYC-v4" },
          "  <cpu mode=\"custom\" match=\"exact\">\n    <model fallback=\"forbid\">EPYC-v4</model>\n  </cpu>\n", "EPYC-v4" },
        { "model/another", "  <cpu mode='custom' match='minimum'>\n    <model fallback='forbid'>EPYC</model>\n    <vendor>AMD</vendor>\n  </cpu>\n", { LEAVE, .model = "EPYC-Rome" },
          "  <cpu mode=\"custom\" match=\"minimum\">\n    <model fallback=\"forbid\">EPYC-Rome</model>\n    <vendor>AMD</vendor>\n  </cpu>\n", "(was custom EPYC)" },
        { "model/same", "  <cpu mode='custom'><model>EPYC</model></cpu>\n", { LEAVE, .model = "EPYC" }, NULL, NULL },
        { "model/no-cpu", "", { LEAVE, .model = "EPYC" }, "  <cpu mode=\"custom\" match=\"exact\">\n    <model>EPYC</model>\n  </cpu>\n", "EPYC" },
        { "model/and-nested", "", { INTEL, ON, .model = "Haswell" },
          "  <cpu mode=\"custom\" match=\"exact\">\n    <model>Haswell</model>\n    <feature policy=\"require\" name=\"vmx\"/>\n  </cpu>\n", "require vmx" },
        { "mode/the-host's-maxphysaddr-is-for-all", "  <cpu mode='host-passthrough'>\n    <maxphysaddr mode='passthrough'/>\n  </cpu>\n", { LEAVE, .mode = "host-model" },
          "  <cpu mode=\"host-model\">\n    <maxphysaddr mode=\"passthrough\"/>\n  </cpu>\n", "host-model" },
        { "mode/the-host's-cache-is-for-maximum", "  <cpu mode='host-passthrough'>\n    <cache mode='passthrough'/>\n  </cpu>\n", { LEAVE, .mode = "maximum" },
          "  <cpu mode=\"maximum\">\n    <cache mode=\"passthrough\"/>\n  </cpu>\n", "maximum" },
        { "mode/and-nested-off", "  <cpu mode='custom'><model>Haswell</model></cpu>\n", { INTEL, OFF, .mode = "host-passthrough" },
          "  <cpu mode=\"host-passthrough\">\n    <feature policy=\"disable\" name=\"vmx\"/>\n  </cpu>\n", "disable vmx" },

        /* What nobody asked about. */
        { "keeps/all-else", "  <cpu mode='host-passthrough' check='full' deprecated_features='off' frob='1'>\n    <!-- mind -->\n    <topology sockets='1' dies='2' clusters='1' cores='2' threads='1'/>\n    <cache mode='passthrough'/>\n    <maxphysaddr mode='passthrough' limit='39'/>\n    <feature policy='require' name='invtsc'/>\n    <numa>\n      <cell id='0' cpus='0-3' memory='1' unit='GiB'/>\n    </numa>\n    <frob><![CDATA[<&]]>&amp;&#13;</frob>\n  </cpu>\n", { AMD, OFF },
          "  <cpu mode=\"host-passthrough\" check=\"full\" deprecated_features=\"off\" frob=\"1\">\n    <!-- mind -->\n    <topology sockets=\"1\" dies=\"2\" clusters=\"1\" cores=\"2\" threads=\"1\"/>\n    <cache mode=\"passthrough\"/>\n    <maxphysaddr mode=\"passthrough\" limit=\"39\"/>\n    <feature policy=\"require\" name=\"invtsc\"/>\n    <feature policy=\"disable\" name=\"svm\"/>\n    <numa>\n      <cell id=\"0\" cpus=\"0-3\" memory=\"1\" unit=\"GiB\"/>\n    </numa>\n    <frob><![CDATA[<&]]>&amp;&#13;</frob>\n  </cpu>\n", "disable svm" },
        { "keeps/nothing-asked-nothing-done", "  <cpu mode='frob'/>\n", { LEAVE }, NULL, NULL },
};
/* clang-format on */

static char *guest(const char *type, const char *arch, const char *cpu) {
        g_autofree char *head = g_strdup_printf(HEAD, type, arch);

        return g_strconcat(head, cpu, TAIL, NULL);
}

static bool has_step(const GPtrArray *steps, const char *words) {
        for (guint i = 0; i < steps->len; i++)
                if (strstr(g_ptr_array_index(steps, i), words))
                        return true;
        return false;
}

/* Which quotes are written is libxml2's to choose. */
static void assert_same(const char *edited, const char *expected) {
        g_autofree char *a = g_strdelimit(g_strdup(edited), "\"", '\''),
                        *b = g_strdelimit(g_strdup(expected), "\"", '\'');

        g_assert_cmpstr(a, ==, b);
}

static void assert_outside(const char *edited, const char *type, const char *arch) {
        g_autofree char *head = g_strdup_printf(HEAD, type, arch);

        g_assert_true(g_str_has_prefix(edited, head));
        g_assert_true(g_str_has_suffix(edited, TAIL));
}

static void test_case(gconstpointer data) {
        const Case *c = data;
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) again = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *before = guest("kvm", "x86_64", c->cpu), *after = guest("kvm", "x86_64", c->result ?: c->cpu);
        g_autoptr(GError) error = NULL;
        g_autofree char *edited = cpu_xml_edit(before, &c->edit, steps, &error);

        g_assert_no_error(error);
        assert_same(edited, after);
        assert_outside(edited, "kvm", "x86_64");
        if (!c->result)
                g_assert_cmpstr(edited, ==, before);
        for (guint i = 0; i < steps->len; i++)
                g_test_message("%s", (const char *) g_ptr_array_index(steps, i));
        g_assert_true(c->step ? has_step(steps, c->step) : steps->len == 0);

        g_autofree char *twice = cpu_xml_edit(edited, &c->edit, again, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(twice, ==, edited);
}

#define ARGUMENTS(option, value)                                                                            \
        "  <q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\n    <q:arg value='" option \
        "'/>\n    <q:arg value='" value "'/>\n  </q:commandline>\n"

typedef struct Refused {
        const char *name, *type, *arch, *cpu;
        CpuEdit edit;
        int condition;
        const char *words;
} Refused;

/* clang-format off */
static const Refused refused[] = {
        { "mode", "kvm", "x86_64", "", { AMD, ON, .mode = "frob" }, CONDITION_INVALID_ARGS, "host-model" },
        { "empty-mode", "kvm", "x86_64", "", { AMD, ON, .mode = "" }, CONDITION_INVALID_ARGS, "host-model" },
        { "custom-without-model", "kvm", "x86_64", "  <cpu mode='host-model'/>\n", { AMD, ON, .mode = "custom" }, CONDITION_INVALID_ARGS, "needs a CPU model" },
        { "custom-without-cpu", "kvm", "x86_64", "", { LEAVE, .mode = "custom" }, CONDITION_INVALID_ARGS, "needs a CPU model" },
        { "model-for-host-model", "kvm", "x86_64", "", { LEAVE, .mode = "host-model", .model = "EPYC" }, CONDITION_INVALID_ARGS, "custom only" },
        { "empty-model", "kvm", "x86_64", "", { LEAVE, .model = "" }, CONDITION_INVALID_ARGS, "name of a CPU model" },
        { "model-that-is-xml", "kvm", "x86_64", "", { LEAVE, .model = "<a/>" }, CONDITION_INVALID_ARGS, "name of a CPU model" },
        { "no-vendor", "kvm", "x86_64", "", { ON }, CONDITION_INVALID_ARGS, "intel or amd" },
        { "another-vendor", "kvm", "x86_64", "", { OFF, .vendor = "zhaoxin" }, CONDITION_INVALID_ARGS, "intel or amd" },
        { "arm", "kvm", "aarch64", "", { AMD, ON }, CONDITION_UNSUPPORTED, "aarch64" },
        { "xen", "xen", "x86_64", "", { AMD, ON }, CONDITION_UNSUPPORTED, "type xen" },
        { "lxc", "lxc", "x86_64", "", { LEAVE, .mode = "host-model" }, CONDITION_UNSUPPORTED, "type lxc" },
        { "tcg-has-no-vmx", "qemu", "x86_64", "", { INTEL, ON }, CONDITION_UNSUPPORTED, "type='kvm'" },
        { "tcg-default-cpu-has-svm", "qemu", "x86_64", "", { AMD, OFF }, CONDITION_UNSUPPORTED, "choose a CPU mode" },
        { "two-cpus", "kvm", "x86_64", "  <cpu/>\n  <cpu/>\n", { AMD, ON }, CONDITION_INVALID_ARGS, "more than one <cpu>" },
        { "whose/not-the-vendor's", "kvm", "x86_64", BOTH("kvm64", "<vendor>AMD</vendor>"), { INTEL, OFF }, CONDITION_UNSUPPORTED, "made for AMD's CPUs (<vendor> is AMD)" },
        { "whose/not-the-model's", "kvm", "x86_64", BOTH("EPYC-Rome", ""), { INTEL, ON }, CONDITION_UNSUPPORTED, "made for AMD's CPUs (its model is EPYC-Rome)" },
        { "whose/vendor-and-model-differ", "kvm", "x86_64", BOTH("EPYC", "<vendor>Intel</vendor>"), { MACHINE, OFF }, CONDITION_UNSUPPORTED, "contradicts itself" },
        { "whose/the-other's-is-required", "kvm", "x86_64", "  <cpu mode='host-model'><feature policy='require' name='vmx'/></cpu>\n", { AMD, ON }, CONDITION_UNSUPPORTED, "requires vmx, which only Intel's" },
        { "whose/both-are-required", "kvm", "x86_64", "  <cpu mode='host-model'><feature name='svm'/><feature name='vmx'/></cpu>\n", { MACHINE, ON }, CONDITION_UNSUPPORTED, "requires svm, which only AMD's" },
        { "32-bit", "kvm", "i686", "  <cpu mode='host-passthrough'/>\n", { INTEL, ON }, CONDITION_UNSUPPORTED, "a hypervisor in a guest must be 64-bit" },
        { "32-bit-qemu", "kvm", "i686", "  <devices><emulator>/usr/bin/qemu-system-i386</emulator></devices>\n", { AMD, ON }, CONDITION_UNSUPPORTED, "run by /usr/bin/qemu-system-i386" },
        { "sev", "kvm", "x86_64", "  <launchSecurity type='sev-snp'/>\n", { AMD, ON }, CONDITION_UNSUPPORTED, "Its memory is encrypted" },
        { "tdx", "kvm", "x86_64", "  <launchSecurity type='tdx'/>\n", { INTEL, ON, .mode = "host-passthrough" }, CONDITION_UNSUPPORTED, "the TDX module gives it no vmx" },
        { "cpu-of-qemu", "kvm", "x86_64", "  <cpu mode='host-passthrough'/>\n" ARGUMENTS("-cpu", "host,+vmx"), { INTEL, OFF }, CONDITION_UNSUPPORTED, "a -cpu of its own, and QEMU takes the last one" },
        { "cpu-of-qemu-and-a-mode", "kvm", "x86_64", ARGUMENTS("-cpu", "Penryn"), { LEAVE, .mode = "host-model" }, CONDITION_UNSUPPORTED, "a -cpu of its own" },
        { "property-of-qemu's-cpu", "kvm", "x86_64", ARGUMENTS("-global", "host-x86_64-cpu.svm=on"), { AMD, OFF }, CONDITION_UNSUPPORTED, "a -global for the CPU" },
        { "cache-passthrough", "kvm", "x86_64", "  <cpu mode='host-passthrough'><cache mode='passthrough'/></cpu>\n", { LEAVE, .mode = "host-model" }, CONDITION_UNSUPPORTED, "<cache mode='passthrough'>" },
};
/* clang-format on */

static void test_refused(gconstpointer data) {
        const Refused *r = data;
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *xml = guest(r->type, r->arch, r->cpu);
        g_autoptr(GError) error = NULL;

        g_assert_null(cpu_xml_edit(xml, &r->edit, steps, &error));
        g_assert_error(error, CONDITION, r->condition);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, r->words));
        g_assert_cmpuint(steps->len, ==, 0);
}

static void test_svm_in_tcg(void) {
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *xml = guest("qemu", "x86_64", "  <cpu><model>EPYC</model></cpu>\n");
        g_autofree char *edited = cpu_xml_edit(xml, &(CpuEdit) {AMD, ON}, steps, NULL);

        g_assert_nonnull(strstr(edited, "<feature policy='require' name='svm'/>"));
}

/* What it can't have can be taken from it all the same; and what QEMU runs it is not what <os>
 * says. */
static void test_taken_from_whom_it_is_not_given(void) {
        /* clang-format off */
        static const char *const guests[][3] = {
                { "i686", "", "no" },
                { "x86_64", "<launchSecurity type='sev'/>", "no" },
                { "i686", "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>", "yes" },
                { "i686", "<devices><emulator>/usr/libexec/qemu-kvm</emulator></devices>", "yes" },
                { "x86_64", "<launchSecurity type='s390-pv'/>", "yes" },
        };
        /* clang-format on */

        for (gsize i = 0; i < G_N_ELEMENTS(guests); i++) {
                g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
                g_autofree char *cpu = g_strconcat("<cpu mode='maximum'/>", guests[i][1], NULL);
                g_autofree char *xml = guest("kvm", guests[i][0], cpu);
                g_autofree char *off = cpu_xml_edit(xml, &(CpuEdit) {AMD, OFF}, steps, NULL);
                g_autofree char *on = cpu_xml_edit(xml, &(CpuEdit) {AMD, ON}, steps, NULL);
                g_autofree char *mode = cpu_xml_edit(xml, &(CpuEdit) {LEAVE, .mode = "host-model"}, steps, NULL);
                g_assert_nonnull(strstr(off, "<feature policy='disable' name='svm'/>"));
                g_assert_cmpstr(on, ==, g_str_equal(guests[i][2], "yes") ? xml : NULL);
                g_assert_nonnull(strstr(mode, "host-model"));
        }
}

/* Documents that are laid out in no usual way: what is written is what libvirt reads. */
static void test_odd_documents(void) {
        /* clang-format off */
        static const char *const odd[][2] = {
                { "<domain type='kvm'/>", "<domain type='kvm'><cpu mode='host-model'/></domain>" },
                { "<domain type='kvm'></domain>", "<domain type='kvm'><cpu mode='host-model'/></domain>" },
                { "<domain type='kvm'>\n</domain>\n", "<domain type='kvm'>\n  <cpu mode='host-model'/>\n</domain>\n" },
                { "<domain  type='kvm'>\r\n</domain>\r\n", "<domain  type='kvm'>\n  <cpu mode='host-model'/>\r\n</domain>\r\n" },
                { "<domain type='kvm'> </domain>", "<domain type='kvm'><cpu mode='host-model'/></domain>" },
                { "<domain type='kvm'><name>a</name></domain>", "<domain type='kvm'><name>a</name><cpu mode='host-model'/></domain>" },
                { "<?xml version='1.0'?>\n<!-- > -->\n<domain type='kvm' a='>'>\n\t<name  >a</name >\n</domain >\n<!-- b -->",
                  "<?xml version='1.0'?>\n<!-- > -->\n<domain type='kvm' a='>'>\n\t<name  >a</name >\n\t<cpu mode='host-model'/>\n</domain >\n<!-- b -->" },
                { "<domain type='kvm'>\n  <features/> <!-- <cpu/> -->\n  <x><![CDATA[</x><cpu>]]></x><?a >?>\n</domain>",
                  "<domain type='kvm'>\n  <features/>\n  <cpu mode='host-model'/> <!-- <cpu/> -->\n  <x><![CDATA[</x><cpu>]]></x><?a >?>\n</domain>" },
                { "\xef\xbb\xbf<domain type='kvm'>\r\n  <os/>\r\n</domain>\r\n", "\xef\xbb\xbf<domain type='kvm'>\r\n  <os/>\n  <cpu mode='host-model'/>\r\n</domain>\r\n" },
                { "<domain type='kvm'><a:cpu xmlns:a='urn:a'/><vcpu>1</vcpu><devices/></domain>",
                  "<domain type='kvm'><a:cpu xmlns:a='urn:a'/><vcpu>1</vcpu><cpu mode='host-model'/><devices/></domain>" },
                { "<domain type=\"kvm\">\n  <os/>\n</domain>", "<domain type=\"kvm\">\n  <os/>\n  <cpu mode=\"host-model\"/>\n</domain>" },
                { "<domain type='kvm'><cpu a='\"' b=\"'\" c=\"&quot;&apos;\"><!-- \"a\" --><![CDATA[<a b=\"\">]]>\"<?a \"b\"?></cpu></domain>",
                  "<domain type='kvm'><cpu a='&quot;' b=\"'\" c=\"&quot;'\" mode='host-model'><!-- \"a\" --><![CDATA[<a b=\"\">]]>\"<?a \"b\"?></cpu></domain>" },
        };
        /* clang-format on */

        for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
                g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
                g_autoptr(GError) error = NULL;
                g_autofree char *edited = cpu_xml_edit(odd[i][0], &(CpuEdit) {INTEL, ON}, steps, &error);
                g_assert_no_error(error);
                g_assert_cmpstr(edited, ==, odd[i][1]);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strconcat("/cpu-edit/", cases[i].name, NULL);
                g_test_add_data_func(path, &cases[i], test_case);
        }
        for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
                g_autofree char *path = g_strconcat("/cpu-edit/refused/", refused[i].name, NULL);
                g_test_add_data_func(path, &refused[i], test_refused);
        }
        g_test_add_func("/cpu-edit/svm-in-tcg", test_svm_in_tcg);
        g_test_add_func("/cpu-edit/taken-from-whom-it-is-not-given", test_taken_from_whom_it_is_not_given);
        g_test_add_func("/cpu-edit/odd-documents", test_odd_documents);
        return g_test_run();
}

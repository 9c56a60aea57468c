/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Interfaces and disks for a guest that has no virtio drivers. What belongs to the old model goes
 * with it, so that libvirt (src/qemu/ qemu_validate.c, src/conf/domain_validate.c) takes the new
 * one; addresses on a bus are libvirt's to give. It must not touch what the guest has drivers
 * for. */

#include <string.h>

#include "cpu-edit.h"
#include "error.h"
#include "recipe-parts.h"

#define PORTS 6 /* of a SATA controller: an ich9-ahci */

static bool by_hand(GError **error, const char *what, const char *name, const char *why) {
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest's %s %s %s: change that by hand first (virsh edit)", what, name, why);
        return false;
}

static void remove_child(DomainXml *domain, xmlNode *parent, const char *name) {
        xmlNode *node = domain_xml_child(parent, name);

        if (node)
                domain_xml_remove(domain, node);
}

/* Such interfaces are of virtio, or are no interface of QEMU's at all. */
static bool is_fixed(const xmlNode *interface) {
        static const char *const fixed[] = {"vhostuser", "vdpa", NULL};
        g_autofree char *type = domain_xml_attribute(interface, "type");
        g_autofree char *teaming = domain_xml_attribute(domain_xml_child(interface, "teaming"), "type");

        return g_strv_contains(fixed, type) || g_str_equal(teaming, "persistent");
}

static bool set_nic(DomainXml *domain, xmlNode *interface, const char *const *good, GPtrArray *steps, GError **error) {
        xmlNode *node = domain_xml_child(interface, "model");
        g_autofree char *model = domain_xml_attribute(node, "type"), *type = domain_xml_attribute(interface, "type");
        g_autofree char *mac = domain_xml_attribute(domain_xml_child(interface, "mac"), "address");
        g_autofree char *address = domain_xml_attribute(domain_xml_child(interface, "address"), "type");
        const char *name = *mac ? mac : "without a MAC address";

        if (g_strv_contains(good, model) || g_str_equal(type, "hostdev"))
                return true;
        if (is_fixed(interface))
                return by_hand(error, "interface", name, "can only be a virtio device, for which ESXi has no driver");
        if (!node)
                node = domain_xml_add(domain, interface,
                                      domain_xml_child(interface, "source") ?: xmlLastElementChild(interface), "model");
        domain_xml_set_attribute(domain, node, "type", good[0]);
        /* Queues and rings of virtio; and a slot that may be of the other kind, PCI or PCI
         * Express. */
        remove_child(domain, interface, "driver");
        if (*address)
                remove_child(domain, interface, "address");
        cpu_edit_step(steps, "give the interface %s the model %s (was %s)", name, good[0],
                      *model ? model : "libvirt's default");
        return true;
}

bool recipe_set_nics(DomainXml *domain, const char *const *good, GPtrArray *steps, GError **error) {
        xmlNode *devices = domain_xml_child(domain->root, "devices");

        for (xmlNode *node = domain_xml_child(devices, "interface"); node; node = domain_xml_next(node))
                if (!set_nic(domain, node, good, steps, error))
                        return false;
        return true;
}

int recipe_disk_index(const char *name) {
        int place = 0;

        if (!g_str_has_prefix(name, "sd") || !name[2] || strlen(name) > 5)
                return -1;
        for (name += 2; *name; name++) {
                if (*name < 'a' || *name > 'z')
                        return -1;
                place = place * 26 + (*name - 'a') + 1;
        }
        return place - 1;
}

char *recipe_disk_name(unsigned place) {
        GString *name = g_string_new(NULL);

        for (unsigned rest = place + 1; rest > 0; rest = (rest - 1) / 26)
                g_string_prepend_c(name, (char) ('a' + (rest - 1) % 26));
        g_string_prepend(name, "sd");
        return g_string_free(name, FALSE);
}

/* What libvirt takes it for when the XML does not say (src/conf/domain_conf.c). */
static char *disk_bus(const xmlNode *disk, const char *name) {
        const xmlNode *target = domain_xml_child(disk, "target");
        g_autofree char *bus = domain_xml_attribute(target, "bus"), *device = domain_xml_attribute(disk, "device");

        if (*bus)
                return g_steal_pointer(&bus);
        if (g_str_equal(device, "floppy"))
                return g_strdup("fdc");
        return g_strdup(g_str_has_prefix(name, "vd") ? "virtio" : g_str_has_prefix(name, "sd") ? "scsi" : "ide");
}

static unsigned attribute_number(const xmlNode *node, const char *name) {
        g_autofree char *text = domain_xml_attribute(node, name);
        guint64 number = 0;

        return g_ascii_string_to_unsigned(text, 10, 0, 1024, &number, NULL) ? (unsigned) number : 0;
}

/* The port of SATA that a disk has, counted through all controllers: by its address, or else by its
 * name. */
static int disk_port(const xmlNode *disk, const char *name) {
        const xmlNode *address = domain_xml_child(disk, "address");
        g_autofree char *bus = disk_bus(disk, name);

        if (!g_str_equal(bus, "sata"))
                return -1;
        if (address)
                return (int) (attribute_number(address, "controller") * PORTS + attribute_number(address, "unit"));
        return recipe_disk_index(name);
}

static char *disk_name(const xmlNode *disk) {
        return domain_xml_attribute(domain_xml_child(disk, "target"), "dev");
}

/* Which places of SATA are taken, by a port or by a name: place -> how often. */
typedef struct Places {
        GHashTable *taken;
        unsigned next; /* all before it are taken */
} Places;

static int places_taken(const Places *places, int place) {
        gpointer count = g_hash_table_lookup(places->taken, GINT_TO_POINTER(place));

        return GPOINTER_TO_INT(count);
}

static void places_count(const Places *places, int place, int by) {
        const int count = places_taken(places, place) + by;

        if (place >= 0)
                (void) g_hash_table_replace(places->taken, GINT_TO_POINTER(place), GINT_TO_POINTER(count));
}

static bool places_free(const Places *places, int place) {
        return place >= 0 && places_taken(places, place) == 0;
}

static void places_read(const Places *places, const xmlNode *devices) {
        for (xmlNode *disk = domain_xml_child(devices, "disk"); disk; disk = domain_xml_next(disk)) {
                g_autofree char *name = disk_name(disk);
                places_count(places, recipe_disk_index(name), 1);
                places_count(places, disk_port(disk, name), 1);
        }
}

/* vdb becomes sdb where it can, else the first that is free. */
static char *choose_name(Places *places, const char *name) {
        g_autofree char *wish = g_strconcat("sd", strlen(name) > 2 ? name + 2 : "", NULL);
        int place = recipe_disk_index(wish);

        places_count(places, recipe_disk_index(name), -1);
        if (!places_free(places, place)) {
                while (!places_free(places, (int) places->next))
                        places->next++;
                place = (int) places->next;
        }
        places_count(places, place, 1);
        return recipe_disk_name((unsigned) place);
}

static void clear_driver(DomainXml *domain, xmlNode *disk) {
        static const char *const names[] = {"iothread", "queues",    "queue_size",  "iommu",    "ats",
                                            "packed",   "event_idx", "page_per_vq", "ioeventfd"};
        xmlNode *driver = domain_xml_child(disk, "driver");

        if (!driver)
                return;
        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
                domain_xml_remove_attribute(domain, driver, names[i]);
        remove_child(domain, driver, "iothreads");
}

static bool set_disk(DomainXml *domain, xmlNode *disk, Places *places, GPtrArray *steps, GError **error) {
        xmlNode *target = domain_xml_child(disk, "target");
        g_autofree char *name = disk_name(disk), *bus = disk_bus(disk, name), *chosen = NULL;
        g_autofree char *device = domain_xml_attribute(disk, "device"), *type = domain_xml_attribute(disk, "type");

        if (!target || (!g_str_equal(bus, "virtio") && !g_str_equal(bus, "scsi")))
                return true;
        if (g_str_equal(device, "lun") || g_str_equal(type, "vhostuser") || g_str_equal(type, "vhostvdpa"))
                return by_hand(error, "disk", name, "can't be a SATA disk, and ESXi has no driver for virtio");
        chosen = choose_name(places, name);
        domain_xml_set_attribute(domain, target, "dev", chosen);
        domain_xml_set_attribute(domain, target, "bus", "sata");
        domain_xml_remove_attribute(domain, target, "removable");
        remove_child(domain, disk, "address");
        remove_child(domain, disk, "vendor");
        remove_child(domain, disk, "product");
        clear_driver(domain, disk);
        cpu_edit_step(steps, "move the disk %s to SATA, as %s (was %s)", name, chosen, bus);
        return true;
}

bool recipe_set_disks(DomainXml *domain, GPtrArray *steps, GError **error) {
        const xmlNode *devices = domain_xml_child(domain->root, "devices");
        g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
        Places places = {.taken = taken};

        places_read(&places, devices);
        for (xmlNode *disk = domain_xml_child(devices, "disk"); disk; disk = domain_xml_next(disk))
                if (!set_disk(domain, disk, &places, steps, error))
                        return false;
        return true;
}

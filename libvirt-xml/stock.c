/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain for a libvirt without xenkvm's patches, which does not know Xen's devices
 * in its QEMU driver: each is a device that it knows, and <qemu:override> replaces its
 * -device option.  QEMU then has the Xen device under libvirt's alias, so console,
 * statistics and block jobs work; what libvirt plugs into a running guest does not.
 */

#include <stdio.h>
#include <string.h>

#include "conversion.h"

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

/* What an IDE controller, and then an AHCI controller, has room for. */
#define IDE_DISKS 4
#define SATA_DISKS 6
/* libvirt has read-only disks on SCSI only. */
#define SCSI_DISKS 7

/* One of libvirt's serial ports is the Xen console. */
#define SERIAL_PORTS 4

typedef struct Stock {
    Conversion *c;
    xmlNsPtr qemu;
    xmlNodePtr commandline;
    xmlNodePtr override;
} Stock;

static xmlNodePtr add_qemu(Stock *s, xmlNodePtr parent, const char *name)
{
    return xmlNewChild(parent, s->qemu, BAD_CAST name, NULL);
}

static void add_argument(Stock *s, const char *value)
{
    if (!s->commandline) {
        s->commandline = add_qemu(s, s->c->domain, "commandline");
    }
    set(add_qemu(s, s->commandline, "arg"), "value", value);
}

/* Begins the override of a device; returns what properties go into. */
static xmlNodePtr override_device(Stock *s, xmlNodePtr node, const char *alias)
{
    xmlNodePtr device;

    if (!s->override) {
        s->override = add_qemu(s, s->c->domain, "override");
    }
    remove_node(find_child(node, "alias"));
    set(add(node, "alias", NULL), "name", alias);
    device = add_qemu(s, s->override, "device");
    set(device, "alias", alias);
    return add_qemu(s, device, "frontend");
}

/* A value of NULL removes the property. */
static void override(Stock *s, xmlNodePtr frontend, const char *name,
                     const char *type, const char *value)
{
    xmlNodePtr property = add_qemu(s, frontend, "property");

    set(property, "name", name);
    set(property, "type", value ? type : "remove");
    set(property, "value", value);
}

/* Sets the target to one that no other disk has; false if there is none left. */
static gboolean find_place(Stock *s, xmlNodePtr target, const char *prefix,
                           const char *bus, unsigned int places)
{
    for (unsigned int i = 0; i < places; i++) {
        g_autofree char *name = g_strdup_printf("%s%c", prefix, 'a' + i);
        gboolean is_taken = FALSE;

        for (xmlNodePtr disk = s->c->devices->children; disk; disk = disk->next) {
            is_taken |= has(find_child(disk, "target"), "dev", name) &&
                        !has(find_child(disk, "target"), "bus", "xen");
        }
        if (!is_taken) {
            set(target, "dev", name);
            set(target, "bus", bus);
            return TRUE;
        }
    }
    return FALSE;
}

static void make_disk(Stock *s, xmlNodePtr disk)
{
    /* What says where the replaced device would be. */
    static const char *const places[] = {
        "bus", "unit", "channel", "scsi-id", "lun", "device_id", "bootindex",
    };
    xmlNodePtr target = find_child(disk, "target");
    g_autofree char *vdev = get(target, "dev");
    g_autofree char *alias = g_strdup_printf("ua-%s", vdev);
    g_autofree char *place = NULL;
    gboolean is_readonly = find_child(disk, "readonly") != NULL;
    xmlNodePtr frontend;

    if (is_readonly
            ? !find_place(s, target, "sd", "scsi", SCSI_DISKS)
            : !find_place(s, target, "hd", "ide", IDE_DISKS) &&
                  !find_place(s, target, "sd", "sata", SATA_DISKS)) {
        report_error(s->c, 0,
                     "--stock: no place for the disk %s: use the patched driver",
                     vdev);
        return;
    }
    frontend = override_device(s, disk, alias);
    override(s, frontend, "driver", "string", "xen-disk");
    override(s, frontend, "vdev", "string", vdev);
    for (unsigned int i = 0; i < G_N_ELEMENTS(places); i++) {
        override(s, frontend, places[i], NULL, NULL);
    }
    place = get(target, "dev");
    report_warning(s->c, 0, "--stock: %s is %s in libvirt's commands", vdev,
                   place);
}

/*
 * What firmware boots from is a Xen disk, too, or the guest has none when its drivers have
 * unplugged the emulated one.  bootindex is the emulated one's.
 */
static void make_twin(Stock *s, xmlNodePtr disk)
{
    xmlNodePtr target = find_child(disk, "target");
    g_autofree char *vdev = get(target, "dev");
    g_autofree char *alias = g_strdup_printf("ua-%s", vdev);
    xmlNodePtr frontend = override_device(s, disk, alias);

    override(s, frontend, "driver", "string", "xen-disk");
    override(s, frontend, "vdev", "string", vdev);
    override(s, frontend, "emulated", "string",
             has(target, "bus", "ide") ? "ide" : "sata0");
    override(s, frontend, "bus", NULL, NULL);
    override(s, frontend, "unit", NULL, NULL);
}

static gboolean is_twin(xmlNodePtr disk)
{
    xmlNodePtr target = find_child(disk, "target");

    return !has(disk, "device", "cdrom") && !has(disk, "device", "floppy") &&
           !find_child(disk, "alias") &&
           (has(target, "bus", "ide") || has(target, "bus", "sata"));
}

/* libvirt passes an unknown model on, and gives this address no bus. */
static void make_interface(xmlNodePtr interface, unsigned int index)
{
    g_autofree char *alias = g_strdup_printf("ua-vif%u", index);

    remove_node(find_child(interface, "alias"));
    remove_node(find_child(interface, "address"));
    set(find_child(interface, "model"), "type", "xen-net-device");
    set(add(interface, "address", NULL), "type", "virtio-mmio");
    set(add(interface, "alias", NULL), "name", alias);
}

static void make_console(Stock *s, xmlNodePtr console)
{
    xmlNodePtr target = find_child(console, "target");
    xmlNodePtr first = find_child(s->c->devices, "serial");
    xmlNodePtr frontend;

    /* The first one is what 'virsh console' opens. */
    if (first) {
        xmlUnlinkNode(console);
        xmlAddPrevSibling(first, console);
    }
    xmlNodeSetName(console, BAD_CAST "serial");
    set(target, "type", "isa-serial");
    set(target, "port", "0");
    frontend = override_device(s, console, "ua-hvc0");
    override(s, frontend, "driver", "string", "xen-console");
    override(s, frontend, "index", NULL, NULL);
}

/* The guest's first serial port comes after the console for libvirt. */
static void make_serial(Stock *s, xmlNodePtr serial, unsigned int index)
{
    g_autofree char *alias = g_strdup_printf("ua-ttyS%u", index);
    g_autofree char *number = g_strdup_printf("%u", index);
    xmlNodePtr frontend = override_device(s, serial, alias);

    if (index + 1 >= SERIAL_PORTS) {
        report_error(s->c, 0,
                     "--stock: no place for ttyS%u: give three serial ports at "
                     "most, or use the patched driver", index);
    }
    set_number(find_child(serial, "target"), "port", index + 1);
    override(s, frontend, "index", "unsigned", number);
}

static void make_xenbus(Stock *s, xmlNodePtr xenbus)
{
    g_autofree char *channels = get(xenbus, "maxEventChannels");
    g_autofree char *frames = get(xenbus, "maxGrantFrames");
    guint64 number;

    if (channels &&
        g_ascii_string_to_unsigned(channels, 10, 1, 131071, &number, NULL)) {
        /* Xen does not count port 0. */
        g_autofree char *ports = g_strdup_printf(
            "xen-evtchn-max-ports=%" G_GUINT64_FORMAT, number + 1);

        add_argument(s, "-machine");
        add_argument(s, ports);
    }
    if (frames) {
        g_autofree char *argument =
            g_strdup_printf("xen-gnttab-max-frames=%s", frames);

        add_argument(s, "-machine");
        add_argument(s, argument);
    }
    remove_node(xenbus);
}

void domain_make_stock(Conversion *c)
{
    Stock s = { .c = c };
    unsigned int interfaces = 0, serials = 0;
    xmlNodePtr next;

    s.qemu = xmlNewNs(c->domain, BAD_CAST QEMU_NAMESPACE, BAD_CAST "qemu");
    for (xmlNodePtr node = c->devices->children; node; node = next) {
        const char *name = (const char *)node->name;

        next = node->next;
        if (node->type != XML_ELEMENT_NODE) {
            continue;
        }
        if (!strcmp(name, "disk") && is_twin(node)) {
            make_twin(&s, node);
        } else if (!strcmp(name, "disk") &&
                   has(find_child(node, "target"), "bus", "xen")) {
            make_disk(&s, node);
        } else if (!strcmp(name, "interface") &&
                   has(find_child(node, "model"), "type", "netfront")) {
            make_interface(node, interfaces++);
        } else if (!strcmp(name, "console") &&
                   has(find_child(node, "target"), "type", "xen")) {
            make_console(&s, node);
        } else if (!strcmp(name, "serial") &&
                   !find_child(node, "alias")) {
            make_serial(&s, node, serials++);
        } else if (!strcmp(name, "controller") &&
                   has(node, "type", "xenbus")) {
            make_xenbus(&s, node);
        } else if (!strcmp(name, "memballoon")) {
            set(node, "model", "none");
        }
    }
}

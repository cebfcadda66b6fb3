/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of libxl's domain XML.
 */

#include <string.h>

#include "libxl_xml.h"

static void drop(Conversion *c, xmlNodePtr device, const char *why)
{
    report_warning(c, xmlGetLineNo(device), "devices/%s dropped: %s",
                   (const char *)device->name, why);
    remove_node(device);
}

static gboolean is_taken(Conversion *c, const char *name)
{
    for (xmlNodePtr node = c->devices->children; node; node = node->next) {
        if (has(find_child(node, "target"), "dev", name)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* As for an xl.cfg: what firmware boots from is emulated. */
static void convert_target(Conversion *c, xmlNodePtr disk, xmlNodePtr target)
{
    g_autofree char *name = get(target, "dev");
    gboolean is_cdrom = has(disk, "device", "cdrom");

    /* libvirt has no read-only disks on IDE, and firmware needs none. */
    if (c->guest != GUEST_HVM || (!is_cdrom && find_child(disk, "readonly"))) {
        set(target, "bus", "xen");
    } else if ((c->by_firmware || is_cdrom) &&
        g_regex_match_simple("^xvd[a-d]$", name, 0, 0)) {
        g_autofree char *emulated = g_strdup_printf("hd%c", name[3]);

        if (!is_taken(c, emulated)) {
            set(target, "dev", emulated);
            set(target, "bus", "ide");
        }
    } else if (g_str_has_prefix(name, "xvd")) {
        set(target, "bus", "xen");
    }
}

static void convert_disk(Conversion *c, xmlNodePtr disk)
{
    xmlNodePtr target = find_child(disk, "target");
    xmlNodePtr driver = child(disk, "driver");
    g_autofree char *name = get(target, "dev");
    g_autofree char *format = get(driver, "type");

    if (!name || !*name) {
        report_error(c, xmlGetLineNo(disk),
                     "devices/disk: it has no target: give <target dev='...'>");
        return;
    }
    set(driver, "name", "qemu");
    if (!format || !strcmp(format, "aio")) {
        set(driver, "type", "raw");
    } else if (!strcmp(format, "vhd")) {
        set(driver, "type", "vpc");
    }
    if (has(disk, "device", "cdrom") && c->guest != GUEST_HVM) {
        if (!find_child(disk, "source")) {
            drop(c, disk, "the guest has no drive without a medium");
            return;
        }
        set(disk, "device", "disk");
        child(disk, "readonly");
    }
    convert_target(c, disk, target);
}

static void convert_interface(Conversion *c, xmlNodePtr interface)
{
    xmlNodePtr model = child(interface, "model");
    xmlNodePtr target = find_child(interface, "target");
    xmlNodePtr script = find_child(interface, "script");
    g_autofree char *type = get(model, "type");
    g_autofree char *path = get(script, "path");
    g_autofree char *name = get(target, "dev");
    gboolean from_network = FALSE;

    if (path && !g_str_has_suffix(path, "vif-bridge")) {
        report_error(c, xmlGetLineNo(script),
                     "devices/interface/script refused: '%s' is not run: remove "
                     "it, or use type='ethernet' by hand", path);
    }
    remove_node(script);
    if (name && g_str_has_prefix(name, "vif")) {
        remove_node(target);
    }
    set(model, "type", "netfront");
    for (xmlNodePtr node = c->os->children; node; node = node->next) {
        from_network |= has(node, "dev", "network");
    }
    if (c->guest == GUEST_HVM && c->by_firmware && from_network && type &&
        strcmp(type, "netfront")) {
        xmlNodePtr twin = xmlCopyNode(interface, 1);

        set(find_child(twin, "model"), "type", type);
        /* It is the first device that has been looked at, not the next one. */
        xmlAddPrevSibling(interface, twin);
        report_warning(c, xmlGetLineNo(interface),
                       "devices/interface: an emulated %s is added, to boot from "
                       "the network: it goes when the guest's Xen drivers come",
                       type);
    }
}

static void convert_controller(Conversion *c, xmlNodePtr controller)
{
    g_autofree char *type = get(controller, "type");
    g_autofree char *model = get(controller, "model");

    if (!g_strcmp0(type, "pci")) {
        remove_node(controller); /* the machine's; libvirt adds it */
    } else if (!g_strcmp0(type, "usb") && model &&
               g_str_has_prefix(model, "qusb")) {
        const char *becomes = strcmp(model, "qusb1") ? "ehci" : "piix3-uhci";

        report_warning(c, xmlGetLineNo(controller),
                       "devices/controller: %s becomes %s, which is emulated",
                       model, becomes);
        set(controller, "model", becomes);
    }
}

static void convert_console(xmlNodePtr console)
{
    xmlNodePtr target = child(console, "target");
    g_autofree char *type = get(target, "type");

    if (type && strcmp(type, "xen")) {
        remove_node(console); /* libvirt makes it from <serial> */
        return;
    }
    remove_node(find_child(console, "source"));
    unset(console, "tty");
    set(console, "type", "pty");
    set(target, "type", "xen");
    set(target, "port", "0");
}

static void convert_channel(Conversion *c, xmlNodePtr channel)
{
    if (c->guest == GUEST_PV) {
        drop(c, channel, "a PV guest has no virtio port");
        return;
    }
    set(find_child(channel, "target"), "type", "virtio");
    unset(find_child(channel, "target"), "state");
    report_warning(c, xmlGetLineNo(channel),
                   "devices/channel: the guest finds it as a virtio port, not "
                   "as a Xen console");
}

static void convert_hostdev(Conversion *c, xmlNodePtr hostdev)
{
    xmlNodePtr source = find_child(hostdev, "source");

    if (c->guest == GUEST_PV) {
        report_error(c, xmlGetLineNo(hostdev),
                     "devices/hostdev refused: a PV guest gets no devices of the "
                     "host: remove it, or make it an HVM guest");
        return;
    }
    remove_node(find_child(hostdev, "driver"));
    set(hostdev, "managed", "yes");
    if (source && xmlHasProp(source, BAD_CAST "writeFiltering")) {
        unset(source, "writeFiltering");
        report_warning(c, xmlGetLineNo(source),
                       "devices/hostdev: writeFiltering dropped: VFIO decides "
                       "what may be written");
    }
}

static void convert_device(Conversion *c, xmlNodePtr device)
{
    const char *name = (const char *)device->name;

    remove_node(find_child(device, "alias"));
    remove_node(find_child(device, "address"));
    if (!strcmp(name, "disk")) {
        convert_disk(c, device);
    } else if (!strcmp(name, "interface")) {
        convert_interface(c, device);
    } else if (!strcmp(name, "controller")) {
        convert_controller(c, device);
    } else if (!strcmp(name, "console")) {
        convert_console(device);
    } else if (!strcmp(name, "channel")) {
        convert_channel(c, device);
    } else if (!strcmp(name, "hostdev")) {
        convert_hostdev(c, device);
    } else if (!strcmp(name, "emulator")) {
        remove_node(device);
    } else if (!strcmp(name, "memballoon")) {
        unset(device, "autodeflate");
        unset(device, "freePageReporting");
    } else if (!strcmp(name, "input") && has(device, "bus", "xen")) {
        drop(c, device, "Xen's keyboard and mouse have no back end");
    } else if (!strcmp(name, "video") &&
               (c->guest == GUEST_PV ||
                has(find_child(device, "model"), "type", "xen"))) {
        drop(c, device, "Xen's display has no back end");
    } else if (!strcmp(name, "graphics") && c->guest == GUEST_PV) {
        drop(c, device, "a PV guest has no display");
    }
}

void convert_devices(Conversion *c)
{
    xmlNodePtr next;

    for (xmlNodePtr node = c->devices->children; node; node = next) {
        next = node->next;
        if (node->type == XML_ELEMENT_NODE) {
            convert_device(c, node);
        }
    }
}

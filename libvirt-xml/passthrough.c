/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB and PCI: controllers, and devices of the host.
 */

#include <stdlib.h>
#include <string.h>

#include "domain.h"

/* The numbers that a regular expression finds in the text, in its groups' order. */
static gboolean match_numbers(const char *regex, const char *text, int base,
                              unsigned int n, unsigned long *numbers)
{
    g_autoptr(GRegex) compiled = g_regex_new(regex, G_REGEX_CASELESS, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    if (!g_regex_match(compiled, text, 0, &match)) {
        return FALSE;
    }
    for (unsigned int i = 0; i < n; i++) {
        g_autofree char *number = g_match_info_fetch(match, i + 1);

        numbers[i] = number ? strtoul(number, NULL, base) : 0;
    }
    return TRUE;
}

static void set_hex(xmlNodePtr node, const char *attribute, unsigned long value,
                    int digits)
{
    g_autofree char *text = g_strdup_printf("0x%0*lx", digits, value);

    set(node, attribute, text);
}

static void set_pci_address(xmlNodePtr address, unsigned long domain,
                            unsigned long bus, unsigned long slot,
                            unsigned long function)
{
    set_hex(address, "domain", domain, 4);
    set_hex(address, "bus", bus, 2);
    set_hex(address, "slot", slot, 2);
    set_hex(address, "function", function, 1);
}

static xmlNodePtr add_hostdev(Conversion *c, const char *type)
{
    xmlNodePtr hostdev = add(c->devices, "hostdev", NULL);

    set(hostdev, "mode", "subsystem");
    set(hostdev, "type", type);
    set(hostdev, "managed", "yes");
    return hostdev;
}

static void map_pci_device(Conversion *c, Settings *spec, int line)
{
    const char *bdf = setting_string(spec, "bdf");
    const char *vslot = setting_string(spec, "vslot");
    unsigned long part[4], slot[1];
    xmlNodePtr hostdev, address;

    setting(spec, "seize");
    if (!bdf || !match_numbers("^(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):"
                               "([0-9a-f]{1,2})\\.([0-7])$", bdf, 16, 4, part) ||
        part[2] > 31) {
        report_error(c, line, "pci: '%s' is no device: give it as "
                     "DDDD:BB:SS.F", bdf ? bdf : "");
        return;
    }
    hostdev = add_hostdev(c, "pci");
    address = add(add(hostdev, "source", NULL), "address", NULL);
    set_pci_address(address, part[0], part[1], part[2], part[3]);
    if (!vslot) {
        return;
    }
    if (!match_numbers("^(?:0x)?([0-9a-f]{1,2})$", vslot, 16, 1, slot) ||
        !slot[0] || slot[0] > 31) {
        report_error(c, line, "pci: '%s' is no slot: give one from 1 to 1f",
                     vslot);
        return;
    }
    address = add(hostdev, "address", NULL);
    set(address, "type", "pci");
    set_pci_address(address, 0, 0, slot[0], 0);
}

/* "BDF@VSLOT,..." has no key in its first part. */
static Settings *parse_pci(Conversion *c, int line, const char *string)
{
    size_t first = strcspn(string, ",");
    g_autofree char *positional = g_strndup(string, first);
    Settings *spec;
    char *at;

    if (strchr(positional, '=')) {
        return settings_parse(c, &keys_pci, line, string);
    }
    spec = settings_parse(c, &keys_pci, line,
                          string + first + (string[first] == ','));
    if (spec) {
        at = strchr(positional, '@');
        if (at) {
            *at++ = '\0';
            settings_add(spec, "vslot", line, value_string(g_strstrip(at)));
        }
        settings_add(spec, "bdf", line, value_string(g_strstrip(positional)));
    }
    return spec;
}

void map_pci(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) devices = setting_strings(cfg, "pci");
    int line = setting_line(cfg, "pci");

    setting(cfg, "pci_seize");
    if (*devices && c->guest == GUEST_PV) {
        report_error(c, line, "pci refused: a PV guest gets no PCI devices: "
                     "remove it, or make it an HVM guest");
        return;
    }
    for (char **device = devices; *device; device++) {
        g_autoptr(Settings) spec = parse_pci(c, line, *device);

        if (spec) {
            map_pci_device(c, spec, line);
            settings_finish(spec);
        }
    }
}

static xmlNodePtr add_controller(Conversion *c, unsigned int index, long version)
{
    static const char *const models[] = { "piix3-uhci", "ehci", "qemu-xhci" };
    xmlNodePtr controller = add(c->devices, "controller", NULL);

    set(controller, "type", "usb");
    set_number(controller, "index", index);
    set(controller, "model", models[version - 1]);
    return controller;
}

static void map_controllers(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) controllers = setting_strings(cfg, "usbctrl");
    int line = setting_line(cfg, "usbctrl");

    for (unsigned int i = 0; controllers[i]; i++) {
        g_autoptr(Settings) spec =
            settings_parse(c, &keys_usbctrl, line, controllers[i]);
        const char *type;
        xmlNodePtr controller;
        long version = 2, ports;

        if (!spec) {
            return;
        }
        type = setting_string(spec, "type");
        if (type && (!strcmp(type, "pv") || !strcmp(type, "qusb"))) {
            report_warning(c, line, "usbctrl: type %s becomes an emulated "
                           "controller", type);
        } else if (type && strcmp(type, "auto") && strcmp(type, "devicemodel")) {
            report_error(c, line, "usbctrl: '%s' is none of: auto, devicemodel, "
                         "pv, qusb", type);
        }
        setting_number(spec, "version", 1, 3, &version);
        controller = add_controller(c, i, version);
        if (version == 3 && setting_number(spec, "ports", 1, 15, &ports)) {
            set_number(controller, "ports", ports);
        }
        settings_finish(spec);
    }
}

static void map_usb_device(Conversion *c, Settings *spec, int line)
{
    const char *type = setting_string(spec, "type");
    long bus, address, controller, port;
    gboolean has_controller =
        setting_number(spec, "controller", 0, 255, &controller);
    xmlNodePtr hostdev, node;

    if (type && strcmp(type, "hostdev")) {
        report_error(c, line, "usbdev: '%s' is not a type: give hostdev", type);
    }
    if (!setting_number(spec, "hostbus", 1, 255, &bus) ||
        !setting_number(spec, "hostaddr", 1, 255, &address)) {
        report_error(c, line, "usbdev: give hostbus=N and hostaddr=N, from 1 "
                     "to 255");
        return;
    }
    hostdev = add_hostdev(c, "usb");
    node = add(add(hostdev, "source", NULL), "address", NULL);
    set_number(node, "bus", bus);
    set_number(node, "device", address);
    if (has_controller && setting_number(spec, "port", 1, 31, &port)) {
        node = add(hostdev, "address", NULL);
        set(node, "type", "usb");
        set_number(node, "bus", controller);
        set_number(node, "port", port);
    }
}

static void map_usb_devices(Conversion *c, Settings *cfg)
{
    g_auto(GStrv) devices = setting_strings(cfg, "usbdev");
    int line = setting_line(cfg, "usbdev");

    for (char **device = devices; *device; device++) {
        g_autoptr(Settings) spec =
            settings_parse(c, &keys_usbdev, line, *device);

        if (spec) {
            map_usb_device(c, spec, line);
            settings_finish(spec);
        }
    }
}

/* The devices of QEMU's -usbdevice that libvirt has, too. */
static void map_emulated_devices(Conversion *c, Settings *cfg)
{
    static const char *const inputs[] = { "tablet", "mouse", "keyboard", NULL };
    g_auto(GStrv) devices = setting_strings(cfg, "usbdevice");
    int line = setting_line(cfg, "usbdevice");

    for (char **device = devices; *device; device++) {
        unsigned long id[2];

        if (g_strv_contains(inputs, *device)) {
            xmlNodePtr input = add(c->devices, "input", NULL);

            set(input, "type", *device);
            set(input, "bus", "usb");
        } else if (match_numbers("^host:([0-9a-f]{1,4}):([0-9a-f]{1,4})$",
                                 *device, 16, 2, id)) {
            xmlNodePtr source = add(add_hostdev(c, "usb"), "source", NULL);

            set_hex(add(source, "vendor", NULL), "id", id[0], 4);
            set_hex(add(source, "product", NULL), "id", id[1], 4);
        } else if (match_numbers("^host:([0-9]{1,3})\\.([0-9]{1,3})$", *device,
                                 10, 2, id) && id[0] < 256 && id[1] < 256) {
            xmlNodePtr source = add(add_hostdev(c, "usb"), "source", NULL);
            xmlNodePtr address = add(source, "address", NULL);

            set_number(address, "bus", id[0]);
            set_number(address, "device", id[1]);
        } else {
            report_error(c, line, "usbdevice: '%s' is none of: tablet, mouse, "
                         "keyboard, host:VVVV:PPPP, host:BUS.ADDRESS", *device);
        }
    }
}

void map_usb(Conversion *c, Settings *cfg)
{
    gboolean usb = FALSE;
    long version = 0;

    if (c->guest == GUEST_PV) {
        g_auto(GStrv) devices = setting_strings(cfg, "usbdev");

        if (*devices) {
            report_error(c, setting_line(cfg, "usbdev"),
                         "usbdev refused: a PV guest gets no USB devices: remove "
                         "it, or make it an HVM guest");
        }
        return;
    }
    map_controllers(c, cfg);
    map_usb_devices(c, cfg);
    if (c->guest == GUEST_HVM) {
        usb = setting_bool(cfg, "usb", FALSE);
        setting_number(cfg, "usbversion", 0, 3, &version);
        map_emulated_devices(c, cfg);
    }
    if (!find_device(c, "controller", "type", "usb") &&
        (usb || version || find_child(c->devices, "input") ||
         find_child(c->devices, "redirdev") ||
         find_child(c->devices, "hostdev"))) {
        add_controller(c, 0, version ? version : 1);
    }
}
